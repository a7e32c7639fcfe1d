"""What the store is told: who holds it, and which calls are about to be made."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.dates import DateRange
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
