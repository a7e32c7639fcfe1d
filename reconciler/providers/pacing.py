"""How fast we go: spacing between calls, adapted to what the service lets through, and waits of retries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reconciler.model.seams import Clock

#: One read is sent at most this often.
READ_ATTEMPTS = 4
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 20.0

#: A service that asks for a longer rest than this is not waited for in place.
LONGEST_REST_SECONDS = 120.0

#: A throttled rate is halved, at most once in this time and down to this many calls a second; each call
#: that passes gives back this part of the full rate.
HALVED_AT_MOST_EVERY_SECONDS = 1.0
SLOWEST_PER_SECOND = 0.1
GIVEN_BACK = 0.02

#: The full rate that is come back to where none is configured, once the service has throttled us.
UNBOUND_PER_SECOND = 20.0


class Jitter(Protocol):
    """The part of `random.Random` that spreads retries."""

    def uniform(self, a: float, b: float, /) -> float:
        """A number from `a` to `b`."""
        ...


class Pacer:
    """A token bucket of one token: turns lie at least an interval apart.

    The rate adapts (additive increase, multiplicative decrease): it is halved when the service throttles
    a call, and grows back slowly with each call that passes.
    """

    def __init__(self, clock: Clock, per_second: float) -> None:
        """Give the first turn at once; 0 a second means no bound until the service sets one."""
        self._clock = clock
        self._full = per_second
        self._rate = per_second
        self._next = 0.0
        self._halved_at = float("-inf")

    @property
    def per_second(self) -> float:
        """The rate now; 0 means no bound."""
        return self._rate

    async def turn(self) -> None:
        """Wait for the next free turn. Turns are taken in the order of the calls."""
        now = self._clock.monotonic()
        mine = max(now, self._next)
        # Taken before the wait, so that whoever asks meanwhile gets the one after.
        self._next = mine + (1.0 / self._rate if self._rate > 0 else 0.0)
        if mine > now:
            await self._clock.sleep(mine - now)

    def throttled(self, rest_seconds: float | None) -> None:
        """Slow down; and give no turn before the time is over that the service asks for."""
        now = self._clock.monotonic()
        if now - self._halved_at >= HALVED_AT_MOST_EVERY_SECONDS:
            self._halved_at = now
            before = self._rate or UNBOUND_PER_SECOND
            self._rate = max(min(SLOWEST_PER_SECOND, before), before / 2)
        rest = min(rest_seconds or 0.0, LONGEST_REST_SECONDS)
        self._next = max(self._next, now + rest)

    def passed(self) -> None:
        """Go a little faster, up to the full rate."""
        full = self._full or UNBOUND_PER_SECOND
        if self._rate > 0:
            self._rate = min(full, self._rate + GIVEN_BACK * full)
            if not self._full and self._rate >= full:
                self._rate = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits between the attempts of one read: full jitter under a doubling bound."""

    jitter: Jitter

    def wait_seconds(self, attempt: int) -> float:
        """How long to wait after failed attempt number `attempt` (from 1).

        It comes on top of what the service asks for, so that waiting clients do not come back together.
        """
        bound = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2**attempt)
        return self.jitter.uniform(0.0, bound)
