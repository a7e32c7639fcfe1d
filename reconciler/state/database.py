"""Transactions, and the database library's errors turned into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from reconciler.model.errors import LockHeld, StateError

#: Execution option of a transaction that only reads; SQLite then takes no write lock for it.
READING = "reconciler_reading"


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, all of it as of one moment."""
    with _errors_explained(engine), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(  # noqa: PLW2901 - the same one, told how
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        yield connection.execution_options(**{READING: True})


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that is committed, durably, when the context ends without an error."""
    with _errors_explained(engine), engine.begin() as connection:
        yield connection


@contextmanager
def _errors_explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        said = _said(error)
        if "database is locked" in said:
            raise LockHeld(
                f"another process is writing to the state store{_where(engine)}",
                hint="wait for it to end and try again",
            ) from error
        raise StateError(
            f"the state database{_where(engine)} refused: {said}",
            hint="if it is damaged, restore a backup, or move it away: the next apply finds our "
            "backfills by their names and records them again",
        ) from error
    except SQLAlchemyError as error:
        raise StateError(f"the state database{_where(engine)} failed: {error}") from error


def _where(engine: Engine) -> str:
    file = (engine.url.database or "").removeprefix("file:")
    return f" {unquote(file)}" if file else ""


def _said(error: DatabaseError) -> str:
    return str(error.orig).strip().partition("\n")[0] or "no reason given"
