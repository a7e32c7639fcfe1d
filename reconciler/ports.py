"""The seams between the core and the outside: small protocols, one adapter and one fake per seam.

`applying` and `usecases` know these; `wiring` joins them to the adapters.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from reconciler.model.addresses import Kind
from reconciler.model.attempts import Attempt, RecordedState
from reconciler.model.calls import CheckReport, Prepared, StopReport, WireCall
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.events import Event
from reconciler.model.gates import Condition, GateReading
from reconciler.model.outcomes import CreateOutcome
from reconciler.model.plan import Adoption
from reconciler.model.resources import Tuning
from reconciler.model.runs import Discovery, FoundRun, KnownRuns, NodeFailure, Observation, Tier
from reconciler.model.series import Series, Tag
from reconciler.model.state import Intent, Lease, Ruling


class Connected(Protocol):
    """One connection to one system."""

    @property
    def calls_made(self) -> int:
        """API calls sent so far through this object, creates included."""
        ...

    async def check(self) -> CheckReport:
        """One signed read."""
        ...


class GateKeeper(Connected, Protocol):
    """A connection whose system can be asked whether a condition holds."""

    async def evaluate(self, condition: Condition, dates: DateSet) -> GateReading:
        """Look whether a condition holds, for all of `dates` in as few calls as the API allows.

        Raises:
            ProviderError: It could not be read.
            InvalidRequest: The condition is one of another system.
        """
        ...


class Provider(Connected, Protocol):
    """A connection on which work runs. Reads raise `ProviderError`; creates answer with a value."""

    def tier(self, kind: Kind, *, tags_survive: bool | None = None) -> Tier:
        """How well runs of this kind can be found again.

        `tags_survive` says whether a tag was read back whole in this workspace; None before the first.
        """
        ...

    def run_name(self, tag: Tag, spec_name: str) -> str:
        """The name that a call's run will be given: the tag, and what the service allows of the rest."""
        ...

    def wire_call(self, series: Series, dates: DateRange, name: str, tuning: Tuning) -> WireCall:
        """The exact create call for these dates; no I/O."""
        ...

    def prepare(self, call: WireCall) -> Prepared:
        """Sign a create request with a nonce of its own; no network I/O for the call itself.

        Raises:
            ProviderError: No credentials.
        """
        ...

    async def take_create_turn(self, operation: str) -> None:
        """Wait until the connection's limits allow one more create; asked before its intent.

        Raises:
            ProviderError: The service failed so often that it is left alone for now.
        """
        ...

    async def create(self, prepared: Prepared) -> CreateOutcome:
        """Send it once: no retry, no redirect. Never raises for anything the network or service does.

        What was signed more than 5 s ago is not sent but refused, as a passing reason.
        """
        ...

    async def confirm(self, attempt: Attempt) -> Observation:
        """Read an accepted call's run back by id: its group handle and name."""
        ...

    async def observe(
        self, attempts: Sequence[Attempt], series: Mapping[str, Series]
    ) -> tuple[Observation, ...]:
        """Read how far attempts are, with as few calls as the API allows; one observation each."""
        ...

    async def discover(
        self, series: Series, dates: DateSet, *, known_runs: KnownRuns
    ) -> Discovery:
        """List runs on the subject of `series` for `dates`; what is in `known_runs` is looked past."""
        ...

    async def hollow_dates(self, attempt: Attempt, series: Series, dates: DateSet) -> DateSet:
        """Which of these successful dates had an included node that was only skipped."""
        ...

    async def find_run(self, series: Series, run_id: str, dates: DateSet) -> FoundRun | None:
        """Read a run by its id and make sure that it runs on the subject of `series`; None if unknown.

        `dates` are those it may be for: a service that does not tell a run's date is taken to mean them.

        Raises:
            InvalidRequest: It runs on something else.
        """
        ...

    async def stop(self, attempt: Attempt, series: Series, dates: DateSet) -> StopReport:
        """Stop what runs of an attempt on some dates, as far as the service can."""
        ...

    async def failures(
        self, attempt: Attempt, series: Series, dates: DateSet
    ) -> tuple[NodeFailure, ...]:
        """The nodes of an attempt that failed on some dates, by date; the first few with their logs."""
        ...

    async def server_time(self) -> dt.datetime:
        """The service's own clock, aware UTC: a signed read, unless an answer told it before.

        Raises:
            UnexpectedResponse: Its answers do not tell.
        """
        ...


class StateReader(Protocol):
    """The read half of the store, which is all that planning gets."""

    def snapshot(self) -> RecordedState:
        """Everything on record, as of one moment."""
        ...

    def calls_on(self, connection_name: str, day: dt.date) -> int:
        """How many API calls were counted for a connection on a day."""
        ...


class StateStore(StateReader, Protocol):
    """The whole store. What takes a `Lease` raises `FenceLost` once that lease was taken over."""

    def acquire(self) -> Lease:
        """Take the lock.

        Raises:
            LockHeld: Someone else has it.
        """
        ...

    def renew(self, lease: Lease) -> None:
        """Prolong the lease."""
        ...

    def release(self, lease: Lease) -> None:
        """Give the lock back."""
        ...

    def begin(self, lease: Lease, intent: Intent) -> Attempt:
        """Record a call about to be made.

        Raises:
            StateError: Another attempt on these units may still run, or this very call already went out.
        """
        ...

    def mark_sent(self, lease: Lease, attempt_id: str, prepared: Prepared) -> None:
        """Record, durably, that a signed request is about to leave.

        Raises:
            StateError: The intent was voided meanwhile: the request must be dropped.
        """
        ...

    def settle(self, lease: Lease, attempt_id: str, outcome: CreateOutcome) -> None:
        """Record what became of a call."""
        ...

    def adopt(
        self, lease: Lease, adoption: Adoption, of_series: Series, *, at: dt.datetime, plan_id: str
    ) -> None:
        """Record a run of ours that was found."""
        ...

    def mark_absent(self, lease: Lease, attempt_id: str, dates: DateSet, proof: str) -> None:
        """Record that a call of unknown outcome is proved not to have run on some of its dates."""
        ...

    def rule(self, lease: Lease, ruling: Ruling) -> None:
        """Record what a person decided, all of it or nothing."""
        ...

    def note_tags(self, lease: Lease, home: str, *, survives: bool, name: str) -> None:
        """Record whether a name of ours was read back whole in a workspace (`Subject.home`)."""
        ...

    def observe(self, attempts: Iterable[Attempt], *, at: dt.datetime) -> None:
        """Record how far attempts are; the serial does not move."""
        ...

    def count_calls(self, connection_name: str, day: dt.date, calls: int) -> None:
        """Add to a connection's count of API calls on a day."""
        ...


class Reporter(Protocol):
    """Where events of an apply go."""

    def report(self, event: Event) -> None:
        """Take one event; must not block for long and must not raise."""
        ...
