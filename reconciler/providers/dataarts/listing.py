"""Complete listings out of numbered pages that shift while we read them.

The service counts rows (`total`) but gives no snapshot: a run created between two pages moves every row one
place on. A listing whose count, rows and names do not agree is read again; one that does not settle is
returned as incomplete and proves nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from reconciler.concurrency import each
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import UnexpectedResponse
from reconciler.providers.channel import ReadAnswer
from reconciler.providers.dataarts.api import Api
from reconciler.providers.dataarts.days import midnight_ms
from reconciler.providers.dataarts.failures import PROVIDER
from reconciler.providers.dataarts.wire_answers import Instance, InstancePage, PatchData, PatchPage
from reconciler.providers.dataarts.wire_requests import LIST_INSTANCES

#: How often one listing is read before it is given up as never settling.
_PASSES = 2

#: Pages of one listing that are read at most; no bound of the service's own is documented.
_MOST_PAGES = 500

#: Days of one question for instances: a month at most, says the service, whatever month it means.
WINDOW_DAYS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchListing:
    """PatchData by name, newest first. The service's clock stood at `began_at`, or later, when it began."""

    rows: Mapping[str, PatchData]
    complete: bool
    began_at: dt.datetime | None


async def list_all_patches(api: Api, *, name: str | None = None) -> PatchListing:
    """Read all PatchData of the workspace, or those that the service finds for a name.

    Raises:
        ProviderError: A page could not be read.
    """
    rows: dict[str, PatchData] = {}
    began_at: dt.datetime | None = None
    for _ in range(_PASSES):
        seen: list[PatchData] = []
        totals: set[int] = set()
        page: ReadAnswer[PatchPage] | None = None
        number = 0
        while page is None or (page.value.rows and len(seen) < page.value.total):
            page = await api.list_patches(number, name=name)
            began_at = page.began_at if number == 0 else began_at
            seen += page.value.rows
            totals.add(page.value.total)
            number += 1
            if len(totals) > 1 or number == _MOST_PAGES:
                break
        rows.update((row.name, row) for row in seen)
        if totals == {len(seen)} and len({row.name for row in seen}) == len(seen):
            return PatchListing(
                rows={row.name: row for row in seen}, complete=True, began_at=began_at
            )
    return PatchListing(rows=rows, complete=False, began_at=began_at)


async def list_back_to(api: Api, names: Iterable[str]) -> Mapping[str, PatchData]:
    """The newest PatchData of the workspace, at least one page, back to those named if they are there.

    Whoever was created after one that is found is found, too, unless the pages shift.
    """
    missing = set(names)
    rows: dict[str, PatchData] = {}
    for number in range(_MOST_PAGES):
        page = (await api.list_patches(number)).value
        rows.update((row.name, row) for row in page.rows)
        missing -= rows.keys()
        if not missing or not page.rows or len(rows) >= page.total:
            break
    return rows


async def list_job_instances(
    api: Api, job: str, days: DateSet, *, kind: str
) -> tuple[Instance, ...]:
    """All instances of a job planned on some days, by windows of at most four weeks.

    Raises:
        UnexpectedResponse: The pages of a window do not add up.
        ProviderError: A page could not be read.
    """

    async def of_window(window: DateRange) -> Iterable[Instance]:
        begin_ms, end_ms = (midnight_ms(day, api.zone) for day in (window.start, window.end))
        return await all_pages(
            lambda number: api.list_instances(
                job, number, kind=kind, begin_ms=begin_ms, end_ms=end_ms
            )
        )

    found = await each(windows(days, WINDOW_DAYS), of_window)
    return tuple(
        {row.id: row for rows in found for row in rows if _day(row, api) in days}.values()
    )


async def all_pages(
    ask: Callable[[int], Awaitable[ReadAnswer[InstancePage]]],
) -> Iterable[Instance]:
    """All rows of pages numbered from 0, read again once if they shift."""
    rows: dict[str, Instance] = {}
    total = 0
    for _ in range(_PASSES):
        rows = {}
        for number in range(_MOST_PAGES):
            page = (await ask(number)).value
            fresh = {row.id for row in page.rows} - rows.keys()
            rows.update((row.id, row) for row in page.rows)
            total = page.total
            if not fresh or len(rows) >= total:
                break
        if len(rows) == total:
            return rows.values()
    raise incomplete(LIST_INSTANCES, len(rows))


def incomplete(operation: str, shown: int) -> UnexpectedResponse:
    """The error for a listing that does not show as many rows as it says there are."""
    return UnexpectedResponse(
        f"{operation} showed {shown} rows, and says that there are more or fewer",
        provider=PROVIDER,
        operation=operation,
        hint="try again: runs may have come or gone meanwhile",
    )


def windows(days: DateSet, longest: int) -> list[DateRange]:
    """The fewest ranges of at most `longest` days that cover some days, ascending."""
    cut: list[DateRange] = []
    for item in days:
        start = item.start
        while start < item.end:
            if cut and (start - cut[-1].start).days < longest:
                # What the window before still reaches belongs to it.
                end = min(item.end, cut[-1].start + dt.timedelta(days=longest))
                cut[-1] = DateRange(cut[-1].start, end)
            else:
                end = min(item.end, start + dt.timedelta(days=longest))
                cut.append(DateRange(start, end))
            start = end
    return cut


def _day(row: Instance, api: Api) -> dt.date:
    return row.planned_at.astimezone(api.zone).date()
