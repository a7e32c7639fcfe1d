"""What an apply is to bring about: all that a project's specs ask for, or what a saved plan holds.

Both can say, by the record alone and without a call, what may start now and what is blocked; and both can
make the plan of the next round.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from reconciler.applying.checking import Listings
from reconciler.applying.gates import GateBoard
from reconciler.applying.gathering import Conditions, Discovering, Refresh, gather, services_of
from reconciler.applying.lines import Lines
from reconciler.model.addresses import Address
from reconciler.model.attempts import RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.gates import GateRef, is_gate
from reconciler.model.plan import Decision, Plan
from reconciler.model.project import Freeze
from reconciler.model.report import Units
from reconciler.model.resources import Resource
from reconciler.model.runs import Tier
from reconciler.planning.blocking import FREEZE
from reconciler.planning.deciding import starts
from reconciler.planning.guards import unread_gates
from reconciler.planning.reopening import judged_again
from reconciler.planning.situation import Situation, decide_all
from reconciler.ports import StateStore
from reconciler.usecases.plan import PlanOptions, frozen_now, make_plan
from reconciler.usecases.selection import Selection
from reconciler.usecases.spec_moves import spec_moved
from reconciler.wiring.workspace import Workspace

Dates = Mapping[Address, DateSet]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is left to start, by the record alone.

    `ready` may start now; `blocked` are units by address and what they wait for, in words. Some of them
    would be ready but for a freeze, if `thaws_at` is set: then it ends. `gated` are the dates of units that
    only gates keep, by gate; they are `hopeful` if some of them may open without a person. `doubtful` are
    units of unknown outcome whose run may yet be found.
    """

    ready: Dates
    doubtful: Dates = field(default_factory=dict)
    blocked: Units = field(default_factory=dict)
    thaws_at: dt.datetime | None = None
    gated: Mapping[str, DateSet] = field(default_factory=dict)
    hopeful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What is sent in one round, and what it was made from if that was just listed.

    `moved` says why calls must not be sent any more.
    """

    plan: Plan
    listings: Listings | None = None
    moved: Mapping[str, str] = field(default_factory=dict)


class Agenda(Protocol):
    """See the module."""

    def outlook(self, recorded: RecordedState) -> Outlook:
        """What is left to start."""
        ...

    def subjects(self) -> Mapping[Address, str]:
        """By address, the fingerprint of the subject on which its units run."""
        ...

    @property
    def board(self) -> GateBoard:
        """Where gates are looked at; an outlook is as old as the last look."""
        ...

    async def next_round(self, store: StateStore, ready: Dates) -> Round:
        """A plan that starts what is ready, and looks for what is doubtful; made under the lock."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecAgenda:
    """What the specs ask for, as they were loaded."""

    workspace: Workspace
    resources: tuple[Resource, ...]
    lines: Lines
    board: GateBoard
    selection: Selection

    def outlook(self, recorded: RecordedState) -> Outlook:
        """What is left to start."""
        freeze = frozen_now(self.workspace)
        situation = Situation(
            resources=self.resources,
            recorded=recorded,
            services=services_of(self.resources, recorded, self.lines.runs),
            selected=self.selection,
            freeze=freeze,
            gates=self.board.standings,
        )
        ready: dict[Address, DateSet] = {}
        doubtful: dict[Address, DateSet] = {}
        blocked: dict[tuple[Address, str], DateSet] = defaultdict(DateSet)
        gated = Gated(self.board)
        for decided in decide_all(situation):
            address = decided.resource.address
            if may_start := decided.dates_where(starts):
                ready[address] = may_start
            service = situation.services[(decided.resource.connection, address.kind)]
            unknown = decided.dates_where(lambda one: one.decision is Decision.UNKNOWN)
            if unknown and service.tier is not Tier.S3:
                doubtful[address] = unknown
            for piece, verdict in decided.verdicts:
                if verdict.decision is Decision.BLOCKED:
                    blocked[(address, _words(verdict.blocked_by))] |= DateSet((piece,))
                    gated.note(verdict.blocked_by, DateSet((piece,)))
        frozen = any(word == _words((FREEZE,)) for _, word in blocked)
        return Outlook(
            ready=ready,
            doubtful=doubtful,
            blocked=dict(blocked),
            thaws_at=freeze.end if freeze is not None and frozen else None,
            gated=gated.by_gate,
            hopeful=gated.hopeful,
        )

    def subjects(self) -> Mapping[Address, str]:
        """Where the units of each address run."""
        return {one.address: one.series.subject.fingerprint for one in self.resources}

    async def next_round(self, store: StateStore, ready: Dates) -> Round:
        """Plan the resources that have something to start; what is on record was just read."""
        options = PlanOptions(
            refresh=Refresh.NONE, selection=Selection(targets=tuple(map(str, sorted(ready))))
        )
        planned = await make_plan(
            self.workspace,
            self.resources,
            store.snapshot(),
            self.lines,
            options,
            board=self.board,
            only=ready,
        )
        return Round(plan=planned.plan, listings=planned.listings)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAgenda:
    """What a plan holds, whose calls may have to wait for one another."""

    workspace: Workspace
    plan: Plan
    lines: Lines
    board: GateBoard

    def outlook(self, recorded: RecordedState) -> Outlook:
        """What is left to start: calls that were never sent, as they are blocked now."""
        sent = {one.call_id for one in recorded.attempts if not one.state.never_ran}
        unclear = _unclear(recorded)
        doubtful: dict[Address, DateSet] = defaultdict(DateSet)
        ready: dict[Address, DateSet] = defaultdict(DateSet)
        blocked: dict[tuple[Address, str], DateSet] = defaultdict(DateSet)
        gated = Gated(self.board)
        situation = self._situation(recorded)
        for call in judged_again(self.plan, situation).calls:
            if call.id in unclear and call.name:
                doubtful[call.address] |= call.dates
            if call.id in sent:
                continue
            if call.blocked_by:
                blocked[(call.address, _words(call.blocked_by))] |= call.dates
                gated.note(call.blocked_by, call.dates)
            else:
                ready[call.address] |= call.dates
        frozen = any(word == _words((FREEZE,)) for _, word in blocked)
        return Outlook(
            ready=dict(ready),
            doubtful=dict(doubtful),
            blocked=dict(blocked),
            thaws_at=self._thaws_at(situation.freeze) if frozen else None,
            gated=gated.by_gate,
            hopeful=gated.hopeful,
        )

    def _thaws_at(self, freeze: Freeze | None) -> dt.datetime | None:
        """When a freeze ends, if the plan can still be applied then."""
        return freeze.end if freeze is not None and freeze.end < self.plan.expires_at else None

    def subjects(self) -> Mapping[Address, str]:
        """Where the units of the plan's addresses run, as far as the plan tells."""
        known = {call.address: self.plan.series[call.series] for call in self.plan.calls}
        known |= {one.address: self.plan.series[one.series] for one in self.plan.adoptions}
        known |= {resource.address: resource.series for resource in self.plan.desired}
        return {address: series.subject.fingerprint for address, series in known.items()}

    async def next_round(self, store: StateStore, ready: Dates) -> Round:
        """The plan's own calls that are ready, those that are to be looked for, and no others."""
        recorded = store.snapshot()
        judged = judged_again(self.plan, self._situation(recorded))
        unclear = _unclear(recorded)
        calls = [
            # What has been sent is not sent again, whatever closed meanwhile: it is looked for.
            replace(call, blocked_by=()) if call.id in unclear else call
            for call in judged.calls
            if (call.id in unclear or not call.blocked_by)
            and call.dates & ready.get(call.address, DateSet())
        ]
        following = replace(judged, calls=tuple(calls), adoptions=())
        return Round(plan=following, moved=self._moved(following))

    def _moved(self, plan: Plan) -> dict[str, str]:
        """Why calls must not be sent any more: the plan has expired, or its specs were edited."""
        if self.workspace.clock.now() >= self.plan.expires_at:
            why = f"the plan expired on {self.plan.expires_at:%Y-%m-%d %H:%M} UTC"
            return {call.id: why for call in plan.calls}
        return spec_moved(self.workspace, plan, self.lines)

    def judged(self, store: StateStore) -> Plan:
        """The plan with its calls as they are blocked by the record alone."""
        return judged_again(self.plan, self._situation(store.snapshot()))

    async def reread(self, store: StateStore) -> tuple[Plan, tuple[Diagnostic, ...]]:
        """The plan with its calls as they are blocked now, after a look at what they wait for.

        Also returns what could not be read; what waits for that is blocked.
        """
        if not self.plan.desired:
            return self.judged(store), ()
        await self.board.look(self._dates_behind_gates(store.snapshot()))
        gathered = await gather(
            self.plan.desired,
            store.snapshot(),
            self.lines,
            clock=self.workspace.clock,
            selected={resource.address for resource in self.plan.desired}.__contains__,
            discovering=Discovering.NOTHING,
            conditions=Conditions(freeze=frozen_now(self.workspace)),
        )
        store.observe(gathered.changed, at=gathered.at)
        unread = (
            *gathered.situation.unreadable.values(),
            *unread_gates(self.board.standings.values()),
        )
        situation = replace(gathered.situation, gates=self.board.standings)
        return judged_again(self.plan, situation), unread

    def _dates_behind_gates(self, recorded: RecordedState) -> dict[str, DateSet]:
        """By gate, the dates of calls that were never sent."""
        sent = {one.call_id for one in recorded.attempts if not one.state.never_ran}
        gates = {one.address: one.gates for one in self.plan.desired}
        wanted: dict[str, DateSet] = defaultdict(DateSet)
        for call in self.plan.calls:
            if call.id not in sent:
                for ref in gates.get(call.address, ()):
                    wanted[ref.name] |= call.dates
        return dict(wanted)

    def _situation(self, recorded: RecordedState) -> Situation:
        return Situation(
            resources=self.plan.desired,
            recorded=recorded,
            services=services_of(self.plan.desired, recorded, self.lines.runs),
            freeze=frozen_now(self.workspace),
            gates=self.board.standings,
        )


class Gated:
    """Units that gates keep, and nothing else.

    Attributes:
        by_gate: Their dates, by the name of each gate that keeps them.
        hopeful: Whether some of them may open without a person.
    """

    def __init__(self, board: GateBoard) -> None:
        """None yet; how the gates stand is on `board`."""
        self.by_gate: dict[str, DateSet] = defaultdict(DateSet)
        self.hopeful = False
        self._board = board

    def note(self, blocked_by: tuple[str, ...], dates: DateSet) -> None:
        """Take in some units and the names of what keeps them; others than those of gates are left out."""
        if not all(is_gate(name) for name in blocked_by):
            return
        left = dates
        for name in (GateRef.parse(one).name for one in blocked_by):
            self.by_gate[name] |= dates
            left -= self._board.stuck(name)
        self.hopeful = self.hopeful or bool(left)


def _unclear(recorded: RecordedState) -> frozenset[str]:
    """The ids of calls of which nobody knows what became of them."""
    return frozenset(one.call_id for one in recorded.attempts if one.state.unresolved)


def _words(names: tuple[str, ...]) -> str:
    return f"blocked by {', '.join(names)}"
