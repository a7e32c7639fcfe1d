"""Values over data dates: what is true of each date, written once per stretch of equal dates.

`RangeMap` is the shape in which desired, recorded and observed state meet: each maps dates to values,
`cut` cuts the dates where any of them changes, and a decision is made once per piece.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from reconciler.model.dates import DateRange, DateSet, meeting

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class RangeMap(Generic[T]):
    """A partial function from data dates to values.

    `items` is sorted by date and disjoint; neighbours that touch carry different values.
    """

    items: tuple[tuple[DateRange, T], ...] = ()

    @classmethod
    def of(cls, items: Iterable[tuple[DateRange, T]]) -> RangeMap[T]:
        """Build from disjoint ranges in any order; equal neighbours are joined.

        Raises:
            ValueError: Two ranges overlap.
        """
        joined: list[tuple[DateRange, T]] = []
        for dates, value in sorted(items, key=lambda item: item[0].start):
            if joined and dates.start < joined[-1][0].end:
                raise ValueError(f"{joined[-1][0]} and {dates} overlap")
            if joined and dates.start == joined[-1][0].end and joined[-1][1] == value:
                joined[-1] = (DateRange(joined[-1][0].start, dates.end), value)
            else:
                joined.append((dates, value))
        return cls(tuple(joined))

    @classmethod
    def constant(cls, dates: DateSet, value: T) -> RangeMap[T]:
        """The same value on each date of a set."""
        return cls(tuple((item, value) for item in dates))

    @property
    def dates(self) -> DateSet:
        """The dates that have a value."""
        return DateSet.of(dates for dates, _ in self.items)

    def __iter__(self) -> Iterator[tuple[DateRange, T]]:
        return iter(self.items)

    def __bool__(self) -> bool:
        return bool(self.items)

    def at(self, date: dt.date) -> T | None:
        """The value on a date, or None."""
        found = meeting(self.items, (DateRange.day(date),), _range_of)
        return next((value for (_, value), _ in found), None)

    def restricted(self, dates: DateSet) -> RangeMap[T]:
        """Only what lies within `dates`; what lies before and after them costs next to nothing."""
        found = meeting(self.items, dates.ranges, _range_of)
        return RangeMap(tuple((piece, value) for (_, value), piece in found))

    def overlaid(self, newer: RangeMap[T]) -> RangeMap[T]:
        """This map with the values of `newer` wherever it has one."""
        return overlay((*self, *newer))

    def map(self, function: Callable[[T], U]) -> RangeMap[U]:
        """Each value replaced by `function` of it."""
        return RangeMap.of((dates, function(value)) for dates, value in self.items)

    def where(self, predicate: Callable[[T], bool]) -> DateSet:
        """The dates whose value satisfies `predicate`."""
        return DateSet.of(dates for dates, value in self.items if predicate(value))


def _range_of(item: tuple[DateRange, object]) -> DateRange:
    return item[0]


def sweep(items: Iterable[tuple[DateRange, T]]) -> Iterator[tuple[DateRange, tuple[T, ...]]]:
    """Cut overlapping ranges at every boundary.

    Args:
        items: Ranges with their values, in any order, overlapping or not.

    Yields:
        Each piece that at least one range covers, ascending, with the values of all ranges that cover
        it, in the order they were given.
    """
    held = list(items)
    edges = sorted(
        [(dates.start, 1, index) for index, (dates, _) in enumerate(held)]
        + [(dates.end, 0, index) for index, (dates, _) in enumerate(held)]
    )
    covering: set[int] = set()
    previous: dt.date | None = None
    for date, opens, index in edges:
        if covering and previous is not None and previous < date:
            yield DateRange(previous, date), tuple(held[n][1] for n in sorted(covering))
        previous = date
        if opens:
            covering.add(index)
        else:
            covering.remove(index)


def overlay(items: Iterable[tuple[DateRange, T]]) -> RangeMap[T]:
    """The map in which, where ranges overlap, the one given last wins."""
    return RangeMap.of((dates, values[-1]) for dates, values in sweep(items))


def cut(
    dates: DateSet, maps: Sequence[RangeMap[T]]
) -> Iterator[tuple[DateRange, tuple[T | None, ...]]]:
    """Cut `dates` wherever any of `maps` changes.

    Yields:
        Each piece, ascending, with the value of each map on it in the order given, or None. Within a
        piece every map is constant; the pieces together are exactly `dates`.
    """
    tagged: list[tuple[DateRange, tuple[int, T | None]]] = [(item, (-1, None)) for item in dates]
    for index, held in enumerate(maps):
        tagged.extend((item, (index, value)) for item, value in held.restricted(dates))
    for piece, values in sweep(tagged):
        row: list[T | None] = [None] * len(maps)
        for index, value in values:
            if index >= 0:
                row[index] = value
        yield piece, tuple(row)


def both(one: RangeMap[T], other: RangeMap[U]) -> Iterator[tuple[DateRange, T, U]]:
    """The pieces on which two maps have a value, ascending, with both values."""
    theirs = iter(other.items)
    current = next(theirs, None)
    for dates, value in one.items:
        while current is not None and current[0].end <= dates.start:
            current = next(theirs, None)
        while current is not None and (shared := dates.intersection(current[0])) is not None:
            yield shared, value, current[1]
            if current[0].end > dates.end:
                break
            current = next(theirs, None)
