"""What is said of our runs, and with how many calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateSet
from reconciler.model.errors import Forbidden, InvalidRequest, UnexpectedResponse
from reconciler.model.runs import Observation
from tests.unit.providers.dataworks.support import (
    NOW,
    Service,
    a_connection,
    a_dag,
    a_name,
    a_provider,
    a_row,
    a_series,
    an_attempt,
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
OLD = dt.timedelta(days=31)


def shown(observation: Observation) -> dict[str, str]:
    return {str(dates): status.value for dates, status in observation.coverage}


async def observe(service: Service, *attempts: Any) -> tuple[Observation, ...]:
    series = {one.fingerprint: one for one in (SERIES, MANUAL)}
    return await a_provider(service).observe(attempts, series)


async def test_one_dag_per_date_needs_one_call() -> None:
    service = Service()
    knows_dags(
        service,
        a_dag(1, "2024-05-01", "SUCCESS", NAME),
        a_dag(2, "2024-05-02", "FAILURE", NAME),
        a_dag(3, "2024-05-03", "CREATED", NAME),
        a_dag(4, "2024-05-04", "RUNNING", NAME),
    )
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01..2024-05-04", run_group="77"))
    assert shown(seen) == {
        "2024-05-01": "success",
        "2024-05-02": "failure",
        "2024-05-03": "created",
        "2024-05-04": "running",
    }
    assert service.calls == [("ListDags", {"OpSeq": "77", "ProjectEnv": "PROD"})]
    assert seen.run_ids == ("1", "2", "3", "4")
    assert (seen.run_group, seen.name, seen.gone) == ("77", NAME, False)


async def test_an_unknown_group_costs_one_more_call() -> None:
    service = Service()
    knows_dags(service, a_dag(1, "2024-05-01", "SUCCESS", NAME))
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01"))
    assert service.operations() == ["GetDag", "ListDags"]
    assert seen.run_group == "77"


async def test_attempts_of_one_group_share_a_call_and_keep_to_their_own_dags() -> None:
    service = Service()
    knows_dags(
        service,
        a_dag(1, "2024-05-01", "SUCCESS", NAME),
        a_dag(2, "2024-05-02", "RUNNING", "cut"),
        a_dag(3, "2024-05-03", "RUNNING", "somebody else's"),
    )
    first = an_attempt(SERIES, "2024-05-01", run_ids=("1",), run_group="77", id="a1")
    second = an_attempt(SERIES, "2024-05-02", run_ids=("2",), run_group="77", id="a2")
    seen = await observe(service, second, first)
    assert [one.attempt_id for one in seen] == ["a2", "a1"]
    assert shown(seen[1]) == {"2024-05-01": "success"}
    assert "2024-05-03" not in shown(seen[0])
    assert service.operations() == ["ListDags"] or service.operations()[0] == "ListDags"
    assert service.operations().count("ListDags") == 1


async def test_one_dag_for_all_dates_is_read_from_its_instances() -> None:
    service = Service()
    knows_dags(service, a_dag(1, "2024-05-01", "FAILURE", NAME))
    service.on(
        "ListInstances",
        lists(
            [
                a_row(10, 1, "2024-05-01", "SUCCESS"),
                a_row(11, 1, "2024-05-01", "SUCCESS", NodeId=74324),
                a_row(12, 1, "2024-05-02", "SUCCESS"),
                a_row(13, 1, "2024-05-02", "FAILURE", NodeId=74324),
                a_row(14, 1, "2024-05-02", "NOT_RUN", NodeId=74325),
                a_row(15, 1, "2024-05-03", "NOT_RUN"),
                a_row(16, 1, "2024-05-03", "NOT_RUN", NodeId=74324),
            ]
        ),
    )
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01..2024-05-03", run_group="77"))
    assert shown(seen) == {
        "2024-05-01": "success",
        "2024-05-02": "failure",
        "2024-05-03": "created",
    }
    assert service.operations() == ["ListDags", "ListInstances"]
    assert service.calls[1][1]["DagId"] == "1"


async def test_dates_that_nothing_shows_stay_open() -> None:
    service = Service()
    knows_dags(service, a_dag(1, "2024-05-01", "SUCCESS", NAME))
    service.on("ListInstances", lists([]))
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01..2024-05-02", run_group="77"))
    assert shown(seen) == {"2024-05-01": "success"}


async def test_more_dags_than_can_walk_are_one_a_date() -> None:
    service = Service()
    dags = [a_dag(n, f"2024-05-{n:02}", "SUCCESS", NAME) for n in range(1, 12)]
    knows_dags(service, *dags)
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01..2024-05-12", run_group="77"))
    assert shown(seen) == {"2024-05-01..2024-05-11": "success"}
    assert service.operations() == ["ListDags"]


async def test_midnights_of_the_services_zone_are_its_dates_in_any_connections_zone() -> None:
    service = Service()
    # Midnight of 2024-05-02 in Shanghai is still 2024-05-01 in Berlin, but no midnight there.
    knows_dags(service, a_dag(1, "2024-05-02", "SUCCESS", NAME))
    provider = a_provider(service, connection=a_connection(timezone="Europe/Berlin"))
    attempt = an_attempt(SERIES, "2024-05-02", run_group="77")
    (seen,) = await provider.observe([attempt], {SERIES.fingerprint: SERIES})
    assert shown(seen) == {"2024-05-02": "success"}


async def test_the_series_own_environment_is_asked() -> None:
    service = Service()
    knows_dags(service, a_dag(1, "2024-05-01", "SUCCESS", NAME))
    provider = a_provider(service, connection=a_connection(environment="DEV"))
    attempt = an_attempt(SERIES, "2024-05-01", run_group="77")
    await provider.observe([attempt], {SERIES.fingerprint: SERIES})
    await provider.observe([attempt], {})
    assert [asked["ProjectEnv"] for _, asked in service.calls] == ["PROD", "DEV"]


async def test_an_attempt_without_any_handle_shows_nothing_and_costs_nothing() -> None:
    service = Service()
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01", run_ids=()))
    assert (shown(seen), seen.gone, service.calls) == ({}, False, [])


@pytest.mark.parametrize("operation", ["GetDag", "ListDags"])
@pytest.mark.parametrize(
    "code", ["Invalid.Dag.NotExists", "Invalid.OpSeq.NotExists", "DagNotFound"]
)
async def test_a_not_found_answer_means_gone(operation: str, code: str) -> None:
    service = Service()
    service.on(operation, refusal(code))
    group = "77" if operation == "ListDags" else None
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01", run_group=group))
    assert seen.gone
    assert not seen.coverage


@pytest.mark.parametrize(
    "code", ["Invalid.Tenant.ProjectNotExists", "InvalidApi.NotFound", "Invalid.Node.NotExists"]
)
async def test_other_things_not_found_are_errors(code: str) -> None:
    service = Service()
    service.on("ListDags", refusal(code))
    with pytest.raises(InvalidRequest):
        await observe(service, an_attempt(SERIES, "2024-05-01", run_group="77"))


async def test_an_error_is_never_taken_for_gone() -> None:
    service = Service()
    service.on("ListDags", lambda _: gateway_error(403, "Forbidden.Access"))
    with pytest.raises(Forbidden):
        await observe(service, an_attempt(SERIES, "2024-05-01", run_group="77", age=OLD))


async def test_an_empty_group_within_the_listing_lag_is_not_gone() -> None:
    service = Service()
    service.on("ListDags", ok({"Dags": []}))
    fresh = an_attempt(SERIES, "2024-05-01", run_group="77", age=dt.timedelta(seconds=100))
    (seen,) = await observe(service, fresh)
    assert (shown(seen), seen.gone, service.operations()) == ({}, False, ["ListDags"])


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        (refusal("Invalid.Dag.NotExists"), True),
        (ok(None), True),
        (ok(a_dag(1, "2024-05-01", "RUNNING", NAME)), False),
    ],
)
async def test_an_empty_group_is_gone_only_if_its_dag_is(
    answer: Mapping[str, Any], gone: bool
) -> None:
    service = Service()
    service.on("ListDags", ok({"Dags": []}))
    service.on("GetDag", answer)
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01", run_group="77"))
    assert seen.gone is gone


@pytest.mark.parametrize(
    ("age", "date", "gone"),
    [
        (dt.timedelta(hours=1), NOW, True),
        # Our clock runs ahead of the service's: by that one the run was made this very moment.
        (dt.timedelta(hours=1), NOW - dt.timedelta(hours=1), False),
        (dt.timedelta(0), NOW + dt.timedelta(hours=1), True),
        (dt.timedelta(hours=1), None, False),
    ],
)
async def test_whether_a_run_is_old_enough_to_be_gone_is_for_the_services_clock_to_say(
    age: dt.timedelta, date: dt.datetime | None, gone: bool
) -> None:
    service = Service(date=date)
    service.on("ListDags", ok({"Dags": []}))
    service.on("GetDag", ok(None))
    attempt = an_attempt(SERIES, "2024-05-01", run_group="77", age=age)
    (seen,) = await observe(service, attempt)
    assert seen.gone is gone


async def test_a_run_just_signed_may_have_been_made_as_long_as_its_signature_is_valid() -> None:
    service = Service()
    service.on("ListDags", ok({"Dags": []}))
    attempt = an_attempt(SERIES, "2024-05-01", run_group="77", age=dt.timedelta(minutes=10))
    (seen,) = await observe(service, replace(attempt, valid_until=NOW + dt.timedelta(minutes=5)))
    assert not seen.gone


@pytest.mark.parametrize("body", [{}, {"Success": True}, {"Success": True, "Data": {}}])
async def test_an_empty_body_is_never_taken_for_gone(body: Mapping[str, Any]) -> None:
    service = Service()
    service.on("ListDags", body)
    with pytest.raises(UnexpectedResponse):
        await observe(service, an_attempt(SERIES, "2024-05-01", run_group="77", age=OLD))


async def test_success_without_a_dag_means_gone_only_past_retention() -> None:
    service = Service()
    service.on("GetDag", ok(None))
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01", age=OLD))
    assert seen.gone
    with pytest.raises(UnexpectedResponse):
        await observe(service, an_attempt(SERIES, "2024-05-01"))


async def test_confirm_reads_the_first_run_back() -> None:
    service = Service()
    knows_dags(service, a_dag(1, "2024-05-01", "CREATED", NAME))
    seen = await a_provider(service).confirm(
        an_attempt(SERIES, "2024-05-01..2024-05-02", run_ids=("1", "2"))
    )
    assert (seen.run_group, seen.name, seen.run_ids) == ("77", NAME, ("1", "2"))
    assert shown(seen) == {"2024-05-01": "created"}
    assert service.calls == [("GetDag", {"DagId": "1", "ProjectEnv": "PROD"})]


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([], "created"),
        ([6, 6], "success"),
        ([5, 1], "failure"),
        ([5, 4], "running"),
        ([6, 1], "running"),
        ([1, 1], "created"),
    ],
)
async def test_a_manual_run_is_read_from_its_rows(statuses: list[int], status: str) -> None:
    service = Service()
    rows = [
        a_row(n, 9, "2024-05-01", "SUCCESS", Status=one, DagType=5)
        for n, one in enumerate(statuses, start=1)
    ]
    service.on("SearchManualDagNodeInstance", ok({"NodeInsInfo": rows}))
    (seen,) = await observe(service, an_attempt(MANUAL, "2024-05-01", run_ids=("9",)))
    assert shown(seen) == {"2024-05-01": status}
    assert service.calls == [
        ("SearchManualDagNodeInstance", {"DagId": "9", "ProjectName": "test_project"})
    ]


async def test_a_manual_run_is_gone_when_the_service_says_so_or_past_retention() -> None:
    service = Service()
    service.in_turn(
        "SearchManualDagNodeInstance",
        {"Success": False, "ErrCode": "Invalid.Dag.NotExists", "ErrMsg": "no such DAG"},
        ok({"NodeInsInfo": []}),
    )
    (refused,) = await observe(service, an_attempt(MANUAL, "2024-05-01"))
    (purged,) = await observe(service, an_attempt(MANUAL, "2024-05-01", age=OLD))
    assert refused.gone
    assert purged.gone


async def test_a_manual_run_is_confirmed_by_a_search() -> None:
    service = Service()
    service.on("SearchManualDagNodeInstance", ok({"NodeInsInfo": []}))
    seen = await a_provider(service).confirm(an_attempt(MANUAL, "2024-05-01", run_ids=("9",)))
    assert shown(seen) == {"2024-05-01": "created"}


async def test_manual_runs_need_the_project() -> None:
    provider = a_provider(Service(), connection=a_connection(project=None))
    with pytest.raises(InvalidRequest, match="project"):
        await provider.confirm(an_attempt(MANUAL, "2024-05-01"))


async def test_hollow_dates_are_those_where_every_row_of_a_node_was_left_out() -> None:
    service = Service()
    service.on(
        "ListInstances",
        lists(
            [
                a_row(1, 1, "2024-05-01", "SUCCESS"),
                a_row(2, 1, "2024-05-01", "SUCCESS", NodeId=74324, TaskType="SKIP(3)"),
                a_row(3, 2, "2024-05-02", "SUCCESS", NodeId=74324, TaskType="SKIP_UNCHOOSE(4)"),
                a_row(4, 2, "2024-05-02", "SUCCESS", NodeId=74324),
                a_row(5, 3, "2024-05-03", "SUCCESS", TaskType=4),
                a_row(6, 3, "2024-05-03", "SUCCESS", NodeId=74324, TaskType="SKIP_CYCLE(5)"),
                a_row(7, 99, "2024-05-02", "SUCCESS", TaskType="SKIP(3)"),
                a_row(8, 5, "2024-05-05", "SUCCESS", TaskType="SKIP(3)"),
            ]
        ),
    )
    attempt = an_attempt(SERIES, "2024-05-01..2024-05-05", run_ids=("1", "2", "3", "5"))
    asked = DateSet.parse(["2024-05-01..2024-05-03", "2024-05-06"])

    hollow = await a_provider(service).hollow_dates(attempt, SERIES, asked)

    assert hollow == DateSet.parse(["2024-05-01", "2024-05-03"])
    # Two included nodes, two ranges.
    assert len(service.calls) == 4


async def test_manual_runs_are_never_hollow() -> None:
    service = Service()
    hollow = await a_provider(service).hollow_dates(
        an_attempt(MANUAL, "2024-05-01"), MANUAL, DateSet.parse(["2024-05-01"])
    )
    assert (hollow, service.calls) == (DateSet(), [])


async def test_success_is_not_believed_from_a_part_of_the_rows() -> None:
    service = Service()
    knows_dags(service, a_dag(1, "2024-05-01", "RUNNING", NAME))
    rows = [a_row(1, 1, "2024-05-01", "SUCCESS"), a_row(2, 1, "2024-05-02", "FAILURE")]
    service.on("ListInstances", ok({"TotalCount": 3, "Instances": rows}))
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01..2024-05-02", run_group="77"))
    assert shown(seen) == {"2024-05-01": "running", "2024-05-02": "failure"}


async def test_more_instances_than_can_be_reached_are_listed_by_parts_of_the_dates() -> None:
    service = Service()
    knows_dags(service, a_dag(1, "2024-05-01", "SUCCESS", NAME))
    days = ("2024-05-01", "2024-05-02")
    rows = [a_row(n + 1, 1, days[n % 2], "SUCCESS", NodeId=n) for n in range(10_001)]
    service.on("ListInstances", lists(rows))
    (seen,) = await observe(service, an_attempt(SERIES, "2024-05-01..2024-05-02", run_group="77"))
    assert shown(seen) == {"2024-05-01..2024-05-02": "success"}
