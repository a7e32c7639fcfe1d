"""The plan: what will be done and why, as one value that is shown, saved, reviewed and applied."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.estimates import Estimate
from reconciler.model.gates import GateStanding
from reconciler.model.resources import Resource
from reconciler.model.runs import FoundRun, Tier
from reconciler.model.series import Series


class Decision(enum.Enum):
    """What happens to a unit."""

    CREATE = "create"
    RERUN = "rerun"
    ADOPT = "adopt"
    WAIT = "wait"
    BLOCKED = "blocked"
    HOLD = "hold"
    UNKNOWN = "unknown"
    NONE = "none"
    RELEASED = "released"
    """No longer declared; informational."""
    SHARED = "shared"
    """Owned by another address that declares the same unit; informational, counted there."""


#: Decisions that send a call now.
STARTS = frozenset({Decision.CREATE, Decision.RERUN})


class Reason(enum.Enum):
    """Why; see the decision table in `reconciler.planning.deciding`."""

    MISSING = "missing"
    NEVER_STARTED = "never_started"
    FOUND = "found"
    FOREIGN_IN_FLIGHT = "foreign_in_flight"
    CANDIDATE = "candidate"
    OUTCOME_UNKNOWN = "outcome_unknown"
    IN_FLIGHT = "in_flight"
    SUCCEEDED = "succeeded"
    HOLLOW = "hollow"
    FAILED = "failed"
    BEHIND_FAILED = "behind_failed"
    STOPPED = "stopped"
    LOST_SIGHT = "lost_sight"
    REQUESTED = "requested"
    PREVIOUS_IN_FLIGHT = "previous_in_flight"
    CHANGED = "changed"
    SHARED = "shared"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that differs: a dotted path, its value before and after (None: absent)."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What a reviewer reads beside an address; it drives nothing. `owner` and `reason` may be empty."""

    address: Address
    connection: str
    environment: str
    root: str
    owner: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """The decision on some units of one address: all of them alike. `detail` is one line, maybe empty.

    `run_ids` are the runs the decision rests on, where there are any. `blocked_by` names what keeps them
    from starting: `rollout`, `freeze`, or the address that is required; `detail` says what opens it.
    """

    address: Address
    decision: Decision
    dates: DateSet
    reason: Reason
    tier: Tier
    detail: str = ""
    changes: tuple[FieldChange, ...] = ()
    run_ids: tuple[str, ...] = ()
    blocked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One create call to make: consecutive dates of one series at one generation.

    `parameters` are exactly what goes over the wire. `spec_digest` and `facts_digest` bind the call to
    what it was decided on; a call whose facts have moved is refused at apply time. `batch` is the number
    of its batch in the rollout, from 0. A call that `blocked_by` names something for is sent once all of
    its dates are open.
    """

    id: str
    address: Address
    connection: str
    operation: str
    dates: DateSet
    generation: int
    series: str
    name: str
    serial: bool
    parameters: Mapping[str, str]
    spec_digest: str
    facts_digest: str
    batch: int = 0
    blocked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """One run of ours that the store does not know, to be recorded."""

    address: Address
    connection: str
    series: str
    generation: int
    call_id: str
    run: FoundRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Units by decision; `calls` counts all calls, blocked ones included; `reads` are API calls made."""

    create: int = 0
    rerun: int = 0
    adopt: int = 0
    wait: int = 0
    blocked: int = 0
    hold: int = 0
    unknown: int = 0
    none: int = 0
    released: int = 0
    calls: int = 0
    reads: int = 0
    node_instances: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one planning run decided. `lineage` is None when there was no store.

    Actions are ordered by address, then first date; headings by address; calls as they are sent: by
    `requires`, rollout batch, date and address. `desired` holds, by address, what is asked for where some
    calls must wait, and what they wait for, so that a saved plan can be judged again without its specs.
    `series` holds each series that a call, an adoption or `desired` names; `gates` those that guard
    something, by name, with how they stood when the plan was made. `estimates` stand by address, for those
    with calls of which durations are on record; they drive nothing. Times are aware UTC.
    """

    id: str
    tool_version: str
    project: str
    lineage: str | None
    serial: int
    created_at: dt.datetime
    as_of: dt.datetime
    expires_at: dt.datetime
    summary: Summary
    actions: tuple[Action, ...]
    calls: tuple[Call, ...]
    adoptions: tuple[Adoption, ...] = ()
    series: Mapping[str, Series]
    desired: tuple[Resource, ...] = ()
    gates: tuple[GateStanding, ...] = ()
    headings: tuple[Heading, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def starts(self) -> int:
        """How many units the plan would start, blocked ones counted."""
        return self.summary.create + self.summary.rerun + self.summary.blocked

    def expected_calls(
        self, connection: str | None = None, *, looked_at: Collection[Address] = ()
    ) -> int:
        """API calls that applying it will make on a connection, or on all of them; waiting not counted.

        One look per address right before its calls, unless it was just `looked_at`, one at each gate that
        guards them, and for each call the create and its confirmation.
        """
        meant = [
            call
            for call in self.calls
            if not call.blocked_by and connection in {None, call.connection}
        ]
        looks = {call.address for call in meant} - set(looked_at)
        return 2 * len(meant) + len(looks) + self._gates_to_ask(connection)

    def _gates_to_ask(self, connection: str | None) -> int:
        """How many gates on a connection guard calls that are not blocked."""
        starting = {call.address for call in self.calls if not call.blocked_by}
        guarding = {
            ref.name for one in self.desired if one.address in starting for ref in one.gates
        }
        return sum(
            one.gate.name in guarding and connection in {None, one.gate.connection}
            for one in self.gates
        )

    @property
    def changes_anything(self) -> bool:
        """Whether applying it now would create, rerun or adopt."""
        return self.summary.create + self.summary.rerun + self.summary.adopt > 0

    @property
    def needs_person(self) -> bool:
        """Whether some unit can only be helped by a person."""
        return self.summary.hold + self.summary.unknown > 0
