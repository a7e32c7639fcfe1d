"""How long dates took, by the instances of their plan days; told only of what ran by itself."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.series import Series
from tests.unit.providers.dataarts.support import (
    INSTANCES,
    LIST,
    SERIES,
    Service,
    a_name,
    a_patch,
    a_provider,
    a_series,
    an_attempt,
    an_instance,
    instances,
    ms,
    patches,
)

pytestmark = pytest.mark.anyio

TWO = "2024-05-01..2024-05-02"


def ran(number: int, planned: str, start: int, end: int, **more: Any) -> dict[str, Any]:
    """An instance that ran from one second to another, and succeeded unless said otherwise."""
    begin = ms("2024-05-20T10:00")
    times = {"start_time": begin + 1000 * start, "end_time": begin + 1000 * end}
    return an_instance(number, planned, more.pop("status", "success"), **{**times, **more})


async def told(
    *rows: dict[str, Any],
    status: str = "SUCCESS",
    series: Series = SERIES,
    days: tuple[str, str] = ("2024-05-01", "2024-05-02"),
    **patch: Any,
) -> dict[str, int]:
    service = Service()
    service.on(LIST, patches([a_patch(a_name(series), *days, status, **patch)]))
    service.on(INSTANCES, instances(rows))
    async with a_provider(service) as provider:
        (seen,) = await provider.observe(
            [an_attempt(TWO, series=series)], {series.fingerprint: series}
        )
    assert service.operations() == [LIST, INSTANCES]
    return {str(dates): seconds for dates, seconds in seen.took}


async def test_each_day_took_from_its_instances_begin_to_its_end() -> None:
    rows = [ran(1, "2024-05-01T09:00", 0, 62), ran(2, "2024-05-02T09:00", 62, 142)]
    assert await told(*rows) == {"2024-05-01": 62, "2024-05-02": 80}


async def test_a_day_that_still_may_change_tells_nothing_yet() -> None:
    rows = [ran(1, "2024-05-01T09:00", 0, 62), ran(2, "2024-05-02T09:00", 62, 142)]
    assert await told(*rows, status="RUNNING") == {"2024-05-01": 62}


@pytest.mark.parametrize(
    "odd",
    [
        {"end_time": 0},
        {"start_time": 0},
        {"end_time": None},
        {"start_time": ms("2024-05-20T11:00")},
        {"end_time": "later"},
        {"force_success": True},
        {"ignore_success": True},
        {"status": "skip"},
        {"status": "fail"},
    ],
    ids=str,
)
async def test_what_has_no_times_or_did_not_succeed_by_running_tells_nothing(
    odd: dict[str, Any],
) -> None:
    rows = [ran(1, "2024-05-01T09:00", 0, 62), ran(2, "2024-05-02T09:00", 62, 142, **odd)]
    assert await told(*rows) == {"2024-05-01": 62}


@pytest.mark.parametrize(("parallel", "expected"), [(1, {"2024-05-01": 90}), (2, {}), (None, {})])
async def test_several_instances_a_day_are_one_date_only_where_they_follow_one_another(
    parallel: int | None, expected: dict[str, int]
) -> None:
    rows = [ran(1, "2024-05-01T09:00", 0, 40), ran(2, "2024-05-01T10:00", 50, 90)]
    assert await told(*rows, parallel=parallel) == expected


async def test_one_instance_a_day_tells_whatever_runs_beside_it() -> None:
    rows = [ran(1, "2024-05-01T09:00", 0, 62), ran(2, "2024-05-02T09:00", 0, 80)]
    assert await told(*rows, parallel=5) == {"2024-05-01": 62, "2024-05-02": 80}


async def test_data_dates_lie_a_day_before_plan_days_where_the_series_says_so() -> None:
    rows = [ran(1, "2024-05-02T00:00", 0, 62), ran(2, "2024-05-03T00:00", 62, 142)]
    found = await told(*rows, series=a_series(offset=1), days=("2024-05-02", "2024-05-03"))
    assert found == {"2024-05-01": 62, "2024-05-02": 80}
