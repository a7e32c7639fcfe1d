"""Opening a SQLite file: permissions, durability."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import ConnectionPoolEntry

from reconciler.model.errors import StateError
from reconciler.state.database import READING

#: How long a writer waits for another process's write transaction.
BUSY_TIMEOUT_SECONDS = 10


def open_engine(path: Path, *, read_only: bool) -> Engine:
    """Open a SQLite file that exists (`read_only`) or may be created.

    Every write transaction takes the write lock at its start, so that what it reads cannot move under
    it, and every commit is durable when it returns.

    Raises:
        StateError: The folder cannot be made.
    """
    if not read_only:
        _make_private(path)
    mode = "ro" if read_only else "rwc"
    # SQLite reads this as a URI: an unquoted `?`, `#` or `%` in a folder's name would lead elsewhere.
    file = f"file:{quote(str(path))}"
    url = URL.create("sqlite+pysqlite", database=file, query={"mode": mode, "uri": "true"})
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        connection.execute("PRAGMA foreign_keys = ON")
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        only_reads = read_only or connection.get_execution_options().get(READING)
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StateError(f"the state file {path} cannot be made: {error.strerror}") from error
