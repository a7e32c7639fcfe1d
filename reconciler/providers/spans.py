"""From when to when something ran, by the service's own times, and how long that was.

Nothing is decided by these times, so what is missing, cannot be read or contradicts itself tells nothing,
and is no error.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from reconciler.providers.json_fields import BadAnswer, Fields


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another that is not before it, both aware UTC."""

    start: dt.datetime
    end: dt.datetime


def read_span(fields: Fields, start: str, end: str, zone: ZoneInfo) -> Span | None:
    """Read two fields that say when something began and ended; None where they do not tell."""
    try:
        began, ended = fields.moment(start, zone), fields.moment(end, zone)
    except BadAnswer:
        return None
    if began is None or ended is None:
        return None
    # Moments of one zone are subtracted by its wall clocks, which jump.
    span = Span(began.astimezone(dt.UTC), ended.astimezone(dt.UTC))
    return span if span.start <= span.end else None


def seconds_over(spans: Iterable[Span | None]) -> int | None:
    """Whole seconds from the earliest start to the latest end; None without any, or if one is unknown."""
    known = list(spans)
    told = [one for one in known if one is not None]
    if not told or len(told) < len(known):
        return None
    return round((max(one.end for one in told) - min(one.start for one in told)).total_seconds())
