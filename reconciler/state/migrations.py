"""Upgrading a store of an older format: a backup first, then one transaction, all of it or nothing.

Each migration spells its statements out, and none uses `schema`: that one will go on changing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import Connection, text

from reconciler.model.errors import StateError
from reconciler.model.steps import Durable
from reconciler.state import lock
from reconciler.state.database import Database
from reconciler.state.schema import FORMAT

#: Tables of the oldest format, which are what a backup in the same database has to hold.
_TABLES = ("stack", "series", "attempt", "journal", "usage")


def upgrade(database: Database) -> str | None:
    """Bring a store to this version's format, for every project in it.

    Returns:
        Where the backup lies, or None when there was nothing to upgrade.

    Raises:
        StateError: The backup or the upgrade failed; the store is as it was.
    """
    with database.writing(Durable.UPGRADE_STORE) as connection:
        lock.make_alone(connection)
        oldest = connection.execute(text("SELECT MIN(format) FROM stack")).scalar()
        if oldest is None or oldest >= FORMAT:
            return None
        backup = _backup(database, connection, oldest)
        for version in range(oldest, FORMAT):
            _MIGRATIONS[version](connection)
        connection.execute(text("UPDATE stack SET format = :new"), {"new": FORMAT})
    return backup


def _backup(database: Database, connection: Connection, version: int) -> str:
    stamp = f"format{version}_{lock.database_now(connection)}"
    if connection.dialect.name == "postgresql":
        for table in _TABLES:
            connection.execute(text(f"CREATE TABLE {table}_{stamp} AS TABLE {table}"))
        return f"tables *_{stamp}"
    return str(_copy_file(database, stamp))


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
        except OSError as error:
            raise StateError(
                f"the state store was not upgraded: its backup {target} cannot be written: "
                f"{error.strerror}"
            ) from error
    finally:
        raw.close()
    return target


def _make_durable(file: Path) -> None:
    for path, flags in ((file, os.O_RDONLY), (file.parent, os.O_RDONLY)):
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _to_2(connection: Connection) -> None:
    """What people decide: three more states of an attempt, and the workspaces that keep our tags.

    Tries that are split by date now share a number, so that numbers alone tell what was sent last.
    """
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


def _rebuild(connection: Connection, table: str, edits: Mapping[str, str]) -> None:
    """Change constraints in SQLite, which can only be done by copying the table.

    Source: "Making Other Kinds Of Table Schema Changes", sqlite.org/lang_altertable.html.
    """
    rows = connection.execute(
        text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL"),
        {"table": table},
    ).all()
    (made,) = (row.sql for row in rows if row.type == "table")
    for before, after in {**edits, f"TABLE {table} ": f"TABLE {table}_new "}.items():
        if made.count(before) != 1:
            raise StateError(f"table {table} of the state store is not as this tool made it")
        made = made.replace(before, after)
    connection.exec_driver_sql(made)
    connection.exec_driver_sql(f"INSERT INTO {table}_new SELECT * FROM {table}")  # noqa: S608 - our names
    connection.exec_driver_sql(f"DROP TABLE {table}")
    connection.exec_driver_sql(f"ALTER TABLE {table}_new RENAME TO {table}")
    for row in rows:
        if row.type == "index":
            connection.exec_driver_sql(row.sql)


#: By the format it starts from.
_MIGRATIONS: dict[int, Callable[[Connection], None]] = {1: _to_2}
