"""Recorded state: what our store says of the calls we made."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.model.addresses import Address
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.durations import Took
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.model.series import Series

#: The code of attempts that a person decided on; `message` is their reason.
BY_HAND = "by_hand"


class AttemptState(enum.Enum):
    """How far one try of a call is. Transitions: see `reconciler.state.attempts`."""

    INTENT = "intent"
    SENT = "sent"
    UNKNOWN = "unknown"
    PARTIAL = "partial"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    VOID = "void"
    ABSENT = "absent"
    SETTLED = "settled"
    """A person said what became of it; `coverage` holds their word."""
    REQUESTED = "requested"
    """No call, but a person's recorded wish that the units run again."""
    FORGOTTEN = "forgotten"
    """A person had us forget it; it stays in the store, and out of every snapshot."""

    @property
    def never_ran(self) -> bool:
        """Whether it is proved that nothing ran for it."""
        return self in {AttemptState.REFUSED, AttemptState.VOID, AttemptState.ABSENT}

    @property
    def unresolved(self) -> bool:
        """Whether something may have run that we do not know."""
        return self in {
            AttemptState.INTENT,
            AttemptState.SENT,
            AttemptState.UNKNOWN,
            AttemptState.PARTIAL,
        }


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """What was last seen of one unit: its status, and whether the service has since forgotten it."""

    status: UnitStatus
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of one call, or a run we adopted.

    `number` orders attempts by when they were sent, or put on record; tries that were split by date share
    it. `serial` says that the dates
    of the call run one after another. `coverage` holds what was seen of its dates; `run_group` is the
    provider's handle on all its runs (DataWorks: OpSeq). `took` is how long those of its dates took of
    which that was seen when they succeeded. Times are aware UTC.
    """

    id: str
    number: int
    address: Address
    connection: str
    operation: str
    subject: str
    series: str
    generation: int
    dates: DateRange
    call_id: str
    plan_id: str
    name: str
    state: AttemptState
    serial: bool = True
    adopted: bool = False
    created_at: dt.datetime
    signed_at: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    code: str | None = None
    message: str | None = None
    transient: bool = False
    request_id: str | None = None
    run_ids: tuple[str, ...] = ()
    run_group: str | None = None
    coverage: RangeMap[UnitRecord] = field(default_factory=RangeMap)
    took: Took | None = None
    stamp: str = field(default="", compare=False, repr=False)
    """What the store held when this was read; an observation made on anything else is dropped."""

    @property
    def started_by(self) -> dt.datetime:
        """The last moment, on the service's own clock, at which its run may have been made.

        `signed_at` is our clock, and the service takes what is a quarter of an hour from its own.
        """
        return self.valid_until or self.signed_at or self.created_at

    @property
    def flying(self) -> bool:
        """Whether some of its dates may still change without anybody's doing."""
        ended = self.coverage.where(lambda seen: seen.gone or not seen.status.in_flight)
        return bool(DateSet((self.dates,)) - ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedState:
    """A snapshot of the store. `lineage` is None when there is no store; attempts are ordered by number.

    `tags_survive` says, by `Subject.home`, whether a name we gave was read back whole; workspaces in which
    none was read back yet are not in it.
    """

    lineage: str | None = None
    serial: int = 0
    attempts: tuple[Attempt, ...] = ()
    series: Mapping[str, Series] = field(default_factory=lambda: MappingProxyType({}))
    tags_survive: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
