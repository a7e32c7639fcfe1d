"""Build the plan: claims, facts and verdicts become actions, calls and a summary."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.model.addresses import Address, Kind
from reconciler.model.attempts import Attempt, RecordedState
from reconciler.model.calls import WireCall
from reconciler.model.canonical import digest
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import Diagnostic, Severity, in_order
from reconciler.model.plan import (
    Action,
    Adoption,
    Call,
    Decision,
    FieldChange,
    Heading,
    Plan,
    Reason,
    Summary,
)
from reconciler.model.project import Policy
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import Resource, Tuning
from reconciler.model.runs import Discovery, FoundRun, Tier
from reconciler.model.series import Series, Tag
from reconciler.planning.deciding import UnitFacts, Verdict, decide, starts
from reconciler.planning.diffing import series_changes
from reconciler.planning.facts import Service, facts_digest, rules_of, unit_facts
from reconciler.planning.grouping import call_ranges
from reconciler.planning.history import Past, history
from reconciler.planning.ownership import Claim, claims
from reconciler.planning.policy import policy_diagnostics

#: Length of a call id, in base32 characters.
CALL_ID_LENGTH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything a plan is made from.

    `recorded` already holds what was observed. `discoveries` are by address and cover what the plan may
    start. `unreadable` names addresses whose runs could not be read: nothing is decided for them.
    `selected` says which addresses the plan is about.
    """

    resources: tuple[Resource, ...]
    recorded: RecordedState
    services: Mapping[tuple[str, Kind], Service]
    discoveries: Mapping[Address, Discovery] = field(default_factory=dict)
    unreadable: Mapping[Address, Diagnostic] = field(default_factory=dict)
    selected: Callable[[Address], bool] = lambda _: True


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One claim with its facts and verdicts, both over the units it owns."""

    claim: Claim
    facts: RangeMap[UnitFacts]
    verdicts: RangeMap[Verdict]

    @property
    def resource(self) -> Resource:
        """The resource decided on."""
        return self.claim.resource

    def dates_where(self, predicate: Callable[[Verdict], bool]) -> DateSet:
        """The units whose verdict satisfies `predicate`."""
        return self.verdicts.where(predicate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What a new plan is given besides its situation: identity, time, bounds and the wire.

    `wire` spells a call of a connection exactly as it will be sent; `token` gives random base32 text.
    """

    plan_id: str
    project: str
    tool_version: str
    as_of: dt.datetime
    created_at: dt.datetime
    policy: Policy
    reads: int
    token: Callable[[int], str]
    wire: Callable[[str, Series, DateRange, str, Tuning], WireCall]


def decide_all(situation: Situation) -> tuple[Decided, ...]:
    """Decide every unit of the selected resources, ordered by address."""
    by_subject = attempts_by_subject(situation.recorded)
    known = {
        **situation.recorded.series,
        **{item.series.fingerprint: item.series for item in situation.resources},
    }
    pasts: dict[str, RangeMap[Past]] = {}
    decided = []
    for claim in claims(situation.resources):
        resource = claim.resource
        if not situation.selected(resource.address) or resource.address in situation.unreadable:
            continue
        subject = resource.series.subject.fingerprint
        if subject not in pasts:
            pasts[subject] = history(by_subject.get(subject, ()))
        service = situation.services[(resource.connection, resource.address.kind)]
        facts = unit_facts(
            resource.series,
            claim.owned,
            past=pasts[subject],
            listing=situation.discoveries.get(resource.address),
            known=known,
            service=service,
        )
        judge = functools.partial(decide, rules=rules_of(resource, service))
        decided.append(Decided(claim=claim, facts=facts, verdicts=facts.map(judge)))
    return tuple(decided)


def dates_to_discover(decided: Decided) -> DateSet:
    """The units for which the service must be asked before anything is sent."""
    return decided.dates_where(
        lambda verdict: starts(verdict) or verdict.decision is Decision.UNKNOWN
    )


