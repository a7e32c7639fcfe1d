"""Cutting dates into batches and calls, in the order in which a rollout takes them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

from reconciler.model.dates import DateRange, DateSet
from reconciler.model.resources import Order, Rollout


def batches(dates: DateSet, rollout: Rollout) -> tuple[DateSet, ...]:
    """The batches of a resource, first to last; together they are exactly `dates`.

    They depend on the desired dates alone and not on what has run, so planning again never moves them.
    """
    canary, rest = _parted(dates, rollout.canary, rollout.order)
    found = [canary] if canary else []
    while rest:
        most = rest.count if rollout.max_active_dates is None else rollout.max_active_dates
        batch, rest = _parted(rest, most, rollout.order)
        found.append(batch)
    return tuple(found)


def pieces(dates: DateRange, most: int | None, order: Order) -> Iterator[DateRange]:
    """Consecutive dates in the fewest ranges of at most `most` dates, ascending.

    The range that is smaller than the others is the one that goes last.
    """
    step = dates.count if most is None else most
    first = dates.count % step if order is Order.NEWEST else 0
    edges = (0, *range(first or step, dates.count, step), dates.count)
    for start, end in itertools.pairwise(edges):
        yield DateRange(_plus(dates.start, start), _plus(dates.start, end))


def _parted(dates: DateSet, count: int, order: Order) -> tuple[DateSet, DateSet]:
    """The `count` dates that go first, and the others."""
    left = count
    first = []
    for item in dates.ranges if order is Order.OLDEST else reversed(dates.ranges):
        if not left:
            break
        taken = min(left, item.count)
        left -= taken
        first.append(
            DateRange(item.start, _plus(item.start, taken))
            if order is Order.OLDEST
            else DateRange(_plus(item.end, -taken), item.end)
        )
    parted = DateSet.of(first)
    return parted, dates - parted


def _plus(date: dt.date, days: int) -> dt.date:
    return date + dt.timedelta(days=days)
