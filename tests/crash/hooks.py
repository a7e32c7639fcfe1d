"""What a test may change in a process of its own before a command runs there: signals at named points.

The seam is the `Steps` of a workspace; the rest are settings of the product, made smaller.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.applying import engine
from reconciler.cli import options
from reconciler.cli.commands import init
from reconciler.model.steps import Steps
from reconciler.state import database, lock
from reconciler.state import engine as sqlite
from reconciler.state.head import Lock
from reconciler.usecases import locking
from reconciler.wiring.workspace import Workspace, open_workspace

#: A call that was refused for a passing reason is tried again after so long, not after a second.
IMPATIENT_SECONDS = 0.02

#: Where another process is within a transaction, it is waited for no longer than this, and PostgreSQL
#: ends its transaction after so long.
WRITER_WAITS_SECONDS = 2
IDLE_WRITER_SECONDS = 5

#: How often, and how long at most, a drowsy process sleeps at a point.
SLEEPS, SLEEP_SECONDS = 0.05, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A signal that a process sends itself at the `nth` time it reaches a point.

    Times are counted from when `after` was reached for the first time, if it is given.
    """

    point: str
    nth: int = 1
    after: str | None = None
    number: signal.Signals = signal.SIGKILL

    def __str__(self) -> str:
        after = f" after {self.after}" if self.after else ""
        return f"{self.number.name} at {self.point} number {self.nth}{after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What is different in one process.

    `heartbeat_seconds` is how often it prolongs its lease. `unlocked` lets it take the lock whoever
    holds it. `drowsy` is a seed: the process sleeps for a moment at some of its points.
    """

    strike: Strike | None = None
    heartbeat_seconds: float | None = None
    unlocked: bool = False
    drowsy: int | None = None


@dataclass(slots=True)
class Striking:
    """`Steps` that strike once."""

    strike: Strike
    seen: Counter[str] = field(default_factory=Counter)

    def reached(self, point: str) -> None:
        """Count, and strike when it is time."""
        strike = self.strike
        armed = strike.after is None or bool(self.seen[strike.after])
        if armed or point == strike.after:
            self.seen[point] += 1
        if armed and point == strike.point and self.seen[point] == strike.nth:
            os.kill(os.getpid(), strike.number)


@dataclass(slots=True)
class Drowsing:
    """`Steps` that now and then take a while."""

    chance: random.Random

    def reached(self, point: str) -> None:
        """Sleep, perhaps."""
        del point
        if self.chance.random() < SLEEPS:
            time.sleep(SLEEP_SECONDS * self.chance.random())


def install(hooks: Hooks) -> None:
    """Change this process for good; it is a test's own and ends after its command."""
    engine.FIRST_WAIT_SECONDS = IMPATIENT_SECONDS
    database.WRITER_WAITS_SECONDS = sqlite.WRITER_WAITS_SECONDS = WRITER_WAITS_SECONDS  # type: ignore[attr-defined]  # it is imported there
    database.IDLE_WRITER_SECONDS = IDLE_WRITER_SECONDS
    if hooks.heartbeat_seconds is not None:
        locking.HEARTBEAT_SECONDS = hooks.heartbeat_seconds
    if hooks.unlocked:
        lock.refuse_held = _nobody_holds_it
    if hooks.strike is not None:
        _watch(Striking(hooks.strike))
    elif hooks.drowsy is not None:
        _watch(Drowsing(random.Random(hooks.drowsy)))  # noqa: S311 - no secret


def _watch(steps: Steps) -> None:
    def watched(root: Path, environ: Mapping[str, str]) -> Workspace:
        return replace(open_workspace(root, environ), steps=steps)

    for module in (options, init):
        setattr(module, open_workspace.__name__, watched)


def _nobody_holds_it(lock: Lock, *, now: int) -> None:
    """In place of the look at who holds the lock, and until when."""
    del lock, now
