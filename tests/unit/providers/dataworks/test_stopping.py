"""What stopping stops, what goes on, and which dates count as stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from reconciler.model.addresses import Kind
from reconciler.model.attempts import Attempt
from reconciler.model.calls import StopReport
from reconciler.model.dates import DateSet
from reconciler.model.errors import InvalidRequest, NotFound, UnexpectedResponse
from reconciler.model.series import Series
from tests.unit.providers.dataworks.support import (
    Service,
    a_provider,
    a_row,
    a_series,
    an_attempt,
    gateway_error,
    lists,
    ok,
    refusal,
)

pytestmark = pytest.mark.anyio

SERIES = a_series()
MANUAL = a_series(Kind.MANUAL_FLOW)
SEARCH = "SearchManualDagNodeInstance"
D1, D2, D3 = "2024-05-01", "2024-05-02", "2024-05-03"
WHOLE = f"{D1}..{D3}"
SERIAL = an_attempt(SERIES, WHOLE, run_ids=("1", "2", "3"))
PARALLEL = dataclasses.replace(SERIAL, serial=False)

#: What the service says to stopping instance 1, which therefore goes on.
UNWILLING = [
    refusal("InvalidParameter.InstanceId", "it is gone"),
    gateway_error(403, "Forbidden.Access"),
    gateway_error(429, "Throttling.User"),
    gateway_error(503, "ServiceUnavailable"),
    httpx.ReadError("reset"),
    ok(False),
]


def a_service(*rows: Mapping[str, Any], refused: Mapping[str, Any] | None = None) -> Service:
    """Instances of a run; stopping those in `refused` is answered as it says, all else succeeds."""
    service = Service()
    service.on("ListInstances", lists(rows))
    answers = refused or {}
    service.on("StopInstance", lambda asked: answers.get(asked["InstanceId"], ok(True)))
    return service


async def stop(
    service: Service,
    attempt: Attempt = SERIAL,
    when: Sequence[str] = (WHOLE,),
    series: Series = SERIES,
) -> StopReport:
    return await a_provider(service).stop(attempt, series, DateSet.parse(when))


def stops(service: Service) -> list[str]:
    """The instances that the service was asked to stop, sorted."""
    return sorted(asked["InstanceId"] for name, asked in service.calls if name == "StopInstance")


@pytest.mark.parametrize(
    "status", ["RUNNING", "WAIT_TIME", "WAIT_RESOURCE", "CHECKING", "CHECKING_CONDITION"]
)
async def test_what_has_begun_is_stopped(status: str) -> None:
    service = a_service(a_row(1, 1, D1, status))
    report = await stop(service, an_attempt(SERIES, D1), [D1])
    assert report == StopReport(dates=DateSet.parse([D1]), stopped=1, left=())
    assert stops(service) == ["1"]


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE"])
async def test_what_has_ended_is_left_alone_and_not_named(status: str) -> None:
    service = a_service(a_row(1, 1, D1, status))
    assert await stop(service) == StopReport(dates=DateSet(), stopped=0, left=())
    assert set(service.operations()) == {"ListInstances"}


@pytest.mark.parametrize("status", ["NOT_RUN", "WAIT_TRIGGER"])
async def test_what_has_not_begun_is_named_and_not_tried(status: str) -> None:
    service = a_service(a_row(1, 1, D1, status))
    report = await stop(service)
    assert (report.dates, report.stopped, stops(service)) == (DateSet(), 0, [])
    (line,) = report.left
    assert line.startswith(f"instance 1 ({D1}, {status.lower()}): ")
    assert "has not begun" in line


async def test_children_of_a_stopped_instance_wait_in_vain_and_are_not_named() -> None:
    rows = [a_row(1, 1, D1, "RUNNING"), a_row(2, 1, D1, "NOT_RUN", NodeId=74324)]
    report = await stop(a_service(*rows), an_attempt(SERIES, D1), [D1])
    assert report == StopReport(dates=DateSet.parse([D1]), stopped=1, left=())


async def test_in_a_serial_call_the_dates_behind_a_stopped_one_count_as_stopped() -> None:
    rows = [
        a_row(1, 1, D1, "SUCCESS"),
        a_row(2, 2, D2, "RUNNING"),
        a_row(3, 3, D3, "NOT_RUN"),
    ]
    report = await stop(a_service(*rows))
    assert report == StopReport(dates=DateSet.parse([f"{D2}..{D3}"]), stopped=1, left=())


async def test_in_a_serial_call_the_dates_before_a_stopped_one_do_not_count() -> None:
    rows = [a_row(1, 1, D1, "NOT_RUN"), a_row(2, 2, D2, "RUNNING")]
    report = await stop(a_service(*rows))
    assert report.dates == DateSet.parse([D2])
    assert len(report.left) == 1
    assert D1 in report.left[0]


async def test_in_a_parallel_call_later_dates_go_on() -> None:
    rows = [a_row(1, 1, D1, "RUNNING"), a_row(2, 2, D2, "NOT_RUN")]
    report = await stop(a_service(*rows), PARALLEL)
    assert (report.dates, report.stopped) == (DateSet.parse([D1]), 1)
    assert [line.split(",")[0] for line in report.left] == [f"instance 2 ({D2}"]


@pytest.mark.parametrize("answer", UNWILLING, ids=str)
async def test_what_the_service_does_not_stop_is_named_and_keeps_its_date_open(
    answer: Any,
) -> None:
    rows = [
        a_row(1, 1, D1, "RUNNING"),
        a_row(2, 1, D1, "RUNNING", NodeId=74324),
        a_row(3, 1, D1, "NOT_RUN", NodeId=74325),
        a_row(4, 2, D2, "RUNNING"),
    ]
    service = a_service(*rows, refused={"1": answer})
    report = await stop(service, PARALLEL)
    assert (report.dates, report.stopped) == (DateSet.parse([D2]), 2)
    assert [line.partition(":")[0] for line in report.left] == [
        f"instance 1 ({D1}, running)",
        f"instance 3 ({D1}, not_run)",
    ]


async def test_the_services_own_words_are_told() -> None:
    service = a_service(
        a_row(1, 1, D1, "RUNNING"), refused={"1": refusal("Invalid.Instance.State", "too late")}
    )
    (line,) = (await stop(service)).left
    assert "Invalid.Instance.State" in line
    assert "too late" in line


async def test_behind_a_serial_date_that_goes_on_nothing_counts_as_stopped() -> None:
    rows = [a_row(1, 1, D1, "RUNNING"), a_row(2, 2, D2, "NOT_RUN")]
    report = await stop(a_service(*rows, refused={"1": refusal("InvalidParameter")}))
    assert (report.dates, report.stopped, len(report.left)) == (DateSet(), 0, 2)


async def test_a_stop_is_sent_once_whatever_is_said() -> None:
    unavailable = gateway_error(503, "ServiceUnavailable")
    service = a_service(a_row(1, 1, D1, "RUNNING"), refused={"1": unavailable})
    await stop(service)
    assert stops(service) == ["1"]


async def test_only_the_dates_asked_for_are_stopped() -> None:
    rows = [a_row(n, n, day, "RUNNING") for n, day in enumerate((D1, D2, D3), start=1)]
    service = a_service(*rows)
    report = await stop(service, PARALLEL, [D2])
    assert (report.dates, stops(service)) == (DateSet.parse([D2]), ["2"])


async def test_dates_behind_that_nobody_asked_for_are_not_reported() -> None:
    rows = [a_row(1, 1, D1, "RUNNING"), a_row(2, 2, D2, "NOT_RUN"), a_row(3, 3, D3, "NOT_RUN")]
    report = await stop(a_service(*rows), SERIAL, [f"{D1}..{D2}"])
    assert report.dates == DateSet.parse([f"{D1}..{D2}"])


async def test_each_run_of_an_attempt_is_listed_in_its_own_environment() -> None:
    rows = [a_row(n, n, day, "RUNNING") for n, day in enumerate((D1, D2), start=1)]
    service = a_service(*rows, a_row(9, 9, D1, "RUNNING"))
    await stop(service, dataclasses.replace(PARALLEL, run_ids=("1", "2")))
    listed = [asked for name, asked in service.calls if name == "ListInstances"]
    assert sorted(asked["DagId"] for asked in listed) == ["1", "2"]
    assert {asked["ProjectEnv"] for _, asked in service.calls} == {"PROD"}
    assert stops(service) == ["1", "2"], "another DAG's instance is nobody's business"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("InvalidParameter"), InvalidRequest),
        (refusal("Invalid.Dag.NotExists"), NotFound),
        ({"Success": True}, UnexpectedResponse),
    ],
)
async def test_nothing_is_stopped_where_the_instances_cannot_be_listed(
    answer: Any, error: type[Exception]
) -> None:
    service = a_service()
    service.on("ListInstances", answer)
    with pytest.raises(error):
        await stop(service)
    assert stops(service) == []


async def test_a_manual_run_is_stopped_through_its_own_search_and_on_its_one_date() -> None:
    service = a_service()
    rows = [
        a_row(1, 9, D1, "x", Status=4, DagType=5),
        a_row(2, 9, D1, "x", Status=1, DagType=5),
        a_row(3, 9, D1, "x", Status=6, DagType=5),
    ]
    service.on(SEARCH, ok({"NodeInsInfo": rows}))
    report = await stop(service, an_attempt(MANUAL, D2, run_ids=("9",)), [D2], MANUAL)
    assert report == StopReport(dates=DateSet.parse([D2]), stopped=1, left=())
    assert service.calls == [
        (SEARCH, {"DagId": "9", "ProjectName": "test_project"}),
        ("StopInstance", {"InstanceId": "1", "ProjectEnv": "PROD"}),
    ]


async def test_a_manual_run_that_goes_on_is_named_with_the_date_of_its_call() -> None:
    service = a_service(refused={"1": refusal("InvalidParameter")})
    service.on(SEARCH, ok({"NodeInsInfo": [a_row(1, 9, D1, "x", Status=4, DagType=5)]}))
    report = await stop(service, an_attempt(MANUAL, D2, run_ids=("9",)), [D2], MANUAL)
    assert (report.dates, report.stopped) == (DateSet(), 0)
    assert report.left[0].startswith(f"instance 1 ({D2}, running): ")
