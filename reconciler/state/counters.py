"""Rows that are counted or noted by key, in a caller's transaction: API calls a day, surviving tags."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import ColumnElement

from reconciler.state.codec import integer, readable
from reconciler.state.record import Record, Row
from reconciler.state.schema import tag, usage


def add_calls(record: Record, connection_name: str, day: dt.date, calls: int) -> None:
    """Add to a connection's count of API calls on a day."""
    counted = record.rows(usage, *_of_day(connection_name, day))
    if counted:
        record.change(usage, counted[0], {"calls": _calls(counted) + calls})
    else:
        key = {"connection": connection_name, "day": day.isoformat()}
        record.insert(usage, {**key, "calls": calls})


def calls_on(record: Record, connection_name: str, day: dt.date) -> int:
    """How many API calls were counted for a connection on a day."""
    return _calls(record.rows(usage, *_of_day(connection_name, day)))


def _calls(counted: Iterable[Row]) -> int:
    with readable("the count of API calls"):
        return sum(integer(row["calls"]) for row in counted)


def _of_day(connection_name: str, day: dt.date) -> tuple[ColumnElement[bool], ...]:
    return usage.c.connection == connection_name, usage.c.day == day.isoformat()


def surviving_tags(rows: Iterable[Row]) -> dict[str, bool]:
    """By workspace (`Subject.home`), whether names of ours come back whole."""
    return {str(row["home"]): bool(row["survives"]) for row in rows}


def set_tags(record: Record, home: str, *, survives: bool, now: int) -> bool:
    """Note what was seen of a workspace; once a name came back altered, none is believed there again.

    Returns:
        Whether that changed anything.
    """
    known = record.rows(tag, tag.c.home == home)
    seen = {"survives": survives, "at": now}
    if not known:
        record.insert(tag, {"home": home, **seen})
    elif survives or not known[0]["survives"]:
        return False
    else:
        record.change(tag, known[0], seen)
    return True
