"""Transactions, and the database library's errors turned into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from reconciler.model.errors import StateError


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads."""
    with _errors_explained(), engine.connect() as connection:
        yield connection


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
        raise StateError(f"the state database refused: {error.orig}") from error
    except SQLAlchemyError as error:
        raise StateError(f"the state database failed: {error}") from error
