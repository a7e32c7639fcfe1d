"""A state store that cannot be used, or not now: real SQLite files."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.applying.protocol import send_once
from reconciler.model.errors import StateUnavailable
from reconciler.state.engine import open_engine
from reconciler.state.schema import FORMAT
from tests.errors.scenes import Told, refusal, scene
from tests.scenario.sandbox import Sandbox
from tests.unit.applying.rig import Rig
from tests.unit.applying.test_protocol import INTENT, sending, wire_of
from tests.unit.state.calls import a_prepared, an_intent
from tests.unit.state.databases import SqliteDatabase
from tests.unit.state.format1.old_stores import make_old_store


@scene("lock_held", "fence_lost", "no_such_lock", "units_taken", "state_moved")
def two_at_once(root: Path) -> Iterator[Told]:
    database = SqliteDatabase(root)
    ours, theirs = database.store("ann@laptop"), database.store("ci@runner")
    ours.create()
    yield "no_such_lock", refusal(lambda: ours.unlock("k3v5q7", reason="it ended"))
    lease = ours.acquire()
    yield "lock_held", refusal(theirs.acquire)
    attempt = ours.begin(lease, an_intent())
    ours.mark_sent(lease, attempt.id, a_prepared())
    yield "units_taken", refusal(lambda: ours.begin(lease, an_intent(call_id="callbb")))
    yield "state_moved", refusal(lambda: ours.mark_sent(lease, attempt.id, a_prepared()))
    ours.unlock(lease.id, reason="it was left behind")
    theirs.acquire()
    yield "fence_lost", refusal(lambda: ours.renew(lease))
    database.close()


@scene("outcome_unrecorded")
def a_full_disk(root: Path) -> Iterator[Told]:
    def full(*_: object) -> None:
        raise StateUnavailable(
            "the state database state.db refused: database or disk is full", hint="make room"
        )

    rig = Rig(root)
    with pytest.MonkeyPatch.context() as patch:  # a disk cannot be filled here
        patch.setattr(rig.store, "settle", full)
        told = refusal(lambda: asyncio.run(send_once(sending(rig), INTENT, wire_of(INTENT))))
    yield "outcome_unrecorded", told
    rig.close()


@scene(
    "state_damaged",
    "state_not_upgraded",
    "unsupported_format",
    "state_unavailable",
    "state_unsafe",
)
def files(root: Path) -> Iterator[Told]:
    (root / "torn").mkdir()
    database = SqliteDatabase(root / "torn")
    database.store().create()
    database.raw("UPDATE stack SET lineage = 'another'")
    yield "state_damaged", refusal(database.store().check)
    database.close()

    (root / "newer").mkdir()
    database = SqliteDatabase(root / "newer")
    database.store().create()
    database.raw("UPDATE stack SET format = ?", FORMAT + 1)
    yield "unsupported_format", refusal(database.store().check)
    database.close()

    (root / "old").mkdir()
    database = SqliteDatabase(root / "old")
    make_old_store(database)
    yield "state_not_upgraded", refusal(database.store().acquire)
    database.close()

    folder = root / "a-folder.db"
    folder.write_text("")
    yield (
        "state_unavailable",
        refusal(lambda: open_engine(folder / "state.db", read_only=False).connect()),
    )
    open_file = root / "open.db"
    open_file.touch()
    open_file.chmod(0o666)
    yield "state_unsafe", refusal(lambda: open_engine(open_file, read_only=False).connect())


@scene("state_missing", "journal_broken")
def projects(root: Path) -> Iterator[Told]:
    sandbox = Sandbox(root / "project")
    sandbox.backfill()
    yield "state_missing", sandbox.run("history").err
    assert sandbox.apply().code == 0
    yield "journal_broken", _without_its_end(sandbox)


def _without_its_end(sandbox: Sandbox) -> str:
    with closing(sqlite3.connect(sandbox.root / ".reconciler" / "state.db")) as store:
        store.execute("DELETE FROM journal WHERE seq >= (SELECT max(seq) - 1 FROM journal)")
        store.commit()
    return sandbox.run("history", "--verify").err


SCENES = (two_at_once, a_full_disk, files, projects)
