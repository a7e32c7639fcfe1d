"""A project whose state may lie in PostgreSQL, beside a served simulator whose clock can be moved."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg

from tests.scenario.sandbox import Result, Sandbox, executed_dates
from tests.scenario.test_simulate_on_a_port import RemoteSandbox, Service

#: Longer than a signature may be accepted and a run be unlisted: from then on absence can be proved.
QUARANTINE_SECONDS = 20 * 60


class Checkout(RemoteSandbox):
    """A project folder; each command is a process. `state` is the URL of its store, if not a file's."""

    def __init__(self, root: Path, service: Service, *, state: str | None = None) -> None:
        self.database = state
        super().__init__(root, service)

    def connect(self, service: Service) -> None:
        super().connect(service)
        if self.database is not None:
            self._edit("spec:\n", f'spec:\n  state: "{self.database}"\n')

    def connection(self, line: str) -> None:
        """Say one thing more about the connection."""
        self._edit("      limits:", f"      {line}\n      limits:")

    def advance(self, seconds: float) -> None:
        self.service.control("POST", "clock", {"advance_seconds": seconds})

    def state(self, statement: str) -> list[Any]:
        if self.database is None:
            return super().state(statement)
        with psycopg.connect(self.database) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def a_minute_later(self) -> None:
        """Let the lease of a process that was killed run out; there may be no store yet."""
        if self._has_store():
            self.state("UPDATE stack SET lease_until = 1")

    def _has_store(self) -> bool:
        if self.database is not None:
            return self.state("SELECT to_regclass('stack')") != [(None,)]
        file = self.root / ".reconciler" / "state.db"
        # Looking must not make the file, or the next command would find one that it did not make.
        return file.exists() and super().state(
            "SELECT count(*) FROM sqlite_master WHERE name = 'stack'"
        ) != [(0,)]

    def _edit(self, before: str, after: str) -> None:
        project = self.root / "reconciler.yaml"
        text = project.read_text()
        assert before in text
        project.write_text(text.replace(before, after, 1))


class InProcess(Checkout):
    """Its commands run in this process, unless they are started; the simulator has its own."""

    def run(self, *words: str) -> Result:
        with mock.patch.dict(os.environ, self.service.keys):
            return Sandbox.run(self, *words)


def starts(sandbox: Sandbox) -> Counter[str]:
    """How often each root node and data date was started."""
    return Counter(executed_dates(sandbox.ledger()))
