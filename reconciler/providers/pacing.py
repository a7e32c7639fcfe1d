"""How fast we go: spacing between calls, and waits between attempts of one read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reconciler.model.seams import Clock

#: One read is sent at most this often.
READ_ATTEMPTS = 4
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 20.0


class Jitter(Protocol):
    """The part of `random.Random` that spreads retries."""

    def uniform(self, a: float, b: float, /) -> float:
        """A number from `a` to `b`."""
        ...


class Pacer:
    """Hands out turns that lie at least `1 / per_second` seconds apart; 0 means no bound."""

    def __init__(self, clock: Clock, per_second: float) -> None:
        """Give the first turn at once."""
        self._clock = clock
        self._interval = 1.0 / per_second if per_second > 0 else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next free turn. Turns are taken in the order of the calls."""
        if not self._interval:
            return
        now = self._clock.monotonic()
        mine = max(now, self._next)
        # Taken before the wait, so that whoever asks meanwhile gets the one after.
        self._next = mine + self._interval
        if mine > now:
            await self._clock.sleep(mine - now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits between the attempts of one read: full jitter under a doubling bound."""

    jitter: Jitter

    def wait_seconds(self, attempt: int, asked_seconds: float | None) -> float:
        """How long to wait after failed attempt number `attempt` (from 1).

        Args:
            attempt: Number of the attempt that failed.
            asked_seconds: What the service asked for, or None. It is waited in full, plus jitter so
                that waiting clients do not come back together, up to the longest wait.
        """
        bound = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2**attempt)
        wait = self.jitter.uniform(0.0, bound)
        return min(_LONGEST_WAIT_SECONDS, wait + (asked_seconds or 0.0))
