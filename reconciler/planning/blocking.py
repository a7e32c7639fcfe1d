"""What keeps units that are to be started from starting now, and what opens them.

The last row of the decision table: a pure step after all units are decided, since a unit may have to wait
for units of its own resource (its rollout) and of others (`requires`).
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.model.addresses import Address
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.gates import GateReading, GateRef
from reconciler.model.plan import Decision, Reason
from reconciler.model.project import Freeze
from reconciler.model.rangemap import RangeMap, both, cut, overlay
from reconciler.model.resources import Requirement, Resource
from reconciler.model.series import Subject
from reconciler.planning.batches import batches
from reconciler.planning.deciding import Verdict, starts
from reconciler.planning.ownership import Claim

#: Names of what blocks, beside addresses.
ROLLOUT, FREEZE = "rollout", "freeze"


class Standing(enum.Enum):
    """How far a unit is, for those that wait for it."""

    DONE = "done"
    FAILED = "failed"
    """It came to an end that is no success, and a person has to look."""
    BEHIND = "behind"
    """It was not run, because an earlier date of its call failed."""
    LEFT = "left"
    """It is to be started, in flight, of unknown outcome, or held before it ever ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What holds whatever the units do: the freeze in force, and how gates stand, by name.

    A gate that is not in `gates`, or on a date that was not looked at, is closed.
    """

    freeze: Freeze | None = None
    gates: Mapping[str, GateReading] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that keeps a unit from starting: its name, and in words what opens it."""

    by: str
    opens: str


_ENDED_BADLY = {Reason.FAILED, Reason.STOPPED, Reason.HOLLOW, Reason.LOST_SIGHT}


def standing(verdict: Verdict, *, hollow_unless_checked: bool = False) -> Standing:
    """How far a unit is, by what was decided on it; a success may still turn out to be hollow."""
    if verdict.decision is Decision.NONE:
        return Standing.LEFT if hollow_unless_checked else Standing.DONE
    if verdict.decision is Decision.HOLD and verdict.reason in _ENDED_BADLY:
        return Standing.FAILED
    if verdict.decision is Decision.HOLD and verdict.reason is Reason.BEHIND_FAILED:
        return Standing.BEHIND
    return Standing.LEFT


class Standings:
    """How far all units are, whichever resource owns them."""

    def __init__(
        self,
        resources: Mapping[Address, Resource],
        decided: Mapping[Address, RangeMap[Standing]],
    ) -> None:
        """Start from the standings of the units that each resource owns."""
        self.resources = resources
        self._decided = decided
        self._by_subject: dict[Subject, RangeMap[Standing]] = {}
        self._owners: dict[Subject, list[Address]] = defaultdict(list)
        for address in decided:
            self._owners[resources[address].series.subject].append(address)

    def of(self, address: Address) -> RangeMap[Standing] | None:
        """Those of a resource's desired dates; None where they are not known.

        Dates on which nothing could be decided are left out.
        """
        resource = self.resources.get(address)
        if resource is None or address not in self._decided:
            return None
        return self._on(resource.series.subject).restricted(resource.dates)

    def _on(self, subject: Subject) -> RangeMap[Standing]:
        if subject not in self._by_subject:
            self._by_subject[subject] = RangeMap.of(
                item for address in self._owners[subject] for item in self._decided[address]
            )
        return self._by_subject[subject]


def concerned(
    claims: Iterable[Claim], selected: Callable[[Address], bool]
) -> Callable[[Address], bool]:
    """The addresses that must be decided on to plan the selected ones: with those that they wait for."""
    by_address = {claim.resource.address: claim for claim in claims}
    more: set[Address] = set()
    for claim in by_address.values():
        if claim.resource.conditional and selected(claim.resource.address):
            waited_for = [claim.resource.address]
            waited_for += (one.address for one in claim.resource.requires)
            more.update(waited_for)
            more.update(
                owner
                for address in waited_for
                if address in by_address
                for owner, _ in by_address[address].shared
            )
    return lambda address: selected(address) or address in more