def build_plan(situation: Situation, making: Making) -> Plan:
    """Make the plan of a situation."""
    decided = decide_all(situation)
    actions = [action for item in decided for action in _actions(item, situation)]
    calls = [call for item in decided for call in _calls(item, making)]
    adoptions = [adoption for item in decided for adoption in _adoptions(item, situation)]
    actions.extend(_unclaimed(situation))
    actions.sort(key=_action_order)
    calls.sort(key=lambda call: (call.dates.ranges[0].start, call.address))
    summary = _summary(actions, calls, decided, reads=making.reads)
    series = {
        item.resource.series.fingerprint: item.resource.series
        for item in decided
        if any(starts(v) or v.decision is Decision.ADOPT for _, v in item.verdicts)
    }
    series |= {
        adoption.series: situation.recorded.series[adoption.series]
        for adoption in adoptions
        if adoption.series in situation.recorded.series
    }
    return Plan(
        id=making.plan_id,
        tool_version=making.tool_version,
        project=making.project,
        lineage=situation.recorded.lineage,
        serial=situation.recorded.serial,
        created_at=making.created_at,
        as_of=making.as_of,
        expires_at=making.created_at + making.policy.plan_expiry,
        summary=summary,
        actions=tuple(actions),
        calls=tuple(calls),
        adoptions=tuple(adoptions),
        series=dict(sorted(series.items())),
        headings=tuple(_heading(item.resource) for item in decided),
        diagnostics=in_order(
            (
                *situation.unreadable.values(),
                *policy_diagnostics(summary, making.policy),
                *(item for one in decided for item in _warnings(one)),
            )
        ),
    )


def attempts_by_subject(recorded: RecordedState) -> Mapping[str, Sequence[Attempt]]:
    """The record's attempts, grouped by subject fingerprint."""
    grouped: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in recorded.attempts:
        grouped[attempt.subject].append(attempt)
    return grouped


def spec_digest(resource: Resource, dates: DateSet) -> str:
    """A digest of what a spec asks for on some dates; edits that change nothing there keep it."""
    wanted = resource.generations.restricted(dates)
    return digest(
        {
            "address": str(resource.address),
            "series": resource.series.fingerprint,
            "generations": [[str(piece), generation] for piece, generation in wanted],
        }
    )


def _heading(resource: Resource) -> Heading:
    subject = resource.series.subject
    return Heading(
        address=resource.address,
        connection=resource.connection,
        environment=subject.environment,
        root=f"root {subject.root}" if subject.kind is Kind.BACKFILL else f"flow {subject.root}",
        owner=resource.annotations.get("owner", ""),
        reason=resource.annotations.get("reason", ""),
    )


def _action_order(action: Action) -> tuple[Address, dt.date, str]:
    return (action.address, action.dates.ranges[0].start, action.decision.value)


def _actions(decided: Decided, situation: Situation) -> Iterator[Action]:
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
        key = (verdict.decision, verdict.reason, *described[piece])
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


def explained(decided: Decided) -> Iterator[tuple[DateRange, UnitFacts, Verdict]]:
    """Each stretch of alike units with the facts it was decided on and the verdict, ascending."""
    verdicts = iter(decided.verdicts)
    current, verdict = next(verdicts, (None, None))
    for piece, unit in decided.facts:
        while current is not None and current.end <= piece.start:
            current, verdict = next(verdicts, (None, None))
        assert verdict is not None  # noqa: S101 - verdicts cover the same dates as facts
        yield piece, unit, verdict


def _detail(verdict: Verdict, past: Past | None, resource: Resource) -> str:
    if verdict.decision is Decision.NONE and past and past.address != resource.address:
        return f"ran for {past.address} on {past.sent_at:%Y-%m-%d}; add `reruns` to run it again"
    return verdict.detail


def _changes(
    verdict: Verdict, past: Past | None, decided: Decided, situation: Situation
) -> tuple[FieldChange, ...]:
    before = situation.recorded.series.get(past.series) if past and verdict.changed else None
    return series_changes(before, decided.resource.series) if before is not None else ()


