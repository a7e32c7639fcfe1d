"""Build the plan: claims, facts and verdicts become actions, calls and a summary."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.model.addresses import Address, Kind
from reconciler.model.calls import WireCall
from reconciler.model.canonical import digest
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import in_order
from reconciler.model.gates import GateStanding
from reconciler.model.plan import (
    Action,
    Adoption,
    Call,
    Decision,
    Heading,
    Plan,
    Summary,
)
from reconciler.model.project import Policy
from reconciler.model.resources import Resource, Tuning
from reconciler.model.runs import FoundRun
from reconciler.model.series import Series, Subject, Tag
from reconciler.planning.actions import action_order, decided_actions, unclaimed_actions
from reconciler.planning.deciding import needs_call
from reconciler.planning.estimating import estimates
from reconciler.planning.facts import facts_digest
from reconciler.planning.grouping import call_ranges, most_per_call, units_to_start
from reconciler.planning.guards import unread_gates
from reconciler.planning.ordering import sending_order, waited_for
from reconciler.planning.policy import policy_diagnostics
from reconciler.planning.situation import Decided, Situation, decide_all
from reconciler.planning.warnings import plan_warnings

#: Length of a call id, in base32 characters.
CALL_ID_LENGTH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What a new plan is given besides its situation: identity, time, bounds and the wire.

    `run_name` is the name that a run on a connection will be given, from a tag and a spec's name; `wire`
    spells a call of a connection exactly as it will be sent; `token` gives random base32 text. With `only`,
    calls are made for these units and for no others. Where a plan is `blind`, nothing tells what ran: it
    shows what the specs ask for, and bounds on what starts are warnings.
    """

    plan_id: str
    project: str
    tool_version: str
    as_of: dt.datetime
    created_at: dt.datetime
    policy: Policy
    reads: int
    token: Callable[[int], str]
    run_name: Callable[[str, Tag, str], str]
    wire: Callable[[str, Series, DateRange, str, Tuning], WireCall]
    only: Mapping[Address, DateSet] | None = None
    blind: bool = False


def build_plan(situation: Situation, making: Making) -> Plan:
    """Make the plan of a situation."""
    decided = decide_all(situation)
    actions = [action for item in decided for action in decided_actions(item, situation)]
    calls = [call for item in decided for call in _calls(item, making)]
    adoptions = [adoption for item in decided for adoption in _adoptions(item, situation)]
    actions.extend(unclaimed_actions(situation))
    actions.sort(key=action_order)
    calls.sort(key=sending_order(situation.resources))
    desired = waited_for(decided, situation.resources)
    gates = _gates(decided, situation)
    summary = _summary(actions, calls, decided, reads=making.reads)
    series = {
        item.resource.series.fingerprint: item.resource.series
        for item in decided
        if any(needs_call(v) or v.decision is Decision.ADOPT for _, v in item.verdicts)
    }
    series |= {item.series.fingerprint: item.series for item in desired}
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
        desired=desired,
        gates=gates,
        headings=tuple(_heading(item.resource) for item in decided),
        estimates=estimates((item.resource for item in decided), calls, situation.recorded),
        diagnostics=in_order(
            (
                *situation.unreadable.values(),
                *unread_gates(gates),
                *policy_diagnostics(summary, making.policy, enforced=not making.blind),
                *plan_warnings(
                    decided,
                    situation,
                    making.policy.freezes,
                    as_of=making.as_of,
                    until=making.created_at + making.policy.plan_expiry,
                    blind=making.blind,
                ),
            )
        ),
    )


def _gates(decided: Iterable[Decided], situation: Situation) -> tuple[GateStanding, ...]:
    """The gates that guard units to start, and those that could not be read, by name."""
    names = {
        ref.name
        for one in decided
        if one.resource.gates and one.dates_where(needs_call)
        for ref in one.resource.gates
    }
    return tuple(situation.gates[name] for name in sorted(names & situation.gates.keys()))


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
        root=f"{_root_word(subject)} {subject.root}",
        owner=resource.annotations.get("owner", ""),
        reason=resource.annotations.get("reason", ""),
    )


def _root_word(subject: Subject) -> str:
    """What the root of a subject is called in its system."""
    if subject.kind is Kind.MANUAL_FLOW:
        return "flow"
    return "job" if subject.provider == "dataarts" else "root"


def _calls(decided: Decided, making: Making) -> Iterator[Call]:
    resource = decided.resource
    units = units_to_start(decided.claim, decided.verdicts)
    if making.only is not None:
        units = units.restricted(making.only.get(resource.address, DateSet()))
    for dates, start in call_ranges(
        units, most=most_per_call(resource), order=resource.rollout.order
    ):
        tag = Tag(
            series=resource.series.fingerprint,
            generation=start.generation,
            call_id=making.token(CALL_ID_LENGTH),
        )
        name = making.run_name(resource.connection, tag, resource.address.name)
        wire = making.wire(resource.connection, resource.series, dates, name, resource.tuning)
        covered = DateSet((dates,))
        yield Call(
            id=tag.call_id,
            address=resource.address,
            connection=resource.connection,
            operation=wire.operation,
            dates=covered,
            generation=start.generation,
            series=resource.series.fingerprint,
            # A manual run bears no name, unless its tag travels in a parameter.
            name=name if _carries(wire, tag) else "",
            serial=resource.tuning.parallelism == 1,
            parameters=wire.parameters,
            spec_digest=spec_digest(resource, covered),
            facts_digest=facts_digest(decided.facts, covered, call_id=tag.call_id),
            batch=start.batch,
            blocked_by=start.blocked_by,
        )


def _carries(wire: WireCall, tag: Tag) -> bool:
    """Whether a call's runs will bear our tag."""
    return any(str(tag) in value for value in wire.parameters.values())


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
    # They are recorded in this order, and what was recorded last is what counts.
    for run in sorted(listing.found, key=_made):
        if run.tag is None:
            continue
        ours = run.tag.series == resource.series.fingerprint or run.tag.call_id in unresolved
        if ours and run.dates & adopted:
            # On its other dates something newer may be on record, or they are another resource's.
            part = replace(run, coverage=run.coverage.restricted(adopted))
            yield adoption_of(resource, part, run.tag)


def _made(run: FoundRun) -> tuple[float, tuple[str, ...]]:
    created_at = run.created_at
    return (created_at.timestamp() if created_at is not None else 0.0, run.run_ids)


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


def _summary(
    actions: Iterable[Action], calls: Sequence[Call], decided: Iterable[Decided], *, reads: int
) -> Summary:
    units: Counter[Decision] = Counter()
    for action in actions:
        units[action.decision] += action.dates.count
    nodes = {item.resource.address: item.resource.series.nodes_a_date for item in decided}
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
