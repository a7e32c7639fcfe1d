from __future__ import annotations

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateRange
from reconciler.model.resources import Alerts, Tuning
from reconciler.model.series import Hours, sorted_params
from reconciler.providers.dataworks.wire_requests import build_create, build_request
from tests.unit.providers.dataworks.support import a_series

DATES = DateRange.parse("2020-05-20..2020-05-31")
DAY = DateRange.parse("2018-12-12")


def test_a_plain_backfill_sends_the_required_fields_only() -> None:
    call = build_create(a_series(), DATES, "rc1-x orders", Tuning())
    assert call.operation == "RunCycleDagNodes"
    assert call.parameters == {
        "Name": "rc1-x orders",
        "ProjectEnv": "PROD",
        "RootNodeId": "1234",
        "IncludeNodeIds": "1234,74324",
        "StartBizDate": "2020-05-20 00:00:00",
        "EndBizDate": "2020-05-31 00:00:00",
        "Parallelism": "false",
    }


def test_one_day_starts_and_ends_on_it() -> None:
    parameters = build_create(a_series(), DAY, "n", Tuning()).parameters
    assert parameters["StartBizDate"] == parameters["EndBizDate"] == "2018-12-12 00:00:00"


def test_everything_that_a_backfill_may_say() -> None:
    series = a_series(
        exclude=("123465", "7"),
        hours=Hours("00:00:00", "01:00:00"),
        params=sorted_params({"74324": {"key2": "val", "key1": "值"}, "1234": {"a": "${x}"}}),
    )
    tuning = Tuning(parallelism=3, alerts=Alerts(on="success_failure", by="SMS_MAIL"))
    parameters = build_create(series, DATES, "n", tuning).parameters
    assert {name: parameters[name] for name in parameters if name != "Name"} == {
        "ProjectEnv": "PROD",
        "RootNodeId": "1234",
        "IncludeNodeIds": "1234,74324",
        "ExcludeNodeIds": "123465,7",
        "StartBizDate": "2020-05-20 00:00:00",
        "EndBizDate": "2020-05-31 00:00:00",
        "Parallelism": "true",
        "ConcurrentRuns": "3",
        "BizBeginTime": "00:00:00",
        "BizEndTime": "01:00:00",
        "NodeParams": '{"1234":"a=${x}","74324":"key1=值 key2=val"}',
        "AlertType": "SUCCESS_FAILURE",
        "AlertNoticeType": "SMS_MAIL",
    }


@pytest.mark.parametrize(("on", "wire"), [("success", "SUCCESS"), ("failure", "FAILURE")])
def test_alert_events(on: str, wire: str) -> None:
    tuning = Tuning(alerts=Alerts(on=on, by="MAIL"))
    assert build_create(a_series(), DAY, "n", tuning).parameters["AlertType"] == wire


def test_a_plain_manual_run() -> None:
    call = build_create(a_series(Kind.MANUAL_FLOW), DAY, "unused", Tuning())
    assert call.operation == "CreateManualDag"
    assert call.parameters == {
        "ProjectName": "test_project",
        "FlowName": "test_flow",
        "Bizdate": "2018-12-12 00:00:00",
    }


def test_a_manual_run_with_params() -> None:
    params = sorted_params(
        {"flow": {"k2": "v2", "k1": "v1"}, "103180025": {"test": "${yyyy-mm-dd}"}}
    )
    parameters = build_create(
        a_series(Kind.MANUAL_FLOW, params=params), DAY, "", Tuning()
    ).parameters
    assert parameters["DagPara"] == "k1=v1 k2=v2"
    assert parameters["NodePara"] == '{"103180025":"test=${yyyy-mm-dd}"}'


def test_a_manual_run_has_one_date() -> None:
    with pytest.raises(ValueError, match="one date"):
        build_create(a_series(Kind.MANUAL_FLOW), DATES, "n", Tuning())


def test_2020_travels_in_a_form_and_2018_in_the_query() -> None:
    form = build_request("http://x", "RunCycleDagNodes", {"b": "1 *", "a": "é"})
    query = build_request("http://x", "CreateManualDag", {"b": "1 *", "a": "é"})
    assert (form.method, str(form.url), form.content) == (
        "POST",
        "http://x/",
        b"a=%C3%A9&b=1%20%2A",
    )
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form.headers["x-acs-version"] == "2020-05-18"
    assert (query.method, query.url.query, query.content) == ("POST", b"a=%C3%A9&b=1%20%2A", b"")
    assert query.headers["x-acs-version"] == "2018-06-01"
    assert "content-type" not in query.headers
