"""Calls on record, brought to a state by the steps that lead there."""

from __future__ import annotations

import dataclasses
import datetime as dt

from reconciler.model.addresses import Address, Kind
from reconciler.model.attempts import Attempt, AttemptState, UnitRecord
from reconciler.model.calls import Prepared
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.outcomes import Accepted, Refused, Unknown
from reconciler.model.plan import Adoption
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.model.series import Series, Tag
from reconciler.model.state import Closing, Intent, Lease, Ruling
from reconciler.state.store import SqlStore
from tests.builders import a_found_run, a_series, at
from tests.unit.state.databases import Database

WEEK = "2024-05-01..2024-05-07"


def an_intent(
    when: str = WEEK,
    *,
    call_id: str = "callaa",
    series: Series | None = None,
    name: str = "orders",
    generation: int = 1,
) -> Intent:
    """A call on a week of May."""
    series = series or a_series()
    return Intent(
        address=Address.of(Kind.BACKFILL, name),
        connection="prod",
        operation="RunCycleDagNodes",
        series=series,
        generation=generation,
        dates=DateRange.parse(when),
        call_id=call_id,
        plan_id="plan-1",
        name=Tag(series=series.fingerprint, generation=generation, call_id=call_id).name(name),
        serial=True,
        created_at=at(0),
    )


def a_prepared(minutes: float = 1) -> Prepared:
    """A request signed a minute after `NOON`."""
    return Prepared(
        operation="RunCycleDagNodes",
        request=None,
        request_digest="d1gest",
        signed_at=at(minutes),
        valid_until=at(minutes + 16),
    )


def an_adoption(
    when: str = WEEK, *, call_id: str = "foundy", run_ids: tuple[str, ...] = ("found-1",)
) -> Adoption:
    """A run of the series of `a_series`, found by discovery."""
    series = a_series()
    return Adoption(
        address=Address.of(Kind.BACKFILL, "orders"),
        connection="prod",
        series=series.fingerprint,
        generation=1,
        call_id=call_id,
        run=a_found_run(when, series=series, call_id=call_id, run_ids=run_ids),
    )


ACCEPTED = Accepted(run_ids=("run-1", "run-2"), request_id="request-1")
REFUSED = Refused(code="Throttling", message="slow down", transient=True, request_id="request-2")
UNKNOWN = Unknown(cause="the connection was reset", code="reset", request_id="request-3")


#: Every state that a call can be in, what people had us forget left out.
CALL_STATES = tuple(
    state
    for state in AttemptState
    if state not in {AttemptState.REQUESTED, AttemptState.FORGOTTEN}
)


def a_word(
    attempt_id: str,
    when: str = WEEK,
    *,
    state: AttemptState = AttemptState.SETTLED,
    seen: UnitRecord | None = UnitRecord(UnitStatus.SUCCESS),  # noqa: B008 - frozen
) -> Ruling:
    """A person's word on some dates of an attempt: that they succeeded, unless said otherwise."""
    closing = Closing(attempt_id=attempt_id, dates=DateSet.parse([when]), state=state, seen=seen)
    return Ruling(
        event="resolved",
        units=(f"backfill.orders@{when}",),
        reason="looked at the console",
        at=at(30),
        closings=(closing,),
    )


def the_attempt(store: SqlStore, attempt_id: str) -> Attempt:
    """One attempt as it is on record."""
    (found,) = [one for one in store.snapshot().attempts if one.id == attempt_id]
    return found


def call_in(
    state: AttemptState, database: Database, store: SqlStore, intent: Intent | None = None
) -> tuple[Lease, str]:
    """Bring one call to a state; the lease that may go on, and the attempt's id."""
    lease = store.acquire()
    attempt_id = store.begin(lease, intent or an_intent()).id
    if state is AttemptState.VOID:
        expire(database)
        return store.acquire(), attempt_id
    if state is not AttemptState.INTENT:
        store.mark_sent(lease, attempt_id, a_prepared())
    match state:
        case AttemptState.ACCEPTED | AttemptState.PARTIAL:
            store.settle(lease, attempt_id, ACCEPTED)
        case AttemptState.REFUSED:
            store.settle(lease, attempt_id, REFUSED)
        case AttemptState.UNKNOWN:
            store.settle(lease, attempt_id, UNKNOWN)
        case AttemptState.ABSENT:
            store.mark_absent(lease, attempt_id, DateSet.parse([WEEK]), "a listing")
        case AttemptState.SETTLED:
            store.rule(lease, a_word(attempt_id))
        case _:
            pass
    if state is AttemptState.PARTIAL:
        observe(
            store, attempt_id, state=state, seen={"2024-05-01..2024-05-04": UnitStatus.SUCCESS}
        )
    assert the_attempt(store, attempt_id).state is state
    return lease, attempt_id


def observe(
    store: SqlStore,
    attempt_id: str,
    *,
    seen: dict[str, UnitStatus | UnitRecord],
    state: AttemptState = AttemptState.ACCEPTED,
    when: dt.datetime | None = None,
) -> None:
    """Write an observation, an hour after `NOON` unless said otherwise."""
    coverage = RangeMap.of(
        (DateRange.parse(text), one if isinstance(one, UnitRecord) else UnitRecord(one))
        for text, one in seen.items()
    )
    known = the_attempt(store, attempt_id)
    changed = dataclasses.replace(known, state=state, coverage=coverage)
    store.observe([changed], at=when or at(60))


def expire(database: Database) -> None:
    """Let the lease of whoever holds the lock run out."""
    database.raw("UPDATE stack SET lease_until = 1 WHERE holder IS NOT NULL")
