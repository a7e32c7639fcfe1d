"""What the store is told: who holds it, and which calls are about to be made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.model.addresses import Address
from reconciler.model.attempts import AttemptState, UnitRecord
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.runs import FoundRun
from reconciler.model.series import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: `user@host`, the process, the command, and the git commit of the project if it has one."""

    who: str
    command: str
    git_commit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write one state until it ends. `fence` grows with each holder; `id` ends it by hand."""

    id: str
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LockInfo:
    """Who holds the lock, for the message to whoever wants it. Times are aware UTC."""

    id: str
    holder: str
    since: dt.datetime
    expires: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A call about to be made, as it is recorded before anything is signed."""

    address: Address
    connection: str
    operation: str
    series: Series
    generation: int
    dates: DateRange
    call_id: str
    plan_id: str
    name: str
    serial: bool
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One line of the journal: `hash` covers `prev_hash` and everything else here but itself."""

    seq: int
    at: dt.datetime
    fence: int
    who: str
    command: str
    git_commit: str | None
    event: str
    data: dict[str, object]
    prev_hash: str
    hash: str

    @property
    def attempts(self) -> frozenset[str]:
        """The ids of the attempts it is about."""
        return attempts_named(self.data)

    @property
    def became(self) -> Mapping[str, str]:
        """How they stood after it, by id; older versions did not tell."""
        told = self.data.get("became")
        return told if isinstance(told, dict) else {}


def attempts_named(data: Mapping[str, object]) -> frozenset[str]:
    """The ids of the attempts that an entry's data names."""
    listed = data.get("attempts")
    named = listed if isinstance(listed, list) else [data.get("attempt")]
    return frozenset(one for one in named if isinstance(one, str))


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What some dates of an attempt become: `state`, each date seen as `seen`.

    `why` is a person's reason, where it is by their word; `run` is what the call made, as they pointed it
    out and we read it back.
    """

    attempt_id: str
    dates: DateSet
    state: AttemptState
    seen: UnitRecord | None = None
    why: str | None = None
    run: FoundRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An entry that no call of ours made, on top of whatever is on record for its dates.

    Either a run that was adopted (`run`), or a person's word: done (`seen`), or run it again (neither).
    """

    address: Address
    connection: str
    series: Series
    generation: int
    dates: DateRange
    state: AttemptState
    seen: UnitRecord | None = None
    run: FoundRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A person's decision on some units, recorded whole or not at all.

    `event` names it in the journal (`resolved`, `adopted`, `forgotten`, …); `data` goes there as well.
    `stopped` are dates by attempt on which its runs were stopped, whatever was seen of them meanwhile.
    """

    event: str
    units: tuple[str, ...]
    reason: str | None
    at: dt.datetime
    closings: tuple[Closing, ...] = ()
    standings: tuple[Standing, ...] = ()
    stopped: Mapping[str, DateSet] = field(default_factory=lambda: MappingProxyType({}))
    data: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
