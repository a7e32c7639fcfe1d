"""A call is begun once, and only where nothing else may still run."""

from __future__ import annotations

import pytest

from reconciler.model.attempts import AttemptState, UnitRecord
from reconciler.model.errors import StateError
from reconciler.model.runs import UnitStatus
from reconciler.state.store import SqlStore
from tests.builders import a_series, a_subject, at
from tests.unit.state.calls import (
    ACCEPTED,
    CALL_STATES,
    WEEK,
    a_prepared,
    an_adoption,
    an_intent,
    call_in,
    observe,
)
from tests.unit.state.databases import Database

S = AttemptState

#: A call that shares its last two dates with the week on record.
_OVERLAPPING = an_intent("2024-05-06..2024-05-10", call_id="callbb")


def test_a_call_begins_as_an_intent_with_everything_it_was_asked_for(store: SqlStore) -> None:
    intent = an_intent(series=a_series(params={"1234": {"k": "v"}}), generation=3)
    store.begin(store.acquire(), intent)
    recorded = store.snapshot()
    (begun,) = recorded.attempts
    assert begun.state is S.INTENT
    for field in (
        "address", "connection", "operation", "generation", "dates",
        "call_id", "plan_id", "name", "serial", "created_at",
    ):  # fmt: skip
        assert getattr(begun, field) == getattr(intent, field), field
    assert recorded.series[begun.series] == intent.series
    assert begun.subject == intent.series.subject.fingerprint
    assert (begun.signed_at, begun.valid_until, begun.run_ids) == (None, None, ())


@pytest.mark.parametrize(
    "state", [S.INTENT, S.SENT, S.UNKNOWN, S.ACCEPTED, S.PARTIAL], ids=lambda one: one.value
)
def test_where_a_call_may_still_run_no_other_begins(
    database: Database, store: SqlStore, state: AttemptState
) -> None:
    lease, attempt_id = call_in(state, database, store)
    known = (store.snapshot(), store.journal())
    with pytest.raises(StateError, match="may still run") as raised:
        store.begin(lease, _OVERLAPPING)
    assert attempt_id in str(raised.value)
    assert "2024-05-06..2024-05-07" in str(raised.value)
    assert (store.snapshot(), store.journal()) == known


@pytest.mark.parametrize("state", [S.VOID, S.REFUSED, S.ABSENT], ids=lambda one: one.value)
def test_where_a_call_never_ran_another_begins(
    database: Database, store: SqlStore, state: AttemptState
) -> None:
    lease, _ = call_in(state, database, store)
    assert store.begin(lease, _OVERLAPPING).state is S.INTENT


@pytest.mark.parametrize("status", list(UnitStatus), ids=lambda one: one.value)
@pytest.mark.parametrize("gone", [False, True], ids=["there", "gone"])
def test_accepted_units_are_in_the_way_until_they_end_or_are_gone(
    database: Database, store: SqlStore, status: UnitStatus, gone: bool
) -> None:
    lease, attempt_id = call_in(S.ACCEPTED, database, store)
    observe(store, attempt_id, seen={WEEK: UnitRecord(status, gone=gone)})
    if status.in_flight and not gone:
        with pytest.raises(StateError, match="may still run"):
            store.begin(lease, _OVERLAPPING)
    else:
        store.begin(lease, _OVERLAPPING)


def test_an_ended_part_of_a_call_in_flight_is_free(database: Database, store: SqlStore) -> None:
    lease, attempt_id = call_in(S.ACCEPTED, database, store)
    observe(
        store,
        attempt_id,
        seen={
            "2024-05-01..2024-05-05": UnitStatus.FAILURE,
            "2024-05-06..2024-05-07": UnitStatus.RUNNING,
        },
    )
    store.begin(lease, an_intent("2024-05-04..2024-05-05", call_id="callbb"))
    with pytest.raises(StateError, match="2024-05-06"):
        store.begin(lease, an_intent("2024-05-06", call_id="callcc"))


def test_the_dates_a_partial_call_never_showed_are_not_free(
    database: Database, store: SqlStore
) -> None:
    lease, _ = call_in(S.PARTIAL, database, store)  # 05-01..05-04 succeeded
    store.begin(lease, an_intent("2024-05-03..2024-05-04", call_id="callbb"))
    with pytest.raises(StateError, match="2024-05-05"):
        store.begin(lease, an_intent("2024-05-04..2024-05-05", call_id="callcc"))


