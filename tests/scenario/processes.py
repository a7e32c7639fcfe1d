"""Commands as processes, beside a served simulator whose clock can be moved; state of either kind."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import psycopg
import pytest

from tests.scenario.backfilled import DATAWORKS, System, Work
from tests.scenario.sandbox import Result, Sandbox, executed_dates

ROOT = Path(__file__).parents[2]

#: A process that does not end by itself within this time has hung.
HUNG_SECONDS = 120

#: The operation that starts a backfill where nothing else is said.
CREATE = DATAWORKS.create

#: Longer than a signature may be accepted and a run be unlisted: from then on absence can be proved.
QUARANTINE_SECONDS = 20 * 60

_NUMBERS = itertools.count(1000)


class Service:
    """`python -m reconciler simulate` on a port of its own."""

    def __init__(self, process: subprocess.Popen[str], hello: Mapping[str, str]) -> None:
        self.process = process
        self.url = hello["url"]
        self.keys = {"SIM_ID": hello["access_key_id"], "SIM_SECRET": hello["access_key_secret"]}

    def control(self, method: str, name: str, value: object = None) -> Any:
        with httpx.Client(trust_env=False) as client:
            response = client.request(method, f"{self.url}/_simulator/{name}", json=value)
        assert response.status_code == 200, response.text
        return response.json()

    def ledger(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.control("GET", "ledger")
        return entries

    def faults(self, *faults: Mapping[str, Any]) -> None:
        self.control("PUT", "faults", list(faults))


@contextmanager
def simulate(
    folder: Path, *words: str, world: str = "{}", clock: str = "x3600"
) -> Iterator[Service]:
    """Serve a world; stopped at the end."""
    (folder / "served.yaml").write_text(world)
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "simulate", "--port", "0", "--clock", clock,
         "--world", str(folder / "served.yaml"), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield Service(process, json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class RemoteSandbox(Sandbox):
    """A project whose connection is a served simulator; each command is a process.

    It has a number of its own, so that those of one simulator can have targets of their own.
    """

    def __init__(self, root: Path, service: Service, *, system: System = DATAWORKS) -> None:
        self.system = system
        self.number = next(_NUMBERS)
        super().__init__(root)
        self.connect(service)

    def connect(self, service: Service) -> None:
        """Point the connection at a served simulator."""
        self.service = service
        endpoint = (
            f"endpoint: {service.url}\n"
            '      credentials: {source: static, accessKeyId: "${env:SIM_ID}",'
            ' accessKeySecret: "${env:SIM_SECRET}"}\n'
            "      limits: {readQps: 200, writeQps: 50}"
        )
        self.configure(self.system.connection.format(number=self.number), endpoint)

    def spoil_create(self, **fault: Any) -> None:
        """Have the next create that reaches the service meet a fault, and no other call any."""
        self.service.faults({"operation": self.system.create, "nth": 1, **fault})

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start one command."""
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", "-C", str(self.root), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **self.service.keys},
        )

    def run(self, *words: str) -> Result:
        """Run one command to its end."""
        return ended(self.start(*words))

    def ledger(self) -> list[dict[str, Any]]:
        return self.service.ledger()

    def state(self, statement: str) -> list[Any]:
        """Look into the state store, or age what is in it."""
        connection = sqlite3.connect(self.root / ".reconciler" / "state.db", timeout=10)
        try:
            with connection:
                return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def holder(self) -> str | None:
        (row,) = self.state("SELECT holder FROM stack")
        held: str | None = row[0]
        return held


class Checkout(RemoteSandbox):
    """A project folder; each command is a process. `state` is the URL of its store, if not a file's."""

    def __init__(
        self, root: Path, service: Service, *, state: str | None = None, system: System = DATAWORKS
    ) -> None:
        self.database = state
        super().__init__(root, service, system=system)

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


def starts(sandbox: Sandbox) -> Counter[Work]:
    """How often each target and date was started."""
    return Counter(executed_dates(sandbox.ledger()))


def ended(process: subprocess.Popen[str]) -> Result:
    """How a process ended."""
    try:
        out, err = process.communicate(timeout=HUNG_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        pytest.fail(f"hung: {out}{err}")
    assert "Traceback" not in err, err
    assert "this is a bug" not in err, err
    return Result(process.returncode, out, err)


def until(true: Callable[[], bool]) -> None:
    """Look again and again until something holds; how often does not decide anything."""
    give_up = time.monotonic() + HUNG_SECONDS
    while not true():
        assert time.monotonic() < give_up, "it never came true"
        time.sleep(0.01)
