"""What runs on a job: ours by their tags, others' beside them, and when a listing proves anything."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from reconciler.model.dates import DateSet
from reconciler.model.errors import InvalidRequest
from reconciler.model.runs import Discovery, KnownRuns, Origin
from reconciler.model.series import Series
from tests.unit.providers.dataarts.support import (
    INSTANCES,
    LIST,
    SERIES,
    Reply,
    Service,
    a_name,
    a_patch,
    a_provider,
    a_series,
    an_instance,
    instances,
    patches,
)
from tests.unit.providers.dataworks.support import NOW

pytestmark = pytest.mark.anyio

NAME = a_name()
DATES = DateSet.parse(["2024-05-01..2024-05-03"])
Rows = Sequence[Mapping[str, Any]]


def a_service(patched: Rows, rows: Rows = ()) -> Service:
    service = Service()
    service.on(LIST, patches(patched))
    service.on(INSTANCES, instances(rows))
    return service


async def discover(
    service: Service,
    dates: DateSet = DATES,
    *,
    known: KnownRuns | None = None,
    series: Series = SERIES,
) -> Discovery:
    async with a_provider(service) as provider:
        return await provider.discover(series, dates, known_runs=known or {})


def shown(discovery: Discovery) -> list[tuple[str | None, dict[str, str]]]:
    return [
        (run.name, {str(dates): status.value for dates, status in run.coverage})
        for run in discovery.found
    ]


async def test_ours_is_found_by_its_tag_with_all_its_dates() -> None:
    rows = [
        an_instance(1, "2024-05-02T09:00", "success"),
        an_instance(2, "2024-05-03T09:00", "running"),
    ]
    service = a_service([a_patch(NAME, "2024-05-02", "2024-05-05", "RUNNING")], rows)
    found = await discover(service)
    (run,) = found.found
    assert run.tag is not None
    assert run.tag.series == SERIES.fingerprint
    assert (run.origin, run.run_ids, run.created_by) == (Origin.BACKFILL, (NAME,), "somebody")
    assert run.created_at is not None
    assert run.created_at.isoformat() == "2024-05-20T02:00:00+00:00"
    assert shown(found) == [
        (
            NAME,
            {
                "2024-05-02": "success",
                "2024-05-03": "running",
                "2024-05-04..2024-05-05": "created",
            },
        )
    ]
    assert (found.complete, found.shows_tags, found.began_at) == (True, True, NOW)


async def test_ours_has_no_holes_where_nothing_can_be_told() -> None:
    rows = [an_instance(1, "2024-05-01T09:00", "success")]
    service = a_service([a_patch(NAME, "2024-05-01", "2024-05-01", "CANCEL")], rows)
    assert shown(await discover(service)) == [(NAME, {"2024-05-01": "running"})]


@pytest.mark.parametrize(
    ("word", "status"),
    [("RUNNING", "running"), ("NEW", "running"), ("SUCCESS", "success"), ("CANCEL", "failure")],
)
async def test_others_are_told_by_their_status_as_a_whole(word: str, status: str) -> None:
    service = a_service([a_patch("theirs", "2024-05-02", "2024-05-09", word)])
    found = await discover(service)
    assert shown(found) == [("theirs", {"2024-05-02..2024-05-03": status})]
    assert not found.shows_tags
    assert service.operations() == [LIST]


async def test_dates_of_others_follow_the_series_plan_days() -> None:
    service = a_service([a_patch("theirs", "2024-05-02", "2024-05-03", "SUCCESS")])
    found = await discover(service, series=a_series(offset=1))
    assert shown(found) == [("theirs", {"2024-05-01..2024-05-02": "success"})]


async def test_a_stranger_that_does_not_tell_its_days_may_be_on_any() -> None:
    row = a_patch("theirs", "2024-05-02", "2024-05-02", "RUNNING") | {"start_date": None}
    assert shown(await discover(a_service([row]))) == [
        ("theirs", {"2024-05-01..2024-05-03": "running"})
    ]


async def test_one_of_ours_that_does_not_tell_its_days_spoils_the_listing() -> None:
    row = a_patch(NAME, "2024-05-02", "2024-05-02", "RUNNING") | {"end_date": None}
    found = await discover(a_service([row]))
    assert (found.complete, found.found) == (False, ())


async def test_exchanged_ends_are_put_in_order() -> None:
    row = a_patch("theirs", "2024-05-02", "2024-05-03", "SUCCESS")
    row |= {"start_date": row["end_date"], "end_date": row["start_date"]}
    assert shown(await discover(a_service([row]))) == [
        ("theirs", {"2024-05-02..2024-05-03": "success"})
    ]


async def test_other_jobs_other_dates_and_what_is_on_record_are_looked_past() -> None:
    rows = [
        a_patch("other", "2024-05-01", "2024-05-03", "RUNNING") | {"job_list": ["other"]},
        a_patch("late", "2024-05-04", "2024-05-04", "RUNNING"),
        a_patch(NAME, "2024-05-01", "2024-05-03", "RUNNING"),
    ]
    found = await discover(a_service(rows), known={NAME: DATES})
    assert (found.found, found.complete, found.shows_tags) == ((), True, True)
    partly = await discover(a_service(rows), known={NAME: DateSet.parse(["2024-05-01"])})
    assert [run.name for run in partly.found] == [NAME]


async def test_the_job_may_be_one_of_several() -> None:
    row = a_patch("theirs", "2024-05-01", "2024-05-01", "RUNNING")
    row["job_list"] = ["parent", "daily_sales"]
    assert [run.name for run in (await discover(a_service([row]))).found] == ["theirs"]


async def test_all_pages_are_read() -> None:
    rows = [a_patch(f"n{number}", "2023-01-01", "2023-01-01", "SUCCESS") for number in range(250)]
    service = a_service([*rows, a_patch(NAME, "2024-05-01", "2024-05-01", "SUCCESS")])
    found = await discover(service)
    assert [run.name for run in found.found] == [NAME]
    assert found.complete
    assert [asked["page"] for asked in service.asked(LIST)] == ["0", "1", "2"]


async def test_a_listing_that_moves_is_read_once_more() -> None:
    rows = [a_patch(f"n{number}", "2023-01-01", "2023-01-01", "SUCCESS") for number in range(150)]
    more = [
        *rows,
        a_patch(NAME, "2024-05-01", "2024-05-01", "SUCCESS", submitted="2024-05-30T10:00"),
    ]
    service = Service()
    service.on(INSTANCES, instances([]))
    states = [rows, more, more, more]

    def now(asked: dict[str, str]) -> Reply:
        return patches(states.pop(0))(asked)

    service.on(LIST, now)
    found = await discover(service)
    assert found.complete
    assert [run.name for run in found.found] == [NAME]
    assert len(service.asked(LIST)) == 4


async def test_those_who_ask_at_once_share_a_listing() -> None:
    service = Service()
    service.on(LIST, patches([]))
    async with a_provider(service) as provider:
        await asyncio.gather(*(provider.discover(SERIES, DATES, known_runs={}) for _ in range(8)))
        assert len(service.asked(LIST)) == 1
        await provider.discover(SERIES, DATES, known_runs={})
    assert len(service.asked(LIST)) == 2


@pytest.mark.parametrize("total", [0, 1, 3, 101])
async def test_a_listing_that_does_not_add_up_proves_nothing(total: int) -> None:
    rows = [a_patch(name, "2024-05-01", "2024-05-01", "SUCCESS") for name in ("a", "b")]
    service = Service()
    service.on(
        LIST,
        lambda asked: {
            "success": True,
            "total": total,
            "rows": rows if asked["page"] == "0" else [],
        },
    )
    found = await discover(service)
    assert not found.complete
    assert len(found.found) == 2


async def test_a_row_that_is_there_twice_proves_nothing() -> None:
    row = a_patch("a", "2024-05-01", "2024-05-01", "SUCCESS")
    service = Service()
    service.on(LIST, {"success": True, "total": 2, "rows": [row, row]})
    assert not (await discover(service)).complete


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_listing_began_by_the_services_clock_and_not_by_ours(hours: int) -> None:
    service = a_service([])
    service.date = NOW + dt.timedelta(hours=hours)
    assert (await discover(service)).began_at == service.date


async def test_a_listing_without_a_time_proves_nothing() -> None:
    service = a_service([])
    service.date = None
    assert not (await discover(service)).complete


async def test_nothing_asked_is_nothing_found() -> None:
    service = a_service([])
    found = await discover(service, DateSet())
    assert (found.complete, found.found, service.calls) == (True, (), [])


async def test_a_run_is_found_by_its_name() -> None:
    service = a_service([a_patch("theirs", "2024-05-01", "2024-05-02", "SUCCESS")])
    async with a_provider(service) as provider:
        run = await provider.find_run(SERIES, "theirs", DATES)
        missing = await provider.find_run(SERIES, "their", DATES)
        with pytest.raises(InvalidRequest, match="does not run job elsewhere"):
            await provider.find_run(a_series(root="elsewhere"), "theirs", DATES)
    assert missing is None
    assert run is not None
    assert (run.run_ids, run.tag) == (("theirs",), None)
    assert run.dates == DateSet.parse(["2024-05-01..2024-05-02"])


async def test_a_run_without_days_is_taken_for_those_asked() -> None:
    row = a_patch("theirs", "2024-05-01", "2024-05-02", "SUCCESS") | {"start_date": 0}
    async with a_provider(a_service([row])) as provider:
        run = await provider.find_run(SERIES, "theirs", DATES)
    assert run is not None
    assert run.dates == DATES


async def test_ours_whose_ends_are_no_midnights_spoils_the_listing() -> None:
    shifted = a_patch(NAME, "2024-05-01", "2024-05-02", "SUCCESS")
    shifted["start_date"] += 3_600_000
    found = await discover(a_service([shifted]))
    assert (found.found, found.complete) == ((), False)


async def test_a_run_over_a_part_of_a_day_does_not_stand_for_it() -> None:
    partly = a_patch("theirs", "2024-05-01", "2024-05-01", "SUCCESS")
    partly["end_date"] -= 3_600_000
    async with a_provider(a_service([partly])) as provider:
        with pytest.raises(InvalidRequest, match="begin and end with a day"):
            await provider.find_run(SERIES, "theirs", DATES)
