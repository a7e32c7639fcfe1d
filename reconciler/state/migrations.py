"""Upgrading a store of an older format: a backup first, then one transaction, all of it or nothing.

Each migration spells its statements out, and none uses the tables of `schema`: they will go on changing.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from reconciler.model.errors import StateDamaged, StateNotUpgraded
from reconciler.model.state import Actor
from reconciler.model.steps import Durable
from reconciler.state import journal, lock
from reconciler.state.attempts import attempts_of_rows
from reconciler.state.database import Database
from reconciler.state.files import DAMAGED
from reconciler.state.head import Lock
from reconciler.state.record import Record
from reconciler.state.schema import FORMAT, FORMAT_WITH_SEALS, attempt, stack, usage
from reconciler.state.sealing import seal_everything

#: Tables of the oldest format, which are what a backup in the same database has to hold.
_TABLES = ("stack", "series", "attempt", "journal", "usage")

#: Those that came later, backed up where they are.
_LATER_TABLES = ("tag",)


def upgrade(database: Database, actor: Actor) -> str | None:
    """Bring a store to this version's format, for every project in it; each one's journal tells of it.

    Returns:
        Where the backup lies, or None when there was nothing to upgrade.

    Raises:
        StateError: The backup or the upgrade failed; the store is as it was.
    """
    with database.reading() as connection:
        oldest = _oldest(connection)
    if oldest is None or oldest >= FORMAT:
        return None
    copy: Path | None = None
    try:
        with database.writing(Durable.UPGRADE_STORE) as connection:
            lock.make_alone(connection)
            oldest = _oldest(connection)
            if oldest is None or oldest >= FORMAT:  # another process was faster
                return None
            stamp = f"format{oldest}_{lock.database_now(connection)}"
            if connection.dialect.name == "postgresql":
                backup = _copy_tables(connection, stamp)
            else:
                copy = _copy_file(database, stamp)
                backup = str(copy)
            if oldest >= FORMAT_WITH_SEALS:
                _refuse_damaged(connection)
            for version in range(oldest, FORMAT):
                _MIGRATIONS[version](connection)
            seal_everything(connection)
            _tell_journals(connection, actor, backup)
    except BaseException:
        if copy is not None:
            copy.unlink(missing_ok=True)
        raise
    return backup


def _oldest(connection: Connection) -> int | None:
    """The oldest format of a project in the database; None while there is none."""
    if not inspect(connection).has_table("stack"):
        return None
    oldest = connection.execute(text("SELECT MIN(format) FROM stack")).scalar()
    return None if oldest is None else int(oldest)


def _refuse_damaged(connection: Connection) -> None:
    """Look at all seals while they still tell: afterwards all rows bear new ones.

    Raises:
        Unsound: A row does not match its own, or one is missing.
    """
    for stack_id in connection.execute(select(stack.c.stack_id)).scalars().all():
        record = Record.reading(connection, stack_id)
        record.everything()
        record.rows(usage)


def _tell_journals(connection: Connection, actor: Actor, backup: str) -> None:
    """Note the upgrade, with the attempts that older versions split off without a word."""
    for stack_id in connection.execute(select(stack.c.stack_id)).scalars().all():
        told = {one for entry in journal.entries(connection, stack_id) for one in entry.attempts}
        with Record.writing(connection, stack_id) as record:
            known = attempts_of_rows(record.rows(attempt))
            untold = [one.id for one in known if one.id not in told]
            data: dict[str, object] = {"format": FORMAT, "backup": backup, "attempts": untold}
            now = lock.database_now(connection)
            journal.append(record, at=now, actor=actor, event="upgraded", data=data)


def _copy_tables(connection: Connection, stamp: str) -> str:
    known = inspect(connection)
    tables = [*_TABLES, *(one for one in _LATER_TABLES if known.has_table(one))]
    connection.execute(text(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE"))
    for table in tables:
        connection.execute(text(f"CREATE TABLE {table}_{stamp} AS TABLE {table}"))
    return f"tables *_{stamp}"


def _copy_file(database: Database, stamp: str) -> Path:
    """Copy a SQLite file as it is now. Our own transaction keeps writers out and has written nothing."""
    raw = database.engine.raw_connection()
    try:
        listed = raw.cursor().execute("PRAGMA database_list").fetchall()
        (file,) = (path for _, name, path in listed if name == "main")
        target = Path(f"{file}.{stamp}.bak")
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            raw.cursor().execute("VACUUM INTO ?", (str(target),))
            _make_durable(target)
        except (OSError, sqlite3.Error) as error:
            with contextlib.suppress(OSError):
                target.unlink(missing_ok=True)
            raise StateNotUpgraded(
                f"the state store was not upgraded: its backup {target} cannot be written: {error}",
                hint="make room for it, or let us write to its folder",
            ) from error
    finally:
        raw.close()
    return target


def _make_durable(file: Path) -> None:
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _to_2(connection: Connection) -> None:
    """What people decide: three more states of an attempt, and the workspaces that keep our tags.

    Tries that are split by date now share a number, so that numbers alone tell what was sent last; and
    what was sent without our tag has no name.
    """
    connection.execute(text("UPDATE attempt SET name = '' WHERE operation = 'CreateManualDag'"))
    before = "'refused','void','absent')"
    after = "'refused','void','absent','settled','requested','forgotten')"
    unique = "attempt_stack_id_number_key"
    if connection.dialect.name == "postgresql":
        allowed = f"'intent','sent','unknown','partial','accepted',{after}"
        connection.execute(text("ALTER TABLE attempt DROP CONSTRAINT attempt_state"))
        connection.execute(text(f"ALTER TABLE attempt DROP CONSTRAINT {unique}"))
        connection.execute(
            text(f"ALTER TABLE attempt ADD CONSTRAINT attempt_state CHECK (state IN ({allowed})")
        )
    else:
        edits = {before: after, "UNIQUE (stack_id, number), ": ""}
        _rebuild(connection, "attempt", edits)
    connection.execute(
        text(
            "CREATE TABLE tag (stack_id TEXT NOT NULL REFERENCES stack (stack_id), "
            "home TEXT NOT NULL, survives BOOLEAN NOT NULL, at BIGINT NOT NULL, "
            "PRIMARY KEY (stack_id, home))"
        )
    )


def _to_3(connection: Connection) -> None:
    """Seals: what is damaged on the disk is known when it is read. They are written at the end.

    A process of an older version may still be at work, and would write rows without a seal. While it
    holds the lock nothing is upgraded; afterwards it follows runs, which takes no lock, or waits for the
    lock. So the columns that its transactions name have other names now: `serial`, and for those around
    the lock itself `lock_id`.
    """
    connection.execute(text("ALTER TABLE stack RENAME COLUMN serial TO writes"))
    connection.execute(text("ALTER TABLE stack RENAME COLUMN lock_id TO lease_id"))
    _refuse_held(connection)
    for column in ("contents TEXT", "journal_seq BIGINT", "journal_hash TEXT"):
        connection.execute(text(f"ALTER TABLE stack ADD COLUMN {column}"))
    for table in ("stack", "attempt", "usage", "tag"):
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN seal TEXT"))


def _to_4(connection: Connection) -> None:
    """How long runs took: nothing is known of those before.

    A process of an older version may still be at work. Since format 3 each of its transactions looks at
    the format first and refuses a newer one, so that it cannot write rows without the new column. While it
    holds the lock nothing is upgraded: what it has sent could not go on record.
    """
    _refuse_held(connection)
    connection.execute(text("ALTER TABLE attempt ADD COLUMN took TEXT"))


def _refuse_held(connection: Connection) -> None:
    """Refuse to upgrade under somebody's lock.

    Raises:
        LockHeld: An older version holds one.
    """
    now = lock.database_now(connection)
    columns = ", ".join(Lock.__slots__)
    for row in connection.execute(text(f"SELECT {columns} FROM stack")).mappings():  # noqa: S608
        lock.refuse_held(Lock(**row), now=now)


def _rebuild(connection: Connection, table: str, edits: Mapping[str, str]) -> None:
    """Change constraints in SQLite, which can only be done by copying the table.

    Source: "Making Other Kinds Of Table Schema Changes", sqlite.org/lang_altertable.html.
    """
    rows = connection.execute(
        text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL"),
        {"table": table},
    ).all()
    (made,) = (row.sql for row in rows if row.type == "table")
    # Once rebuilt, SQLite quotes the name.
    made = re.sub(rf'^CREATE TABLE "?{table}"? ', f"CREATE TABLE {table}_new ", made)
    for before, after in {**edits, f"{table}_new ": f"{table}_new "}.items():
        if made.count(before) != 1:
            raise StateDamaged(
                f"table {table} of the state store is not as this tool made it", hint=DAMAGED
            )
        made = made.replace(before, after)
    connection.exec_driver_sql(made)
    connection.exec_driver_sql(f"INSERT INTO {table}_new SELECT * FROM {table}")  # noqa: S608 - our names
    connection.exec_driver_sql(f"DROP TABLE {table}")
    connection.exec_driver_sql(f"ALTER TABLE {table}_new RENAME TO {table}")
    for row in rows:
        if row.type == "index":
            connection.exec_driver_sql(row.sql)


#: By the format it starts from.
_MIGRATIONS: dict[int, Callable[[Connection], None]] = {1: _to_2, 2: _to_3, 3: _to_4}
