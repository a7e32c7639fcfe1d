"""One writer at a time: the lease, its fence, and what becomes of a holder that was overtaken."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.attempts import AttemptState
from reconciler.model.dates import DateSet
from reconciler.model.errors import FenceLost, LockHeld
from reconciler.model.state import Lease
from reconciler.state.store import SqlStore
from tests.builders import a_series, at
from tests.unit.state.calls import (
    ACCEPTED,
    WEEK,
    a_prepared,
    an_adoption,
    an_intent,
    call_in,
    expire,
    the_attempt,
)
from tests.unit.state.databases import Database

ROOT = Path(__file__).parents[3]


def test_nobody_holds_a_new_store(store: SqlStore) -> None:
    assert store.lock_info() is None


def test_a_held_lock_says_who_since_when_and_until_when(
    database: Database, store: SqlStore
) -> None:
    lease = store.acquire()
    info = database.store("bob@host").lock_info()
    assert info is not None
    assert (info.id, info.holder) == (lease.id, "ann@host")
    assert info.expires - info.since == dt.timedelta(seconds=60)
    assert abs(info.since - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=30)


def test_a_second_holder_is_refused_and_told_who_is_first(
    database: Database, store: SqlStore
) -> None:
    lease = store.acquire()
    before = store.lock_info()
    with pytest.raises(LockHeld, match="ann@host") as raised:
        database.store("bob@host").acquire()
    assert lease.id in raised.value.hint
    assert store.lock_info() == before


def test_a_holder_is_not_let_in_twice(store: SqlStore) -> None:
    store.acquire()
    with pytest.raises(LockHeld):
        store.acquire()


def test_a_released_lock_is_free_and_its_fence_grows(database: Database, store: SqlStore) -> None:
    first = store.acquire()
    store.release(first)
    assert store.lock_info() is None
    second = database.store("bob@host").acquire()
    assert second.fence == first.fence + 1
    assert second.id != first.id


def test_an_expired_lease_is_taken_over(database: Database, store: SqlStore) -> None:
    first = store.acquire()
    expire(database)
    second = database.store("bob@host").acquire()
    assert second.fence == first.fence + 1
    info = store.lock_info()
    assert info is not None
    assert info.holder == "bob@host"


def test_renewing_prolongs_a_lease(database: Database, store: SqlStore) -> None:
    lease = store.acquire()
    expire(database)
    store.renew(lease)
    with pytest.raises(LockHeld):
        database.store("bob@host").acquire()


def test_an_expired_lease_that_nobody_took_over_still_writes(
    database: Database, store: SqlStore
) -> None:
    lease = store.acquire()
    expire(database)
    assert store.begin(lease, an_intent()).state is AttemptState.INTENT


_WRITES: dict[str, Callable[[SqlStore, Lease, str], object]] = {
    "renew": lambda store, lease, _: store.renew(lease),
    "begin": lambda store, lease, _: store.begin(lease, an_intent("2024-06-01", call_id="callbb")),
    "mark_sent": lambda store, lease, _: store.mark_sent(lease, _intent_id(store), a_prepared()),
    "settle": lambda store, lease, sent: store.settle(lease, sent, ACCEPTED),
    "adopt": lambda store, lease, _: store.adopt(
        lease, an_adoption("2024-07-01"), a_series(), at=at(1), plan_id="plan-1"
    ),
    "mark_absent": lambda store, lease, sent: store.mark_absent(
        lease, sent, DateSet.parse([WEEK]), "a listing"
    ),
}


def _intent_id(store: SqlStore) -> str:
    return store.snapshot().attempts[-1].id


@pytest.mark.parametrize("write", _WRITES.values(), ids=_WRITES)
@pytest.mark.parametrize("taken_over", ["held", "released again", "expired again"])
def test_who_was_overtaken_can_write_nothing_more(
    database: Database,
    store: SqlStore,
    write: Callable[[SqlStore, Lease, str], object],
    taken_over: str,
) -> None:
    lease, sent = call_in(AttemptState.SENT, database, store)
    store.begin(lease, an_intent("2024-08-01", call_id="callcc"))
    expire(database)
    rival = database.store("bob@host")
    theirs = rival.acquire()
    if taken_over == "released again":
        rival.release(theirs)
    elif taken_over == "expired again":
        expire(database)
    before = (rival.snapshot(), rival.journal(), rival.lock_info())
    with pytest.raises(FenceLost):
        write(store, lease, sent)
    assert (rival.snapshot(), rival.journal(), rival.lock_info()) == before


def test_releasing_an_overtaken_lease_leaves_the_new_holder_alone(
    database: Database, store: SqlStore
) -> None:
    lease = store.acquire()
    expire(database)
    rival = database.store("bob@host")
    theirs = rival.acquire()
    store.release(lease)
    rival.renew(theirs)
    info = rival.lock_info()
    assert info is not None
    assert info.id == theirs.id


def test_a_forged_lease_of_the_right_fence_is_not_enough(store: SqlStore) -> None:
    lease = store.acquire()
    with pytest.raises(FenceLost):
        store.begin(Lease(id="guessed", fence=lease.fence), an_intent())


def test_taking_over_voids_intents_and_leaves_what_was_sent(
    database: Database, store: SqlStore
) -> None:
    lease, sent = call_in(AttemptState.SENT, database, store)
    intent = store.begin(lease, an_intent("2024-06-01", call_id="callbb")).id
    expire(database)
    database.store("bob@host").acquire()
    assert the_attempt(store, intent).state is AttemptState.VOID
    assert the_attempt(store, sent).state is AttemptState.SENT
    entry = store.journal()[-1]
    assert (entry.event, set(entry.attempts), entry.who) == ("void", {intent}, "bob@host")
    assert entry.became == {intent: "void 2024-06-01/2024-06-02"}


def test_taking_over_leaves_other_projects_intents_alone(
    database: Database, store: SqlStore
) -> None:
    other = database.store(project="other")
    other.create()
    theirs = other.begin(other.acquire(), an_intent()).id
    store.acquire()
    assert the_attempt(other, theirs).state is AttemptState.INTENT


_TAKE_ONCE = """
import sys
from reconciler.model.errors import LockHeld

