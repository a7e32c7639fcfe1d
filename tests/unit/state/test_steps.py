"""Every transaction that writes has a name, is told of in three moments, and stands or falls whole."""

from __future__ import annotations

import ast
import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import event

from reconciler import state as state_package
from reconciler.model.attempts import AttemptState
from reconciler.model.dates import DateSet
from reconciler.model.state import Actor
from reconciler.model.steps import Durable, Moment, all_points, durable_point
from reconciler.state.store import SqlStore
from tests.builders import a_series, at
from tests.unit.state.calls import (
    ACCEPTED,
    a_prepared,
    a_word,
    an_adoption,
    an_intent,
    call_in,
    expire,
    observe,
    the_attempt,
)
from tests.unit.state.databases import PROJECT, Database
from tests.unit.state.format1.old_stores import everything, make_old_store

S = AttemptState
ROOT = Path(__file__).parents[3]
MODULES = sorted(Path(state_package.__path__[0]).glob("*.py"))

Act = Callable[[SqlStore], object]


@dataclass(frozen=True, slots=True)
class Write:
    """A method that writes: the steps it takes, and what leads up to it, which returns the act itself."""

    steps: tuple[Durable, ...]
    arrange: Callable[[Database], Act]


class Crash(BaseException):
    """Stands for the end of the process: nothing catches it."""


@dataclass(slots=True)
class Watching:
    """`Steps` that keep what they are told, and crash at one point."""

    crashes_at: str | None = None
    points: list[str] = field(default_factory=list)

    def reached(self, point: str) -> None:
        self.points.append(point)
        if point == self.crashes_at:
            raise Crash(point)


def watched(database: Database, steps: Watching) -> SqlStore:
    """A store that tells of its steps, and of each commit as it is made."""
    plain = database.store()
    engine = plain._database.engine
    event.listen(engine, "commit", lambda _: steps.points.append("commit"))
    actor = Actor(who="ann@host", command="apply")
    return SqlStore(engine, stack_id=PROJECT, actor=actor, ids=plain._ids, steps=steps)


def made(database: Database) -> SqlStore:
    store = database.store()
    store.create()
    return store


def create(_database: Database) -> Act:
    return SqlStore.create


def upgrade(database: Database) -> Act:
    make_old_store(database)
    return SqlStore.upgrade


def acquire(database: Database) -> Act:
    made(database)
    return SqlStore.acquire


def renew(database: Database) -> Act:
    lease = made(database).acquire()
    expire(database)
    return lambda store: store.renew(lease)


def release(database: Database) -> Act:
    lease = made(database).acquire()
    return lambda store: store.release(lease)


def unlock(database: Database) -> Act:
    lease = made(database).acquire()
    return lambda store: store.unlock(lease.id, reason="it hangs")


def begin(database: Database) -> Act:
    lease = made(database).acquire()
    return lambda store: store.begin(lease, an_intent())


def mark_sent(database: Database) -> Act:
    lease, one = call_in(S.INTENT, database, made(database))
    return lambda store: store.mark_sent(lease, one, a_prepared())


def settle(database: Database) -> Act:
    lease, one = call_in(S.SENT, database, made(database))
    return lambda store: store.settle(lease, one, ACCEPTED)


def adopt(database: Database) -> Act:
    lease = made(database).acquire()
    return lambda store: store.adopt(lease, an_adoption(), a_series(), at=at(1), plan_id="plan-1")


def mark_absent(database: Database) -> Act:
    lease, one = call_in(S.UNKNOWN, database, made(database))
    middle = DateSet.parse(["2024-05-03"])
    return lambda store: store.mark_absent(lease, one, middle, "a listing")


def rule(database: Database) -> Act:
    lease, one = call_in(S.UNKNOWN, database, made(database))
    return lambda store: store.rule(lease, a_word(one, "2024-05-03"))


def note_tags(database: Database) -> Act:
    lease = made(database).acquire()
    return lambda store: store.note_tags(lease, "home", survives=True, name="rc1-x orders")


def observing(database: Database) -> Act:
    store = made(database)
    _, one = call_in(S.ACCEPTED, database, store)
    observe(store, one, seen={})
    seen = the_attempt(store, one)
    return lambda store: store.observe([seen], at=at(90))


def count_calls(database: Database) -> Act:
    made(database)
    return lambda store: store.count_calls("prod", dt.date(2024, 6, 1), 3)


#: By the name of the method.
WRITES = {
    "create": Write((Durable.CREATE_STORE,), create),
    "upgrade": Write((Durable.UPGRADE_STORE,), upgrade),
    "acquire": Write((Durable.ACQUIRE,), acquire),
    "renew": Write((Durable.RENEW,), renew),
    "release": Write((Durable.RELEASE,), release),
    "unlock": Write((Durable.UNLOCK,), unlock),
    "begin": Write((Durable.INTENT,), begin),
    "mark_sent": Write((Durable.SENT,), mark_sent),
    "settle": Write((Durable.SETTLE,), settle),
    "adopt": Write((Durable.ADOPT,), adopt),
    "mark_absent": Write((Durable.ABSENT,), mark_absent),
    "rule": Write((Durable.RULING,), rule),
    "note_tags": Write((Durable.TAGS,), note_tags),
    "observe": Write((Durable.OBSERVE,), observing),
    "count_calls": Write((Durable.COUNT,), count_calls),
}

