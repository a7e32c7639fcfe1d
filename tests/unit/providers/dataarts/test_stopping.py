"""Stopping a run as a whole, and the nodes that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from reconciler.model.dates import DateSet
from reconciler.model.runs import NodeFailure
from tests.unit.providers.dataarts.support import (
    INSTANCES,
    LIST,
    NODES,
    SERIES,
    STOP,
    Service,
    a_name,
    a_patch,
    a_provider,
    an_attempt,
    an_instance,
    error,
    instances,
    patches,
)

pytestmark = pytest.mark.anyio

NAME = a_name()
ATTEMPT = an_attempt("2024-05-01..2024-05-04")
Rows = Sequence[Mapping[str, Any]]
RUNNING = [
    an_instance(1, "2024-05-01T09:00", "success"),
    an_instance(2, "2024-05-02T09:00", "running"),
]


def a_service(word: str, rows: Rows = RUNNING) -> Service:
    service = Service()
    service.on(LIST, patches([a_patch(NAME, "2024-05-01", "2024-05-04", word)]))
    service.on(INSTANCES, instances(rows))
    service.on(STOP, lambda _: httpx.Response(204))
    return service


async def test_all_that_runs_is_stopped_by_one_call() -> None:
    service = a_service("RUNNING")
    async with a_provider(service) as provider:
        report = await provider.stop(ATTEMPT, SERIES, DateSet.parse(["2024-05-01..2024-05-04"]))
    assert (str(report.dates), report.stopped, report.left) == ("2024-05-02..2024-05-04", 1, ())
    assert service.asked(STOP) == [{"name": NAME}]
    assert service.requests[-1].headers["content-length"] == "0"


async def test_a_part_of_what_runs_is_left_running() -> None:
    service = a_service("RUNNING")
    async with a_provider(service) as provider:
        report = await provider.stop(ATTEMPT, SERIES, DateSet.parse(["2024-05-02..2024-05-03"]))
    assert (report.dates, report.stopped) == (DateSet(), 0)
    assert "it also runs for 2024-05-04" in report.left[0]
    assert STOP not in service.operations()


async def test_what_has_ended_is_not_stopped() -> None:
    service = a_service("SUCCESS")
    async with a_provider(service) as provider:
        report = await provider.stop(ATTEMPT, SERIES, DateSet((ATTEMPT.dates,)))
    assert (report.stopped, report.left) == (0, ())
    assert STOP not in service.operations()


async def test_a_date_of_which_nothing_can_be_told_any_more_counts_as_stopped() -> None:
    rows = [an_instance(1, "2024-05-01T09:00", "success", submitted="2024-05-21T10:01")]
    service = a_service("FAIL", rows)
    later = a_patch("after", "2024-05-01", "2024-05-01", "SUCCESS", submitted="2024-05-21T10:00")
    service.on(LIST, patches([a_patch(NAME, "2024-05-01", "2024-05-04", "FAIL"), later]))
    async with a_provider(service) as provider:
        report = await provider.stop(ATTEMPT, SERIES, DateSet.parse(["2024-05-01..2024-05-02"]))
    assert (str(report.dates), report.stopped, report.left) == ("2024-05-01", 0, ())
    assert STOP not in service.operations()


async def test_what_is_not_listed_cannot_be_stopped_yet() -> None:
    service = a_service("RUNNING")
    service.on(LIST, patches([]))
    async with a_provider(service) as provider:
        report = await provider.stop(ATTEMPT, SERIES, DateSet((ATTEMPT.dates,)))
    assert "does not list it" in report.left[0]


@pytest.mark.parametrize("answer", [error(400, "DLF.0113"), error(429, "APIG.0308")])
async def test_a_refused_stop_is_told_and_not_sent_again(answer: httpx.Response) -> None:
    service = a_service("RUNNING")
    service.on(STOP, lambda _: answer)
    async with a_provider(service) as provider:
        report = await provider.stop(ATTEMPT, SERIES, DateSet((ATTEMPT.dates,)))
    assert (report.dates, report.stopped) == (DateSet(), 0)
    assert "StopFactorySupplementDataInstance failed" in report.left[0]
    assert len(service.asked(STOP)) == 1


def a_node(name: str, status: str, path: str | None = None) -> dict[str, Any]:
    return {"nodeName": name, "status": status, "logPath": path, "executeTime": 0.3}


async def failures(service: Service, dates: str) -> tuple[NodeFailure, ...]:
    async with a_provider(service) as provider:
        return await provider.failures(ATTEMPT, SERIES, DateSet.parse([dates]))


async def test_failed_nodes_are_named_with_the_place_of_their_logs() -> None:
    rows = [
        an_instance(1, "2024-05-01T09:00", "success"),
        an_instance(2, "2024-05-02T09:00", "fail"),
    ]
    service = a_service("FAIL", rows)
    nodes = [
        a_node("load", "success"),
        a_node("clean", "fail", "obs://b/x.log"),
        a_node("z", "skip"),
    ]
    service.on(NODES, {"jobName": "daily_sales", "total": 3, "nodes": nodes})
    (failure,) = await failures(service, "2024-05-01..2024-05-04")
    assert (str(failure.date), failure.node_name, failure.instance_id) == (
        "2024-05-02",
        "clean",
        "2",
    )
    assert failure.log == ()
    assert failure.log_problem == "the service only tells where it lies: obs://b/x.log"
    assert service.asked(NODES) == [{"job": "daily_sales", "id": "2"}]


async def test_the_nodes_of_three_instances_are_read() -> None:
    rows = [an_instance(day, f"2024-05-0{day}T09:00", "fail") for day in range(1, 5)]
    service = a_service("FAIL", rows)
    service.on(NODES, lambda _: error(404, "APIGW.0101"))
    told = await failures(service, "2024-05-01..2024-05-04")
    assert [failure.instance_id for failure in told] == ["1", "2", "3", "4"]
    assert ["APIGW.0101" in failure.log_problem for failure in told] == [True, True, True, False]
    assert len(service.asked(NODES)) == 3


async def test_a_run_that_is_not_listed_names_no_failure() -> None:
    service = a_service("FAIL")
    service.on(LIST, patches([]))
    assert await failures(service, "2024-05-01") == ()
