"""The simulator's two clocks, and the only place here that reads real time or waits for it.

- The *work clock* drives runs, listing lag and retention. It is real time, real time `N` times as
  fast, or stands still (`manual`); it goes on between processes that share a database.
- The *gateway clock* judges signatures and fills the `Date` header and `CreateTime`. It is real
  time plus everything that has been advanced; it is never multiplied.

`POST /_simulator/clock` advances both. A timestamp that a client signed at real time t counts as
signed at the gateway time that held at t, so a fresh request is always fresh, and one signed before
an advance has aged by it. Signatures carry whole seconds: one signed in the very second of an
advance counts as signed after it. That is why the control endpoint waits for the next full second
before it makes a long advance (`wait_for_advance`). A client may sign with the gateway's time as well.

All moments here are whole milliseconds since the epoch (UTC).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

RealTime = Callable[[], int]
"""Reads real time: milliseconds since the epoch."""

Sleep = Callable[[float], Awaitable[None]]
"""Waits for so many seconds of real time without blocking the event loop."""

_LONG_ADVANCE_SECONDS = (
    300  # Shorter ones cannot expire a signature of the same second by themselves.
)


def system_time() -> int:
    """Real time, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


async def system_sleep(seconds: float) -> None:
    """Wait in real time."""
    await asyncio.sleep(seconds)  # noqa: TID251 - this is the one place that may


@dataclass(frozen=True, slots=True)
class ClockSpec:
    """How the work clock runs: `rate` work seconds pass per real second; 0 is the manual clock."""

    rate: int

    @classmethod
    def parse(cls, text: str) -> ClockSpec:
        """Read `real`, `manual` or `xN` (N from 1 to 1,000,000).

        Raises:
            ValueError: Anything else.
        """
        if text == "real":
            return REAL
        if text == "manual":
            return MANUAL
        match = re.fullmatch(r"x([1-9][0-9]{0,6})", text)
        if match is None or int(match[1]) > _FASTEST:
            raise ValueError(
                f"clock {text!r} is none of: real, xN with N from 1 to {_FASTEST}, manual"
            )
        return cls(int(match[1]))

    def __str__(self) -> str:
        return {0: "manual", 1: "real"}.get(self.rate, f"x{self.rate}")


REAL = ClockSpec(1)
MANUAL = ClockSpec(0)
_FASTEST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """One `POST /_simulator/clock`: at this real moment both clocks jumped forward."""

    at_real_ms: int
    by_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The state of both clocks; a value, so that it can be stored.

    At real time `anchor_real_ms` the work clock, advances included, showed `anchor_work_ms`.
    `advanced_ms` is the sum of all advances since the beginning.
    """

    spec: ClockSpec
    anchor_real_ms: int
    anchor_work_ms: int
    advanced_ms: int = 0

    @classmethod
    def start(cls, spec: ClockSpec, real_ms: int) -> Clocks:
        """Both clocks begin at real time."""
        return cls(spec=spec, anchor_real_ms=real_ms, anchor_work_ms=real_ms)

    def work_ms(self, real_ms: int) -> int:
        """The work clock at a real time; it never shows less than at the anchor."""
        elapsed = max(0, real_ms - self.anchor_real_ms)
        return self.anchor_work_ms + elapsed * self.spec.rate

    def gateway_ms(self, real_ms: int) -> int:
        """The gateway clock at a real time that lies after every advance."""
        return real_ms + self.advanced_ms

    def run_as(self, spec: ClockSpec, real_ms: int) -> Clocks:
        """The same moments, going on at another rate."""
        work_ms = self.work_ms(real_ms)
        return replace(self, spec=spec, anchor_real_ms=real_ms, anchor_work_ms=work_ms)

    def advance(self, by_ms: int, real_ms: int) -> Clocks:
        """Move both clocks forward by `by_ms`."""
        moved = self.run_as(self.spec, real_ms)
        return replace(
            moved,
            anchor_work_ms=moved.anchor_work_ms + by_ms,
            advanced_ms=moved.advanced_ms + by_ms,
        )

    def tick(self, real_ms: int) -> Clocks:
        """Move the work clock alone, by one millisecond."""
        moved = self.run_as(self.spec, real_ms)
        return replace(moved, anchor_work_ms=moved.anchor_work_ms + 1)


def counts_as_signed_at(signed_ms: int, clocks: Clocks, advances: Iterable[Advance]) -> int:
    """The gateway time at which a signature with the timestamp `signed_ms` counts as made.

    Args:
        signed_ms: The timestamp in the request, a whole second of the client's real time.
        clocks: The clocks as they stand.
        advances: At least every advance made after `signed_ms`; others do not matter.
    """
    second = signed_ms // 1000
    later = sum(step.by_ms for step in advances if step.at_real_ms // 1000 > second)
    return clocks.gateway_ms(signed_ms) - later


def wait_for_advance(seconds: float, real_ms: int) -> float:
    """Seconds of real time to wait before an advance, so that signatures made earlier all age."""
    if seconds < _LONG_ADVANCE_SECONDS:
        return 0.0
    return (1000 - real_ms % 1000) / 1000
