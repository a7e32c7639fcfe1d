"""Listings at the sizes where paging goes wrong, and while rows come and go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reconciler.model.dates import DateRange
from reconciler.providers.dataworks.api import Api, InstanceQuery
from reconciler.providers.dataworks.listing import Listing, list_all
from tests.unit.providers.dataworks.support import Service, a_provider, a_row, lists

pytestmark = pytest.mark.anyio

MAY = DateRange.parse("2024-05-01..2024-05-10")


async def listing_of(service: Service, dates: DateRange | None = MAY) -> Listing:
    api = Api(a_provider(service)._gateway, ZoneInfo("Asia/Shanghai"))
    query = InstanceQuery(project_id="1", environment="PROD", node_id="1234", dates=dates)
    return await list_all(api, query)


def rows(count: int, *, days: int = 10) -> list[dict[str, Any]]:
    first = dt.date(2024, 5, 1)
    return [
        a_row(n + 1, n + 1, str(first + dt.timedelta(days=n % days)), "SUCCESS")
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "pages"), [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (200, 2), (10_000, 100)]
)
async def test_every_row_in_as_few_pages_as_there_are(count: int, pages: int) -> None:
    service = Service()
    service.on("ListInstances", lists(rows(count)))
    listing = await listing_of(service)
    assert listing.complete
    assert len({row.id for row in listing.rows}) == len(listing.rows) == count
    assert len(service.calls) == pages


async def test_more_rows_than_can_be_reached_are_listed_by_parts_of_the_dates() -> None:
    service = Service()
    service.on("ListInstances", lists(rows(10_001)))
    listing = await listing_of(service)
    assert listing.complete
    assert len({row.id for row in listing.rows}) == 10_001
    asked = {(call["BeginBizdate"][:10], call["EndBizdate"][:10]) for _, call in service.calls}
    assert asked == {
        ("2024-05-01", "2024-05-10"),
        ("2024-05-01", "2024-05-05"),
        ("2024-05-06", "2024-05-10"),
    }


@pytest.mark.parametrize("dates", [DateRange.parse("2024-05-01"), None])
async def test_what_cannot_be_split_is_read_as_far_as_it_goes(dates: DateRange | None) -> None:
    service = Service()
    service.on("ListInstances", lists(rows(10_001, days=1)))
    listing = await listing_of(service, dates)
    assert not listing.complete
    assert len(listing.rows) == 10_000


def changing(versions: list[list[dict[str, Any]]]) -> Callable[[dict[str, str]], Any]:
    """Each call sees the next version of the rows; the last one stays."""

    def answer(asked: dict[str, str]) -> Any:
        return lists(versions.pop(0) if len(versions) > 1 else versions[0])(asked)

    return answer


async def test_a_row_that_comes_while_paging_makes_the_listing_start_again() -> None:
    before = rows(150)
    after = [a_row(999, 999, "2024-05-01", "RUNNING"), *before]
    service = Service()
    service.on("ListInstances", changing([before, after]))
    listing = await listing_of(service)
    assert listing.complete
    assert "999" in {row.id for row in listing.rows}
    assert len(listing.rows) == 151
    assert len(service.calls) == 4


async def test_a_swap_that_keeps_the_count_is_seen_by_its_ids() -> None:
    before = rows(150)
    after = [a_row(999, 999, "2024-05-01", "RUNNING"), *before[:-1]]
    service = Service()
    service.on("ListInstances", changing([before, after]))
    listing = await listing_of(service)
    assert listing.complete
    assert "999" in {row.id for row in listing.rows}


async def test_a_listing_that_never_settles_is_incomplete_and_keeps_what_it_saw() -> None:
    service = Service()
    versions = [
        [*(a_row(1000 + n, 1000 + n, "2024-05-01", "RUNNING") for n in range(extra)), *rows(150)]
        for extra in range(10)
    ]
    service.on("ListInstances", changing(versions))
    listing = await listing_of(service)
    assert not listing.complete
    assert "1003" in {row.id for row in listing.rows}
    assert len(service.calls) == 6


async def test_a_short_page_is_not_taken_for_the_whole() -> None:
    service = Service()
    answer = lists(rows(150))

    def short(asked: dict[str, str]) -> Any:
        page: Any = answer(asked)
        page["Data"]["Instances"] = page["Data"]["Instances"][:-1]
        return page

    service.on("ListInstances", short)
    assert not (await listing_of(service)).complete


async def test_it_began_no_later_than_the_service_says() -> None:
    service = Service()
    service.on("ListInstances", lists([]))
    assert (await listing_of(service)).began_at == service.date
    service.date = None
    assert (await listing_of(service)).began_at is None
