"""Data dates as sorted half-open intervals.

A *data date* is a civil day with no zone. `DateRange` is `[start, end)` at day grain; `DateSet` is any
set of data dates held as sorted, disjoint, non-adjacent ranges, so that its size is the number of gaps
and not the number of days. Text forms are inclusive on both ends (`2020-05-20..2020-05-31`), because
that is what people write; the conversion happens here and nowhere else.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

ONE_DAY = dt.timedelta(days=1)
#: The earliest and latest data dates we accept; the ends leave room for half-open arithmetic.
MIN_DATE = dt.date(1970, 1, 1)
MAX_DATE = dt.date(9998, 12, 31)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_date(text: str) -> dt.date:
    """Parse `YYYY-MM-DD`.

    Raises:
        ValueError: The text is no such date, or lies outside `MIN_DATE`..`MAX_DATE`.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(f"{text!r} is not a date; write YYYY-MM-DD")
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a day of the calendar") from None
    if not MIN_DATE <= date <= MAX_DATE:
        raise ValueError(f"{text!r} is out of range; dates run from {MIN_DATE} to {MAX_DATE}")
    return date


def _day_after(date: dt.date) -> dt.date:
    if date > MAX_DATE:
        raise ValueError(f"{date} is out of range; dates run from {MIN_DATE} to {MAX_DATE}")
    return date + ONE_DAY


@dataclass(frozen=True, slots=True, order=True)
class DateRange:
    """Consecutive data dates: `start` inclusive, `end` exclusive, never empty."""

    start: dt.date
    end: dt.date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"empty date range: {self.start} to {self.end}, exclusive")

    @classmethod
    def inclusive(cls, first: dt.date, last: dt.date) -> DateRange:
        """The range from `first` to `last`, both included."""
        return cls(first, _day_after(last))

    @classmethod
    def day(cls, date: dt.date) -> DateRange:
        """The range of one date."""
        return cls(date, _day_after(date))

    @classmethod
    def parse(cls, text: str) -> DateRange:
        """Parse `A` or `A..B`, both ends inclusive.

        Raises:
            ValueError: Not a date or range, or the end lies before the start.
        """
        first_text, dots, last_text = text.partition("..")
        first = parse_date(first_text)
        last = parse_date(last_text) if dots else first
        if last < first:
            raise ValueError(f"{text!r} ends before it starts")
        return cls.inclusive(first, last)

    @property
    def last(self) -> dt.date:
        """The last date in the range."""
        return self.end - ONE_DAY

    @property
    def count(self) -> int:
        """How many dates; at least 1."""
        return (self.end - self.start).days

    def __contains__(self, date: dt.date) -> bool:
        return self.start <= date < self.end

    def __str__(self) -> str:
        return f"{self.start}" if self.count == 1 else f"{self.start}..{self.last}"

    def intersection(self, other: DateRange) -> DateRange | None:
        """The dates in both, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return DateRange(start, end) if start < end else None

    def days(self) -> Iterator[dt.date]:
        """Each date, ascending."""
        return (self.start + dt.timedelta(days=n) for n in range(self.count))


def meeting(
    items: Sequence[T], ranges: Sequence[DateRange], range_of: Callable[[T], DateRange]
) -> Iterator[tuple[T, DateRange]]:
    """Where items meet ranges: each item with each piece of its own range that lies in one of them.

    Both are sorted and disjoint. What lies before the first place and after the last costs next to nothing.
    """
    if not items or not ranges:
        return
    place = bisect_right(items, ranges[0].start, key=lambda item: range_of(item).end)
    if place == len(items):
        return
    other = bisect_right(ranges, range_of(items[place]).start, key=_end)
    while place < len(items) and other < len(ranges):
        held, asked = range_of(items[place]), ranges[other]
        if (piece := held.intersection(asked)) is not None:
            yield items[place], piece
        if held.end <= asked.end:
            place += 1
        else:
            other += 1


def _itself(dates: DateRange) -> DateRange:
    return dates


def _end(dates: DateRange) -> dt.date:
    return dates.end


@dataclass(frozen=True, slots=True)
class DateSet:
    """A set of data dates. Build it with `of`; `ranges` is sorted, disjoint and non-adjacent."""

    ranges: tuple[DateRange, ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[DateRange]) -> DateSet:
        """Normalise any ranges, in any order and overlapping or not."""
        merged: list[DateRange] = []
        for item in sorted(ranges):
            if merged and item.start <= merged[-1].end:
                if item.end > merged[-1].end:
                    merged[-1] = DateRange(merged[-1].start, item.end)
            else:
                merged.append(item)
        return cls(tuple(merged))

    @classmethod
    def of_dates(cls, dates: Iterable[dt.date]) -> DateSet:
        """The set of single dates, in any order."""
        return cls.of(map(DateRange.day, dates))

    @classmethod
    def parse(cls, texts: Iterable[str]) -> DateSet:
        """Parse texts of the form `A` or `A..B`.

        Raises:
            ValueError: One of them is malformed.
        """
        return cls.of(map(DateRange.parse, texts))

    @property
    def count(self) -> int:
        """How many dates."""
        return sum(item.count for item in self.ranges)

    @property
    def hull(self) -> DateRange | None:
        """The smallest range that covers the set, or None when it is empty."""
        return DateRange(self.ranges[0].start, self.ranges[-1].end) if self.ranges else None

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, date: dt.date) -> bool:
        place = bisect_right(self.ranges, date, key=_end)
        return place < len(self.ranges) and date in self.ranges[place]

    def __iter__(self) -> Iterator[DateRange]:
        return iter(self.ranges)

    def __or__(self, other: DateSet) -> DateSet:
        return DateSet.of((*self.ranges, *other.ranges))

    def __and__(self, other: DateSet) -> DateSet:
        return DateSet(tuple(both for _, both in meeting(self.ranges, other.ranges, _itself)))

    def __sub__(self, other: DateSet) -> DateSet:
        left: list[DateRange] = []
        for item in self.ranges:
            start = item.start
            for place in range(bisect_right(other.ranges, start, key=_end), len(other.ranges)):
                cut = other.ranges[place]
                if cut.start >= item.end:
                    break
                if cut.start > start:
                    left.append(DateRange(start, cut.start))
                start = cut.end
            if start < item.end:
                left.append(DateRange(start, item.end))
        return DateSet(tuple(left))

    def days(self) -> Iterator[dt.date]:
        """Each date, ascending."""
        return (day for item in self.ranges for day in item.days())

    def texts(self) -> tuple[str, ...]:
        """The inclusive text of each range, ascending."""
        return tuple(map(str, self.ranges))

    def __str__(self) -> str:
        return ", ".join(self.texts())
