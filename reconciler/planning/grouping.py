"""From units to start to the fewest calls."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateRange
from reconciler.model.rangemap import RangeMap


def call_ranges(kind: Kind, starting: RangeMap[int]) -> Iterator[tuple[DateRange, int]]:
    """Group the units of one address and series into calls.

    Args:
        kind: A manual flow runs one data date per call, a backfill any run of consecutive dates.
        starting: The generation of each unit to start.

    Yields:
        Each call's dates and generation, ascending. No other grouping has fewer calls: a call's dates
        are consecutive and of one generation, and a `RangeMap` holds each maximal such stretch once.
    """
    for dates, generation in starting:
        if kind is Kind.MANUAL_FLOW:
            for day in dates.days():
                yield DateRange.day(day), generation
        else:
            yield dates, generation
