"""What a reviewer should know beside a plan's decisions: who else is at it, what time will do to it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from reconciler.model.addresses import Address
from reconciler.model.codes import Code
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.plan import Decision, Reason
from reconciler.model.project import Freeze
from reconciler.model.rangemap import sweep
from reconciler.model.resources import Resource
from reconciler.model.series import Realm
from reconciler.planning.absence import OLDEST_PROVABLE
from reconciler.planning.deciding import needs_call, starts
from reconciler.planning.situation import Decided, Situation

#: Where a node is: two resources whose calls run the same one are at the same data.
_Node = tuple[str, ...]

#: So many overlaps of one resource are told; the others are counted.
OVERLAPS_TOLD = 5

#: A node that more resources run is told of once, for all of them: their pairs are too many to look at.
CROWD = 50


def plan_warnings(
    decided: Sequence[Decided],
    situation: Situation,
    freezes: Iterable[Freeze],
    *,
    as_of: dt.datetime,
    until: dt.datetime,
    blind: bool = False,
) -> Iterator[Diagnostic]:
    """All warnings of a plan.

    Args:
        decided: What was decided, by resource.
        situation: What it was decided on.
        freezes: The project's freezes.
        as_of: The moment of the plan.
        until: When it expires.
        blind: Whether nobody was asked what ran, so that no record means nothing.
    """
    for one in decided:
        yield from _seen_in_listings(one, situation)
        yield from _forgotten_soon(one, as_of)
    yield from _overlaps(decided, situation)
    if not blind:
        yield from _unremembered(decided, situation)
    yield from _freezes_ahead(decided, freezes, as_of, until)


def _warning(resource: Resource, code: Code, summary: str, hint: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code=code,
        summary=summary,
        address=str(resource.address),
        place=resource.place,
        hint=hint,
    )


def _seen_in_listings(decided: Decided, situation: Situation) -> Iterator[Diagnostic]:
    starting = decided.dates_where(starts)
    listed = decided.facts.restricted(starting)
    discovery = situation.discoveries.get(decided.resource.address)
    unseen = discovery is not None and not discovery.possible
    found: tuple[tuple[Code, str, str, DateSet], ...] = (
        (
            "not_listed",
            "without a projectId its runs cannot be listed: only our record tells whether it ran on",
            "add projectId to its connection",
            decided.dates_where(lambda verdict: unseen and verdict.reason is Reason.MISSING),
        ),
        (
            "foreign_finished",
            "someone else already backfilled",
            "if that will do, leave these dates out with `except`",
            listed.where(lambda unit: unit.listed is not None and bool(unit.listed.foreign)),
        ),
        (
            "schedule_in_flight",
            "the daily schedule runs the same node, and has not ended, for",
            "apply later, if the two must not meet",
            listed.where(lambda unit: unit.listed is not None and unit.listed.schedule_in_flight),
        ),
    )
    for code, summary, hint, seen in found:
        if seen:
            yield _warning(decided.resource, code, f"{summary} {seen}", hint)


def _forgotten_soon(decided: Decided, as_of: dt.datetime) -> Iterator[Diagnostic]:
    """Units that have not ended and whose runs are nearly as old as services remember."""
    old = decided.facts.where(
        lambda unit: (
            unit.past is not None
            and not unit.past.gone
            and (unit.past.in_flight or unit.past.state.unresolved)
            and as_of - unit.past.sent_at >= OLDEST_PROVABLE
        )
    )
    waiting = decided.dates_where(
        lambda verdict: verdict.decision in {Decision.WAIT, Decision.UNKNOWN}
    )
    if dates := old & waiting:
        yield _warning(
            decided.resource,
            "forgotten_soon",
            f"the service is about to forget its runs, which have not ended, for {dates}",
            f"runs are kept for about 30 days, and these were sent {OLDEST_PROVABLE.days} days ago or "
            "more: see to it now how they end, or nobody can tell",
        )


def _overlaps(decided: Iterable[Decided], situation: Situation) -> Iterator[Diagnostic]:
    """Starts whose nodes another resource runs for the same dates, under another root or variant."""
    starting = {
        one.resource.address: dates for one in decided if (dates := one.dates_where(needs_call))
    }
    shared: dict[tuple[Address, Address], tuple[str, list[DateRange]]] = {}
    for node, resources in _shared_nodes(situation.resources, starting):
        if len(resources) > CROWD:
            yield from _crowd(node[-1], resources, starting)
            continue
        for stretch, stack in _stacks(resources):
            for one, other in combinations(sorted(stack, key=lambda item: item.address), 2):
                # Each pair is told once, where something starts.
                at, beside = (one, other) if one.address in starting else (other, one)
                if one.series.subject != other.series.subject:
                    shared.setdefault((at.address, beside.address), (node[-1], []))[1].append(
                        stretch
                    )
    found: dict[Address, dict[Address, tuple[str, DateSet]]] = defaultdict(dict)
    for (at_address, beside_address), (node_id, stretches) in shared.items():
        begun = starting.get(at_address, DateSet()) | starting.get(beside_address, DateSet())
        if both := DateSet.of(stretches) & begun:
            found[at_address][beside_address] = (node_id, both)
    for resource in situation.resources:
        yield from _overlaps_of(resource, found.get(resource.address, {}))


def _crowd(
    node: str, resources: Iterable[Resource], starting: Mapping[Address, DateSet]
) -> Iterator[Diagnostic]:
    """The overlaps of a node that very many run, told at the first of them that starts something."""
    subjects = {one.address: one.series.subject.fingerprint for one in resources}
    shared = DateSet.of(
        stretch
        for stretch, stack in _stacks(resources)
        if len({subjects[one.address] for one in stack}) > 1
    )
    begun = DateSet.of(dates for one in resources for dates in starting.get(one.address, ()))
    dates = shared & begun
    among = sorted((one for one in resources if one.dates & dates), key=lambda one: one.address)
    first = next((one for one in among if starting.get(one.address, DateSet()) & dates), None)
    if first is not None:
        yield _warning(
            first,
            "overlap",
            f"it is one of {len(among)} that run node {node} for the same dates: {dates}",
            "whichever runs last leaves its output: order them with `requires`, or narrow them",
        )


def _stacks(resources: Iterable[Resource]) -> Iterator[tuple[DateRange, tuple[Resource, ...]]]:
    """The dates of resources, cut wherever one begins or ends, with those that have them."""
    return sweep((stretch, one) for one in resources for stretch in one.dates)


def _overlaps_of(
    resource: Resource, found: Mapping[Address, tuple[str, DateSet]]
) -> Iterator[Diagnostic]:
    told = sorted(found.items())
    for address, (node, dates) in told[:OVERLAPS_TOLD]:
        yield _warning(
            resource,
            "overlap",
            f"{address} runs node {node} for the same dates: {dates}",
            "whichever runs last leaves its output: order them with `requires`, or narrow one of them",
        )
    if len(told) > OVERLAPS_TOLD:
        more = len(told) - OVERLAPS_TOLD
        yield _warning(
            resource,
            "overlap",
            f"{more} more resources run nodes of it for its dates",
            "look for its nodes among the targets of the other specs",
        )


def _shared_nodes(
    resources: Iterable[Resource], starting: Collection[Address]
) -> Iterator[tuple[_Node, list[Resource]]]:
    """The nodes that several subjects run, where one that starts is among them."""
    wanted = {node for one in resources if one.address in starting for node in _nodes(one)}
    found: dict[_Node, list[Resource]] = defaultdict(list)
    for resource in resources:
        for node in _nodes(resource):
            if node in wanted:
                found[node].append(resource)
    for node, users in found.items():
        if len({one.series.subject.fingerprint for one in users}) > 1:
            yield node, users


def _nodes(resource: Resource) -> Iterator[_Node]:
    subject = resource.series.subject
    where = (
        subject.realm.value,
        subject.provider,
        subject.region,
        subject.workspace,
        subject.environment,
        subject.kind.value,
    )
    for node in resource.series.include or (subject.root,):
        yield (*where, node)


def _unremembered(decided: Iterable[Decided], situation: Situation) -> Iterator[Diagnostic]:
    """Without a record, what ran before the service's memory begins looks as if it never had."""
    if situation.recorded.lineage is not None:
        return
    if any(
        one.resource.series.subject.realm is Realm.LIVE and one.dates_where(starts)
        for one in decided
    ):
        yield Diagnostic(
            severity=Severity.WARNING,
            code="no_record",
            summary="there is no state store: what ran more than about 30 days ago shows nowhere, and "
            "would run again",
            hint="if there was a store, bring it back; if these dates may have run, look before you apply",
        )


def _freezes_ahead(
    decided: Iterable[Decided], freezes: Iterable[Freeze], as_of: dt.datetime, until: dt.datetime
) -> Iterator[Diagnostic]:
    if not any(one.dates_where(needs_call) for one in decided):
        return
    for freeze in freezes:
        if as_of < freeze.start <= until:
            yield Diagnostic(
                severity=Severity.WARNING,
                code="freeze_ahead",
                summary=f"a freeze begins at {freeze.start.isoformat(timespec='minutes')}, before this "
                f"plan expires: {freeze}",
                hint="apply before it begins: what has not been sent by then waits for its end",
            )
