"""What the record says of each unit of a subject: the attempt that matters, stretch by stretch."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.attempts import BY_HAND, Attempt, AttemptState, RecordedState, UnitRecord
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.rangemap import RangeMap, cut, sweep
from reconciler.model.runs import Observation, UnitStatus
from reconciler.model.series import Tag
from reconciler.planning.durations import with_new

_SPENDS_AN_ATTEMPT = frozenset(
    {UnitStatus.SUCCESS, UnitStatus.HOLLOW, UnitStatus.FAILURE, UnitStatus.STOPPED}
)


#: An intent that was never marked sent has sent nothing: whoever takes the lock next voids it. A person's
#: request is no call at all.
_NOTHING_SENT = frozenset({AttemptState.INTENT, AttemptState.REQUESTED})

#: No service we speak to accepts a signature for longer.
LONGEST_VALIDITY = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The attempt that matters for a unit, and what is known of the unit in it.

    `status` is None when nothing was ever seen of the unit's run. `spent` counts the runs on record of
    the same series and generation that came to an end, this one included; for a unit that was not run
    because an earlier date of its call failed, it is that date's count.
    """

    attempt: str
    call_id: str
    address: Address
    state: AttemptState
    series: str
    generation: int
    status: UnitStatus | None
    gone: bool
    spent: int
    sent_at: dt.datetime
    sent_after: dt.datetime | None
    """A moment of the service's clock before which no run can be its, or was looked past by a person's
    word; None: nobody can tell."""
    valid_until: dt.datetime | None
    run_ids: tuple[str, ...]
    code: str | None
    message: str | None
    transient: bool
    tagged: bool = True
    """Whether its runs bear a tag of ours."""
    unchecked: bool = False
    """Whether it succeeded in a call of which other dates are in flight: only when all have ended is it
    seen whether an included node was skipped."""

    @property
    def ran(self) -> bool:
        """Whether something ran for it, or may have."""
        return not self.state.never_ran and self.state not in _NOTHING_SENT

    @property
    def in_flight(self) -> bool:
        """Whether it may still change without anybody's doing."""
        if self.status is None:
            return self.state is not AttemptState.REQUESTED
        return self.status.in_flight


def sent_order(attempt: Attempt) -> tuple[int, DateRange]:
    """Sorts attempts by when they were sent: by the store's own count, which no clock can put wrong."""
    return (attempt.number, attempt.dates)


def sent_at(attempt: Attempt) -> dt.datetime:
    """When it was sent, by the clock that signed it; an adopted run counts from when it was created."""
    return attempt.signed_at or attempt.created_at


def history(attempts: Iterable[Attempt]) -> RangeMap[Past]:
    """The attempt that matters on each date, out of the attempts of one subject.

    It is the one sent last, looking past those that never ran unless nothing else remains.
    """
    ordered = sorted(attempts, key=sent_order)
    pieces = [
        (dates, (attempt, record)) for attempt in ordered for dates, record in _records(attempt)
    ]
    return _with_heads(RangeMap.of((dates, _matters(stack)) for dates, stack in sweep(pieces)))


def _with_heads(units: RangeMap[Past]) -> RangeMap[Past]:
    heads = {
        past.attempt: past.spent
        for _, past in reversed(units.items)
        if past.status in {UnitStatus.FAILURE, UnitStatus.STOPPED}
    }
    return units.map(
        lambda past: (
            dataclasses.replace(past, spent=heads[past.attempt])
            if past.status is UnitStatus.NOT_RUN and past.attempt in heads
            else past
        )
    )


def _records(attempt: Attempt) -> Iterator[tuple[DateRange, UnitRecord | None]]:
    known = attempt.coverage.restricted(DateSet((attempt.dates,)))
    yield from known
    for dates in DateSet((attempt.dates,)) - known.dates:
        yield dates, None


def _matters(stack: tuple[tuple[Attempt, UnitRecord | None], ...]) -> Past:
    ran = [item for item in stack if not _never_ran(item[0])]
    attempt, record = (ran or stack)[-1]
    spent = Counter(
        (other.series, other.generation)
        for other, seen in ran
        if seen is not None and seen.status in _SPENDS_AN_ATTEMPT
    )
    return Past(
        attempt=attempt.id,
        call_id=attempt.call_id,
        address=attempt.address,
        state=attempt.state,
        series=attempt.series,
        generation=attempt.generation,
        status=record.status if record else None,
        gone=record.gone if record else False,
        spent=spent[(attempt.series, attempt.generation)],
        sent_at=sent_at(attempt),
        sent_after=_latest(_sent_after(other) for other, _ in stack),
        valid_until=_valid_until(attempt),
        run_ids=attempt.run_ids,
        code=attempt.code,
        message=attempt.message,
        transient=attempt.transient,
        tagged=Tag.parse(attempt.name) is not None,
        unchecked=record is not None and record.status is UnitStatus.SUCCESS and attempt.flying,
    )


