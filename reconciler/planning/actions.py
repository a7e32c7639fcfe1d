"""Verdicts as a plan shows them: actions, with their diffs and details."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator

from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.plan import (
    Action,
    Decision,
    FieldChange,
    Reason,
)
from reconciler.model.resources import Resource
from reconciler.model.runs import Tier
from reconciler.planning.deciding import Verdict, needs_call
from reconciler.planning.diffing import series_changes
from reconciler.planning.history import Past, attempts_by_subject, history
from reconciler.planning.situation import Decided, Situation, explained


def action_order(action: Action) -> tuple[Address, dt.date, str]:
    """Actions stand by address, then first date."""
    return (action.address, action.dates.ranges[0].start, action.decision.value)


def decided_actions(decided: Decided, situation: Situation) -> Iterator[Action]:
    """The decisions on one resource, units that are alike in one action each."""
    resource = decided.resource
    tier = situation.services[(resource.connection, resource.address.kind)].tier
    grouped: dict[tuple[object, ...], list[tuple[DateRange, Verdict]]] = defaultdict(list)
    described = {
        piece: (
            _detail(verdict, unit.past, resource),
            _changes(verdict, unit.past, decided, situation),
        )
        for piece, unit, verdict in explained(decided)
    }
    for piece, _, verdict in explained(decided):
        key = (verdict.decision, verdict.reason, verdict.blocked_by, *described[piece])
        grouped[key].append((piece, verdict))
    for members in grouped.values():
        first, verdict = members[0]
        detail, changes = described[first]
        satisfied = verdict.decision is Decision.NONE
        yield Action(
            address=resource.address,
            decision=verdict.decision,
            dates=DateSet.of(piece for piece, _ in members),
            reason=verdict.reason,
            tier=tier,
            detail=detail,
            changes=changes,
            blocked_by=verdict.blocked_by,
            # What is satisfied needs no look at the service, so its ids would only be noise.
            run_ids=()
            if satisfied
            else tuple(dict.fromkeys(run for _, one in members for run in one.run_ids)),
        )
    for owner, dates in decided.claim.shared:
        yield Action(
            address=resource.address,
            decision=Decision.SHARED,
            dates=dates,
            reason=Reason.SHARED,
            tier=tier,
            detail=f"the same units as {owner}, counted there",
        )


def _detail(verdict: Verdict, past: Past | None, resource: Resource) -> str:
    if verdict.decision is Decision.NONE and past and past.address != resource.address:
        return f"ran for {past.address} on {past.sent_at:%Y-%m-%d}; add `reruns` to run it again"
    return verdict.detail


def _changes(
    verdict: Verdict, past: Past | None, decided: Decided, situation: Situation
) -> tuple[FieldChange, ...]:
    """What differs from what ran last, where that decides or something else would run now."""
    if past is None or not (verdict.changed or (past.ran and needs_call(verdict))):
        return ()
    before = situation.recorded.series.get(past.series)
    return series_changes(before, decided.resource.series) if before is not None else ()


def unclaimed_actions(situation: Situation) -> Iterator[Action]:
    """Units on record that no spec declares any more: released, or still of unknown outcome.

    What ran in a simulator says nothing to a project that has gone live, and the other way round.
    """
    realms = {resource.series.subject.realm for resource in situation.resources}
    declared: dict[str, DateSet] = defaultdict(DateSet)
    for resource in situation.resources:
        declared[resource.series.subject.fingerprint] |= resource.dates
    for subject, attempts in attempts_by_subject(situation.recorded).items():
        ran = situation.recorded.series.get(attempts[0].series)
        if ran is not None and realms and ran.subject.realm not in realms:
            continue
        left: dict[tuple[Address, Decision], list[DateRange]] = defaultdict(list)
        for piece, past in history(attempts):
            decision = _unclaimed_decision(past)
            if decision is not None and situation.selected(past.address):
                left[(past.address, decision)].extend(DateSet((piece,)) - declared[subject])
        for (address, decision), pieces in left.items():
            if pieces:
                yield Action(
                    address=address,
                    decision=decision,
                    dates=DateSet.of(pieces),
                    reason=Reason.RELEASED
                    if decision is Decision.RELEASED
                    else Reason.OUTCOME_UNKNOWN,
                    tier=_tier_on_record(situation, attempts),
                    detail="no longer declared",
                )


def _unclaimed_decision(past: Past) -> Decision | None:
    if not past.ran:
        return None
    unknown = past.state.unresolved and past.status is None
    return Decision.UNKNOWN if unknown else Decision.RELEASED


def _tier_on_record(situation: Situation, attempts: Iterable[Attempt]) -> Tier:
    for attempt in attempts:
        service = situation.services.get((attempt.connection, attempt.address.kind))
        if service is not None:
            return service.tier
    return Tier.S3
