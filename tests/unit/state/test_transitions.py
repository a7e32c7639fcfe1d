"""Which step an attempt may take from where it is: every pair, the allowed and the forbidden ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.model.attempts import AttemptState
from reconciler.model.dates import DateSet
from reconciler.model.errors import StateError
from reconciler.model.runs import UnitStatus
from reconciler.model.state import Lease
from reconciler.state.store import SqlStore
from tests.builders import a_series, at, dates
from tests.effort import cases
from tests.unit.state.calls import (
    ACCEPTED,
    CALL_STATES,
    REFUSED,
    UNKNOWN,
    WEEK,
    a_prepared,
    an_adoption,
    call_in,
    observe,
    the_attempt,
)
from tests.unit.state.databases import KINDS, Database

#: The rules are the same on any database, whose own ways other modules try.
TRIED_ON = cases(["sqlite"], soak=sorted(KINDS))

S = AttemptState

Step = Callable[[SqlStore, Lease, str], None]

#: Each step, the states it may be taken from, and where it leads.
_STEPS: dict[str, tuple[Step, frozenset[AttemptState], AttemptState]] = {
    "mark_sent": (
        lambda store, lease, one: store.mark_sent(lease, one, a_prepared()),
        frozenset({S.INTENT}),
        S.SENT,
    ),
    "accept": (
        lambda store, lease, one: store.settle(lease, one, ACCEPTED),
        frozenset({S.SENT, S.UNKNOWN, S.PARTIAL, S.ACCEPTED}),
        S.ACCEPTED,
    ),
    "refuse": (
        lambda store, lease, one: store.settle(lease, one, REFUSED),
        frozenset({S.INTENT, S.SENT}),
        S.REFUSED,
    ),
    "lose sight": (
        lambda store, lease, one: store.settle(lease, one, UNKNOWN),
        frozenset({S.SENT}),
        S.UNKNOWN,
    ),
    "prove absent": (
        lambda store, lease, one: store.mark_absent(
            lease, one, DateSet.parse([WEEK]), "a listing"
        ),
        frozenset({S.SENT, S.UNKNOWN}),
        S.ABSENT,
    ),
}


@pytest.mark.parametrize("before", CALL_STATES, ids=lambda state: str(state.value))
@pytest.mark.parametrize("step", _STEPS)
def test_an_attempt_takes_a_step_only_from_where_it_may(
    database: Database, store: SqlStore, before: AttemptState, step: str
) -> None:
    take, allowed, after = _STEPS[step]
    lease, attempt_id = call_in(before, database, store)
    known = (store.snapshot(), store.journal())
    if before in allowed:
        take(store, lease, attempt_id)
        assert the_attempt(store, attempt_id).state is after
        assert store.snapshot().serial == known[0].serial + 1
        assert len(store.journal()) == len(known[1]) + 1
        return
    with pytest.raises(StateError, match="cannot become"):
        take(store, lease, attempt_id)
    assert (store.snapshot(), store.journal()) == known


@pytest.mark.parametrize("before", CALL_STATES, ids=lambda state: str(state.value))
def test_part_of_a_call_is_absent_only_while_that_part_is_unclear(
    database: Database, store: SqlStore, before: AttemptState
) -> None:
    lease, attempt_id = call_in(before, database, store)
    known = (store.snapshot(), store.journal())
    if before in {S.SENT, S.UNKNOWN, S.PARTIAL}:
        store.mark_absent(lease, attempt_id, dates("2024-05-06..2024-05-07"), "a listing")
        states = {str(one.dates): one.state for one in store.snapshot().attempts}
        assert states == {
            "2024-05-01..2024-05-05": before,
            "2024-05-06..2024-05-07": S.ABSENT,
        }
        return
    with pytest.raises(StateError):
        store.mark_absent(lease, attempt_id, dates("2024-05-06..2024-05-07"), "a listing")
    assert (store.snapshot(), store.journal()) == known


def test_dates_that_were_seen_cannot_be_absent(database: Database, store: SqlStore) -> None:
    lease, attempt_id = call_in(S.PARTIAL, database, store)  # seen up to 05-04
    with pytest.raises(StateError):
        store.mark_absent(lease, attempt_id, dates("2024-05-03..2024-05-07"), "a listing")


def test_a_partial_call_of_which_nothing_was_seen_may_be_absent(
    database: Database, store: SqlStore
) -> None:
    lease, attempt_id = call_in(S.ACCEPTED, database, store)
    observe(store, attempt_id, state=S.PARTIAL, seen={})
    store.mark_absent(lease, attempt_id, DateSet.parse([WEEK]), "a listing")
    assert the_attempt(store, attempt_id).state is S.ABSENT


def test_dates_of_another_call_cannot_be_absent_of_this_one(
    database: Database, store: SqlStore
) -> None:
    lease, attempt_id = call_in(S.UNKNOWN, database, store)
    known = store.snapshot()
    with pytest.raises(StateError):
        store.mark_absent(lease, attempt_id, dates("2024-06-01"), "a listing")
    assert store.snapshot() == known


def test_absence_in_the_middle_leaves_both_ends_as_they_were(
    database: Database, store: SqlStore
) -> None:
    lease, attempt_id = call_in(S.UNKNOWN, database, store)
    store.mark_absent(lease, attempt_id, dates("2024-05-03..2024-05-04"), "a listing")
    attempts = store.snapshot().attempts
    assert {str(one.dates): one.state for one in attempts} == {
        "2024-05-01..2024-05-02": S.UNKNOWN,
        "2024-05-03..2024-05-04": S.ABSENT,
        "2024-05-05..2024-05-07": S.UNKNOWN,
    }
    first = attempts[0]
    assert {(one.call_id, one.name, one.signed_at, one.valid_until) for one in attempts} == {
        (first.call_id, first.name, first.signed_at, first.valid_until)
    }
    assert {one.number for one in attempts} == {first.number}, "none was sent later than another"


def test_what_was_unclear_in_two_pieces_is_adopted_in_both(
    database: Database, store: SqlStore
) -> None:
    lease, attempt_id = call_in(S.UNKNOWN, database, store)
    store.mark_absent(lease, attempt_id, dates("2024-05-03..2024-05-04"), "a listing")
    for one in ("2024-05-01..2024-05-02", "2024-05-05..2024-05-07"):
        adoption = an_adoption(one, call_id="callaa", run_ids=("run-9",))
        store.adopt(lease, adoption, a_series(), at=at(30), plan_id="plan-2")
    assert {str(one.dates): one.state for one in store.snapshot().attempts} == {
        "2024-05-01..2024-05-02": S.ACCEPTED,
        "2024-05-03..2024-05-04": S.ABSENT,
        "2024-05-05..2024-05-07": S.ACCEPTED,
    }


def test_an_outcome_is_recorded_with_all_that_was_answered(
    database: Database, store: SqlStore
) -> None:
    lease, attempt_id = call_in(S.SENT, database, store)
    store.settle(lease, attempt_id, UNKNOWN)
    unclear = the_attempt(store, attempt_id)
    assert (unclear.code, unclear.message) == ("reset", "the connection was reset")
    assert unclear.request_id == "request-3"
    store.settle(lease, attempt_id, ACCEPTED)
    accepted = the_attempt(store, attempt_id)
    assert (accepted.run_ids, accepted.request_id) == (("run-1", "run-2"), "request-1")


def test_a_refusal_is_recorded_with_its_code_and_whether_it_may_pass(
    database: Database, store: SqlStore
) -> None:
    lease, attempt_id = call_in(S.SENT, database, store)
    store.settle(lease, attempt_id, REFUSED)
    refused = the_attempt(store, attempt_id)
    assert (refused.code, refused.message, refused.transient, refused.request_id) == (
        "Throttling",
        "slow down",
        True,
        "request-2",
    )


def test_what_is_signed_is_recorded_with_its_validity(database: Database, store: SqlStore) -> None:
    _, attempt_id = call_in(S.SENT, database, store)
    sent = the_attempt(store, attempt_id)
    assert (sent.signed_at, sent.valid_until) == (at(1), at(17))
    assert database.raw("SELECT request_digest FROM attempt") == [("d1gest",)]


@pytest.mark.parametrize("before", [S.SENT, S.UNKNOWN, S.PARTIAL], ids=lambda one: one.value)
def test_a_found_run_settles_the_attempt_that_sent_it(
    database: Database, store: SqlStore, before: AttemptState
) -> None:
    lease, attempt_id = call_in(before, database, store)
    store.adopt(lease, an_adoption(call_id="callaa"), a_series(), at=at(30), plan_id="plan-2")
    (only,) = store.snapshot().attempts
    assert (only.id, only.state, only.adopted) == (attempt_id, S.ACCEPTED, False)
    assert "found-1" in only.run_ids
    assert only.run_group == "group-found-1"


def test_adopting_missing_dates_forgets_no_run_that_was_known(
    database: Database, store: SqlStore
) -> None:
    lease, attempt_id = call_in(S.PARTIAL, database, store)
    adoption = an_adoption("2024-05-05..2024-05-07", call_id="callaa")
    store.adopt(lease, adoption, a_series(), at=at(30), plan_id="plan-2")
    assert the_attempt(store, attempt_id).run_ids == ("run-1", "run-2", "found-1")


@pytest.mark.parametrize("before", [S.VOID, S.REFUSED, S.ABSENT], ids=lambda one: one.value)
def test_a_found_run_of_a_call_held_for_dead_is_an_attempt_of_its_own(
    database: Database, store: SqlStore, before: AttemptState
) -> None:
    lease, attempt_id = call_in(before, database, store)
    store.adopt(lease, an_adoption(call_id="callaa"), a_series(), at=at(30), plan_id="plan-2")
    assert the_attempt(store, attempt_id).state is before
    adopted = store.snapshot().attempts[-1]
    assert (adopted.state, adopted.adopted, adopted.run_ids) == (
        S.ACCEPTED,
        True,
        ("found-1",),
    )


@pytest.mark.parametrize("before", CALL_STATES, ids=lambda state: str(state.value))
@pytest.mark.parametrize("seen", CALL_STATES, ids=lambda state: str(state.value))
def test_an_observation_moves_only_between_accepted_and_partial(
    database: Database, store: SqlStore, before: AttemptState, seen: AttemptState
) -> None:
    _, attempt_id = call_in(before, database, store)
    observe(store, attempt_id, state=seen, seen={WEEK: UnitStatus.RUNNING}, when=at(90))
    both = {S.ACCEPTED, S.PARTIAL}
    after = the_attempt(store, attempt_id)
    assert after.state is (seen if {before, seen} <= both else before)
