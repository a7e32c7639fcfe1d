"""Looking at gates: together, once for all units they guard, and not again while a look is fresh."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.concurrency import each
from reconciler.model.dates import DateSet
from reconciler.model.errors import ProviderError
from reconciler.model.gates import Condition, Gate, GateReading, GateStanding
from reconciler.model.seams import Clock
from reconciler.ports import GateKeeper

#: A call leaves at most this long after each of its gates was seen to be open.
GATE_VALID_SECONDS = 2.0


#: What is asked of whom: a connection's name, and a condition.
_Question = tuple[str, Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """The last look at a gate; it began at this moment of the clock's monotonic time."""

    began_at: float
    reading: GateReading


class GateBoard:
    """The gates of a project, and how each stood when it was last looked at."""

    def __init__(
        self, gates: Mapping[str, Gate], keepers: Mapping[str, GateKeeper], clock: Clock
    ) -> None:
        """Nothing has been looked at yet.

        Args:
            gates: By name.
            keepers: The open connections that can be asked, by name.
            clock: For the age of a look.
        """
        self._gates = gates
        self._keepers = keepers
        self._clock = clock
        self._standings = {name: GateStanding(gate=gate) for name, gate in gates.items()}
        self._looks: dict[str, _Look] = {}
        self._looking = asyncio.Lock()

    @property
    def standings(self) -> dict[str, GateStanding]:
        """All gates by name, with what the last look showed."""
        return dict(self._standings)

    async def look(
        self, wanted: Mapping[str, DateSet], *, max_age: float = 0.0
    ) -> dict[str, GateReading]:
        """Look at gates for some dates. One that cannot be read is closed.

        Gates that ask the same are asked once, for the dates of all of them.

        Args:
            wanted: By name of a gate, the dates for which it matters.
            max_age: A look that began less than so many seconds ago serves again, if it held all the dates.

        Returns:
            What each of them shows now; a gate that nobody declares is left out.
        """
        known = {name: dates for name, dates in wanted.items() if name in self._gates}
        async with self._looking:
            stale: dict[_Question, DateSet] = defaultdict(DateSet)
            for name, dates in known.items():
                if not self._is_fresh(name, dates, max_age):
                    gate = self._gates[name]
                    stale[(gate.connection, gate.condition)] |= dates
            for asked, look in await each(stale.items(), self._ask):
                self._keep(asked, look)
        readings = {name: self._standings[name].reading for name in known}
        return {name: reading for name, reading in readings.items() if reading is not None}

    def _is_fresh(self, name: str, dates: DateSet, max_age: float) -> bool:
        look = self._looks.get(name)
        if look is None or dates - look.reading.dates:
            return False
        return self._clock.monotonic() - look.began_at < max_age

    def _keep(self, asked: _Question, look: _Look) -> None:
        for name, gate in self._gates.items():
            if (gate.connection, gate.condition) == asked:
                before = self._standings[name].reading
                now = look.reading if before is None else before.updated(look.reading)
                self._looks[name] = look
                self._standings[name] = GateStanding(gate=gate, reading=now)

    async def _ask(self, item: tuple[_Question, DateSet]) -> tuple[_Question, _Look]:
        (connection, condition), dates = item
        began_at = self._clock.monotonic()
        keeper = self._keepers.get(connection)
        try:
            reading = (
                GateReading.unreadable(dates, f"the connection {connection} cannot be asked")
                if keeper is None
                else await keeper.evaluate(condition, dates)
            )
        except ProviderError as error:
            reading = GateReading.unreadable(dates, error.summary)
        return item[0], _Look(began_at=began_at, reading=reading)