@pytest.mark.parametrize("when", ["2024-04-25..2024-04-30", "2024-05-08..2024-05-09"])
def test_neighbouring_dates_are_free(database: Database, store: SqlStore, when: str) -> None:
    lease, _ = call_in(S.SENT, database, store)
    store.begin(lease, an_intent(when, call_id="callbb"))


def test_another_subject_is_free_and_another_series_is_not(
    database: Database, store: SqlStore
) -> None:
    lease, _ = call_in(S.SENT, database, store)
    elsewhere = a_series(subject=a_subject(root="77"))
    store.begin(lease, an_intent(series=elsewhere, call_id="callbb"))
    edited = a_series(params={"1234": {"k": "other"}})
    with pytest.raises(StateError, match="may still run"):
        store.begin(lease, an_intent(series=edited, call_id="callcc"))


def test_an_adopted_run_is_in_the_way_like_one_of_ours(store: SqlStore) -> None:
    lease = store.acquire()
    store.adopt(lease, an_adoption(), a_series(), at=at(1), plan_id="plan-1")
    with pytest.raises(StateError, match="may still run"):
        store.begin(lease, _OVERLAPPING)


@pytest.mark.parametrize("state", CALL_STATES, ids=lambda one: one.value)
def test_a_call_goes_out_again_only_if_no_try_of_it_may_have_run(
    database: Database, store: SqlStore, state: AttemptState
) -> None:
    lease, _ = call_in(state, database, store)
    elsewhere = an_intent("2024-06-01", call_id="callaa")  # the same call, no dates in the way
    if state.never_ran:
        again = store.begin(lease, elsewhere)
        assert again.number == 2
        assert again.name == store.snapshot().attempts[0].name
        return
    with pytest.raises(StateError, match="never sent twice"):
        store.begin(lease, elsewhere)


def test_one_refused_try_does_not_clear_another_that_ran(
    database: Database, store: SqlStore
) -> None:
    lease, _ = call_in(S.REFUSED, database, store)
    second = store.begin(lease, an_intent()).id
    store.mark_sent(lease, second, a_prepared())
    store.settle(lease, second, ACCEPTED)
    with pytest.raises(StateError):
        store.begin(lease, an_intent("2024-06-01", call_id="callaa"))


def test_an_adoption_is_recorded_with_all_that_was_found(store: SqlStore) -> None:
    lease = store.acquire()
    adoption = an_adoption("2024-05-01..2024-05-02,2024-05-05")
    store.adopt(lease, adoption, a_series(), at=at(9), plan_id="plan-9")
    adopted, other = store.snapshot().attempts
    assert adopted.adopted
    assert [str(one.dates) for one in (adopted, other)] == ["2024-05-01..2024-05-02", "2024-05-05"]
    assert adopted.number == other.number
    assert adopted.state is S.ACCEPTED
    assert (adopted.created_at, adopted.signed_at) == (at(9), adoption.run.created_at)
    assert (adopted.plan_id, adopted.call_id) == ("plan-9", "foundy")
    assert (adopted.run_ids, adopted.run_group) == (("found-1",), "group-found-1")
    assert adopted.name == adoption.run.name
    assert not adopted.coverage, "what became of it is left to the next observation"


def test_attempts_are_numbered_in_the_order_they_were_begun(store: SqlStore) -> None:
    lease = store.acquire()
    for day in (9, 3, 6):
        store.begin(lease, an_intent(f"2024-06-0{day}", call_id=f"calla{'abcdefghij'[day]}"))
    starts = [one.dates.start.day for one in store.snapshot().attempts]
    assert starts == [9, 3, 6]
    assert [one.number for one in store.snapshot().attempts] == [1, 2, 3]


def test_every_guarded_write_moves_the_serial_by_one(store: SqlStore) -> None:
    lease = store.acquire()
    serials = [store.snapshot().serial]
    one = store.begin(lease, an_intent()).id
    serials.append(store.snapshot().serial)
    store.mark_sent(lease, one, a_prepared())
    serials.append(store.snapshot().serial)
    store.settle(lease, one, ACCEPTED)
    serials.append(store.snapshot().serial)
    store.renew(lease)
    store.release(lease)
    serials.append(store.snapshot().serial)
    assert serials == [0, 1, 2, 3, 3]
