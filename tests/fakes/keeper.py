"""A system that can be asked about gates, without a network."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.model.calls import CheckReport
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import ProviderError
from reconciler.model.gates import Condition, GateReading
from reconciler.model.rangemap import RangeMap


class FakeKeeper:
    """Gates that a test opens and closes.

    Attributes:
        closed: Why it is closed, by date or range; empty: open.
        stuck: Dates on which only a person can open it.
        problem: What every look raises, if set.
        asked: What was asked, in order: the condition and the dates.
        on_look: Called at the end of each look.
    """

    def __init__(self) -> None:
        """Open."""
        self.closed: dict[str, str] = {}
        self.stuck = DateSet()
        self.problem: ProviderError | None = None
        self.asked: list[tuple[Condition, str]] = []
        self.on_look: Callable[[], None] = lambda: None

    @property
    def calls_made(self) -> int:
        return len(self.asked)

    async def check(self) -> CheckReport:
        return CheckReport(sound=True, lines=())

    async def evaluate(self, condition: Condition, dates: DateSet) -> GateReading:
        self.asked.append((condition, str(dates)))
        if self.problem is not None:
            raise self.problem
        closed = RangeMap.of((DateRange.parse(when), why) for when, why in self.closed.items())
        reading = GateReading(
            dates=dates, closed=closed.restricted(dates), stuck=self.stuck & dates
        )
        self.on_look()
        return reading
