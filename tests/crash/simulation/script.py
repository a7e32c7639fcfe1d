"""A history as data: what people and processes do, one after another, and what goes wrong meanwhile.

Every part carries its own seed, so that leaving one out changes nothing in the others: that is what lets
a failing script be made small. `repr` of a script is Python that builds it again.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any

from tests.crash.mortal import At


class Brief:
    """A dataclass whose `repr` leaves out what has its usual value."""

    __slots__ = ()

    def __repr__(self) -> str:
        """As code."""
        return f"{type(self).__name__}({', '.join(_told(self))})"


def _told(value: Any) -> Iterator[str]:
    for one in fields(value):
        usual = one.default if one.default_factory is MISSING else one.default_factory()
        content = getattr(value, one.name)
        if content != usual:
            yield f"{one.name}={content!r}"


class Command(enum.Enum):
    """What one process does."""

    APPLY = "apply"
    PLAN = "plan"
    APPLY_SAVED = "apply_saved"
    STATUS = "status"
    UNLOCK = "unlock"
    RESOLVE = "resolve"

    def __repr__(self) -> str:
        """As code."""
        return f"Command.{self.name}"


class Trouble(enum.Enum):
    """What becomes of one create request."""

    LOST_REQUEST = "lost_request"
    LOST_REPLY = "lost_reply"
    LATE_REQUEST = "late_request"
    LATE_REPLY = "late_reply"
    TWICE = "twice"
    TWICE_AND_LOST_REPLY = "twice_and_lost_reply"
    NO_CONNECTION = "no_connection"
    THROTTLE = "throttle"
    HTTP = "http"
    GARBAGE = "garbage"
    RESET_MID_BODY = "reset_mid_body"

    def __repr__(self) -> str:
        """As code."""
        return f"Trouble.{self.name}"


@dataclass(frozen=True, slots=True, repr=False)
class Pause(Brief):
    """A process that stands still for so many seconds once it has reached a point."""

    at: At
    seconds: float


@dataclass(frozen=True, slots=True, repr=False)
class Process(Brief):
    """One process: when it starts, how far its clock is off, and how it ends."""

    command: Command
    starts: float = 0.0
    skew: float = 0.0
    dies: At | None = None
    pause: Pause | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Hitch(Brief):
    """Trouble for the `nth` create request (from 1) of an episode; `seconds` says how late."""

    nth: int
    trouble: Trouble
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, repr=False)
class Episode(Brief):
    """Processes at work at the same time, until the last of them has ended or died."""

    seed: int
    processes: tuple[Process, ...]
    hitches: tuple[Hitch, ...] = ()
    lost_reads: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, repr=False)
class Declare(Brief):
    """Write a spec: these days of May 2020 for a node or a flow, and nothing else of it."""

    name: str
    days: frozenset[int]


@dataclass(frozen=True, slots=True, repr=False)
class Rerun(Brief):
    """Ask for another generation of these days."""

    name: str
    days: frozenset[int]


@dataclass(frozen=True, slots=True, repr=False)
class Edit(Brief):
    """Give the runs another parameter, so that those there are count no more."""

    name: str


@dataclass(frozen=True, slots=True, repr=False)
class Remove(Brief):
    """Take a spec away."""

    name: str


@dataclass(frozen=True, slots=True, repr=False)
class Wait(Brief):
    """Nobody does anything for a while."""

    seconds: float


@dataclass(frozen=True, slots=True, repr=False)
class BackUp(Brief):
    """Copy the state store."""


@dataclass(frozen=True, slots=True, repr=False)
class Restore(Brief):
    """Put the last copy in its place, after what may still arrive has had its time."""


@dataclass(frozen=True, slots=True, repr=False)
class LoseStore(Brief):
    """Delete the state store, after what may still arrive has had its time."""


Act = Episode | Declare | Rerun | Edit | Remove | Wait | BackUp | Restore | LoseStore


@dataclass(frozen=True, slots=True, repr=False)
class Script(Brief):
    """A whole history, in a world in which a run is listed so many seconds after it was started."""

    acts: tuple[Act, ...] = ()
    listing_lag: int = 0
    markers: bool = False
    layout: str = "per-date"
