"""Looking at gates: together, once for all units they guard, and not again while a look is fresh."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.concurrency import each
from reconciler.model.dates import DateSet
from reconciler.model.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    ProviderError,
    Unauthenticated,
)
from reconciler.model.gates import Condition, Gate, GateReading, GateStanding
from reconciler.model.rangemap import RangeMap
from reconciler.model.seams import Clock
from reconciler.ports import GateKeeper

#: A call leaves at most this long after the look that showed each of its gates to be open.
GATE_VALID_SECONDS = 2.0

#: A gate that could not be read stays closed for this long without another look, for all who need it.
UNREADABLE_VALID_SECONDS = 30.0

#: A gate that could not be read for so long is no longer waited for.
GIVE_UP_AFTER_SECONDS = 3600.0

#: Where looks at several gates take longer than one is good for, the older ones are taken again, so often.
ROUNDS = 3

#: What no second look mends.
_NEEDS_A_PERSON = (Unauthenticated, Forbidden, InvalidRequest, NotFound)

#: What is asked of whom: a connection's name, and a condition.
_Question = tuple[str, Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """When a look ended, on the clock's monotonic time, and whether it failed."""

    ended_at: float
    failed: bool


_NO_LOOKS: RangeMap[_Look] = RangeMap()


class GateBoard:
    """The gates of a project, and how each stood when it was last looked at."""

    def __init__(
        self,
        gates: Mapping[str, Gate],
        keepers: Mapping[str, GateKeeper],
        clock: Clock,
        *,
        may_ask: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Nothing has been looked at yet.

        Args:
            gates: By name.
            keepers: The open connections that can be asked, by name.
            clock: For the age of a look.
            may_ask: Whether a connection's calls of the day allow one more.
        """
        self._gates = gates
        self._keepers = keepers
        self._clock = clock
        self._may_ask = may_ask
        self._standings = {name: GateStanding(gate=gate) for name, gate in gates.items()}
        # By date: looks for other dates leave one as fresh as it was.
        self._looks: dict[_Question, RangeMap[_Look]] = {}
        self._unread_since: dict[_Question, float] = {}
        # One look at a time at each, so that a system that is slow to answer keeps nobody else waiting.
        self._looking: dict[_Question, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def standings(self) -> dict[str, GateStanding]:
        """All gates by name, with what the last look showed."""
        return dict(self._standings)

    def stuck(self, name: str) -> DateSet:
        """The dates on which a gate, by its last look, opens only after a person has done something.

        One that could not be read for long is among them.
        """
        reading = self._standings[name].reading if name in self._standings else None
        if reading is None:
            return DateSet()
        since = self._unread_since.get(_question(self._gates[name]))
        if since is not None and self._clock.monotonic() - since >= GIVE_UP_AFTER_SECONDS:
            return reading.dates
        return reading.stuck

    async def look(
        self, wanted: Mapping[str, DateSet], *, max_age: float = 0.0
    ) -> dict[str, GateReading]:
        """Look at gates for some dates. One that cannot be read is closed.

        Gates that ask the same are asked once, for the dates of all of them.

        Args:
            wanted: By name of a gate, the dates for which it matters.
            max_age: A look that ended less than so many seconds ago serves again, if it held all the dates;
                it should be no older at the end, either. With 0, all of them are looked at now.

        Returns:
            What each of them shows now; a gate that nobody declares is left out.
        """
        asked: dict[_Question, DateSet] = defaultdict(DateSet)
        for name, dates in wanted.items():
            if name in self._gates:
                asked[_question(self._gates[name])] |= dates

        async def one(item: tuple[_Question, DateSet]) -> None:
            await self._look_at(*item, max_age)

        for _ in range(ROUNDS if max_age else 1):
            stale = {
                question: dates
                for question, dates in asked.items()
                if not self._is_fresh(question, dates, max_age)
            }
            await each(stale.items(), one)
        readings = {name: self._standings[name].reading for name in wanted if name in self._gates}
        return {name: reading for name, reading in readings.items() if reading is not None}

    async def _look_at(self, question: _Question, dates: DateSet, max_age: float) -> None:
        async with self._looking[question]:
            # Somebody else may have looked meanwhile.
            if not self._is_fresh(question, dates, max_age):
                self._keep(question, await self._ask(question, dates))

    def _is_fresh(self, question: _Question, dates: DateSet, max_age: float) -> bool:
        now = self._clock.monotonic()
        longest = max(max_age, UNREADABLE_VALID_SECONDS) if max_age > 0 else max_age

        def is_fresh(look: _Look) -> bool:
            return now - look.ended_at < (longest if look.failed else max_age)

        return not dates - self._looks.get(question, _NO_LOOKS).where(is_fresh)

    def _keep(self, question: _Question, reading: GateReading) -> None:
        if reading.problem is None:
            self._unread_since.pop(question, None)
        else:
            self._unread_since.setdefault(question, self._clock.monotonic())
        look = _Look(ended_at=self._clock.monotonic(), failed=reading.problem is not None)
        looks = self._looks.get(question, _NO_LOOKS)
        self._looks[question] = looks.overlaid(RangeMap.constant(reading.dates, look))
        for name, gate in self._gates.items():
            if _question(gate) == question:
                before = self._standings[name].reading
                updated = reading if before is None else before.updated(reading)
                self._standings[name] = GateStanding(gate=gate, reading=updated)

    async def _ask(self, question: _Question, dates: DateSet) -> GateReading:
        connection, condition = question
        keeper = self._keepers.get(connection)
        if keeper is None:
            problem = f"the connection {connection} cannot be asked"
            return GateReading.unreadable(dates, problem, needs_person=True)
        if not self._may_ask(connection):
            problem = f"the connection {connection} has used its API calls of today"
            return GateReading.unreadable(dates, problem)
        try:
            return await keeper.evaluate(condition, dates)
        except ProviderError as error:
            needs_person = isinstance(error, _NEEDS_A_PERSON)
            return GateReading.unreadable(dates, error.summary, needs_person=needs_person)


def _question(gate: Gate) -> _Question:
    return gate.connection, gate.condition
