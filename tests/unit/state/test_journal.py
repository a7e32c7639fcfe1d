"""The journal: who did what, in a chain that shows every later edit."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence

import pytest

from reconciler.model.attempts import AttemptState
from reconciler.model.dates import DateSet
from reconciler.model.errors import StateError
from reconciler.model.state import JournalEntry
from reconciler.state.store import SqlStore
from tests.builders import a_series, at
from tests.unit.state.calls import (
    UNKNOWN,
    WEEK,
    a_prepared,
    an_adoption,
    an_intent,
    call_in,
    expire,
)
from tests.unit.state.databases import PROJECT, Database


def recomputed(entry: JournalEntry, project: str = PROJECT) -> str:
    """The hash of an entry as anybody could compute it, from its documented parts."""
    document = {
        "stack_id": project,
        "seq": entry.seq,
        "at": round(entry.at.timestamp() * 1000),
        "fence": entry.fence,
        "who": entry.who,
        "command": entry.command,
        "git_commit": entry.git_commit,
        "event": entry.event,
        "data": _canonical(entry.data),
        "prev_hash": entry.prev_hash,
    }
    return hashlib.sha256(_canonical(document).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def broken_at(entries: Sequence[JournalEntry], project: str = PROJECT) -> list[int]:
    """The entries that do not fit into the chain."""
    before = ["0" * 64, *(entry.hash for entry in entries)]
    return [
        entry.seq
        for entry, prev in zip(entries, before, strict=False)
        if entry.prev_hash != prev or entry.hash != recomputed(entry, project)
    ]


@pytest.fixture
def lived(database: Database, store: SqlStore) -> SqlStore:
    """A store in which everything happened that a journal tells."""
    lease, unknown = call_in(AttemptState.SENT, database, store)
    store.settle(lease, unknown, UNKNOWN)
    store.mark_absent(lease, unknown, DateSet.parse([WEEK]), "a listing, 日本")
    store.adopt(lease, an_adoption("2024-07-01"), a_series(), at=at(1), plan_id="plan-1")
    store.begin(lease, an_intent("2024-08-01", call_id="callbb"))
    expire(database)
    database.store("bob@host", git_commit=None).acquire()
    return store


def test_every_step_of_a_call_is_told(lived: SqlStore) -> None:
    assert [entry.event for entry in lived.journal()] == [
        "created",
        "intent",
        "sent",
        "unknown",
        "absent",
        "adopted",
        "intent",
        "void",
    ]


def test_the_chain_holds(lived: SqlStore) -> None:
    entries = lived.journal()
    assert broken_at(entries) == []
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert all(one.fence <= other.fence for one, other in itertools.pairwise(entries))


def test_two_projects_have_a_chain_each(database: Database, lived: SqlStore) -> None:
    other = database.store(project="other")
    other.create()
    assert broken_at(other.journal(), "other") == []
    assert broken_at(lived.journal()) == []


@pytest.mark.parametrize(
    ("edit", "broken"),
    [
        ("UPDATE journal SET data = '{}' WHERE seq = 3", [3]),
        ("UPDATE journal SET who = 'eve@host' WHERE seq = 2", [2]),
        ("UPDATE journal SET git_commit = 'beef' WHERE seq = 5", [5]),
        ("DELETE FROM journal WHERE seq = 4", [5]),
        ("DELETE FROM journal WHERE seq = 1", [2]),
    ],
)
def test_an_edit_breaks_the_chain(
    database: Database, lived: SqlStore, edit: str, broken: list[int]
) -> None:
    database.raw(edit)
    assert broken_at(lived.journal()) == broken


def test_an_entry_says_who_with_what_command_at_which_commit(lived: SqlStore) -> None:
    sent, void = lived.journal()[2], lived.journal()[-1]
    assert (sent.who, sent.command, sent.git_commit) == ("ann@host", "apply", "c0ffee")
    assert (void.who, void.command, void.git_commit) == ("bob@host", "apply", None)
    assert void.fence == sent.fence + 1


def test_an_entry_says_what_was_done(lived: SqlStore) -> None:
    _, intent, sent, unknown, absent, adopted, *_ = (entry.data for entry in lived.journal())
    assert intent["unit"] == f"backfill.orders@{WEEK}"
    assert (intent["call"], intent["plan"]) == ("callaa", "plan-1")
    became = {intent["attempt"]: "sent 2024-05-01/2024-05-08"}
    assert sent == {"attempt": intent["attempt"], "became": became}
    assert (unknown["message"], unknown["request_id"]) == (
        "the connection was reset",
        "request-3",
    )
    assert (absent["proof"], absent["dates"]) == ("a listing, 日本", [WEEK])
    assert adopted["run_ids"] == ["found-1"]


def test_what_was_rolled_back_is_not_told(database: Database, store: SqlStore) -> None:
    lease, attempt_id = call_in(AttemptState.REFUSED, database, store)
    before = store.journal()
    with pytest.raises(StateError):
        store.mark_sent(lease, attempt_id, a_prepared())
    assert store.journal() == before
