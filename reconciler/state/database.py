"""Transactions, and the database library's errors turned into ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from reconciler.model.errors import AGAIN, LockHeld, StateDamaged, StateUnavailable
from reconciler.model.steps import Durable, Moment, Steps, durable_point
from reconciler.state.codec import Unsound
from reconciler.state.files import DAMAGED

#: How long a writer waits for another process's write transaction.
WRITER_WAITS_SECONDS = 10

#: After so long PostgreSQL ends a transaction whose process does nothing any more, so that one which was
#: paused, or whose machine is gone, keeps nobody waiting. Ours take milliseconds.
IDLE_WRITER_SECONDS = 20

#: PostgreSQL's code for a lock that was not to be had in time (lock_not_available).
_NOT_IN_TIME = "55P03"

#: Execution option of a transaction that only reads; SQLite then takes no write lock for it.
READING = "reconciler_reading"


class Database:
    """One open database: every transaction that this process makes on it has a name."""

    def __init__(self, engine: Engine, steps: Steps) -> None:
        """Use an open engine, and tell `steps` of each durable step."""
        self.engine = engine
        self._steps = steps

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that only reads, all of it as of one moment."""
        with _errors_explained(self.engine), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(  # noqa: PLW2901 - the same one, told how
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            yield connection.execution_options(**{READING: True})

    @contextmanager
    def writing(self, step: Durable) -> Iterator[Connection]:
        """One transaction that is committed, durably, when the context ends without an error."""
        self._steps.reached(durable_point(step, Moment.BEGIN))
        with _errors_explained(self.engine), self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                _bound(connection)
            yield connection
            self._steps.reached(durable_point(step, Moment.WRITTEN))
        self._steps.reached(durable_point(step, Moment.DURABLE))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _bound(connection: Connection) -> None:
    """Wait for other writers no longer than SQLite does, and let nobody wait for us for ever.

    For this transaction only: a pooler may give the session to others, and refuse start-up options.
    """
    bounds = {
        "lock_timeout": WRITER_WAITS_SECONDS,
        "idle_in_transaction_session_timeout": IDLE_WRITER_SECONDS,
    }
    connection.execute(
        select(*(func.set_config(name, f"{seconds}s", True) for name, seconds in bounds.items()))
    )


@contextmanager
def _errors_explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (
        Unsound,
        UnicodeDecodeError,
    ) as error:  # the latter from SQLite, for names that are no text
        raise StateDamaged(
            f"the state database{_where(engine)} is damaged: {error}", hint=DAMAGED
        ) from error
    except DatabaseError as error:
        said = _said(error)
        if "database is locked" in said or getattr(error.orig, "sqlstate", "") == _NOT_IN_TIME:
            raise LockHeld(
                f"another process is writing to the state store{_where(engine)}",
                hint="wait for it to end and try again",
            ) from error
        raise StateUnavailable(
            f"the state database{_where(engine)} refused: {said}",
            hint=_what_to_do(error),
        ) from error
    except SQLAlchemyError as error:
        raise StateUnavailable(
            f"the state database{_where(engine)} failed: {error}", hint=AGAIN
        ) from error


def _where(engine: Engine) -> str:
    file = (engine.url.database or "").removeprefix("file:")
    return f" {unquote(file)}" if file else ""


def _what_to_do(error: DatabaseError) -> str:
    if isinstance(error.orig, sqlite3.Error):
        # Only what SQLite itself raises has a code; what the driver does is about damaged content.
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return f"make room on its disk, and {AGAIN}"
        if code == sqlite3.SQLITE_IOERR:
            return f"look after its disk, and {AGAIN}"
    elif isinstance(error, OperationalError):
        return f"see that its server can be reached, and {AGAIN}"
    return f"if it is damaged, {DAMAGED}"


def _said(error: DatabaseError) -> str:
    return str(error.orig).strip().partition("\n")[0] or "no reason given"
