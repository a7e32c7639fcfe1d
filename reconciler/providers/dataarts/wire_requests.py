"""Our calls in DataArts' words: paths, queries and bodies.

Source: request models of huaweicloudsdkdataartsstudio and huaweicloudsdkdgc 3.1.219, and what they sent
(tests/wire/dataarts); that only the form `2026-01-01T00:00:00 +08` of a date is understood is a field
report (2026-07).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import httpx

from reconciler.model.addresses import Kind
from reconciler.model.calls import WireCall
from reconciler.model.dates import DateRange
from reconciler.model.resources import Tuning
from reconciler.model.series import Series
from reconciler.providers.dataarts.days import plan_days
from reconciler.providers.dataarts.failures import invalid, no_backfill
from reconciler.providers.http import USER_AGENT
from reconciler.providers.signing import encode, encode_parameters

CREATE = "CreateFactorySupplementDataInstance"
LIST = "ShowFactorySupplementData"
STOP = "StopFactorySupplementDataInstance"
LIST_INSTANCES = "ListFactoryJobInstancesByName"
SHOW_INSTANCE = "ShowJobInstance"
LIST_TASK_RUNS = "ShowInstanceInfos"

#: Periods of one call that may run at once.
MOST_PARALLEL = 5

_BODY_TYPES = {"parallel": int, "reverse_order": int}
_TRUTHS = frozenset(("is_stop_when_fail",))


def build_create(
    series: Series, dates: DateRange, name: str, tuning: Tuning, zone: ZoneInfo
) -> WireCall:
    """The create call for some data dates of a series.

    `force` lets it run although another PatchData of the job does: several ranges of one job may be open at
    once, and that nothing of ours runs for the same dates was looked for before. Without it the service may
    refuse the second one. A call that takes one period after another stops at the first that fails.

    Raises:
        InvalidRequest: The service has no such call.
    """
    if series.subject.kind is not Kind.BACKFILL:
        raise no_backfill(CREATE)
    if tuning.parallelism > MOST_PARALLEL:
        raise invalid(
            CREATE,
            f"parallelism is at most {MOST_PARALLEL} on DataArts",
            f"set `parallelism` of the spec to {MOST_PARALLEL} or less",
        )
    days = plan_days(series, dates)
    parameters = {
        "name": name,
        "job_name": series.subject.root,
        "start_date": _spelled(dt.datetime.combine(days.start, dt.time(), zone)),
        "end_date": _spelled(dt.datetime.combine(days.last, dt.time(23, 59, 59), zone)),
        "parallel": str(tuning.parallelism),
        "is_stop_when_fail": "true" if tuning.parallelism == 1 else "false",
        "reverse_order": "0",
        "force": "true",
    }
    return WireCall(operation=CREATE, parameters=dict(sorted(parameters.items())))


def _spelled(moment: dt.datetime) -> str:
    """A moment as PatchData reads it, such as `2026-01-01T00:00:00 +08`.

    Raises:
        InvalidRequest: Its offset is not one of whole hours.
    """
    hours, rest = divmod(int((moment.utcoffset() or dt.timedelta(0)).total_seconds()), 3600)
    if rest:
        raise invalid(
            CREATE,
            f"{moment.tzinfo} is not whole hours from UTC, which the service cannot read",
            "set the connection's `timezone` to that of the workspace",
        )
    return f"{moment:%Y-%m-%dT%H:%M:%S} {'-' if hours < 0 else '+'}{abs(hours):02d}"


def create_body(parameters: Mapping[str, str]) -> bytes:
    """The JSON body of a create, each parameter with its own type; `force` is a text."""

    def typed(name: str, text: str) -> object:
        return text == "true" if name in _TRUTHS else _BODY_TYPES.get(name, str)(text)

    body = {name: typed(name, text) for name, text in parameters.items()}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def build_path(*parts: str) -> str:
    """A path out of its parts, each encoded.

    Raises:
        InvalidRequest: A part would be taken for a step within the path.
    """
    for part in parts:
        if part in {"", ".", ".."}:
            raise invalid(
                "request",
                f"{part!r} cannot stand in a path",
                "name the job, or the run, as the console does",
            )
    return "".join(f"/{encode(part)}" for part in parts)


def build_request(
    method: str,
    url: str,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> httpx.Request:
    """The unsigned HTTP request for a call; the wire query is the same sorted text that is signed."""
    encoded = encode_parameters((query or {}).items())
    has_body = body is not None
    sent = {
        "accept": "application/json",
        # Answers are small, and undecoded ones are easier to bound.
        "accept-encoding": "identity",
        "content-type": "application/json;charset=utf-8" if has_body else "application/json",
        "user-agent": USER_AGENT,
        **(headers or {}),
    }
    if method == "POST" and not has_body:
        sent["content-length"] = "0"
    return httpx.Request(
        method, httpx.URL(f"{url}?{encoded}" if encoded else url), headers=sent, content=body
    )