of_each_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


@of_each_write
def test_a_write_is_told_before_when_written_and_once_durable(
    database: Database, write: Write
) -> None:
    act, steps = write.arrange(database), Watching()
    act(watched(database, steps))
    assert steps.points == [
        point
        for step in write.steps
        for point in (
            durable_point(step, Moment.BEGIN),
            durable_point(step, Moment.WRITTEN),
            "commit",
            durable_point(step, Moment.DURABLE),
        )
    ]
    assert set(steps.points) - {"commit"} <= set(all_points())


def test_every_name_of_a_step_is_given_to_some_write() -> None:
    taken = {step for write in WRITES.values() for step in write.steps}
    assert taken == set(Durable) - {Durable.PLAN_FILE}


def test_no_two_points_share_a_name() -> None:
    points = list(all_points())
    assert len(points) == len(set(points))


READS: dict[str, Act] = {
    "check": SqlStore.check,
    "snapshot": SqlStore.snapshot,
    "journal": SqlStore.journal,
    "every_attempt": SqlStore.every_attempt,
    "verify": SqlStore.verify,
    "created_for": SqlStore.created_for,
    "lock_info": SqlStore.lock_info,
    "calls_on": lambda store: store.calls_on("prod", dt.date(2024, 6, 1)),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_takes_no_step_and_commits_nothing(
    database: Database, store: SqlStore, read: Act
) -> None:
    call_in(S.UNKNOWN, database, store)
    steps = Watching()
    read(watched(database, steps))
    assert steps.points == []


def test_every_method_of_a_store_is_tried_here() -> None:
    methods = {name for name, one in vars(SqlStore).items() if callable(one) and name[0] != "_"}
    assert methods == {*WRITES, *READS, "close"}


@of_each_write
@pytest.mark.parametrize("moment", [Moment.BEGIN, Moment.WRITTEN], ids=lambda one: one.value)
def test_a_crash_before_the_commit_leaves_nothing(
    database: Database, write: Write, moment: Moment
) -> None:
    act = write.arrange(database)
    before = everything(database)
    store = watched(database, Watching(durable_point(write.steps[0], moment)))
    with pytest.raises(Crash):
        act(store)
    assert everything(database) == before


@of_each_write
def test_a_crash_after_the_commit_loses_nothing(database: Database, write: Write) -> None:
    act = write.arrange(database)
    before = everything(database)
    steps = Watching(durable_point(write.steps[0], Moment.DURABLE))
    with pytest.raises(Crash):
        act(watched(database, steps))
    assert steps.points.count("commit") == 1
    assert everything(database) != before


_DIES = """
import os, sys
from reconciler.model.attempts import AttemptState
from tests.unit.state.calls import a_prepared, an_intent

class Dies:
    def reached(self, point):
        if point == sys.argv[1]:
            os._exit(9)

lease = store.acquire()
if sys.argv[1].startswith("sent"):
    begun = store.begin(lease, an_intent())
store._database._steps = Dies()
if sys.argv[1].startswith("sent"):
    store.mark_sent(lease, begun.id, a_prepared())
else:
    store.begin(lease, an_intent())
"""


@pytest.mark.parametrize(
    ("point", "states"),
    [
        ("intent.written", []),
        ("intent.durable", [S.INTENT]),
        ("sent.written", [S.INTENT]),
        ("sent.durable", [S.SENT]),
    ],
)
def test_a_process_that_dies_leaves_what_it_committed_and_no_more(
    database: Database, store: SqlStore, point: str, states: list[AttemptState]
) -> None:
    code = database.opening_code() + _DIES
    died = subprocess.run([sys.executable, "-c", code, point], cwd=ROOT, check=False)
    assert died.returncode == 9
    assert [one.state for one in store.snapshot().attempts] == states
    assert store.verify() == ()


def test_nothing_but_a_named_write_commits() -> None:
    """A transaction begun elsewhere would have no name; the backup's connection only copies."""
    found = {place for module in MODULES for place in _openings(module)}
    assert found == {"database.writing: begin", "migrations._copy_file: raw_connection"}


_OPENING = {"begin", "begin_nested", "begin_twophase", "commit", "raw_connection"}


def _openings(module: Path) -> Iterator[str]:
    """Where a module begins or commits a transaction, by function; a store's `begin` is its own."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            if call.func.attr in _OPENING:
                yield f"{module.stem}.{function.name}: {call.func.attr}"
