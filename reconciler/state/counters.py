"""Rows that are counted or noted by key, in a caller's transaction: API calls a day, surviving tags."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, insert, select, update

from reconciler.state.schema import tag, usage


def add_calls(
    connection: Connection, stack_id: str, connection_name: str, day: dt.date, calls: int
) -> None:
    """Add to a connection's count of API calls on a day."""
    key = {"stack_id": stack_id, "connection": connection_name, "day": day.isoformat()}
    where = [usage.c[name] == value for name, value in key.items()]
    counted = connection.execute(
        update(usage).where(*where).values(calls=usage.c.calls + calls)
    ).rowcount
    if not counted:
        connection.execute(insert(usage).values(**key, calls=calls))


def calls_on(connection: Connection, stack_id: str, connection_name: str, day: dt.date) -> int:
    """How many API calls were counted for a connection on a day."""
    found = connection.execute(
        select(usage.c.calls).where(
            usage.c.stack_id == stack_id,
            usage.c.connection == connection_name,
            usage.c.day == day.isoformat(),
        )
    ).scalar()
    return int(found or 0)


def surviving_tags(connection: Connection, stack_id: str) -> dict[str, bool]:
    """By workspace (`Subject.home`), whether names of ours come back whole."""
    rows = connection.execute(select(tag.c.home, tag.c.survives).where(tag.c.stack_id == stack_id))
    return {row.home: row.survives for row in rows}


def set_tags(
    connection: Connection, stack_id: str, home: str, *, survives: bool, now: int
) -> bool:
    """Note what was seen of a workspace; once a name came back altered, none is believed there again.

    Returns:
        Whether that changed anything.
    """
    known = surviving_tags(connection, stack_id).get(home)
    if known is not None and (known == survives or not known):
        return False
    key = {"stack_id": stack_id, "home": home}
    if known is None:
        connection.execute(insert(tag).values(**key, survives=survives, at=now))
    else:
        where = [tag.c[column] == value for column, value in key.items()]
        connection.execute(update(tag).where(*where).values(survives=survives, at=now))
    return True
