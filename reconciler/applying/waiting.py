"""Following runs to their end: one read per group of runs and look, whatever its number of dates."""

from __future__ import annotations

import enum
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.applying.engine import Stop, sleep_until
from reconciler.applying.gathering import observe_attempts
from reconciler.applying.lines import Line
from reconciler.applying.polling import Rhythms
from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt, AttemptState, RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.events import ReadFailed, UnitsChanged
from reconciler.model.rangemap import cut
from reconciler.model.seams import Clock
from reconciler.planning.history import Past, attempts_by_subject, history
from reconciler.ports import Reporter, StateStore

#: An address that could not be read so many times in a row, and for so long, is no longer waited for.
GIVE_UP_AFTER = 10
GIVE_UP_AFTER_SECONDS = 3600.0


class Waited(enum.Enum):
    """How waiting ended."""

    ENDED = "ended"
    """Nothing is in flight any more."""
    READY = "ready"
    """Something else is to be done first."""
    CUT_SHORT = "cut short"
    """Asked to stop, at the deadline, or what is in flight could not be read time and again."""


def _no_pause(_connection: str, _groups: int) -> float:
    return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What waiting works with. `deadline` is on the clock's monotonic time, or None.

    `wanted` are the units that progress is counted against, those that are followed come on top.
    `least_pause` says how many seconds must lie between two reads of a group on a connection, given how
    many groups are read there; `counted` is called after every look.
    """

    store: StateStore
    lines: Mapping[str, Line]
    clock: Clock
    reporter: Reporter
    stop: Stop
    deadline: float | None = None
    wanted: Mapping[Address, DateSet] = field(default_factory=dict)
    least_pause: Callable[[str, int], float] = _no_pause
    counted: Callable[[], None] = lambda: None


class Follower:
    """Follows runs; what it learned of their rhythm holds for as long as it lives."""

    def __init__(self, watch: Watch, concerns: Callable[[Attempt], bool]) -> None:
        """Follow all attempts that `concerns`."""
        self._watch = watch
        self._concerns = concerns
        self._rhythms = Rhythms()
        self._failures: Counter[Address] = Counter()
        self._failing_since: dict[Address, float] = {}
        self._wanted = defaultdict(DateSet, watch.wanted)

    async def follow(
        self,
        ready: Callable[[RecordedState], bool] = lambda _: False,
        *,
        wake_at: float = math.inf,
    ) -> Waited:
        """Follow until nothing is in flight, or something is `ready` to be done, or it is `wake_at`.

        What is seen is recorded look by look, so that a killed wait loses nothing. An address that cannot
        be read is tried again, but not for ever; waiting goes on for the others. `ready` is asked at the
        beginning and whenever the record has changed.
        """
        asking = True
        while True:
            recorded = self._watch.store.snapshot()
            if asking and ready(recorded):
                return Waited.READY
            meant = [one for one in in_flight(recorded) if self._concerns(one)]
            groups = self._groups(meant)
            if not groups:
                return Waited.CUT_SHORT if meant else Waited.ENDED
            self._rhythms.keep(groups, self._now, least=self._least(groups))
            await self._sleep_until(min(self._rhythms.next_due(), wake_at))
            if self._watch.stop.is_set() or self._is_late:
                return Waited.CUT_SHORT
            if self._now >= wake_at:
                return Waited.READY
            asking = await self._look(recorded, groups)

    @property
    def _now(self) -> float:
        return self._watch.clock.monotonic()

    @property
    def _is_late(self) -> bool:
        return self._watch.deadline is not None and self._now >= self._watch.deadline

    def _groups(self, meant: Iterable[Attempt]) -> dict[Hashable, list[Attempt]]:
        """What one read each shows; what is given up is left out."""
        groups: dict[Hashable, list[Attempt]] = defaultdict(list)
        for one in meant:
            self._wanted[one.address] |= DateSet((one.dates,))
            if one.connection in self._watch.lines and not self._is_given_up(one.address):
                groups[(one.connection, one.run_group or one.id)].append(one)
        return groups

    def _is_given_up(self, address: Address) -> bool:
        since = self._failing_since.get(address, self._now)
        long = self._now - since >= GIVE_UP_AFTER_SECONDS
        return long and self._failures[address] >= GIVE_UP_AFTER

    def _least(self, groups: Mapping[Hashable, list[Attempt]]) -> float:
        on = Counter(members[0].connection for members in groups.values())
        return max(self._watch.least_pause(name, count) for name, count in on.items())

    async def _look(
        self, recorded: RecordedState, groups: Mapping[Hashable, list[Attempt]]
    ) -> bool:
        """Read the groups that are due; return whether anything changed."""
        due = [key for key in self._rhythms.due(self._now) if key in groups]
        attempts = [one for key in due for one in groups[key]]
        unreadable: dict[Address, Diagnostic] = {}
        changed = await observe_attempts(
            attempts, recorded, self._watch.lines, unreadable=unreadable
        )
        self._watch.store.observe(changed, at=self._watch.clock.now())
        self._watch.counted()
        moved = {one.id for one in changed}
        least = self._least(groups)
        for key in due:
            is_moved = any(one.id in moved for one in groups[key])
            self._rhythms.read(key, self._now, changed=is_moved, least=least)
        for address in {one.address for one in attempts}:
            if address in unreadable:
                self._failures[address] += 1
                self._failing_since.setdefault(address, self._now)
            else:
                del self._failures[address]
                self._failing_since.pop(address, None)
        for address, problem in unreadable.items():
            self._watch.reporter.report(
                ReadFailed(address=address, summary=problem.summary, hint=problem.hint)
            )
        self._report(recorded, changed)
        return bool(changed)

    async def _sleep_until(self, moment: float) -> None:
        """Sleep, but no longer than the deadline, and wake up soon when asked to stop."""
        if self._watch.deadline is not None:
            moment = min(moment, self._watch.deadline)
        await sleep_until(moment, clock=self._watch.clock, stop=self._watch.stop)

    def _report(self, before: RecordedState, changed: Iterable[Attempt]) -> None:
        old = {attempt.id: attempt for attempt in before.attempts}
        new = {attempt.id: attempt for attempt in changed}
        by_subject = attempts_by_subject(before)
        for attempt in changed:
            now = history([new.get(one.id, one) for one in by_subject[attempt.subject]])
            wanted = self._wanted[attempt.address]
            left = wanted - now.where(_has_ended)
            whole = DateSet((attempt.dates,))
            earlier = old[attempt.id].coverage
            for piece, (seen_before, seen) in cut(whole, (earlier, attempt.coverage)):
                if seen is not None and (seen_before is None or seen_before.status != seen.status):
                    self._watch.reporter.report(
                        UnitsChanged(
                            address=attempt.address,
                            dates=piece,
                            status=seen.status,
                            remaining=left.count,
                            total=wanted.count,
                        )
                    )


def _has_ended(past: Past) -> bool:
    return past.status is not None and (past.gone or not past.status.in_flight)


def in_flight(recorded: RecordedState) -> tuple[Attempt, ...]:
    """The attempts that matter for at least one unit and may still change by themselves."""
    flying: set[str] = set()
    for attempts in attempts_by_subject(recorded).values():
        for _, past in history(attempts):
            known = past.state is AttemptState.ACCEPTED or past.status is not None
            if known and past.in_flight and not past.gone and past.run_ids:
                flying.add(past.attempt)
    return tuple(one for one in recorded.attempts if one.id in flying)
