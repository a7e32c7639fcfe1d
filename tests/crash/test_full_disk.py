"""A disk without room: what could not be recorded is told, and once there is room nothing starts twice."""

from __future__ import annotations

import itertools
import re
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from reconciler.model.attempts import RecordedState
from tests.crash.damage.interposing import Trap, interposed
from tests.crash.oracle import judge, record_of
from tests.crash.tally import Tally
from tests.effort import cases
from tests.scenario.processes import Checkout, Service, simulate
from tests.scenario.sandbox import Result, Sandbox

SUITE = "damage"

#: Dates that are no neighbours, so that each is a call of its own.
DATES = [f"2020-05-{day:02}" for day in range(1, 21, 2)]

PAGE = 4096


def wanting(sandbox: Sandbox, *, padding: int = 0) -> Sandbox:
    """Ask for many calls; longer names fill the pages sooner."""
    sandbox.backfill(f"orders{'x' * padding}", dates={"list": DATES})
    return sandbox


@contextmanager
def room_for(pages: int) -> Iterator[None]:
    """Let no state file grow beyond so many pages, as on a disk that is full."""

    def bound(connection: object, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

    event.listen(Engine, "connect", bound)
    try:
        yield
    finally:
        event.remove(Engine, "connect", bound)


def test_whichever_write_finds_the_disk_full_no_run_is_started_twice(
    tmp_path: Path, tally: Tally
) -> None:
    first, last = _sizes(tmp_path / "measured")
    bounds = itertools.product(range(0, 60, 6), range(first, last))
    failed_at: set[str] = set()
    for number, (padding, pages) in enumerate(itertools.islice(bounds, cases(7, soak=10_000))):
        root = tmp_path / f"{number}"
        sandbox = wanting(Sandbox(root), padding=padding)
        assert sandbox.run("plan").code == 0
        trap = Trap()
        with interposed(trap), room_for(pages):
            applied = sandbox.apply()
        failed_at |= _unfinished(trap)
        _told(applied, sandbox)
        _converges(sandbox, tally)
        shutil.rmtree(root)
    assert len(failed_at) > 1, failed_at


def _sizes(root: Path) -> tuple[int, int]:
    """How many pages a store has when it is made, and after the apply."""
    sandbox = wanting(Sandbox(root))
    assert sandbox.apply().code == 0
    pages = (root / ".reconciler" / "state.db").stat().st_size // PAGE
    return pages - 8, pages


def _unfinished(trap: Trap) -> set[str]:
    """The durable steps that began and did not become durable."""
    counted = trap.reached_points.count
    begun = {one.removesuffix(".begin") for one in trap.reached_points if one.endswith(".begin")}
    return {step for step in begun if counted(f"{step}.begin") > counted(f"{step}.durable")}


def _told(applied: Result, sandbox: Sandbox) -> None:
    """Whatever ran is on record, or its run ids are on stderr."""
    assert applied.code in {0, 1, 3}, applied.err
    assert "this is a bug" not in applied.err
    assert "Traceback" not in applied.err
    if applied.code == 1:
        assert "error[" in applied.err
        assert "help: " in applied.err
    on_record = {run for one in _record_of(sandbox).attempts for run in one.run_ids}
    for entry in sandbox.ledger():
        for run in map(str, entry["dag_ids"]):
            told = re.search(rf"accepted as run (\w+, )*{run}\b", applied.err)
            assert run in on_record or told, applied.err


def _converges(sandbox: Sandbox, tally: Tally, file: Path | None = None) -> None:
    """There is room again; a lease that could not be given back runs out."""
    _expire(file or sandbox.root / ".reconciler" / "state.db")
    sandbox.advance(20 * 60)
    again = sandbox.apply("--wait")
    assert again.code == 0, again.err
    found = judge(sandbox.ledger(), _record_of(sandbox))
    tally.count(found)
    assert not found, str(found)
    assert sandbox.plan()["summary"]["none"] == len(DATES)
    assert sandbox.run("history", "--verify").code == 0


def _record_of(sandbox: Sandbox) -> RecordedState:
    environ = sandbox.service.keys if isinstance(sandbox, Checkout) else None
    return record_of(sandbox.root, environ)


def _expire(file: Path) -> None:
    if not file.exists() or not file.stat().st_size:
        return
    with closing(sqlite3.connect(file)) as connection, connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'stack'").fetchone():
            connection.execute("UPDATE stack SET lease_until = 1")


# Real limits, in processes of their own, beside a service that nothing limits.


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with simulate(tmp_path) as service:
        yield service


class Limited(Checkout):
    """Its commands are processes; files of theirs may not become longer than `longest` bytes."""

    longest: int | None = None

    def start(self, *words: str) -> subprocess.Popen[str]:
        process = super().start(*words)
        if self.longest is not None:  # long before it has imported what it needs
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (self.longest, self.longest))
        return process


@pytest.mark.parametrize("longest", [70_000, 1_000, 120_000][: cases(1, soak=3)])
def test_a_file_that_may_not_grow_costs_an_error_and_never_a_run(
    tmp_path: Path, service: Service, tally: Tally, longest: int
) -> None:
    sandbox = Limited(tmp_path / "project", service)
    wanting(sandbox)
    sandbox.longest = longest
    applied = sandbox.apply()
    assert applied.code, "the limit was no limit"
    _told(applied, sandbox)
    sandbox.longest = None
    _converges(sandbox, tally)


def test_a_small_disk_costs_an_error_and_never_a_run(
    tmp_path: Path, service: Service, tally: Tally
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=112k,mode=700", "tmpfs", str(disk)],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"nothing may be mounted here: {mounted.stderr.strip()}")
    try:
        sandbox = Checkout(tmp_path / "project", service, state=f"sqlite:///{disk}/state.db")
        applied = wanting(sandbox).apply()
        assert applied.code, "the disk was large enough"
        _told(applied, sandbox)
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)  # noqa: S607 - the same
        sandbox.database = None  # what looks into the store takes a file for a server
        _converges(sandbox, tally, disk / "state.db")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)  # noqa: S607 - the same
