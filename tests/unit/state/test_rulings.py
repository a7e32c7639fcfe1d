"""What people decide is written whole or not at all, leaves a trace, and never lets a call out twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from reconciler.model.addresses import Address, Kind
from reconciler.model.attempts import Attempt, AttemptState, UnitRecord
from reconciler.model.dates import DateRange
from reconciler.model.errors import FenceLost, StateError, UnitsTaken
from reconciler.model.outcomes import CreateOutcome
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.model.series import Series
from reconciler.model.state import Closing, Lease, Ruling, Standing
from reconciler.state.store import SqlStore
from tests.builders import a_found_run, a_series, at, dates
from tests.effort import cases
from tests.unit.state.calls import (
    ACCEPTED,
    CALL_STATES,
    REFUSED,
    UNKNOWN,
    WEEK,
    a_prepared,
    a_word,
    an_intent,
    call_in,
    expire,
    observe,
    the_attempt,
)
from tests.unit.state.databases import KINDS, Database

#: The rules are the same on any database, whose own ways other modules try.
TRIED_ON = cases(["sqlite"], soak=sorted(KINDS))

S = AttemptState
SUCCEEDED = UnitRecord(UnitStatus.SUCCESS)
JUNE = "2024-06-01..2024-06-04"

#: Two dates of the week that a partial call never showed, and what is left of it.
END = "2024-05-06..2024-05-07"
REST = "2024-05-01..2024-05-05"

by_state = pytest.mark.parametrize("before", CALL_STATES, ids=lambda one: f"from {one.value}")
to_state = pytest.mark.parametrize(
    "to", [S.ABSENT, S.SETTLED, S.FORGOTTEN], ids=lambda one: f"to {one.value}"
)


def a_ruling(
    *,
    closings: Iterable[Closing] = (),
    standings: Iterable[Standing] = (),
    event: str = "resolved",
    reason: str | None = "looked at the console",
) -> Ruling:
    return Ruling(
        event=event,
        units=(f"backfill.orders@{WEEK}",),
        reason=reason,
        at=at(30),
        closings=tuple(closings),
        standings=tuple(standings),
        data={"word": "succeeded"},
    )


def closing(
    attempt_id: str,
    *when: str,
    to: AttemptState = S.SETTLED,
    seen: UnitRecord | None = None,
) -> Closing:
    return Closing(attempt_id=attempt_id, dates=dates(*when), state=to, seen=seen)


def a_finding(
    attempt_id: str, when: str = WEEK, run_ids: tuple[str, ...] = ("found-1",)
) -> Closing:
    """The run that a call of unknown outcome made, as a person pointed it out."""
    run = a_found_run(when, series=a_series(), run_ids=run_ids)
    return Closing(attempt_id=attempt_id, dates=dates(when), state=S.ACCEPTED, run=run)


def a_standing(
    to: AttemptState,
    when: str = WEEK,
    *,
    adopts: bool = False,
    seen: UnitRecord | None = None,
    series: Series | None = None,
) -> Standing:
    return Standing(
        address=Address.of(Kind.BACKFILL, "orders"),
        connection="prod",
        series=series or a_series(),
        generation=2,
        dates=DateRange.parse(when),
        state=to,
        seen=seen,
        run=a_found_run(when, run_ids=("theirs-1", "theirs-2")) if adopts else None,
    )


def known_of(store: SqlStore) -> tuple[object, ...]:
    """All that there is to know of a store."""
    return store.snapshot(), store.every_attempt(), store.journal(), store.lock_info()


def states_of(store: SqlStore) -> dict[str, AttemptState]:
    """What became of each range of dates, forgotten ones too; no two tries may be for the same."""
    attempts = store.every_attempt()
    states = {str(one.dates): one.state for one in attempts}
    assert len(states) == len(attempts)
    return states


def by_dates(store: SqlStore) -> dict[str, Attempt]:
    return {str(one.dates): one for one in store.every_attempt()}


# Closings: from which state a person may close a call, or a part of it.

_WHOLE = {
    S.ABSENT: {S.SENT, S.UNKNOWN},
    S.SETTLED: {S.SENT, S.UNKNOWN},
    S.FORGOTTEN: {S.REFUSED, S.VOID, S.ABSENT, S.SETTLED},
}


@by_state
@to_state
def test_a_whole_call_is_closed_only_where_a_word_is_wanted(
    database: Database, store: SqlStore, before: AttemptState, to: AttemptState
) -> None:
    lease, one = call_in(before, database, store)
    known, serial = known_of(store), store.snapshot().serial
    if before not in _WHOLE[to]:
        with pytest.raises(UnitsTaken, match=f"cannot become {to.value}"):
            store.rule(lease, a_ruling(closings=[closing(one, WEEK, to=to)]))
        assert known_of(store) == known
        return
    told = len(store.journal())
    store.rule(lease, a_ruling(closings=[closing(one, WEEK, to=to)]))
    assert states_of(store) == {WEEK: to}
    assert store.snapshot().serial == serial + 1
    assert len(store.journal()) == told + 1
    assert store.verify() == ()


_PART = {
    S.ABSENT: {S.SENT, S.UNKNOWN, S.PARTIAL},
    S.SETTLED: {S.SENT, S.UNKNOWN, S.PARTIAL},
    S.FORGOTTEN: {S.REFUSED, S.VOID, S.ABSENT, S.SETTLED},
}


@by_state
@to_state
def test_a_part_of_a_call_is_closed_only_where_a_word_is_wanted(
    database: Database, store: SqlStore, before: AttemptState, to: AttemptState
) -> None:
    lease, one = call_in(before, database, store)
    known = known_of(store)
    if before not in _PART[to]:
        with pytest.raises(UnitsTaken):
            store.rule(lease, a_ruling(closings=[closing(one, END, to=to)]))
        assert known_of(store) == known
        return
    store.rule(lease, a_ruling(closings=[closing(one, END, to=to)]))
    assert states_of(store) == {REST: before, END: to}
    assert store.verify() == ()


@pytest.mark.parametrize(
    ("seen", "when", "allowed"),
    [
        ({WEEK: UnitStatus.SUCCESS}, WEEK, True),
        ({WEEK: UnitStatus.FAILURE}, END, True),
        ({WEEK: UnitStatus.RUNNING}, WEEK, False),
        ({WEEK: UnitRecord(UnitStatus.RUNNING, gone=True)}, WEEK, True),
        ({REST: UnitStatus.SUCCESS, END: UnitStatus.CREATED}, WEEK, False),
        ({REST: UnitStatus.SUCCESS, END: UnitStatus.CREATED}, REST, True),
        ({REST: UnitStatus.SUCCESS}, END, False),
        ({}, WEEK, False),
    ],
    ids=[
        "ended", "ended, in part", "running", "gone", "running in part",
        "what ended of it", "never seen in part", "never seen",
    ],
)  # fmt: skip
def test_what_ran_is_forgotten_only_when_it_ended_or_is_gone(
    database: Database,
    store: SqlStore,
    seen: dict[str, UnitStatus | UnitRecord],
    when: str,
    allowed: bool,
) -> None:
    lease, one = call_in(S.ACCEPTED, database, store)
    observe(store, one, seen=seen)
    known = known_of(store)
    ruling = a_ruling(closings=[closing(one, when, to=S.FORGOTTEN)])
    if not allowed:
        with pytest.raises(UnitsTaken):
            store.rule(lease, ruling)
        assert known_of(store) == known
        return
    store.rule(lease, ruling)
    assert states_of(store)[when] is S.FORGOTTEN
    assert store.verify() == ()


def test_a_partial_call_may_be_forgotten_where_it_was_seen(
    database: Database, store: SqlStore
) -> None:
    lease, one = call_in(S.PARTIAL, database, store)  # 05-01..05-04 succeeded
    store.rule(lease, a_ruling(closings=[closing(one, "2024-05-01..2024-05-04", to=S.FORGOTTEN)]))
    assert states_of(store) == {
        "2024-05-01..2024-05-04": S.FORGOTTEN,
        "2024-05-05..2024-05-07": S.PARTIAL,
    }
    assert store.verify() == ()


@pytest.mark.parametrize(
    "when",
    [(), ("2024-04-30",), ("2024-05-07..2024-05-08",), (WEEK, "2024-06-01")],
    ids=["none", "others", "too many", "more"],
)
@to_state
def test_dates_that_are_not_a_calls_cannot_be_closed(
    database: Database, store: SqlStore, when: tuple[str, ...], to: AttemptState
) -> None:
    before = S.REFUSED if to is S.FORGOTTEN else S.UNKNOWN
    lease, one = call_in(before, database, store)
    known = known_of(store)
    with pytest.raises(UnitsTaken):
        store.rule(lease, a_ruling(closings=[closing(one, *when, to=to)]))
    assert known_of(store) == known


def test_dates_that_were_seen_need_no_word(database: Database, store: SqlStore) -> None:
    lease, one = call_in(S.PARTIAL, database, store)  # seen up to 05-04
    known = known_of(store)
    with pytest.raises(UnitsTaken):
        store.rule(lease, a_ruling(closings=[closing(one, "2024-05-04..2024-05-07")]))
    assert known_of(store) == known


def test_a_call_is_closed_once(database: Database, store: SqlStore) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    store.rule(lease, a_word(one))
    known = known_of(store)
    with pytest.raises(UnitsTaken):
        store.rule(lease, a_word(one))
    assert known_of(store) == known


# What is split off.


@to_state
def test_what_is_split_by_date_stays_the_same_call(
    database: Database, store: SqlStore, to: AttemptState
) -> None:
    lease, one = call_in(S.SETTLED if to is S.FORGOTTEN else S.UNKNOWN, database, store)
    whole = the_attempt(store, one)
    middle = ("2024-05-02", "2024-05-04..2024-05-05")
    store.rule(lease, a_ruling(closings=[closing(one, *middle, to=to)]))
    assert states_of(store) == {
        "2024-05-01": whole.state,
        "2024-05-02": to,
        "2024-05-03": whole.state,
        "2024-05-04..2024-05-05": to,
        "2024-05-06..2024-05-07": whole.state,
    }
    pieces = store.every_attempt()
    assert len({piece.id for piece in pieces}) == 5
    assert by_dates(store)["2024-05-01"].id == one, "the first that is left keeps the id"
    for field in (
        "number", "address", "connection", "operation", "subject", "series", "generation",
        "call_id", "plan_id", "name", "serial", "created_at", "signed_at", "valid_until",
        "code", "message", "request_id",
    ):  # fmt: skip
        assert {getattr(piece, field) for piece in pieces} == {getattr(whole, field)}, field
    assert store.verify() == ()


def test_what_is_split_off_a_partial_call_takes_its_own_runs_and_no_others(
    database: Database, store: SqlStore
) -> None:
    lease, one = call_in(S.PARTIAL, database, store)
    observe(
        store,
        one,
        state=S.PARTIAL,
        seen={"2024-05-01..2024-05-02": UnitStatus.SUCCESS, "2024-05-05": UnitStatus.FAILURE},
    )
    store.rule(lease, a_ruling(closings=[closing(one, "2024-05-03..2024-05-04", seen=SUCCEEDED)]))
    pieces = by_dates(store)
    seen = {text: {str(r): v.status for r, v in one.coverage} for text, one in pieces.items()}
    assert seen == {
        "2024-05-01..2024-05-02": {"2024-05-01..2024-05-02": UnitStatus.SUCCESS},
        "2024-05-03..2024-05-04": {"2024-05-03..2024-05-04": UnitStatus.SUCCESS},
        "2024-05-05..2024-05-07": {"2024-05-05": UnitStatus.FAILURE},
    }
    runs = {text: one.run_ids for text, one in pieces.items()}
    assert runs == {
        "2024-05-01..2024-05-02": ACCEPTED.run_ids,
        "2024-05-03..2024-05-04": (),
        "2024-05-05..2024-05-07": ACCEPTED.run_ids,
    }
    assert store.verify() == ()


def test_what_a_person_saw_is_all_that_a_settled_call_knows(
    database: Database, store: SqlStore
) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    store.rule(lease, a_ruling(closings=[closing(one, WEEK, seen=SUCCEEDED)]))
    settled = the_attempt(store, one)
    assert settled.coverage == RangeMap.constant(dates(WEEK), SUCCEEDED)
    assert (settled.run_ids, settled.run_group) == ((), None)


def test_what_is_forgotten_keeps_what_was_known_of_it(database: Database, store: SqlStore) -> None:
    lease, one = call_in(S.ACCEPTED, database, store)
    observe(store, one, seen={WEEK: UnitStatus.FAILURE})
    known = the_attempt(store, one)
    store.rule(lease, a_ruling(closings=[closing(one, WEEK, to=S.FORGOTTEN)]))
    (kept,) = store.every_attempt()
    assert (kept.run_ids, kept.coverage) == (known.run_ids, known.coverage)


@pytest.mark.parametrize("before", [S.SENT, S.UNKNOWN, S.PARTIAL], ids=lambda one: one.value)
def test_the_record_holds_together_when_the_middle_of_a_call_proves_absent(
    database: Database, store: SqlStore, before: AttemptState
) -> None:
    lease, one = call_in(before, database, store)
    store.mark_absent(lease, one, dates("2024-05-06"), "a listing")
    assert states_of(store) == {REST: before, "2024-05-06": S.ABSENT, "2024-05-07": before}
    ids = {piece.id for piece in store.every_attempt()}
    assert store.journal()[-1].attempts == ids
    assert store.verify() == ()


def test_pieces_of_a_call_go_their_own_ways(database: Database, store: SqlStore) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    store.mark_absent(lease, one, dates("2024-05-03"), "a listing")
    pieces = by_dates(store)
    rest = "2024-05-04..2024-05-07"
    store.rule(lease, a_ruling(closings=[a_finding(pieces[rest].id, rest)]))
    store.rule(lease, a_word(one, "2024-05-01"))
    absent = pieces["2024-05-03"].id
    store.rule(lease, a_ruling(closings=[closing(absent, "2024-05-03", to=S.FORGOTTEN)]))
    assert states_of(store) == {
        "2024-05-01": S.SETTLED,
        "2024-05-02": S.UNKNOWN,
        "2024-05-03": S.FORGOTTEN,
        "2024-05-04..2024-05-07": S.ACCEPTED,
    }
    assert {piece.number for piece in store.every_attempt()} == {1}
    assert store.begin(lease, an_intent(JUNE, call_id="callbb")).number == 2
    assert store.verify() == ()


# All of it or nothing.


def _two_calls(store: SqlStore, second: AttemptState) -> tuple[Lease, str, str]:
    """A call of unknown outcome in May, and one in June."""
    lease = store.acquire()
    unclear, other = (
        store.begin(lease, an_intent(when, call_id=call_id)).id
        for when, call_id in ((WEEK, "callaa"), (JUNE, "callbb"))
    )
    for one in (unclear, other):
        store.mark_sent(lease, one, a_prepared())
    store.settle(lease, unclear, UNKNOWN)
    outcomes: dict[AttemptState, CreateOutcome] = {
        S.ACCEPTED: ACCEPTED,
        S.REFUSED: REFUSED,
        S.UNKNOWN: UNKNOWN,
    }
    store.settle(lease, other, outcomes[second])
    return lease, unclear, other


_SECOND: dict[str, Callable[[str], Ruling]] = {
    "a closing": lambda other: a_ruling(closings=[closing(other, JUNE)]),
    "a closing of nothing": lambda other: a_ruling(closings=[closing(other)]),
    "a closing of a call nobody knows": lambda _: a_ruling(closings=[closing("nobody", JUNE)]),
    "a finding": lambda other: a_ruling(closings=[a_finding(other, JUNE)]),
    "a finding of a call nobody knows": lambda _: a_ruling(closings=[a_finding("nobody")]),
}


@pytest.mark.parametrize("second", _SECOND.values(), ids=_SECOND)
@pytest.mark.parametrize("when", [WEEK, "2024-05-03"], ids=["whole", "part"])
def test_a_ruling_that_fails_halfway_writes_nothing(
    store: SqlStore, second: Callable[[str], Ruling], when: str
) -> None:
    lease, unclear, other = _two_calls(store, S.REFUSED)
    fails = second(other)
    known = known_of(store)
    ruling = a_ruling(
        closings=[closing(unclear, when, seen=SUCCEEDED), *fails.closings],
        standings=[a_standing(S.REQUESTED, series=a_series(params={"1234": {"k": "new"}}))],
    )
    with pytest.raises(StateError):
        store.rule(lease, ruling)
    assert known_of(store) == known


def test_several_calls_are_closed_at_once(store: SqlStore) -> None:
    lease, unclear, other = _two_calls(store, S.REFUSED)
    closings = [closing(unclear, "2024-05-03"), closing(other, JUNE, to=S.FORGOTTEN)]
    store.rule(lease, a_ruling(closings=closings))
    assert states_of(store) == {
        "2024-05-01..2024-05-02": S.UNKNOWN,
        "2024-05-03": S.SETTLED,
        "2024-05-04..2024-05-07": S.UNKNOWN,
        JUNE: S.FORGOTTEN,
    }
    assert store.verify() == ()


# Findings: the run that a call of unknown outcome made.


@by_state
def test_a_run_is_found_only_of_a_call_that_may_have_made_it(
    database: Database, store: SqlStore, before: AttemptState
) -> None:
    lease, one = call_in(before, database, store)
    known = known_of(store)
    unclear = "2024-05-05..2024-05-07" if before is S.PARTIAL else WEEK
    ruling = a_ruling(closings=[a_finding(one, unclear)])
    if before not in {S.SENT, S.UNKNOWN, S.PARTIAL}:
        with pytest.raises(StateError):
            store.rule(lease, ruling)
        assert known_of(store) == known
        return
    store.rule(lease, ruling)
    (found,) = [item for item in store.snapshot().attempts if str(item.dates) == unclear]
    assert (found.state, found.adopted) == (S.ACCEPTED, False)
    assert (found.run_ids, found.run_group) == (("found-1",), "group-found-1")
    assert found.id in store.journal()[-1].attempts
    assert store.verify() == ()


def test_what_was_known_of_the_other_dates_stays(database: Database, store: SqlStore) -> None:
    lease, one = call_in(S.PARTIAL, database, store)
    store.rule(lease, a_ruling(closings=[a_finding(one, "2024-05-05..2024-05-07")]))
    kept = the_attempt(store, one)
    assert (str(kept.dates), kept.run_ids) == ("2024-05-01..2024-05-04", ("run-1", "run-2"))


# Standings: entries that no call of ours made.


def test_a_wish_to_run_again_is_an_entry_of_its_own(database: Database, store: SqlStore) -> None:
    lease, one = call_in(S.ACCEPTED, database, store)
    observe(store, one, seen={WEEK: UnitStatus.FAILURE})
    known = the_attempt(store, one)
    store.rule(lease, a_ruling(standings=[a_standing(S.REQUESTED)]))
    first, wish = store.snapshot().attempts
    assert first == known
    assert (wish.state, wish.number, wish.adopted) == (S.REQUESTED, 2, False)
    assert (str(wish.address), wish.connection, wish.generation) == ("backfill.orders", "prod", 2)
    assert (str(wish.dates), wish.created_at) == (WEEK, at(30))
    assert (wish.operation, wish.message) == ("resolved", "looked at the console")
    assert (wish.run_ids, wish.run_group, wish.name) == ((), None, "")
    assert (wish.signed_at, wish.valid_until) == (None, None), "nothing was sent for it"
    assert not wish.coverage
    assert wish.call_id not in {"", first.call_id}
    assert store.verify() == ()


def test_a_word_that_units_are_done_says_what_was_seen(store: SqlStore) -> None:
    lease = store.acquire()
    store.rule(lease, a_ruling(standings=[a_standing(S.SETTLED, seen=SUCCEEDED)]))
    (word,) = store.snapshot().attempts
    assert (word.state, word.run_ids) == (S.SETTLED, ())
    assert word.coverage == RangeMap.constant(dates(WEEK), SUCCEEDED)
    assert store.verify() == ()


def test_an_adopted_run_is_recorded_with_its_ids_and_group(store: SqlStore) -> None:
    lease = store.acquire()
    standing = a_standing(S.ACCEPTED, adopts=True)
    store.rule(lease, a_ruling(event="adopted", reason=None, standings=[standing]))
    (adopted,) = store.snapshot().attempts
    assert (adopted.state, adopted.adopted) == (S.ACCEPTED, True)
    assert adopted.run_ids == ("theirs-1", "theirs-2")
    assert adopted.run_group == "group-theirs-1"
    assert (adopted.operation, adopted.name, adopted.message) == ("adopted", "by hand", None)
    assert not adopted.coverage, "what became of it is left to the next observation"
    assert store.verify() == ()


def test_an_adopted_run_is_observed_like_one_of_ours(store: SqlStore) -> None:
    lease = store.acquire()
    standing = a_standing(S.ACCEPTED, adopts=True)
    store.rule(lease, a_ruling(event="adopted", standings=[standing]))
    (adopted,) = store.snapshot().attempts
    with pytest.raises(UnitsTaken, match="may still run"):
        store.begin(lease, an_intent(call_id="callbb"))
    observe(store, adopted.id, seen={WEEK: UnitStatus.FAILURE})
    store.begin(lease, an_intent(call_id="callbb"))


def test_each_standing_is_numbered_after_what_was_there(store: SqlStore) -> None:
    lease = store.acquire()
    store.begin(lease, an_intent(JUNE))
    edited = a_series(params={"1234": {"k": "edited"}})
    standings = [
        a_standing(S.REQUESTED, "2024-05-01"),
        a_standing(S.SETTLED, "2024-05-02", seen=SUCCEEDED, series=edited),
    ]
    store.rule(lease, a_ruling(standings=standings))
    recorded = store.snapshot()
    assert [one.number for one in recorded.attempts] == [1, 2, 3]
    assert len({one.call_id for one in recorded.attempts}) == 3
    last = recorded.attempts[-1]
    assert recorded.series[last.series] == edited
    assert last.subject == edited.subject.fingerprint
    assert store.verify() == ()


def test_a_call_may_be_settled_and_its_units_asked_for_again(
    database: Database, store: SqlStore
) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    lost = UnitRecord(UnitStatus.CREATED, gone=True)
    ruling = a_ruling(
        closings=[closing(one, WEEK, seen=lost)], standings=[a_standing(S.REQUESTED)]
    )
    store.rule(lease, ruling)
    settled, wish = store.snapshot().attempts
    assert (settled.state, wish.state) == (S.SETTLED, S.REQUESTED)
    assert store.begin(lease, an_intent(call_id="callbb")).number == 3
    assert store.verify() == ()


# What may run after a person's word.


@pytest.mark.parametrize("when", [WEEK, "2024-05-03..2024-05-05"], ids=["whole", "part"])
@pytest.mark.parametrize("to", [S.ABSENT, S.SETTLED], ids=lambda one: one.value)
def test_closed_dates_are_free_and_the_others_are_not(
    database: Database, store: SqlStore, to: AttemptState, when: str
) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    lost = UnitRecord(UnitStatus.CREATED, gone=True) if to is S.SETTLED else None
    store.rule(lease, a_ruling(closings=[closing(one, when, to=to, seen=lost)]))
    left = dates(WEEK) - dates(when)
    for number, rest in enumerate(left):
        with pytest.raises(UnitsTaken, match="may still run"):
            store.begin(lease, an_intent(str(rest), call_id=f"callc{'ab'[number]}"))
    store.begin(lease, an_intent(when, call_id="callbb"))


@pytest.mark.parametrize("status", UnitStatus, ids=lambda one: str(one.value))
def test_a_settled_call_is_in_nobodys_way_whatever_a_person_saw(
    database: Database, store: SqlStore, status: UnitStatus
) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    store.rule(lease, a_word(one, seen=UnitRecord(status)))
    store.begin(lease, an_intent(call_id="callbb"))


@pytest.mark.parametrize("to", [S.REQUESTED, S.SETTLED], ids=lambda one: one.value)
def test_an_entry_without_a_run_is_in_nobodys_way(store: SqlStore, to: AttemptState) -> None:
    lease = store.acquire()
    store.rule(lease, a_ruling(standings=[a_standing(to)]))
    store.begin(lease, an_intent())


@pytest.mark.parametrize("when", [WEEK, END], ids=["whole", "part"])
@pytest.mark.parametrize(
    "before", [S.REFUSED, S.VOID, S.ABSENT, S.SETTLED, S.ACCEPTED], ids=lambda one: one.value
)
def test_what_is_forgotten_frees_its_dates_and_never_its_call(
    database: Database, store: SqlStore, before: AttemptState, when: str
) -> None:
    lease, one = call_in(before, database, store)
    if before is S.ACCEPTED:
        observe(store, one, seen={WEEK: UnitStatus.FAILURE})
    store.rule(lease, a_ruling(closings=[closing(one, when, to=S.FORGOTTEN)]))
    left = [str(known.dates) for known in store.snapshot().attempts]
    assert left == list((dates(WEEK) - dates(when)).texts()), "it is in no snapshot"
    assert states_of(store)[when] is S.FORGOTTEN, "nothing is ever deleted"
    for again in (when, JUNE):
        with pytest.raises(UnitsTaken, match="never sent twice"):
            store.begin(lease, an_intent(again, call_id="callaa"))
    store.begin(lease, an_intent(when, call_id="callbb"))
    assert store.verify() == ()


@pytest.mark.parametrize("when", [WEEK, END], ids=["whole", "part"])
def test_a_call_that_was_settled_is_not_sent_again(
    database: Database, store: SqlStore, when: str
) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    store.rule(lease, a_word(one, when))
    with pytest.raises(UnitsTaken, match="never sent twice"):
        store.begin(lease, an_intent(JUNE, call_id="callaa"))


def test_one_absent_piece_does_not_clear_a_call_whose_rest_is_unknown(
    database: Database, store: SqlStore
) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    store.rule(lease, a_ruling(closings=[closing(one, END, to=S.ABSENT)]))
    with pytest.raises(UnitsTaken, match="never sent twice"):
        store.begin(lease, an_intent(END, call_id="callaa"))


def test_an_observation_does_not_move_what_a_person_decided(
    database: Database, store: SqlStore
) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    store.rule(lease, a_ruling(closings=[closing(one, WEEK, seen=SUCCEEDED)]))
    settled = the_attempt(store, one)
    observe(store, one, seen={WEEK: UnitStatus.FAILURE}, when=at(90))
    assert the_attempt(store, one) == settled


# What the journal tells.


def test_a_ruling_is_told_with_everything_it_touched(store: SqlStore) -> None:
    lease, unclear, other = _two_calls(store, S.UNKNOWN)
    ruling = a_ruling(
        closings=[closing(unclear, "2024-05-03", seen=SUCCEEDED), a_finding(other, JUNE)],
        standings=[a_standing(S.REQUESTED, "2024-07-01"), a_standing(S.SETTLED, "2024-07-02")],
    )
    store.rule(lease, ruling)
    entry = store.journal()[-1]
    attempts = store.every_attempt()
    assert len(attempts) == 6, "three pieces, the found one, and two that no call made"
    assert entry.attempts == {one.id for one in attempts}
    told = {name: one for name, one in entry.data.items() if name != "attempts"}
    told.pop("became")
    assert set(entry.became) == entry.attempts
    assert told == {
        "word": "succeeded",
        "units": [f"backfill.orders@{WEEK}"],
        "reason": "looked at the console",
    }
    assert (entry.event, entry.who, entry.fence) == ("resolved", "ann@host", lease.fence)
    assert store.verify() == ()


def test_a_ruling_names_only_what_it_touched(store: SqlStore) -> None:
    lease, unclear, _ = _two_calls(store, S.ACCEPTED)
    store.rule(lease, a_word(unclear))
    assert store.journal()[-1].attempts == {unclear}


def test_a_ruling_that_touches_nothing_is_told_as_well(store: SqlStore) -> None:
    lease = store.acquire()
    store.rule(lease, a_ruling(event="stopping", reason=None))
    entry = store.journal()[-1]
    assert (entry.event, entry.data["reason"], entry.data["attempts"]) == ("stopping", None, [])
    assert store.verify() == ()


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        ("DELETE FROM attempt WHERE state = 'settled'", "gone from the record"),
        ("UPDATE attempt SET attempt_id = 'slipped' WHERE state = 'settled'", "knows nothing"),
        ("UPDATE journal SET data = '{}' WHERE event = 'resolved'", "was edited"),
    ],
)
def test_a_piece_that_somebody_took_away_or_slipped_in_is_noticed(
    database: Database, store: SqlStore, edit: str, complaint: str
) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    store.rule(lease, a_word(one, "2024-05-03"))
    assert store.verify() == ()
    database.raw(edit)
    assert any(complaint in line for line in store.verify())


# Who may say it: the holder of the lock, until somebody ends their lease.

_RULINGS: dict[str, Callable[[str], Ruling]] = {
    "closing": lambda one: a_ruling(closings=[closing(one, WEEK)]),
    "closing a part": lambda one: a_ruling(closings=[closing(one, "2024-05-03")]),
    "finding": lambda one: a_ruling(closings=[a_finding(one)]),
    "standing": lambda _: a_ruling(standings=[a_standing(S.REQUESTED)]),
    "note": lambda _: a_ruling(event="stopping"),
}


@pytest.mark.parametrize("ruling", _RULINGS.values(), ids=_RULINGS)
@pytest.mark.parametrize("lost_by", ["a takeover", "unlocking"])
def test_who_lost_the_lock_decides_nothing(
    database: Database, store: SqlStore, ruling: Callable[[str], Ruling], lost_by: str
) -> None:
    lease, one = call_in(S.UNKNOWN, database, store)
    rival = database.store("bob@host")
    if lost_by == "unlocking":
        rival.unlock(lease.id, reason=None)
    else:
        expire(database)
        rival.acquire()
    known = known_of(store)
    with pytest.raises(FenceLost):
        store.rule(lease, ruling(one))
    assert known_of(store) == known


def test_unlocking_ends_a_lease_and_raises_the_fence(database: Database, store: SqlStore) -> None:
    lease, serial = store.acquire(), store.snapshot().serial
    bob = database.store("bob@host")
    bob.unlock(lease.id, reason="the runner is gone")
    assert store.lock_info() is None
    assert store.snapshot().serial == serial + 1
    assert bob.acquire().fence == lease.fence + 2


_WRITES: dict[str, Callable[[SqlStore, Lease, str], object]] = {
    "renew": lambda store, lease, _: store.renew(lease),
    "begin": lambda store, lease, _: store.begin(lease, an_intent(JUNE, call_id="callbb")),
    "mark_sent": lambda store, lease, one: store.mark_sent(lease, one, a_prepared()),
    "settle": lambda store, lease, one: store.settle(lease, one, REFUSED),
    "note_tags": lambda store, lease, _: store.note_tags(lease, "home", survives=True, name=""),
}


@pytest.mark.parametrize("write", _WRITES.values(), ids=_WRITES)
@pytest.mark.parametrize("taken", [False, True], ids=["free", "taken"])
def test_whose_lock_was_ended_can_write_nothing_more(
    database: Database,
    store: SqlStore,
    write: Callable[[SqlStore, Lease, str], object],
    taken: bool,
) -> None:
    lease, one = call_in(S.INTENT, database, store)
    bob = database.store("bob@host")
    bob.unlock(lease.id, reason=None)
    if taken:
        bob.acquire()
    known = known_of(store)
    with pytest.raises(FenceLost):
        write(store, lease, one)
    store.release(lease)  # theirs is not ours to give back
    assert known_of(store) == known


def test_unlocking_is_told_with_whose_lock_it_was_and_why(
    database: Database, store: SqlStore
) -> None:
    lease = store.acquire()
    database.store("bob@host").unlock(lease.id, reason="the runner is gone")
    entry = store.journal()[-1]
    assert (entry.event, entry.who, entry.fence) == ("unlocked", "bob@host", lease.fence + 1)
    assert entry.data == {
        "lock": lease.id,
        "holder": "ann@host",
        "reason": "the runner is gone",
    }
    assert store.verify() == ()


def test_a_lease_that_ran_out_can_be_ended_too(database: Database, store: SqlStore) -> None:
    lease = store.acquire()
    expire(database)
    store.unlock(lease.id, reason=None)
    assert store.lock_info() is None
    with pytest.raises(FenceLost):
        store.renew(lease)


def test_nobodys_lock_cannot_be_ended(database: Database, store: SqlStore) -> None:
    lease = store.acquire()
    store.release(lease)
    known = known_of(store)
    with pytest.raises(StateError, match="nobody holds the lock"):
        database.store("bob@host").unlock(lease.id, reason="in doubt")
    assert known_of(store) == known


def test_a_lock_is_ended_only_by_its_own_id(database: Database, store: SqlStore) -> None:
    lease = store.acquire()
    known = known_of(store)
    with pytest.raises(StateError, match="there is no lock guessed") as raised:
        database.store("bob@host").unlock("guessed", reason=None)
    assert "ann@host" in raised.value.hint
    assert known_of(store) == known
    store.renew(lease)


def test_another_projects_lock_is_not_ended(database: Database, store: SqlStore) -> None:
    lease = store.acquire()
    other = database.store(project="other")
    other.create()
    with pytest.raises(StateError, match="nobody holds the lock"):
        other.unlock(lease.id, reason=None)
    theirs = other.acquire()
    store.unlock(lease.id, reason=None)
    other.renew(theirs)


def test_an_intent_whose_lock_was_ended_is_void_for_the_next_holder(
    database: Database, store: SqlStore
) -> None:
    lease, one = call_in(S.INTENT, database, store)
    bob = database.store("bob@host")
    bob.unlock(lease.id, reason=None)
    bob.acquire()
    assert the_attempt(store, one).state is S.VOID
    assert store.verify() == ()
