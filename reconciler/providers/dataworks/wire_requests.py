"""Our calls in DataWorks' words: operation names, API versions and parameter texts.

Source: vendor reference and SDK models of 2018-06-01 and 2020-05-18, read 2026-11-21.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping

import httpx

from reconciler.model.addresses import Kind
from reconciler.model.calls import WireCall
from reconciler.model.dates import DateRange
from reconciler.model.resources import Tuning
from reconciler.model.series import Series
from reconciler.providers.dataworks.markers import marker_of
from reconciler.providers.http import USER_AGENT
from reconciler.providers.signing import encode_parameters

CREATE_BACKFILL = "RunCycleDagNodes"
CREATE_MANUAL_RUN = "CreateManualDag"
SEARCH_MANUAL_RUN = "SearchManualDagNodeInstance"

_API_2018 = "2018-06-01"
_API_2020 = "2020-05-18"
#: Operations of 2018-06-01: parameters in the query, no environment.
_OPERATIONS_2018 = frozenset((CREATE_MANUAL_RUN, SEARCH_MANUAL_RUN))

#: Scope of the parameters of a whole manual flow.
_FLOW_SCOPE = "flow"

_ALERT_EVENTS = {"success": "SUCCESS", "failure": "FAILURE", "success_failure": "SUCCESS_FAILURE"}


def build_create(
    series: Series, dates: DateRange, name: str, tuning: Tuning, *, markers: bool = False
) -> WireCall:
    """The create call for some dates of a series.

    Args:
        series: What to run.
        dates: One date only for a manual flow.
        name: The run's name; a manual flow's run bears none, but with `markers` its tag.
        tuning: How to run it; a manual flow takes none.
        markers: Whether to put the tag into a parameter of a manual flow.
    """
    match series.subject.kind:
        case Kind.BACKFILL:
            return WireCall(
                operation=CREATE_BACKFILL,
                parameters=_backfill_parameters(series, dates, name, tuning),
            )
        case Kind.MANUAL_FLOW:
            if dates.count != 1:
                raise ValueError(f"a manual flow runs for one date a call, not for {dates}")
            marker = [marker_of(name)] if markers else []
            return WireCall(
                operation=CREATE_MANUAL_RUN, parameters=_manual_parameters(series, dates, marker)
            )


def _backfill_parameters(
    series: Series, dates: DateRange, name: str, tuning: Tuning
) -> dict[str, str]:
    subject = series.subject
    parameters = {
        "Name": name,
        "ProjectEnv": subject.environment,
        "RootNodeId": subject.root,
        "IncludeNodeIds": ",".join(series.include),
        "StartBizDate": bizdate(dates.start),
        "EndBizDate": bizdate(dates.last),
        # Whether *different dates* may run at once, says the current reference.
        "Parallelism": "true" if tuning.parallelism > 1 else "false",
    }
    if tuning.parallelism > 1:
        parameters["ConcurrentRuns"] = str(tuning.parallelism)
    if series.exclude:
        parameters["ExcludeNodeIds"] = ",".join(series.exclude)
    if subject.hours is not None:
        parameters["BizBeginTime"] = subject.hours.begin
        parameters["BizEndTime"] = subject.hours.end
    if series.params:
        parameters["NodeParams"] = _node_parameters(series.params)
    if tuning.alerts is not None:
        parameters["AlertType"] = _ALERT_EVENTS[tuning.alerts.on]
        parameters["AlertNoticeType"] = tuning.alerts.by
    return dict(sorted(parameters.items()))


def _manual_parameters(
    series: Series, dates: DateRange, marker: Iterable[tuple[str, str]]
) -> dict[str, str]:
    parameters = {
        "Bizdate": bizdate(dates.start),
        "FlowName": series.subject.root,
        "ProjectName": series.subject.workspace,
    }
    flow = (*dict(series.params).get(_FLOW_SCOPE, ()), *marker)
    if flow:
        parameters["DagPara"] = _pairs(flow)
    nodes = [item for item in series.params if item[0] != _FLOW_SCOPE]
    if nodes:
        parameters["NodePara"] = _node_parameters(nodes)
    return dict(sorted(parameters.items()))


def _node_parameters(params: Iterable[tuple[str, tuple[tuple[str, str], ...]]]) -> str:
    """A JSON object from node id to `k=v k2=v2`. Keys are quoted, unlike in the vendor's sample."""
    return json.dumps(
        {node: _pairs(values) for node, values in params},
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    )


def _pairs(values: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(values))


def bizdate(date: dt.date) -> str:
    """A data date as the service takes it; a bare date is refused as too short."""
    return f"{date.isoformat()} 00:00:00"


def build_request(base_url: str, operation: str, parameters: Mapping[str, str]) -> httpx.Request:
    """The unsigned HTTP request for a call: 2018 carries its parameters in the query, 2020 in a form.

    Both use the encoding that is signed, so that there is one text and not two.
    """
    encoded = encode_parameters(parameters.items())
    headers = {
        "accept": "application/json",
        # Answers are small, and undecoded ones are easier to bound.
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
        "x-acs-action": operation,
    }
    if operation in _OPERATIONS_2018:
        url = httpx.URL(f"{base_url}/?{encoded}" if encoded else f"{base_url}/")
        return httpx.Request(
            "POST", url, headers={**headers, "x-acs-version": _API_2018, "content-length": "0"}
        )
    return httpx.Request(
        "POST",
        f"{base_url}/",
        headers={
            **headers,
            "x-acs-version": _API_2020,
            "content-type": "application/x-www-form-urlencoded",
        },
        content=encoded.encode("ascii"),
    )
