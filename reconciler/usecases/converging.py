"""`apply --wait`: following runs, and starting what opens, until all is done or only a person can help.

The lock is held while something is sent and not while waiting. All that matters is on record, so a wait
that is killed is taken up by the next apply.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from reconciler.applying.engine import Applied, sleep_until
from reconciler.applying.polling import Rhythms
from reconciler.applying.waiting import Follower, Waited, Watch
from reconciler.model.addresses import Address
from reconciler.model.attempts import RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.errors import LockHeld
from reconciler.model.events import GateChanged, UnitsOpened
from reconciler.model.gates import Gate, GateReading
from reconciler.model.plan import Plan
from reconciler.usecases.agendas import Agenda, Dates, Outlook
from reconciler.usecases.carrying_out import Carrying, lock_for, send_planned, tell_unread

#: Seconds after which a run of unknown outcome is looked for; the pause doubles with each look.
FIRST_LOOK_SECONDS = 2.0


class Looks:
    """When to look for runs of unknown outcome, while there is something else to wait for."""

    def __init__(self) -> None:
        """Nothing is in doubt yet."""
        self._doubtful: Dates = {}
        self._pause = FIRST_LOOK_SECONDS
        self._due_at = math.inf
        self._is_last = False

    def due(self, doubtful: Dates, now: float) -> float:
        """When the next look is due; never, while nothing is in doubt. New doubts are looked at soon."""
        if not doubtful:
            self._due_at = math.inf
        elif doubtful != self._doubtful:
            self._pause, self._is_last = FIRST_LOOK_SECONDS, False
            self._due_at = now + self._pause
        self._doubtful = doubtful
        return self._due_at

    def take(self, now: float) -> bool:
        """Whether a look is due now; if so, it is taken."""
        if now < self._due_at:
            return False
        self._pause *= 2
        self._due_at = now + self._pause
        return True

    def last_one(self, doubtful: Dates) -> bool:
        """Whether to look once more before nothing is waited for any longer."""
        if not doubtful or self._is_last:
            return False
        self._is_last = True
        self._due_at = -math.inf
        return True


@dataclass(frozen=True, kw_only=True)
class Convergence:
    """One wait, in rounds: follow what runs until something opens, start that, follow on.

    `tried` is what was ready before something was sent. What of it is ready still was refused, is held, or
    could not be read: it is set aside, since trying again at once would change nothing. `plans` are those
    of the rounds.
    """

    agenda: Agenda
    carrying: Carrying
    applied: Applied
    watch: Watch
    follower: Follower
    tried: Dates
    plans: list[Plan] = field(default_factory=list)
    _aside: dict[Address, DateSet] = field(default_factory=dict)
    _looks: Looks = field(default_factory=Looks)
    _rhythms: Rhythms = field(default_factory=Rhythms)
    _told_gates: set[str] = field(default_factory=set)

    async def reach(self) -> bool:
        """Wait, after what could start at once was sent.

        Returns:
            Whether all came to an end: False when asked to stop, at the deadline, or when runs could not
            be read time and again.

        Raises:
            OverBudget: A round would exceed a connection's calls a day.
            StateError: The lock was lost or could not be had, or the store failed.
        """
        self._set_aside(self.tried)
        while True:
            outlook = self.agenda.outlook(self._recorded())
            look_at = self._looks.due(outlook.doubtful, self.watch.clock.monotonic())
            waited = await self.follower.follow(
                lambda recorded: bool(self._ready(recorded)),
                wake_at=min(look_at, self._thaws_at(outlook), self._gates_due(outlook)),
            )
            if waited is Waited.CUT_SHORT:
                return False
            await self._look_at_gates(outlook)
            if waited is Waited.READY:
                await self._start()
            elif not await self._go_on():
                return True
            if self._is_over():
                return False

    async def _go_on(self) -> bool:
        """When nothing is in flight any more: whether there is something else to wait for."""
        outlook = self.agenda.outlook(self._recorded())
        if self._looks.last_one(outlook.doubtful):
            await self._sleep(FIRST_LOOK_SECONDS)
            await self._start()
            return True
        gates_due = self._gates_due(outlook) if outlook.hopeful else math.inf
        until = min(self._thaws_at(outlook), gates_due)
        if until < math.inf:
            await self._sleep(until - self.watch.clock.monotonic())
            await self._look_at_gates(outlook)
            return True
        return False

    def _gates_due(self, outlook: Outlook) -> float:
        """When to look at closed gates again; never, if none keeps anything."""
        if not outlook.gated:
            return math.inf
        self._tell_of_gates(outlook)
        now = self.watch.clock.monotonic()
        self._rhythms.keep(outlook.gated, now, least=self._least_pause())
        return self._rhythms.next_due()

    async def _look_at_gates(self, outlook: Outlook) -> None:
        """Look at the gates that are due, and tell of those that changed."""
        now, board = self.watch.clock.monotonic(), self.agenda.board
        due = {str(key) for key in self._rhythms.due(now)} & outlook.gated.keys()
        if not due:
            return
        before = board.standings
        seen = await board.look({name: outlook.gated[name] for name in due})
        self.carrying.meter.count()
        for name, reading in sorted(seen.items()):
            is_changed = before[name].reading != board.standings[name].reading
            now = self.watch.clock.monotonic()
            self._rhythms.read(name, now, changed=is_changed, least=self._least_pause())
            if is_changed:
                self.applied.tell(_gate_changed(before[name].gate, reading, outlook.gated[name]))

    def _tell_of_gates(self, outlook: Outlook) -> None:
        """Tell, once, of each gate that is waited for, so that nobody waits without knowing for what."""
        standings = self.agenda.board.standings
        for name, dates in sorted(outlook.gated.items()):
            known = name in standings and standings[name].reading
            if known and name not in self._told_gates:
                self._told_gates.add(name)
                self.applied.tell_once(_gate_changed(standings[name].gate, known, dates))

    def _least_pause(self) -> float:
        """How far looks at gates must lie apart on the connection that has the fewest calls left."""
        asked = {one.gate.connection for one in self.agenda.board.standings.values()}
        known = asked & self.carrying.meter.lines.keepers.keys()
        pauses = (self.carrying.meter.least_pause(name, len(asked)) for name in known)
        return max(pauses, default=0.0)

    def _thaws_at(self, outlook: Outlook) -> float:
        """When a freeze ends that keeps something, on the clock's monotonic time."""
        if outlook.thaws_at is None:
            return math.inf
        left = (outlook.thaws_at - self.watch.clock.now()).total_seconds()
        return self.watch.clock.monotonic() + left

    def _recorded(self) -> RecordedState:
        return self.carrying.store.snapshot()

    def _ready(self, recorded: RecordedState) -> Dates:
        """What may start and is not set aside; what was and is ready no more may be again, later."""
        ready = self.agenda.outlook(recorded).ready
        for address in tuple(self._aside):
            self._aside[address] &= ready.get(address, DateSet())
        left = {
            address: dates - self._aside.get(address, DateSet())
            for address, dates in ready.items()
        }
        return {address: dates for address, dates in left.items() if dates}

    def _set_aside(self, tried: Dates) -> None:
        for address, dates in self._ready(self._recorded()).items():
            still = dates & tried.get(address, DateSet())
            self._aside[address] = self._aside.get(address, DateSet()) | still

    async def _start(self) -> None:
        """Start what is ready, and look for what is doubtful and due, under the lock."""
        recorded = self._recorded()
        ready = self._ready(recorded)
        for address, dates in sorted(ready.items()):
            self.applied.tell(UnitsOpened(address=address, dates=dates))
        wanted = dict(ready)
        if self._looks.take(self.watch.clock.monotonic()):
            for address, dates in self.agenda.outlook(recorded).doubtful.items():
                wanted[address] = wanted.get(address, DateSet()) | dates
        if not wanted:
            return
        try:
            async with lock_for(self.carrying, wait_seconds=self._seconds_left()) as lease:
                following = await self.agenda.next_round(self.carrying.store, wanted)
                self.plans.append(following.plan)
                tell_unread(following.plan.diagnostics, self.applied)
                await send_planned(
                    following.plan,
                    self.carrying,
                    lease,
                    self.applied,
                    following.moved,
                    listings=following.listings,
                    board=self.agenda.board,
                )
        except LockHeld:
            if not self._is_over():
                raise
        self._set_aside(ready)

    def _seconds_left(self) -> float:
        if self.watch.deadline is None:
            return math.inf
        return max(0.0, self.watch.deadline - self.watch.clock.monotonic())

    async def _sleep(self, seconds: float) -> None:
        """Sleep, until the deadline or a signal at most."""
        until = self.watch.clock.monotonic() + min(max(0.0, seconds), self._seconds_left())
        await sleep_until(until, clock=self.watch.clock, stop=self.watch.stop)

    def _is_over(self) -> bool:
        return self._seconds_left() <= 0 or self.watch.stop.is_set()


def _gate_changed(gate: Gate, reading: GateReading, dates: DateSet) -> GateChanged:
    """How a gate stands now on the dates that wait for it."""
    closed = reading.closed.restricted(dates)
    why = closed.items[0][1] if closed else ""
    return GateChanged(gate=gate.address, dates=closed.dates, why=why)
