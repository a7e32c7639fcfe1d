"""What a listing over a subject shows, ours or not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateSet
from reconciler.model.errors import InvalidRequest
from reconciler.model.runs import Discovery, FoundRun, Origin
from reconciler.model.series import Series
from tests.unit.providers.dataworks.support import (
    NOW,
    Service,
    a_connection,
    a_dag,
    a_name,
    a_provider,
    a_row,
    a_series,
    knows_dags,
    lists,
    ok,
    refusal,
)

pytestmark = pytest.mark.anyio

SERIES = a_series()
NAME = a_name(SERIES)
MANUAL = a_series(Kind.MANUAL_FLOW)
WEEK = ("2024-05-01..2024-05-07",)


async def discover(
    service: Service,
    *,
    dates: tuple[str, ...] = WEEK,
    known: tuple[str, ...] = (),
    series: Series = SERIES,
    **connection: Any,
) -> Discovery:
    provider = a_provider(service, connection=a_connection(**connection))
    return await provider.discover(
        series, DateSet.parse(dates), known_runs=dict.fromkeys(known, DateSet.parse(dates))
    )


def shown(run: FoundRun) -> dict[str, str]:
    return {str(dates): status.value for dates, status in run.coverage}


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_listing_began_by_the_services_clock_and_not_by_ours(hours: int) -> None:
    service = Service()
    service.date = NOW + dt.timedelta(hours=hours)
    service.on("ListInstances", lists([]))
    for series in (SERIES, MANUAL):
        assert (await discover(service, series=series)).began_at == service.date


async def test_nothing_there_is_one_call_and_complete() -> None:
    service = Service()
    service.on("ListInstances", lists([]))
    found = await discover(service)
    assert (found.found, found.complete, found.shows_tags) == ((), True, False)
    assert found.began_at == service.date
    assert service.calls == [
        (
            "ListInstances",
            {
                "ProjectId": "112345",
                "ProjectEnv": "PROD",
                "NodeId": "1234",
                "BeginBizdate": "2024-05-01 00:00:00",
                "EndBizdate": "2024-05-07 00:00:00",
                "OrderBy": "CREATE_TIME_DESC",
                "PageNumber": "1",
                "PageSize": "100",
            },
        )
    ]


async def test_a_run_of_ours_is_found_once_with_all_its_dates() -> None:
    service = Service()
    days = [f"2024-05-{n:02}" for n in range(1, 21)]
    knows_dags(service, *(a_dag(n, day, "RUNNING", NAME) for n, day in enumerate(days, start=1)))
    service.on(
        "ListInstances",
        lists([a_row(n, n, day, "RUNNING") for n, day in enumerate(days, start=1)]),
    )
    found = await discover(service)
    (run,) = found.found
    assert run.origin is Origin.BACKFILL
    assert run.tag is not None
    assert run.tag.series == SERIES.fingerprint
    assert (run.run_group, run.name, run.created_by) == ("77", NAME, "somebody")
    assert shown(run) == {"2024-05-01..2024-05-20": "running"}
    assert len(run.run_ids) == 20
    assert found.shows_tags
    # Seven of its DAGs were listed; one look at one of them names them all.
    assert service.operations() == ["ListInstances", "GetDag", "ListDags"]


async def test_a_single_dag_of_ours_is_found_with_dates_nobody_asked_for() -> None:
    service = Service()
    knows_dags(service, a_dag(1, "2024-05-07", "RUNNING", NAME))
    rows = [
        a_row(1, 1, "2024-05-07", "SUCCESS"),
        a_row(2, 1, "2024-05-08", "RUNNING"),
        a_row(3, 1, "2024-05-09", "NOT_RUN"),
    ]
    service.on("ListInstances", lists(rows))
    (run,) = (await discover(service)).found
    assert shown(run) == {
        "2024-05-07": "success",
        "2024-05-08": "running",
        "2024-05-09": "created",
    }


async def test_somebody_elses_backfill_covers_what_its_rows_show() -> None:
    service = Service()
    knows_dags(service, a_dag(1, "2024-05-01", "RUNNING", "P_orders_20240501"))
    service.on("ListInstances", lists([a_row(1, 1, "2024-05-01", "RUNNING")]))
    found = await discover(service)
    (run,) = found.found
    assert (run.tag, run.origin, run.name) == (None, Origin.BACKFILL, "P_orders_20240501")
    assert shown(run) == {"2024-05-01": "running"}
    assert run.created_at == dt.datetime(2024, 5, 31, 16, tzinfo=dt.UTC)
    assert not found.shows_tags


async def test_runs_on_record_are_looked_past_and_prove_nothing_of_tags() -> None:
    service = Service()
    service.on("ListInstances", lists([a_row(1, 1, "2024-05-01", "SUCCESS")]))
    found = await discover(service, known=("1",))
    assert (found.found, found.shows_tags) == ((), False)
    assert service.operations() == ["ListInstances"]


async def test_runs_of_one_group_are_told_apart_by_name() -> None:
    service = Service()
    knows_dags(
        service,
        a_dag(1, "2024-05-01", "SUCCESS", "one"),
        a_dag(2, "2024-05-02", "RUNNING", "two"),
        a_dag(3, "2024-05-03", "RUNNING", "not listed"),
    )
    rows = [a_row(1, 1, "2024-05-01", "SUCCESS"), a_row(2, 2, "2024-05-02", "RUNNING")]
    service.on("ListInstances", lists(rows))
    found = (await discover(service)).found
    assert {run.name: shown(run) for run in found} == {
        "one": {"2024-05-01": "success"},
        "two": {"2024-05-02": "running"},
    }


async def test_scheduled_runs_in_flight_are_shown_without_a_call() -> None:
    service = Service()
    rows = [
        a_row(1, 1, "2024-05-01", "SUCCESS", DagType="DAILY"),
        a_row(2, 2, "2024-05-02", "RUNNING", DagType="DAILY"),
        a_row(3, 3, "2024-05-03", "WAIT_TIME", DagType="DAILY(0)"),
        a_row(4, 4, "2024-05-04", "FAILURE", DagType=0),
    ]
    service.on("ListInstances", lists(rows))
    (run,) = (await discover(service)).found
    assert run.origin is Origin.SCHEDULE
    assert shown(run) == {"2024-05-02": "running", "2024-05-03": "created"}
    assert service.operations() == ["ListInstances"]


async def test_smoke_tests_are_left_alone_and_unreadable_types_are_looked_at() -> None:
    service = Service()
    knows_dags(service, a_dag(2, "2024-05-02", "RUNNING", NAME))
    rows = [
        a_row(1, 1, "2024-05-01", "RUNNING", DagType="SMOKE_TEST"),
        a_row(2, 2, "2024-05-02", "RUNNING", DagType="SOMETHING_NEW"),
    ]
    service.on("ListInstances", lists(rows))
    found = await discover(service)
    assert [run.name for run in found.found] == [NAME]


async def test_dates_between_those_asked_for_are_left_out() -> None:
    service = Service()
    rows = [
        a_row(1, 1, "2024-05-01", "RUNNING", DagType="DAILY"),
        a_row(2, 2, "2024-05-04", "RUNNING", DagType="DAILY"),
    ]
    service.on("ListInstances", lists(rows))
    (run,) = (await discover(service, dates=("2024-05-01", "2024-05-07"))).found
    assert shown(run) == {"2024-05-01": "running"}
    assert len(service.calls) == 1


@pytest.mark.parametrize("answer", [refusal("Invalid.Dag.NotExists"), ok(None)])
async def test_a_run_that_vanished_while_we_looked_makes_it_incomplete(answer: Any) -> None:
    service = Service()
    service.on("ListInstances", lists([a_row(1, 1, "2024-05-01", "RUNNING")]))
    service.on("GetDag", answer)
    found = await discover(service)
    assert (found.found, found.complete) == ((), False)


async def test_an_unlisted_group_still_shows_the_dag_and_is_incomplete() -> None:
    service = Service()
    knows_dags(service, a_dag(1, "2024-05-01", "RUNNING", "x"))
    service.on("ListDags", refusal("Invalid.OpSeq.NotExists"))
    service.on("ListInstances", lists([a_row(1, 1, "2024-05-01", "RUNNING")]))
    found = await discover(service)
    assert [run.run_ids for run in found.found] == [("1",)]
    assert not found.complete


async def test_without_the_services_clock_a_listing_proves_nothing() -> None:
    service = Service(date=None)
    service.on("ListInstances", lists([]))
    assert not (await discover(service)).complete


async def test_no_dates_no_calls() -> None:
    service = Service()
    assert (await discover(service, dates=())).found == ()
    assert (await discover(service, dates=(), series=MANUAL)).found == ()
    assert service.calls == []


async def test_backfills_need_the_project_id() -> None:
    with pytest.raises(InvalidRequest, match="projectId"):
        await discover(Service(), project_id=None)


async def test_manual_runs_are_found_by_flow_and_date() -> None:
    service = Service()
    rows = [
        a_row(1, 8, "2024-05-01", "SUCCESS", DagType="BUSINESS_PROCESS_DAG"),
        a_row(2, 8, "2024-05-01", "RUNNING", DagType="BUSINESS_PROCESS_DAG"),
        a_row(3, 9, "2024-05-02", "SUCCESS", DagType="MANUAL_FLOW(4)"),
        a_row(4, 10, "2024-05-02", "SUCCESS", DagType="DAILY"),
        a_row(5, 11, "2024-05-03", "SUCCESS", DagType=1),
    ]
    service.on("ListInstances", lists(rows))
    found = await discover(service, series=MANUAL, known=("11",))
    assert [(run.run_ids, run.origin, shown(run)) for run in found.found] == [
        (("8",), Origin.MANUAL, {"2024-05-01": "running"}),
        (("9",), Origin.MANUAL, {"2024-05-02": "success"}),
    ]
    assert not found.shows_tags  # none of them bears a mark
    assert service.calls[0][1]["BizName"] == "test_flow"
    assert "NodeId" not in service.calls[0][1]


async def test_manual_runs_cannot_be_listed_without_a_project_id() -> None:
    service = Service()
    found = await discover(service, series=MANUAL, project_id=None)
    assert (found.found, found.complete, service.calls) == ((), False, [])


async def test_a_row_without_a_date_makes_it_incomplete() -> None:
    service = Service()
    row = a_row(1, 1, "2024-05-01", "RUNNING")
    page = {"TotalCount": 1, "Instances": [{**row, "Bizdate": None}]}
    service.on("ListInstances", ok(page))
    assert not (await discover(service)).complete
