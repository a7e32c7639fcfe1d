"""Data dates and plan days: the day a job's period is planned on is the data date, or some days later."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar
from zoneinfo import ZoneInfo

from reconciler.model.dates import DateRange, DateSet
from reconciler.model.rangemap import RangeMap
from reconciler.model.series import Series, plan_offset

T = TypeVar("T")


def offset_of(series: Series) -> dt.timedelta:
    """How much later than its data date a period is planned, in whole days."""
    return dt.timedelta(days=plan_offset(series))


def plan_days(series: Series, dates: DateRange) -> DateRange:
    """The plan days of some data dates."""
    return shifted(dates, offset_of(series))


def shifted(dates: DateRange, by: dt.timedelta) -> DateRange:
    """The same range, some whole days later."""
    return DateRange(dates.start + by, dates.end + by)


def all_shifted(dates: DateSet, by: dt.timedelta) -> DateSet:
    """The same dates, some whole days later."""
    return DateSet(tuple(shifted(item, by) for item in dates))


def map_shifted(values: RangeMap[T], by: dt.timedelta) -> RangeMap[T]:
    """The same values, some whole days later."""
    return RangeMap.of((shifted(dates, by), value) for dates, value in values)


def midnight_ms(day: dt.date, zone: ZoneInfo) -> int:
    """A day's first moment in a zone, as epoch milliseconds."""
    return int(dt.datetime.combine(day, dt.time(), zone).timestamp() * 1000)
