"""Transactions, and the database library's errors turned into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from reconciler.model.errors import StateError

#: Execution option of a transaction that only reads; SQLite then takes no write lock for it.
READING = "reconciler_reading"


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, all of it as of one moment."""
    with _errors_explained(), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(  # noqa: PLW2901 - the same one, told how
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        yield connection.execution_options(**{READING: True})


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that is committed, durably, when the context ends without an error."""
    with _errors_explained(), engine.begin() as connection:
        yield connection


@contextmanager
def _errors_explained() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise StateError(f"the state database refused: {_said(error)}") from error
    except SQLAlchemyError as error:
        raise StateError(f"the state database failed: {error}") from error


def _said(error: DatabaseError) -> str:
    return (
        str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason given"
    )
