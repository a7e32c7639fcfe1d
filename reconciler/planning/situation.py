"""Everything a plan is made from, and what the decision table says of it."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.model.addresses import Address, Kind
from reconciler.model.attempts import RecordedState
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.gates import GateStanding
from reconciler.model.plan import Decision
from reconciler.model.project import Freeze
from reconciler.model.rangemap import RangeMap, both
from reconciler.model.resources import Resource
from reconciler.model.runs import Discovery
from reconciler.planning.blocking import (
    Circumstances,
    Standing,
    Standings,
    blocked,
    concerned,
    standing,
)
from reconciler.planning.deciding import UnitFacts, Verdict, decide, starts
from reconciler.planning.facts import Service, rules_of, unit_facts
from reconciler.planning.history import Past, attempts_by_subject, history
from reconciler.planning.ownership import Claim, claims


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything a plan is made from.

    `recorded` already holds what was observed. `discoveries` are by address and cover what the plan may
    start. `unreadable` names addresses whose runs could not be read: nothing is decided for them.
    `selected` says which addresses the plan is about; `freeze` is in force; `gates` are those that
    resources require, by name, with how they stood.
    """

    resources: tuple[Resource, ...]
    recorded: RecordedState
    services: Mapping[tuple[str, Kind], Service]
    discoveries: Mapping[Address, Discovery] = field(default_factory=dict)
    unreadable: Mapping[Address, Diagnostic] = field(default_factory=dict)
    selected: Callable[[Address], bool] = lambda _: True
    freeze: Freeze | None = None
    gates: Mapping[str, GateStanding] = field(default_factory=dict)

    @property
    def around(self) -> Circumstances:
        """What holds whatever the units do."""
        readings = {
            name: standing.reading
            for name, standing in self.gates.items()
            if standing.reading is not None
        }
        return Circumstances(freeze=self.freeze, gates=readings)


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


def decide_all(situation: Situation) -> tuple[Decided, ...]:
    """Decide every unit of the selected resources, ordered by address; what must wait is blocked."""
    decided = _decided(situation)
    standings = _standings(situation, decided)
    return tuple(
        replace(one, verdicts=blocked(one.resource, one.verdicts, standings, situation.around))
        for one in decided
        if situation.selected(one.resource.address)
    )


def dates_behind_gates(situation: Situation) -> dict[str, DateSet]:
    """By gate, the dates of selected units that would start, or may yet, were it not for what blocks them.

    Units of unknown outcome are among them: a proof that they never ran lets them start.
    """
    wanted: dict[str, DateSet] = defaultdict(DateSet)
    for decided in _decided(situation):
        resource = decided.resource
        if resource.gates and situation.selected(resource.address):
            dates = decided.dates_where(
                lambda verdict: starts(verdict) or verdict.decision is Decision.UNKNOWN
            )
            for ref in resource.gates if dates else ():
                wanted[ref.name] |= dates
    return dict(wanted)


def standings_of(situation: Situation) -> Standings:
    """How far all units are that the selected resources hold or wait for."""
    return _standings(situation, _decided(situation))


def _standings(situation: Situation, decided: Iterable[Decided]) -> Standings:
    return Standings(
        resources={resource.address: resource for resource in situation.resources},
        decided={one.resource.address: _standing(one) for one in decided},
    )


def _standing(decided: Decided) -> RangeMap[Standing]:
    several = len(decided.resource.series.include) > 1
    return RangeMap.of(
        (
            piece,
            standing(
                verdict,
                hollow_unless_checked=several and unit.past is not None and unit.past.unchecked,
            ),
        )
        for piece, unit, verdict in explained(decided)
    )


def _decided(situation: Situation) -> tuple[Decided, ...]:
    """What the table says of each unit, as if nothing had to wait; what is waited for is decided, too."""
    claimed = claims(situation.resources)
    meant = concerned(claimed, situation.selected)
    return tuple(
        _decide_units(situation, [claim for claim in claimed if meant(claim.resource.address)])
    )


def _decide_units(situation: Situation, claimed: Iterable[Claim]) -> Iterator[Decided]:
    by_subject = attempts_by_subject(situation.recorded)
    known = {
        **situation.recorded.series,
        **{item.series.fingerprint: item.series for item in situation.resources},
    }
    pasts: dict[str, RangeMap[Past]] = {}
    for claim in claimed:
        resource = claim.resource
        if resource.address in situation.unreadable:
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
        yield Decided(claim=claim, facts=facts, verdicts=facts.map(judge))


def dates_to_discover(decided: Decided) -> DateSet:
    """The units for which the service must be asked before anything is sent, and has not been yet.

    Those that are blocked are asked for only where nothing of the whole resource is on record: it is new,
    or the record is lost, and what ran must be found whatever is in its way now.
    """
    unseen = decided.facts.where(lambda unit: unit.past is None) == decided.facts.dates
    return decided.dates_where(
        lambda verdict: (
            starts(verdict)
            or verdict.decision is Decision.UNKNOWN
            or (unseen and verdict.decision is Decision.BLOCKED)
        )
    ) & decided.facts.where(lambda unit: unit.listed is None)


def explained(decided: Decided) -> Iterator[tuple[DateRange, UnitFacts, Verdict]]:
    """Each stretch of alike units with the facts it was decided on and the verdict, ascending."""
    return both(decided.facts, decided.verdicts)
