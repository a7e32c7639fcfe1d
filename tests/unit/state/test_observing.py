"""Observations: written without the lock, upon what they were made of, and nobody's plan goes stale."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from reconciler.model.attempts import AttemptState, UnitRecord
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.durations import Took
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.state.store import SqlStore
from tests.builders import at
from tests.unit.state.calls import WEEK, a_word, call_in, expire, observe, the_attempt
from tests.unit.state.databases import Database

ACCEPTED = AttemptState.ACCEPTED


def status_of(store: SqlStore, attempt_id: str) -> UnitStatus | None:
    record = the_attempt(store, attempt_id).coverage.at(dt.date(2024, 5, 1))
    return record.status if record else None


def test_an_observation_is_recorded_and_the_serial_stands(
    database: Database, store: SqlStore
) -> None:
    _, attempt_id = call_in(ACCEPTED, database, store)
    before = (store.snapshot().serial, store.journal())
    observe(store, attempt_id, seen={WEEK: UnitRecord(UnitStatus.FAILURE, gone=True)})
    assert the_attempt(store, attempt_id).coverage.items[0][1] == UnitRecord(
        UnitStatus.FAILURE, gone=True
    )
    assert (store.snapshot().serial, store.journal()) == before


@pytest.mark.parametrize("when", [at(19), at(20), at(21)])
def test_what_was_seen_last_counts_whatever_the_clock_of_who_saw_it_says(
    database: Database, store: SqlStore, when: dt.datetime
) -> None:
    """A machine whose clock was a year ahead once must not blind everybody for a year."""
    _, attempt_id = call_in(ACCEPTED, database, store)
    observe(store, attempt_id, seen={WEEK: UnitStatus.RUNNING}, when=at(20))
    observe(store, attempt_id, seen={WEEK: UnitStatus.SUCCESS}, when=when)
    assert status_of(store, attempt_id) is UnitStatus.SUCCESS


def test_who_has_just_sent_a_call_goes_not_before_whoever_saw_more_of_it(
    database: Database, store: SqlStore
) -> None:
    _, attempt_id = call_in(ACCEPTED, database, store)
    sent = dataclasses.replace(the_attempt(store, attempt_id), stamp="")
    observe(store, attempt_id, seen={WEEK: UnitStatus.SUCCESS}, when=at(20))
    store.observe([dataclasses.replace(sent, run_group="77")], at=at(90))
    assert status_of(store, attempt_id) is UnitStatus.SUCCESS
    assert the_attempt(store, attempt_id).run_group is None


def test_observing_needs_no_lock(database: Database, store: SqlStore) -> None:
    _, attempt_id = call_in(ACCEPTED, database, store)
    expire(database)
    rival = database.store("bob@host")
    rival.acquire()
    observe(store, attempt_id, seen={WEEK: UnitStatus.SUCCESS})
    assert status_of(rival, attempt_id) is UnitStatus.SUCCESS


def test_an_observation_records_the_runs_and_their_group(
    database: Database, store: SqlStore
) -> None:
    _, attempt_id = call_in(ACCEPTED, database, store)
    known = the_attempt(store, attempt_id)
    seen = dataclasses.replace(known, run_ids=("run-1", "run-2", "run-3"), run_group="77")
    store.observe([seen], at=at(20))
    after = the_attempt(store, attempt_id)
    assert (after.run_ids, after.run_group) == (("run-1", "run-2", "run-3"), "77")


def test_an_observation_changes_nothing_of_what_was_sent(
    database: Database, store: SqlStore
) -> None:
    _, attempt_id = call_in(ACCEPTED, database, store)
    known = the_attempt(store, attempt_id)
    forged = dataclasses.replace(
        known, call_id="forged", name="forged", generation=9, signed_at=None, request_id=None
    )
    store.observe([forged], at=at(20))
    assert the_attempt(store, attempt_id) == known


def test_calls_are_counted_by_connection_and_day(database: Database, store: SqlStore) -> None:
    day = dt.date(2024, 6, 1)
    store.count_calls("prod", day, 3)
    database.store("bob@host").count_calls("prod", day, 4)
    store.count_calls("other", day, 10)
    store.count_calls("prod", dt.date(2024, 6, 2), 20)
    assert store.calls_on("prod", day) == 7
    assert store.calls_on("prod", dt.date(2024, 6, 3)) == 0
    assert store.snapshot().serial == 0


def test_another_projects_calls_are_not_ours(database: Database, store: SqlStore) -> None:
    other = database.store(project="other")
    other.create()
    other.count_calls("prod", dt.date(2024, 6, 1), 5)
    assert store.calls_on("prod", dt.date(2024, 6, 1)) == 0


def test_what_was_made_of_an_attempt_that_has_changed_since_is_dropped(
    database: Database, store: SqlStore
) -> None:
    """A wait that slept must not undo what a person decided meanwhile."""
    _, attempt_id = call_in(ACCEPTED, database, store)
    slept = the_attempt(store, attempt_id)
    observe(store, attempt_id, seen={WEEK: UnitStatus.STOPPED}, when=at(60))
    stale = dataclasses.replace(
        slept, coverage=RangeMap.of([(DateRange.parse(WEEK), UnitRecord(UnitStatus.FAILURE))])
    )
    store.observe([stale], at=at(90))
    (seen,) = the_attempt(store, attempt_id).coverage
    assert seen[1].status is UnitStatus.STOPPED


TOOK = Took(dates=4, least=55, most=80, total=250)


def test_how_long_dates_took_is_kept_whatever_reads_it(
    database: Database, store: SqlStore
) -> None:
    _, attempt_id = call_in(ACCEPTED, database, store)
    coverage = RangeMap.of([(DateRange.parse(WEEK), UnitRecord(UnitStatus.SUCCESS))])
    known = the_attempt(store, attempt_id)
    store.observe([dataclasses.replace(known, coverage=coverage, took=TOOK)], at=at(20))
    assert the_attempt(database.store(read_only=True), attempt_id).took == TOOK
    assert store.verify() == ()


@pytest.mark.parametrize(
    ("state", "closed"),
    [
        (AttemptState.ABSENT, "2024-05-06"),
        (AttemptState.SETTLED, "2024-05-05..2024-05-07"),
        (AttemptState.FORGOTTEN, "2024-05-02"),
    ],
)
def test_no_part_of_a_call_that_is_split_counts_what_the_whole_took(
    database: Database, store: SqlStore, state: AttemptState, closed: str
) -> None:
    """Dates that are forgotten may be found again, and are timed again then."""
    lease, attempt_id = call_in(AttemptState.PARTIAL, database, store)
    known = the_attempt(store, attempt_id)
    coverage = known.coverage
    if state is AttemptState.FORGOTTEN:
        week = DateSet((known.dates,))
        coverage = RangeMap.constant(week, UnitRecord(UnitStatus.SUCCESS))
    store.observe([dataclasses.replace(known, coverage=coverage, took=TOOK)], at=at(70))
    seen = None if state is AttemptState.FORGOTTEN else UnitRecord(UnitStatus.SUCCESS)
    store.rule(lease, a_word(attempt_id, closed, state=state, seen=seen))
    parts = store.every_attempt()
    assert len(parts) > 1
    assert [part.took for part in parts] == [None] * len(parts)
    assert store.verify() == ()
