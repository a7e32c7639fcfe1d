"""A clock that does not wait: hours of polling pass in milliseconds, in the order they would."""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
import itertools

from tests.builders import NOON

#: How often every other task may run before the clock believes that all of them are asleep.
SETTLING_TURNS = 60


class VirtualClock:
    """A `Clock` that jumps to the next sleeper as soon as nothing else can run.

    Time stands still while anybody works, so what happens at one moment happens at exactly that moment.
    It knows nothing of real I/O: a task that waits for a socket or a process looks idle to it.
    """

    def __init__(self, start: dt.datetime = NOON) -> None:
        """Begin at `start`, aware UTC; the monotonic time begins at zero."""
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int]] = []
        self._order = itertools.count()
        self._changes = 0

    def now(self) -> dt.datetime:
        """This moment, aware UTC."""
        return self._start + dt.timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Let time pass while the caller is at work, as a slow disk does."""
        self._elapsed += seconds
        self._changes += 1

    async def sleep(self, seconds: float) -> None:
        """Wait until all earlier sleepers woke up and nothing but sleep is left to do."""
        await asyncio.sleep(0)
        sleeper = (self._elapsed + seconds, next(self._order))
        heapq.heappush(self._sleepers, sleeper)
        self._changes += 1
        try:
            await self._until(sleeper)
        finally:
            self._sleepers.remove(sleeper)
            heapq.heapify(self._sleepers)
            self._changes += 1

    async def _until(self, sleeper: tuple[float, int]) -> None:
        wake = sleeper[0]
        while self._elapsed < wake:
            before = self._changes
            for _ in range(SETTLING_TURNS):
                await asyncio.sleep(0)
            if self._changes == before and self._sleepers[0] == sleeper:
                self._elapsed = max(self._elapsed, wake)
                self._changes += 1
