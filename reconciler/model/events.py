"""What happens during an apply, as a closed set of values: for people, logs and JSON Lines alike."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.runs import UnitStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSending:
    """A call's intent is on record and its request is about to leave."""

    address: Address
    dates: DateSet
    call_id: str
    operation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAccepted:
    """The service accepted a call and named its runs."""

    address: Address
    dates: DateSet
    call_id: str
    run_ids: tuple[str, ...]
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused:
    """The service refused a call: nothing runs for it. `retrying_in_seconds` says if it goes again."""

    address: Address
    dates: DateSet
    call_id: str
    code: str
    message: str
    request_id: str | None
    retrying_in_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallUnknown:
    """Nobody can say yet whether a call was executed; it is not sent again."""

    address: Address
    dates: DateSet
    call_id: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMoved:
    """A planned call was not sent, because what it was decided on has changed."""

    address: Address
    dates: DateSet
    call_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSkipped:
    """A planned call was sent by an earlier apply of the same plan."""

    address: Address
    dates: DateSet
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBlocked:
    """A planned call is not sent yet: `blocked_by` names what must open first; `why` may be empty."""

    address: Address
    dates: DateSet
    call_id: str
    blocked_by: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChanged:
    """How a gate stands that units wait for: closed on `dates` (none: open), for the reason `why`."""

    gate: str
    dates: DateSet
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateUnreadable:
    """A gate could not be read, so it is closed."""

    gate: str
    summary: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsOpened:
    """Units that had to wait may start now: what they waited for is done, or they are to run again."""

    address: Address
    dates: DateSet


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAdopted:
    """A run of ours that the store did not know is on record now."""

    address: Address
    dates: DateSet
    run_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagAltered:
    """A run came back under another name than we gave it: in that workspace, no tag is relied on now."""

    address: Address
    dates: DateSet
    call_id: str
    sent: str
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsChanged:
    """Units reached another status; `remaining` units of the address are still in flight."""

    address: Address
    dates: DateRange
    status: UnitStatus
    remaining: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailed:
    """Runs of an address could not be read; nothing was decided or sent for it."""

    address: Address
    summary: str
    hint: str


Event = (
    CallSending
    | CallAccepted
    | CallRefused
    | CallUnknown
    | CallMoved
    | CallSkipped
    | CallBlocked
    | GateChanged
    | GateUnreadable
    | UnitsOpened
    | RunAdopted
    | TagAltered
    | UnitsChanged
    | ReadFailed
)
