"""A run by its id, as a person names it; and what time it is at the service."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateSet
from reconciler.model.errors import Forbidden, InvalidRequest, Unavailable, UnexpectedResponse
from reconciler.model.runs import FoundRun, Origin
from reconciler.model.series import Series, Tag
from tests.unit.providers.dataworks.support import (
    NOW,
    FakeClock,
    Service,
    a_connection,
    a_dag,
    a_name,
    a_provider,
    a_row,
    a_series,
    gateway_error,
    knows_dags,
    lists,
    ok,
    refusal,
)

pytestmark = pytest.mark.anyio

SERIES = a_series()
NAME = a_name(SERIES)
MANUAL = a_series(Kind.MANUAL_FLOW)
SEARCH = "SearchManualDagNodeInstance"
UNKNOWN_DAG = refusal("Invalid.Dag.NotExists")
D1, D2, D3 = "2024-05-01", "2024-05-02", "2024-05-03"


async def find(
    service: Service,
    run_id: str,
    *dates: str,
    series: Series = SERIES,
    **connection: Any,
) -> FoundRun | None:
    provider = a_provider(service, connection=a_connection(**connection))
    return await provider.find_run(series, run_id, DateSet.parse(dates or (D1,)))


async def found(service: Service, run_id: str, *dates: str, **more: Any) -> FoundRun:
    run = await find(service, run_id, *dates, **more)
    assert run is not None
    return run


def shown(run: FoundRun) -> dict[str, str]:
    return {str(dates): status.value for dates, status in run.coverage}


def a_backfill(rows: list[dict[str, Any]], *dags: Mapping[str, Any]) -> Service:
    service = Service()
    knows_dags(service, *dags)
    service.on("ListInstances", lists(rows))
    return service


def a_manual_run(*statuses: int) -> Service:
    """Run 9 of `test_flow` as the 2018 search shows it, and no listing."""
    service = Service()
    rows = [a_row(n, 9, D1, "x", Status=one, DagType=5) for n, one in enumerate(statuses, start=1)]
    service.on(SEARCH, ok({"NodeInsInfo": rows}))
    service.on("ListInstances", lists([]))
    return service


# Backfills ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("run_id", ["1", "2"])
async def test_any_dag_of_a_call_with_one_a_date_finds_the_call_whole(run_id: str) -> None:
    service = a_backfill(
        [a_row(1, 1, D1, "SUCCESS"), a_row(2, 2, D2, "RUNNING")],
        a_dag(1, D1, "SUCCESS", NAME),
        a_dag(2, D2, "RUNNING", NAME),
    )
    run = await found(service, run_id)
    assert (set(run.run_ids), run.origin, run.run_group) == ({"1", "2"}, Origin.BACKFILL, "77")
    assert (run.name, run.tag) == (NAME, Tag.parse(NAME))
    assert shown(run) == {D1: "success", D2: "running"}


async def test_the_one_dag_of_all_dates_finds_each_of_them() -> None:
    rows = [a_row(1, 1, D1, "SUCCESS"), a_row(2, 1, D2, "FAILURE"), a_row(3, 1, D3, "NOT_RUN")]
    run = await found(a_backfill(rows, a_dag(1, D1, "FAILURE", NAME)), "1", D2)
    assert run.run_ids == ("1",)
    assert shown(run) == {D1: "success", D2: "failure", D3: "created"}


async def test_a_run_of_somebody_else_is_found_without_a_tag() -> None:
    service = a_backfill([a_row(1, 1, D1, "SUCCESS")], a_dag(1, D1, "SUCCESS", "by hand"))
    run = await found(service, "1")
    assert (run.tag, run.name, run.created_by, shown(run)) == (
        None,
        "by hand",
        "somebody",
        {D1: "success"},
    )
    assert run.created_at == dt.datetime(2024, 5, 31, 16, tzinfo=dt.UTC)


async def test_of_a_group_only_the_runs_of_that_name_are_found() -> None:
    service = a_backfill(
        [a_row(1, 1, D1, "SUCCESS"), a_row(2, 2, D2, "RUNNING")],
        a_dag(1, D1, "SUCCESS", "one"),
        a_dag(2, D2, "RUNNING", "two"),
    )
    run = await found(service, "2")
    assert (run.run_ids, run.name) == (("2",), "two")


async def test_a_run_of_another_node_is_refused() -> None:
    service = a_backfill(
        [a_row(1, 1, D1, "SUCCESS", NodeId=4321)], a_dag(1, D1, "SUCCESS", "by hand")
    )
    with pytest.raises(InvalidRequest, match="run 1 does not run node 1234"):
        await find(service, "1")


async def test_one_node_among_others_is_enough() -> None:
    rows = [a_row(1, 1, D1, "SUCCESS", NodeId=4321), a_row(2, 1, D1, "SUCCESS")]
    run = await found(a_backfill(rows, a_dag(1, D1, "SUCCESS", "by hand")), "1")
    assert run.run_ids == ("1",)


async def test_where_the_root_is_not_among_the_nodes_the_first_node_tells() -> None:
    series = a_series(include=("74324", "74325"))
    rows = [a_row(1, 1, D1, "SUCCESS", NodeId=74324)]
    service = a_backfill(rows, a_dag(1, D1, "SUCCESS", a_name(series)))
    assert (await found(service, "1", series=series)).run_ids == ("1",)


@pytest.mark.parametrize("listing", [UNKNOWN_DAG, lists([])], ids=["refused", "empty"])
async def test_an_id_that_nobody_knows_is_no_run(listing: Any) -> None:
    service = a_backfill([])
    service.on("ListInstances", listing)
    assert await find(service, "404") is None


async def test_a_run_that_vanishes_while_we_look_is_no_run() -> None:
    service = a_backfill([a_row(1, 1, D1, "SUCCESS")])
    assert await find(service, "1") is None


async def test_backfills_are_not_found_without_a_project_id() -> None:
    service = a_backfill([])
    with pytest.raises(InvalidRequest, match="projectId"):
        await find(service, "1", project_id=None)
    assert service.calls == []


@pytest.mark.parametrize("series", [SERIES, MANUAL], ids=["backfill", "manual"])
async def test_a_read_that_fails_is_never_taken_for_no_run(series: Series) -> None:
    service = Service()
    for operation in ("ListInstances", SEARCH):
        service.on(operation, lambda _: gateway_error(403, "Forbidden.Access"))
    with pytest.raises(Forbidden):
        await find(service, "1", series=series)


# Manual runs ────────────────────────────────────────────────────────────────────────────────────────


async def test_the_listing_tells_the_date_of_a_manual_run() -> None:
    service = a_manual_run(6)
    service.on("ListInstances", lists([a_row(1, 9, D2, "SUCCESS", DagType=5)]))
    run = await found(service, "9", D1, series=MANUAL)
    assert (run.run_ids, run.origin, run.tag) == (("9",), Origin.MANUAL, None)
    assert shown(run) == {D2: "success"}, "not the date that somebody said"
    _, asked = service.calls[1]
    assert (asked["BizName"], asked["DagId"]) == ("test_flow", "9")


async def test_a_marked_manual_run_is_known_by_its_mark() -> None:
    tag = Tag(series=MANUAL.fingerprint, generation=1, call_id="abcdef")
    service = a_manual_run(6)
    row = a_row(1, 9, D1, "SUCCESS", DagType=5, ParamValues=f"k=v reconciler_run={tag}")
    service.on("ListInstances", lists([row]))
    run = await found(service, "9", series=MANUAL)
    assert (run.tag, run.name) == (tag, str(tag))


async def test_a_run_of_another_flow_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="run 9 does not run flow test_flow"):
        await find(a_manual_run(6), "9", series=MANUAL)


@pytest.mark.parametrize("statuses", [(4,), (6, 6), (5, 1)])
async def test_without_a_project_id_the_date_is_the_one_that_is_asked_about(
    statuses: tuple[int, ...],
) -> None:
    service = a_manual_run(*statuses)
    run = await found(service, "9", D3, series=MANUAL, project_id=None)
    assert list(shown(run)) == [D3]
    assert run.origin is Origin.MANUAL
    assert service.operations() == [SEARCH]


@pytest.mark.parametrize(
    ("statuses", "status"), [((4,), "running"), ((6, 6), "success"), ((5, 1), "failure")]
)
async def test_without_a_project_id_the_search_tells_the_status(
    statuses: tuple[int, ...], status: str
) -> None:
    run = await found(a_manual_run(*statuses), "9", series=MANUAL, project_id=None)
    assert shown(run) == {D1: status}


@pytest.mark.parametrize("dates", [(D1, D3), (f"{D1}..{D3}",)])
async def test_without_a_project_id_two_dates_are_one_too_many(dates: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest, match="one date"):
        await find(a_manual_run(6), "9", *dates, series=MANUAL, project_id=None)


@pytest.mark.parametrize("project_id", ["112345", None])
@pytest.mark.parametrize(
    "answer",
    [
        {"Success": False, "ErrCode": "Invalid.Dag.NotExists", "ErrMsg": "no such DAG"},
        ok({"NodeInsInfo": []}),
    ],
    ids=["refused", "empty"],
)
async def test_a_manual_id_that_nobody_knows_is_no_run(
    answer: Mapping[str, Any], project_id: str | None
) -> None:
    service = a_manual_run()
    service.on(SEARCH, answer)
    assert await find(service, "404", series=MANUAL, project_id=project_id) is None


# What time it is there ──────────────────────────────────────────────────────────────────────────────

AHEAD = NOW + dt.timedelta(hours=1)


async def test_the_services_time_is_learnt_from_any_answer() -> None:
    service = Service(date=AHEAD)
    service.on("ListInstances", lists([]))
    clock = FakeClock()
    provider = a_provider(service, clock=clock)
    await provider.check()
    clock.seconds += 90
    assert await provider.server_time() == AHEAD + dt.timedelta(seconds=90)
    assert len(service.calls) == 1


async def test_an_answer_that_refuses_tells_the_time_as_well() -> None:
    service = Service(date=AHEAD)
    service.on("ListInstances", lambda _: gateway_error(403, "Forbidden.Access"))
    assert await a_provider(service).server_time() == AHEAD


@pytest.mark.parametrize(
    ("project_id", "operation"), [("112345", "ListInstances"), (None, SEARCH)]
)
async def test_an_unknown_time_costs_one_read_and_a_known_one_none(
    project_id: str | None, operation: str
) -> None:
    service = a_manual_run()
    service.date = AHEAD
    provider = a_provider(service, connection=a_connection(project_id=project_id))
    assert await provider.server_time() == await provider.server_time() == AHEAD
    assert service.operations() == [operation]


async def test_a_service_that_does_not_tell_its_time_is_an_error() -> None:
    service = Service(date=None)
    service.on("ListInstances", lists([]))
    with pytest.raises(UnexpectedResponse, match="does not tell its time"):
        await a_provider(service).server_time()


async def test_a_service_that_cannot_be_reached_tells_no_time() -> None:
    service = Service()
    service.on("ListInstances", lambda _: OSError("nobody there"))
    with pytest.raises((UnexpectedResponse, Unavailable)):
        await a_provider(service).server_time()
