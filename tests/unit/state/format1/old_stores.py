"""Stores of older formats, and what lies in a database whatever its format."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Inspector, inspect

from tests.unit.state.databases import Database, SqliteDatabase

_HERE = Path(__file__).parent

#: The oldest format there was, of which most tests are about.
FIRST = 1

#: What the projects of an old store have on record, by the dates of each try.
OLD_STATES = (
    ("2024-05-01..2024-05-07", "accepted"),
    ("2024-05-08..2024-05-14", "partial"),
    ("2024-05-15", "refused"),
    ("2024-05-15", "unknown"),
    ("2024-05-16..2024-05-17", "absent"),
    ("2024-05-18..2024-05-19", "accepted"),
    ("2024-05-21", "void"),
    ("2024-05-22..2024-05-23", "sent"),
    ("2024-05-24", "intent"),
)

#: The same of a store of format 2.
STATES_IN_2 = (
    ("2024-05-01..2024-05-07", "accepted"),
    ("2024-05-08..2024-05-14", "partial"),
    ("2024-05-15", "refused"),
    ("2024-05-15", "unknown"),
    ("2024-05-16", "absent"),
    ("2024-05-17", "unknown"),
    ("2024-05-18..2024-05-19", "settled"),
    ("2024-05-20", "accepted"),
    ("2024-05-22", "requested"),
    ("2024-05-25", "void"),
    ("2024-05-23..2024-05-24", "sent"),
    ("2024-05-25", "intent"),
)

#: The same of a store of format 3.
STATES_IN_3 = (
    ("2024-05-01..2024-05-07", "accepted"),
    ("2024-05-08..2024-05-14", "partial"),
    ("2024-05-15", "refused"),
    ("2024-05-16", "absent"),
    ("2024-05-17", "unknown"),
)

Rows = list[tuple[object, ...]]


def make_old_store(
    database: Database, *, version: int = FIRST, before: str = "", after: str = ""
) -> None:
    """Put an old store into an empty database; `before`, once in its schema, becomes `after`."""
    database.store().close()  # makes a SQLite file, with the modes of one
    if isinstance(database, SqliteDatabase):
        database.raw("PRAGMA journal_mode = WAL")  # as every store of ours is, from its first use
    folder = _HERE.with_name(f"format{version}")
    schema = _read(folder / "schema.sql")
    if before:
        assert schema.count(before) == 1
        schema = schema.replace(before, after)
    for text in (schema, _read(folder / "rows.sql")):
        for statement in filter(None, map(str.strip, text.split(";\n"))):
            database.raw(statement)


def everything(database: Database) -> dict[str, Rows]:
    """All rows of all tables."""
    return {table: rows_of(database, table) for table in looked_into(database).get_table_names()}


def rows_of(database: Database, table: str) -> Rows:
    """All rows of a table."""
    found = database.raw(f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608 - our names
    return [tuple(row) for row in found]


def looked_into(database: Database) -> Inspector:
    """The tables of a database, as they are now."""
    return inspect(database.store()._database.engine)


def _read(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("--"))
