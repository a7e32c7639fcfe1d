"""How long dates took: told of each alone, or not at all; and never with a call of its own."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.attempts import Attempt
from tests.unit.providers.dataworks.support import (
    Service,
    a_dag,
    a_name,
    a_provider,
    a_row,
    a_series,
    an_attempt,
    knows_dags,
    lists,
    midnight_ms,
    ok,
)

pytestmark = pytest.mark.anyio

SERIES = a_series()
NAME = a_name(SERIES)
MANUAL = a_series(Kind.MANUAL_FLOW)
BEGIN = midnight_ms("2024-06-01")
THREE = "2024-05-01..2024-05-03"


def timed(number: int, start: float, end: float, status: str = "SUCCESS") -> dict[str, Any]:
    """The DAG of a date in May that ran from one second to another."""
    times = {"StartTime": BEGIN + int(1000 * start), "FinishTime": BEGIN + int(1000 * end)}
    return a_dag(number, f"2024-05-{number:02}", status, NAME) | times


async def told(service: Service, attempt: Attempt) -> dict[str, int]:
    series = {one.fingerprint: one for one in (SERIES, MANUAL)}
    (seen,) = await a_provider(service).observe([attempt], series)
    return {str(dates): seconds for dates, seconds in seen.took}


async def told_of(*dags: dict[str, Any], when: str = THREE, **changes: Any) -> dict[str, int]:
    service = Service()
    knows_dags(service, *dags)
    service.on("ListInstances", lists([]))
    attempt = dataclasses.replace(an_attempt(SERIES, when, run_group="77"), **changes)
    found = await told(service, attempt)
    assert set(service.operations()) <= {"ListDags", "ListInstances"}
    assert service.operations().count("ListDags") == 1
    return found


async def test_each_date_that_succeeded_took_from_its_dags_begin_to_its_end() -> None:
    dags = [timed(1, 0, 62), timed(2, 62, 142.4), timed(3, 143, 150, "FAILURE")]
    assert await told_of(*dags) == {"2024-05-01": 62, "2024-05-02": 80}


@pytest.mark.parametrize("ran", [(60, 0), (0, None), (None, 60)])
async def test_times_that_are_missing_or_the_wrong_way_round_tell_nothing(
    ran: tuple[int | None, int | None],
) -> None:
    odd = a_dag(2, "2024-05-02", "SUCCESS", NAME)
    for name, second in zip(("StartTime", "FinishTime"), ran, strict=True):
        odd |= {} if second is None else {name: BEGIN + 1000 * second}
    assert await told_of(timed(1, 0, 1), odd, timed(3, 90, 92)) == {
        "2024-05-01": 1,
        "2024-05-03": 2,
    }


async def test_a_time_that_cannot_be_read_is_no_error() -> None:
    odd = timed(2, 0, 1) | {"StartTime": "soon", "FinishTime": [0]}
    assert await told_of(timed(1, 0, 1), odd, timed(3, 1, 2)) == {
        "2024-05-01": 1,
        "2024-05-03": 1,
    }


async def test_one_dag_that_walks_through_several_dates_tells_nothing() -> None:
    assert await told_of(timed(1, 0, 600)) == {}
    assert await told_of(timed(1, 0, 600), timed(3, 0, 300), serial=False) == {}


async def test_two_dags_of_one_date_tell_nothing() -> None:
    again = timed(2, 200, 300) | {"DagId": 9}
    dags = [timed(1, 0, 60), timed(2, 60, 120), timed(3, 120, 180), again]
    assert await told_of(*dags, serial=False) == {}


async def test_dates_that_began_before_their_turn_show_that_the_times_are_not_those_of_runs() -> (
    None
):
    """As if the service told when all of the call was started."""
    waiting = [timed(1, 0, 60), timed(2, 0, 120), timed(3, 0, 180)]
    assert await told_of(*waiting) == {}
    beside = {"2024-05-01": 60, "2024-05-02": 120, "2024-05-03": 180}
    assert await told_of(*waiting, serial=False) == beside
    # How a run was called that we only found is not known.
    assert await told_of(*waiting, adopted=True) == beside


async def test_an_end_that_is_noted_a_bit_late_is_no_reason_to_doubt_the_times() -> None:
    ran = [timed(1, 0, 60), timed(2, 58, 120), timed(3, 119, 180)]
    assert await told_of(*ran) == {"2024-05-01": 60, "2024-05-02": 62, "2024-05-03": 61}


async def test_a_call_of_one_date_is_told_by_its_one_dag() -> None:
    assert await told_of(timed(1, 0, 62), when="2024-05-01") == {"2024-05-01": 62}


async def test_a_run_without_a_group_is_told_by_its_one_dag() -> None:
    service = Service()
    service.on("GetDag", ok(timed(1, 0, 62) | {"OpSeq": 0}))
    assert await told(service, an_attempt(SERIES, "2024-05-01")) == {"2024-05-01": 62}
    assert await told(service, an_attempt(SERIES, THREE)) == {}


def a_node(number: int, start: int | None, end: int, status: str = "SUCCESS") -> dict[str, Any]:
    """A node of a manual flow; the old API tells its times as text."""
    times = {} if start is None else {"BeginRunningTime": str(BEGIN + 1000 * start)}
    return a_row(number, 9, "2024-05-01", status) | times | {"FinishTime": str(BEGIN + 1000 * end)}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([a_node(1, 0, 60), a_node(2, 65, 125)], {"2024-05-01": 125}),
        ([a_node(1, 0, 60), a_node(2, None, 60)], {}),
        ([a_node(1, 0, 60), a_node(2, 65, 125, "FAILURE")], {}),
        ([], {}),
    ],
    ids=["all of it", "one never began", "failed", "no nodes yet"],
)
async def test_a_manual_run_took_from_its_first_nodes_begin_to_its_last_ones_end(
    rows: list[dict[str, Any]], expected: dict[str, int]
) -> None:
    service = Service()
    service.on("SearchManualDagNodeInstance", ok({"NodeInsInfo": rows}))
    assert await told(service, an_attempt(MANUAL, "2024-05-01", run_ids=("9",))) == expected