def blocked(
    resource: Resource,
    verdicts: RangeMap[Verdict],
    standings: Standings,
    around: Circumstances,
) -> RangeMap[Verdict]:
    """The verdicts on a resource's units, where what must not start yet is blocked."""
    starting = verdicts.where(starts)
    if not starting or not (resource.conditional or around.freeze):
        return verdicts
    found = blocks(resource, standings, around).restricted(starting)
    return verdicts.overlaid(
        RangeMap.of(
            (piece, _blocked(verdict, stack)) for piece, verdict, stack in both(verdicts, found)
        )
    )


def _blocked(verdict: Verdict, stack: tuple[Block, ...]) -> Verdict:
    return replace(
        verdict,
        decision=Decision.BLOCKED,
        detail="; ".join(filter(None, (verdict.detail, *(block.opens for block in stack)))),
        blocked_by=tuple(block.by for block in stack),
    )


def blocks(
    resource: Resource, standings: Standings, around: Circumstances
) -> RangeMap[tuple[Block, ...]]:
    """What keeps each date of a resource from starting; dates that nothing keeps are left out."""
    found: list[RangeMap[Block]] = []
    if around.freeze is not None:
        found.append(RangeMap.constant(resource.dates, Block(FREEZE, str(around.freeze))))
    found.extend(by_gate(resource, ref, around.gates.get(ref.name)) for ref in resource.gates)
    found.extend(_by_requirement(resource, one, standings) for one in resource.requires)
    if resource.rollout.in_batches:
        found.append(overlay(_by_rollout(resource, standings)))
    closed = DateSet.of(dates for one in found for dates, _ in one)
    return RangeMap.of(
        (piece, tuple(block for block in stack if block is not None))
        for piece, stack in cut(closed, found)
    )


def by_gate(resource: Resource, ref: GateRef, reading: GateReading | None) -> RangeMap[Block]:
    """On which dates of a resource a gate is closed; where it was not looked at, it is."""
    seen = DateSet() if reading is None else reading.dates
    unseen = Block(str(ref), f"{ref} was not evaluated")
    found = RangeMap.constant(resource.dates - seen, unseen)
    if reading is None:
        return found
    closed = reading.closed.restricted(resource.dates)
    return found.overlaid(closed.map(lambda why: Block(str(ref), f"{ref} is closed: {why}")))


def _by_requirement(
    resource: Resource, requirement: Requirement, standings: Standings
) -> RangeMap[Block]:
    name = str(requirement.address)
    required = standings.resources.get(requirement.address)
    seen = standings.of(requirement.address)
    if required is None or seen is None:
        opens = f"opens when {name} is done, which cannot be told now"
        return RangeMap.constant(resource.dates, Block(name, opens))
    left = required.dates - seen.where(lambda one: one is Standing.DONE)
    failed = seen.where(lambda one: one is Standing.FAILED)
    if requirement.same_date:
        stuck = failed | seen.where(lambda one: one is Standing.BEHIND)
        opens = f"opens when the same date of {name} is done"
        broken = f"{opens}, which needs a person first"
        return RangeMap.constant(resource.dates & (left - stuck), Block(name, opens)).overlaid(
            RangeMap.constant(resource.dates & stuck, Block(name, broken))
        )
    if not left:
        return RangeMap()
    word = f", {failed.count} of them failed" if failed else ""
    opens = f"opens when {name} is done: {left.count} of {required.dates.count} dates left{word}"
    return RangeMap.constant(resource.dates, Block(name, opens))


def _by_rollout(resource: Resource, standings: Standings) -> Iterator[tuple[DateRange, Block]]:
    rollout = resource.rollout
    seen = standings.of(resource.address) or RangeMap()
    closed_by: str | None = None
    failed = DateSet()
    for number, batch in enumerate(batches(resource.dates, rollout)):
        if closed_by is not None:
            yield from RangeMap.constant(batch, Block(ROLLOUT, closed_by))
            continue
        shown = seen.restricted(batch)
        failed |= shown.where(lambda one: one is Standing.FAILED)
        left = batch - shown.where(lambda one: one is not Standing.LEFT)
        undone = batch - shown.where(lambda one: one is Standing.DONE)
        if number == 0 and rollout.canary and undone:
            closed_by = f"opens when the canary {undone} has succeeded"
        elif failed.count >= rollout.stop_after_failures:
            closed_by = f"the rollout stopped: {failed} failed; repair or resolve what failed"
        elif left:
            closed_by = f"opens when the batch before is through: {left} left"
