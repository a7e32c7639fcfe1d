"""`apply --wait`: following runs, and starting what opens, until all is done or only a person can help.

The lock is held while something is sent and not while waiting. All that matters is on record, so a wait
that is killed is taken up by the next apply.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field

from reconciler.applying.engine import Applied, sleep_until
from reconciler.applying.waiting import Follower, Waited, Watch
from reconciler.model.addresses import Address
from reconciler.model.attempts import RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Severity
from reconciler.model.errors import LockHeld
from reconciler.model.events import ReadFailed, UnitsOpened
from reconciler.model.plan import Plan
from reconciler.usecases.agendas import Agenda, Dates
from reconciler.usecases.carrying_out import Carrying, lock_for, send_planned


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
            waited = await self.follower.follow(lambda recorded: bool(self._ready(recorded)))
            if waited is Waited.CUT_SHORT:
                return False
            if waited is Waited.ENDED:
                thaws_at = self.agenda.outlook(self._recorded()).thaws_at
                if thaws_at is None:
                    return True
                await self._sleep_until(thaws_at)
            else:
                await self._start(self._ready(self._recorded()))
            if self._is_over():
                return False

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

    async def _start(self, ready: Dates) -> None:
        """Start what is ready, under the lock."""
        for address, dates in sorted(ready.items()):
            self.applied.tell(UnitsOpened(address=address, dates=dates))
        try:
            async with lock_for(self.carrying, wait_seconds=self._seconds_left()) as lease:
                plan = await self.agenda.next_plan(self.carrying.store, ready)
                self.plans.append(plan)
                self._tell_unread(plan)
                await send_planned(plan, self.carrying, lease, self.applied)
        except LockHeld:
            if not self._is_over():
                raise
        self._set_aside(ready)

    def _tell_unread(self, plan: Plan) -> None:
        for item in plan.diagnostics:
            if item.severity is Severity.ERROR and item.address is not None:
                address = Address.parse(item.address)
                self.applied.tell(
                    ReadFailed(address=address, summary=item.summary, hint=item.hint)
                )

    def _seconds_left(self) -> float:
        if self.watch.deadline is None:
            return math.inf
        return max(0.0, self.watch.deadline - self.watch.clock.monotonic())

    async def _sleep_until(self, moment: dt.datetime) -> None:
        """Sleep until an aware moment of our clock, the deadline, or a signal."""
        seconds = max(0.0, (moment - self.watch.clock.now()).total_seconds())
        until = self.watch.clock.monotonic() + min(seconds, self._seconds_left())
        await sleep_until(until, clock=self.watch.clock, stop=self.watch.stop)

    def _is_over(self) -> bool:
        return self._seconds_left() <= 0 or self.watch.stop.is_set()
