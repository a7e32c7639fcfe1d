"""Plan days and moments: the workspace's zone is +08:00, all year.

Moments are milliseconds since the epoch.
"""

from __future__ import annotations

import datetime as dt
import re

from reconciler.simulator.errors import ServiceRefusal
from reconciler.simulator.world import Schedule

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_ZONE = dt.timezone(dt.timedelta(hours=8))
_OFFSET_MS = 8 * HOUR_MS
_DATE = re.compile(r"((?:19|20)\d{2}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}) ([+-]\d{2})")


def plan_day(moment_ms: int) -> dt.date:
    """The day of a plan time."""
    return dt.datetime.fromtimestamp(moment_ms / 1000, _ZONE).date()


def day_start(moment_ms: int) -> int:
    """The midnight that a moment's day begins with."""
    return (moment_ms + _OFFSET_MS) // DAY_MS * DAY_MS - _OFFSET_MS


def period_ms(schedule: Schedule) -> int:
    """How far apart the plan times of a schedule are."""
    return HOUR_MS if schedule is Schedule.HOURLY else DAY_MS


def plan_times(first_ms: int, last_ms: int, schedule: Schedule) -> range:
    """The plan times of a schedule from `first_ms` to `last_ms`, both inclusive."""
    step = period_ms(schedule)
    start = -(-(first_ms + _OFFSET_MS) // step) * step - _OFFSET_MS
    return range(start, last_ms + 1, step)


def range_end(text: str) -> int:
    """A moment as PatchData writes it: `2026-01-01T00:00:00 +08` (huaweicloudsdkdataartsstudio 3.1.219).

    Raises:
        ServiceRefusal: Any other form; DLF.30121, as if the range were empty (field report).
    """
    match = _DATE.fullmatch(text)
    try:
        moment = dt.datetime.strptime(
            f"{match[1]}{match[2]}00" if match else "", "%Y-%m-%dT%H:%M:%S%z"
        )
    except ValueError as err:
        raise empty_range() from err
    return int(moment.timestamp()) * 1000


def empty_range() -> ServiceRefusal:
    """What the service says when no period lies in the range."""
    return ServiceRefusal("DLF.30121", "No job instance can be generated in the date range.")


def stamp(moment_ms: int) -> str:
    """A moment in a log path: `2024-01-11_09_01_39.684`."""
    moment = dt.datetime.fromtimestamp(moment_ms / 1000, _ZONE)
    return f"{moment:%Y-%m-%d_%H_%M_%S}.{moment_ms % 1000:03d}"
