"""A throttle storm on a virtual clock: many at once, and a service that answers one read in ten."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import itertools
import random
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from reconciler.model.calls import WireCall
from reconciler.model.errors import ProviderError
from reconciler.model.outcomes import Accepted
from reconciler.model.project import Limits
from reconciler.providers.dataworks.provider import DataWorksProvider
from tests.fakes.virtual_loop import VirtualLoop
from tests.unit.providers.dataworks.support import (
    KEY,
    NOW,
    FakeIds,
    Service,
    a_connection,
    gateway_error,
    ok,
)

APPLIERS, UNITS, AT_ONCE = 16, 30, 4
STORM_SECONDS = 600.0
READ_QPS = 5.0
CREATE = "RunCycleDagNodes"


class LoopClock:
    """The clock of a virtual loop."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


class Storm(Service):
    """Throttles nine reads of ten for ten minutes; executes every create all the while.

    Each read that is asked for bears a number of its own, so that retries can be told from first calls.
    """

    def __init__(self, clock: LoopClock, hint: str | None) -> None:
        super().__init__(date=None)
        self._clock = clock
        self._hint = {} if hint is None else {"x-acs-retry-after": hint}
        self._chance = random.Random(1)  # noqa: S311 - the same storm every time
        self.reads: Counter[str] = Counter()
        self.calm_reads: Counter[str] = Counter()
        self.executed: Counter[str] = Counter()
        self.on("ListDags", self._read)
        self.on(CREATE, self._create)

    def _read(self, parameters: dict[str, str]) -> httpx.Response:
        stormy = self._clock.seconds < STORM_SECONDS
        (self.reads if stormy else self.calm_reads)[parameters["OpSeq"]] += 1
        if stormy and self._chance.random() < 0.9:
            return gateway_error(429, "Throttling.User", **self._hint)
        return httpx.Response(200, json=ok({"Dags": []}))

    def _create(self, parameters: dict[str, str]) -> httpx.Response:
        self.executed[parameters["Name"]] += 1
        return httpx.Response(200, json=ok([1]))


class Applier:
    """Does what an apply does for each unit: look, create, read back. What it cannot read it leaves."""

    def __init__(self, storm: Storm, clock: LoopClock, number: int, reads: Iterator[int]) -> None:
        self._name = f"applier {number}"
        self._left = set(range(UNITS))
        self._reads = reads
        self._provider = DataWorksProvider(
            a_connection(limits=Limits(read_qps=READ_QPS, write_qps=1)),
            clock=clock,
            ids=FakeIds(),
            environ={},
            transport=storm.transport(),
            credentials=lambda: KEY,
            jitter=random.Random(number),  # noqa: S311 - repeatable
        )

    async def apply_until_done(self) -> None:
        """One apply after another."""
        while self._left:
            units = iter(sorted(self._left))
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._work(units))
            await asyncio.sleep(60)

    async def _work(self, units: Iterator[int]) -> None:
        for unit in units:
            with contextlib.suppress(ProviderError):
                await self._start(unit)

    async def _start(self, unit: int) -> None:
        await self._read()
        await self._provider.take_create_turn(CREATE)
        wire = WireCall(operation=CREATE, parameters={"Name": f"{self._name}, unit {unit}"})
        outcome = await self._provider.create(self._provider.prepare(wire))
        assert isinstance(outcome, Accepted)
        self._left.discard(unit)
        await self._read()

    async def _read(self) -> None:
        await self._provider.api.list_dags(str(next(self._reads)), "PROD")


@pytest.mark.parametrize("hint", [None, "20000"])
def test_in_a_storm_few_calls_are_repeated_and_no_create_is(hint: str | None) -> None:
    clock = LoopClock()
    storm = Storm(clock, hint)
    numbers = itertools.count(1)

    async def all_at_once() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(APPLIERS):
                group.create_task(Applier(storm, clock, number, numbers).apply_until_done())

    loop = VirtualLoop(now=clock.monotonic, wait=clock.wait)
    try:
        loop.run_until_complete(all_at_once())
    finally:
        loop.close()
    assert clock.seconds > STORM_SECONDS
    assert sum(storm.reads.values()) <= 1.3 * len(storm.reads), "in the storm"
    assert sum(storm.calm_reads.values()) <= 1.05 * len(storm.calm_reads), "and after it"
    assert set(storm.executed.values()) == {1}
    assert len(storm.executed) == APPLIERS * UNITS