store.check()
print("ready", flush=True)
for line in sys.stdin:
    try:
        lease = store.acquire()
    except LockHeld:
        print("held", flush=True)
    else:
        print(f"taken {lease.fence}", flush=True)
"""


def test_of_processes_that_race_for_the_lock_one_wins(database: Database, store: SqlStore) -> None:
    store.check()
    code = database.opening_code() + _TAKE_ONCE
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(3)
    ]
    fences = []
    try:
        for rival in rivals:
            assert rival.stdout is not None
            assert rival.stdout.readline() == "ready\n"
        for _ in range(20):
            for rival in rivals:  # all of them set off before any answer is read
                assert rival.stdin is not None
                rival.stdin.write("go\n")
                rival.stdin.flush()
            answers = [rival.stdout.readline().split() for rival in rivals if rival.stdout]
            won = [answer for answer in answers if answer[0] == "taken"]
            assert len(won) == 1, answers
            assert len(answers) == len(rivals)
            fences.append(int(won[0][1]))
            expire(database)
    finally:
        for rival in rivals:
            rival.kill()
            rival.communicate()
    assert fences == list(range(fences[0], fences[0] + 20))


_INCREMENT = """
import sys, time
from reconciler.model.errors import LockHeld

for _ in range(int(sys.argv[2])):
    while True:
        try:
            lease = store.acquire()
            break
        except LockHeld:
            time.sleep(0.001)
    counter = Path(sys.argv[1])
    counter.write_text(str(int(counter.read_text()) + 1))
    store.release(lease)
"""


def test_processes_that_take_turns_lose_no_update(
    database: Database, store: SqlStore, tmp_path: Path
) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    code = database.opening_code() + _INCREMENT
    turns = [
        subprocess.Popen([sys.executable, "-c", code, str(counter), "25"], cwd=ROOT)
        for _ in range(2)
    ]
    assert [turn.wait(timeout=120) for turn in turns] == [0, 0]
    assert counter.read_text() == "50"
    assert store.acquire().fence == 51
