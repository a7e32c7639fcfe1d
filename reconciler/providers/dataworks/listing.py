"""Complete listings out of numbered pages that shift while we read them.

The service counts rows (`TotalCount`) but gives no snapshot: a run created between two pages moves every
row one place on. A listing whose count, rows and ids do not agree is read again; one that never settles,
or whose rows lie beyond the reachable pages, is returned as incomplete and proves nothing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from reconciler.model.dates import DateRange
from reconciler.providers.dataworks.api import (
    PAGE_SIZE,
    REACHABLE_ROWS,
    Api,
    InstanceQuery,
)
from reconciler.providers.dataworks.wire_answers import Instance

#: How often one listing is read before it is given up as never settling.
_PASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rows, each instance once. The service's clock stood at `began_at`, or later, when it began.

    `began_at` is None where the service does not tell its time.
    """

    rows: tuple[Instance, ...]
    complete: bool
    began_at: dt.datetime | None


async def list_all(api: Api, query: InstanceQuery) -> Listing:
    """Read all rows that `query` selects, in as few pages as there are.

    Where there are more rows than can be reached, the dates are halved until each part fits; a single
    date that does not fit is read as far as it goes.

    Raises:
        ProviderError: A page could not be read.
    """
    rows: dict[str, Instance] = {}
    began_at: dt.datetime | None = None
    for _ in range(_PASSES):
        settled = True
        first = await api.list_instances(query, 1)
        began_at = first.began_at
        total = first.value.total
        if total > REACHABLE_ROWS and query.dates is not None and query.dates.count > 1:
            return await _list_halves(api, query, query.dates, began_at)
        pages = -(-min(total, REACHABLE_ROWS) // PAGE_SIZE)
        seen = list(first.value.rows)
        for number in range(2, pages + 1):
            page = (await api.list_instances(query, number)).value
            seen += page.rows
            if page.total != total:
                # Something came or went; what is left of this pass would not line up.
                settled = False
                break
        rows.update((row.id, row) for row in seen)
        if total > REACHABLE_ROWS:
            return Listing(rows=tuple(rows.values()), complete=False, began_at=began_at)
        if settled and len(seen) == total == len({row.id for row in seen}):
            return Listing(rows=tuple(seen), complete=True, began_at=began_at)
    return Listing(rows=tuple(rows.values()), complete=False, began_at=began_at)


async def _list_halves(
    api: Api, query: InstanceQuery, dates: DateRange, began_at: dt.datetime | None
) -> Listing:
    middle = dates.start + dt.timedelta(days=dates.count // 2)
    halves = [
        await list_all(api, dataclasses.replace(query, dates=half))
        for half in (DateRange(dates.start, middle), DateRange(middle, dates.end))
    ]
    return Listing(
        rows=tuple({row.id: row for half in halves for row in half.rows}.values()),
        complete=all(half.complete for half in halves),
        began_at=began_at,
    )
