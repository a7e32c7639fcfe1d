"""Opening a SQLite file: where it may lie, who may touch it, whether it is sound, durability."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import ConnectionPoolEntry

from reconciler.state.database import READING, WRITER_WAITS_SECONDS
from reconciler.state.files import (
    MountTable,
    check_sound,
    make_private,
    mounted,
    refuse_shared_disk,
    refuse_unsafe,
)


def open_engine(path: Path, *, read_only: bool, mounts: MountTable = mounted) -> Engine:
    """Open a SQLite file that exists (`read_only`) or may be created.

    The first connection fails with a `StateError` if the file is damaged.

    Every write transaction takes the write lock at its start, so that what it reads cannot move under
    it, and every commit is durable when it returns.

    Raises:
        StateError: It lies on a shared file system, other users may write to it or own it, or it
            cannot be made.
    """
    refuse_shared_disk(path, mounts())
    if read_only:
        refuse_unsafe(path)
    else:
        make_private(path)
    mode = "ro" if read_only else "rwc"
    # SQLite reads this as a URI: an unquoted `?`, `#` or `%` in a folder's name would lead elsewhere.
    file = f"file:{quote(str(path))}"
    url = URL.create("sqlite+pysqlite", database=file, query={"mode": mode, "uri": "true"})
    engine = create_engine(
        url, connect_args={"timeout": WRITER_WAITS_SECONDS, "check_same_thread": False}
    )

    unchecked = [path]  # the pool makes more connections later; the file is looked at once

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            if unchecked:  # before WAL is asked for, which would write to a damaged file
                check_sound(connection, path)
                unchecked.clear()
            if not read_only:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
        except Exception:
            connection.close()  # the pool does not know it yet
            raise

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        only_reads = read_only or connection.get_execution_options().get(READING)
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine
