"""Real databases for the tests of the store: what each test may do to one, whatever it is made of.

A test takes the `database` fixture and never says which kind it got; another kind of database joins by
one more class with the same methods, and its name in `KINDS`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy import Engine

from reconciler.model.state import Actor
from reconciler.state.engine import open_engine
from reconciler.state.postgres import open_postgres
from reconciler.state.store import SqlStore
from tests.fakes.seams import SequentialIds
from tests.postgres import new_database

PROJECT = "data-platform"


class Database(Protocol):
    """One database, in which stores of any number of projects may live."""

    def store(
        self,
        who: str = "ann@host",
        *,
        project: str = PROJECT,
        read_only: bool = False,
        git_commit: str | None = "c0ffee",
    ) -> SqlStore:
        """A store that may not have been created yet; closed at the end of the test."""
        ...

    def raw(self, statement: str, *values: object) -> Sequence[Any]:
        """Run one statement behind the store's back; `?` marks a value."""
        ...

    def opening_code(self) -> str:
        """Python source that binds `store` to this database's store, for another process."""
        ...

    def close(self) -> None:
        """Close every store."""
        ...


class _Stores:
    """What every kind has in common: stores, closed together at the end of a test."""

    def __init__(self) -> None:
        self._ids = SequentialIds()
        self._open: list[SqlStore] = []

    def store(
        self,
        who: str = "ann@host",
        *,
        project: str = PROJECT,
        read_only: bool = False,
        git_commit: str | None = "c0ffee",
    ) -> SqlStore:
        store = SqlStore(
            self._engine(read_only=read_only),
            stack_id=project,
            actor=Actor(who=who, command="apply", git_commit=git_commit),
            ids=self._ids,
        )
        self._open.append(store)
        return store

    def _engine(self, *, read_only: bool) -> Engine:
        raise NotImplementedError

    def close(self) -> None:
        for store in self._open:
            store.close()


class SqliteDatabase(_Stores):
    """A SQLite file in a folder that does not exist yet."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made before the first store is opened."""
        self.path = folder / "kept" / "state.db"
        super().__init__()

    def _engine(self, *, read_only: bool) -> Engine:
        return open_engine(self.path, read_only=read_only)

    def raw(self, statement: str, *values: object) -> Sequence[Any]:
        connection = sqlite3.connect(self.path, timeout=10)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def opening_code(self) -> str:
        return f"""
from pathlib import Path
from reconciler.model.state import Actor
from reconciler.state.engine import open_engine
from reconciler.state.store import SqlStore
from reconciler.wiring.system import RandomIds

store = SqlStore(
    open_engine(Path({str(self.path)!r}), read_only=False),
    stack_id={PROJECT!r},
    actor=Actor(who="other", command="apply"),
    ids=RandomIds(),
)
"""


class PostgresDatabase(_Stores):
    """A database of its own on the tests' PostgreSQL server."""

    def __init__(self, folder: Path) -> None:
        """Make an empty one."""
        del folder
        self.url = new_database()
        super().__init__()

    def _engine(self, *, read_only: bool) -> Engine:
        return open_postgres(self.url, read_only=read_only)

    def raw(self, statement: str, *values: object) -> Sequence[Any]:
        with psycopg.connect(self.url) as connection:
            done = connection.execute(statement.replace("?", "%s"), values)
            return done.fetchall() if done.description else []

    def opening_code(self) -> str:
        return f"""
from pathlib import Path
from reconciler.model.state import Actor
from reconciler.state.postgres import open_postgres
from reconciler.state.store import SqlStore
from reconciler.wiring.system import RandomIds

store = SqlStore(
    open_postgres({self.url!r}, read_only=False),
    stack_id={PROJECT!r},
    actor=Actor(who="other", command="apply"),
    ids=RandomIds(),
)
"""


KINDS: dict[str, type[SqliteDatabase | PostgresDatabase]] = {
    "sqlite": SqliteDatabase,
    "postgresql": PostgresDatabase,
}