def _sent_after(attempt: Attempt) -> dt.datetime | None:
    """Our clock may be wrong, and the service's word on what was made since must not depend on it."""
    if attempt.adopted or attempt.signed_at is None:
        # A run that was found has the service's own time, and so has what a person decided.
        return attempt.created_at if attempt.code == BY_HAND else attempt.signed_at
    if attempt.state.never_ran and attempt.code != BY_HAND:
        return None  # the service may have refused it for the very time it was signed with
    if attempt.valid_until is None:
        return None
    # What was executed was signed within the validity of its signature, as the service counts.
    return attempt.signed_at - (attempt.valid_until - attempt.signed_at)


def _latest(bounds: Iterable[dt.datetime | None]) -> dt.datetime | None:
    """What lies before one entry lies before every later one, too: a person's word, or another call."""
    return max((bound for bound in bounds if bound is not None), default=None)


def _valid_until(attempt: Attempt) -> dt.datetime | None:
    if attempt.valid_until is None and attempt.adopted:
        # Its run was there when we adopted it, so the request had been signed before.
        return attempt.created_at + LONGEST_VALIDITY
    return attempt.valid_until


def _never_ran(attempt: Attempt) -> bool:
    return attempt.state.never_ran or attempt.state is AttemptState.INTENT


def observed_attempt(
    attempt: Attempt,
    seen: Observation,
    *,
    now: dt.datetime,
    lag: dt.timedelta,
    beside: RangeMap[UnitRecord] | None = None,
) -> Attempt:
    """One attempt with one observation written into it.

    A date the service stopped showing keeps its last status; if the whole run is gone, each is marked so.
    So are dates of an accepted call that were never shown, once the listing lag has passed. An accepted
    call that shows fewer dates than asked, past the listing lag, is partial.

    Args:
        attempt: As it is on record.
        seen: What the service shows of its whole call.
        now: The service's time when it did.
        lag: How long the service may take to list all dates of a call.
        beside: What is on record of the call's other dates, where the call was split.
    """
    whole = DateSet((attempt.dates,))
    settled = now >= attempt.started_by + lag
    shown = seen.coverage.map(UnitRecord)
    known = attempt.coverage if beside is None else beside.overlaid(attempt.coverage)
    call = RangeMap.of(
        (dates, _merged(old, new, gone=seen.gone))
        for dates, (old, new) in cut(known.dates | shown.dates, (known, shown))
    )
    state = attempt.state
    if seen.gone and settled and state is AttemptState.ACCEPTED:
        unseen = UnitRecord(UnitStatus.CREATED, gone=True)
        call = call.overlaid(RangeMap.constant(whole - call.dates, unseen))
    # A serial call runs its dates in order, whatever attempt they are recorded in.
    coverage = (_behind_failed(call) if attempt.serial else call).restricted(whole)
    if not seen.gone and state in {AttemptState.ACCEPTED, AttemptState.PARTIAL}:
        complete = coverage.dates == whole
        if complete:
            state = AttemptState.ACCEPTED
        elif settled:
            state = AttemptState.PARTIAL
    return dataclasses.replace(
        attempt,
        state=state,
        coverage=coverage,
        took=with_new(attempt, coverage, seen.took),
        run_ids=tuple(dict.fromkeys((*attempt.run_ids, *seen.run_ids))),
        run_group=seen.run_group or attempt.run_group,
    )


#: What we know of a run beyond what the service calls its status: success may be hollow, failure our stop.
_FINER = {
    (UnitStatus.HOLLOW, UnitStatus.SUCCESS): UnitStatus.HOLLOW,
    # The service knows no "stopped", and may show the run going on for a while.
    (UnitStatus.STOPPED, UnitStatus.CREATED): UnitStatus.STOPPED,
    (UnitStatus.STOPPED, UnitStatus.RUNNING): UnitStatus.STOPPED,
    (UnitStatus.STOPPED, UnitStatus.NOT_RUN): UnitStatus.STOPPED,
    (UnitStatus.STOPPED, UnitStatus.FAILURE): UnitStatus.STOPPED,
}


def _merged(old: UnitRecord | None, new: UnitRecord | None, *, gone: bool) -> UnitRecord:
    if new is None:
        assert old is not None  # noqa: S101 - each piece lies in one of the two maps
        return UnitRecord(old.status, gone or old.gone)
    return UnitRecord(_FINER.get((old.status, new.status), new.status)) if old else new


def _behind_failed(coverage: RangeMap[UnitRecord]) -> RangeMap[UnitRecord]:
    """In a serial call, dates that were created after one that failed will not run.

    After one that we stopped they are stopped with it: a stop must not be undone by `onFailure: rerun`.
    """
    failed = coverage.where(
        lambda record: record.status in {UnitStatus.FAILURE, UnitStatus.STOPPED}
    )
    if not failed:
        return coverage
    first = failed.ranges[0].start
    head = coverage.at(first)
    stopped = head is not None and head.status is UnitStatus.STOPPED
    behind = UnitStatus.STOPPED if stopped else UnitStatus.NOT_RUN
    return RangeMap.of(
        (
            dates,
            UnitRecord(behind, record.gone)
            if record.status is UnitStatus.CREATED and dates.start > first
            else record,
        )
        for dates, record in coverage
    )


def attempts_by_subject(recorded: RecordedState) -> Mapping[str, Sequence[Attempt]]:
    """The record's attempts, grouped by subject fingerprint."""
    grouped: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in recorded.attempts:
        grouped[attempt.subject].append(attempt)
    return grouped