def _calls(decided: Decided, making: Making) -> Iterator[Call]:
    resource = decided.resource
    starting = decided.claim.owned.restricted(decided.dates_where(starts))
    for dates, generation in call_ranges(resource.address.kind, starting):
        tag = Tag(
            series=resource.series.fingerprint,
            generation=generation,
            call_id=making.token(CALL_ID_LENGTH),
        )
        name = tag.name(resource.address.name)
        wire = making.wire(resource.connection, resource.series, dates, name, resource.tuning)
        covered = DateSet((dates,))
        yield Call(
            id=tag.call_id,
            address=resource.address,
            connection=resource.connection,
            operation=wire.operation,
            dates=covered,
            generation=generation,
            series=resource.series.fingerprint,
            name=name,
            serial=resource.tuning.parallelism == 1,
            parameters=wire.parameters,
            spec_digest=spec_digest(resource, covered),
            facts_digest=facts_digest(decided.facts, covered, call_id=tag.call_id),
        )


def _adoptions(decided: Decided, situation: Situation) -> Iterator[Adoption]:
    resource = decided.resource
    adopted = decided.dates_where(lambda verdict: verdict.decision is Decision.ADOPT)
    listing = situation.discoveries.get(resource.address)
    if not adopted or listing is None:
        return
    unresolved = {
        unit.past.call_id
        for _, unit in decided.facts
        if unit.past is not None and unit.past.state.unresolved
    }
    for run in sorted(listing.found, key=lambda item: item.run_ids):
        if run.tag is None:
            continue
        ours = run.tag.series == resource.series.fingerprint or run.tag.call_id in unresolved
        if ours and run.dates & adopted:
            yield adoption_of(resource, run, run.tag)


def adoption_of(resource: Resource, run: FoundRun, tag: Tag) -> Adoption:
    """How a found run of a resource's series is recorded."""
    return Adoption(
        address=resource.address,
        connection=resource.connection,
        series=tag.series,
        generation=tag.generation,
        call_id=tag.call_id,
        run=run,
    )


def _unclaimed(situation: Situation) -> Iterator[Action]:
    """Units on record that no spec declares any more: released, or still of unknown outcome."""
    declared: dict[str, DateSet] = defaultdict(DateSet)
    for resource in situation.resources:
        declared[resource.series.subject.fingerprint] |= resource.dates
    for subject, attempts in attempts_by_subject(situation.recorded).items():
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
    if past.state.unresolved and past.status is None and past.state.value != "intent":
        return Decision.UNKNOWN
    return None if past.state.never_ran or past.state.value == "intent" else Decision.RELEASED


def _tier_on_record(situation: Situation, attempts: Iterable[Attempt]) -> Tier:
    for attempt in attempts:
        service = situation.services.get((attempt.connection, attempt.address.kind))
        if service is not None:
            return service.tier
    return Tier.S3


def _summary(
    actions: Iterable[Action], calls: Sequence[Call], decided: Iterable[Decided], *, reads: int
) -> Summary:
    units: Counter[Decision] = Counter()
    for action in actions:
        units[action.decision] += action.dates.count
    nodes = {item.resource.address: max(1, len(item.resource.series.include)) for item in decided}
    return Summary(
        create=units[Decision.CREATE],
        rerun=units[Decision.RERUN],
        adopt=units[Decision.ADOPT],
        wait=units[Decision.WAIT],
        blocked=units[Decision.BLOCKED],
        hold=units[Decision.HOLD],
        unknown=units[Decision.UNKNOWN],
        none=units[Decision.NONE],
        released=units[Decision.RELEASED],
        calls=len(calls),
        reads=reads,
        node_instances=sum(call.dates.count * nodes[call.address] for call in calls),
    )


def _warnings(decided: Decided) -> Iterator[Diagnostic]:
    starting = decided.dates_where(starts)
    listed = decided.facts.restricted(starting)
    for code, summary, seen in (
        (
            "foreign_finished",
            "someone else already backfilled",
            listed.where(lambda unit: unit.listed is not None and bool(unit.listed.foreign)),
        ),
        (
            "schedule_in_flight",
            "the daily schedule is running the same node for",
            listed.where(lambda unit: unit.listed is not None and unit.listed.schedule_in_flight),
        ),
    ):
        if seen:
            yield Diagnostic(
                severity=Severity.WARNING,
                code=code,
                summary=f"{summary} {seen}",
                address=str(decided.resource.address),
                place=decided.resource.place,
            )
