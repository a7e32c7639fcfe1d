"""Drift: where what is on record and what the service shows differ, and not by our doing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt, UnitRecord
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.drift import Drift, DriftKind
from reconciler.model.rangemap import cut
from reconciler.model.runs import UnitStatus
from reconciler.planning.deciding import Listed
from reconciler.planning.situation import Decided

_ENDED_BADLY = {UnitStatus.FAILURE, UnitStatus.NOT_RUN, UnitStatus.STOPPED}
_SUCCEEDED = {UnitStatus.SUCCESS, UnitStatus.HOLLOW}


def drift_of(
    before: Iterable[Attempt], now: Iterable[Attempt], decided: Iterable[Decided]
) -> tuple[Drift, ...]:
    """What changed outside, ordered by address, date and kind.

    Args:
        before: Attempts as they are on record.
        now: Those of them that the service shows otherwise.
        decided: The declared units with what discovery showed around them.
    """
    old = {attempt.id: attempt for attempt in before}
    found: dict[tuple[Address, DriftKind, tuple[str, ...]], DateSet] = defaultdict(DateSet)
    for attempt in now:
        for piece, kind in _changes(old[attempt.id], attempt):
            found[(attempt.address, kind, attempt.run_ids)] |= DateSet((piece,))
    for resource in decided:
        for piece, facts in resource.facts:
            for kind, runs in _strangers(facts.listed):
                found[(resource.resource.address, kind, runs)] |= DateSet((piece,))
    drifts = (
        Drift(address=address, dates=dates, kind=kind, run_ids=runs)
        for (address, kind, runs), dates in found.items()
    )
    return tuple(sorted(drifts, key=lambda one: (one.address, one.dates.ranges, one.kind.value)))


def _changes(before: Attempt, now: Attempt) -> Iterator[tuple[DateRange, DriftKind]]:
    for piece, (old, new) in cut(DateSet((now.dates,)), (before.coverage, now.coverage)):
        kind = _kind(old, new)
        if kind is not None:
            yield piece, kind


def _kind(old: UnitRecord | None, new: UnitRecord | None) -> DriftKind | None:
    if new is None:
        return None
    flying = old is None or (old.status.in_flight and not old.gone)
    if flying:
        return DriftKind.VANISHED if new.gone and new.status.in_flight else None
    assert old is not None  # noqa: S101 - else it is in flight
    if old.status in _ENDED_BADLY and (new.status.in_flight or new.status in _SUCCEEDED):
        return DriftKind.REPAIRED
    if old.status in _SUCCEEDED and new.status.in_flight:
        return DriftKind.RESTARTED
    if old.status in _SUCCEEDED and new.status in _ENDED_BADLY:
        return DriftKind.BROKEN
    return None


def _strangers(listed: Listed | None) -> Iterator[tuple[DriftKind, tuple[str, ...]]]:
    seen = listed or Listed()
    ours = (*seen.own, *seen.other)
    if ours:
        yield DriftKind.UNRECORDED, ours
    theirs = (*seen.foreign, *(run for one in seen.candidates for run in one.run_ids))
    if theirs:
        yield DriftKind.FOREIGN, tuple(dict.fromkeys(theirs))
