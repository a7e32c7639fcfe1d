"""Apply a plan: adopt what was found, send what is still to be sent, in order, within bounds.

The engine walks the plan's own calls and adds none. Each address is looked at again right before its
first intent, unless the plan was just made from such a look under the same lock, and once more when that
look has aged. One call that cannot be sent never stops another.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from reconciler.applying.checking import (
    Checked,
    Known,
    Listings,
    look_again,
    moved,
    proved_absent,
)
from reconciler.applying.gates import GATE_VALID_SECONDS, GateBoard
from reconciler.applying.gathering import RunsOnRecord
from reconciler.applying.lines import Line
from reconciler.applying.protocol import Sending, confirm, send_once
from reconciler.applying.recovering import find_sent
from reconciler.concurrency import each
from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt, RecordedState
from reconciler.model.calls import WireCall
from reconciler.model.errors import OutcomeUnrecorded, ProviderError, UnitsTaken
from reconciler.model.events import (
    CallAccepted,
    CallBlocked,
    CallMoved,
    CallRefused,
    CallSending,
    CallSkipped,
    CallUnknown,
    Event,
    GateUnreadable,
    ReadFailed,
    RunAdopted,
    TagAltered,
)
from reconciler.model.gates import GateReading
from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.model.plan import Adoption, Call, Plan
from reconciler.model.runs import Discovery
from reconciler.model.seams import Clock
from reconciler.model.series import Tag
from reconciler.model.state import Intent, Lease
from reconciler.planning.blocking import FREEZE
from reconciler.planning.guards import Guards, unread_gates
from reconciler.ports import Reporter, StateStore

E = TypeVar("E")

#: A look at an address is taken again for calls that leave later than this after it.
LOOK_VALID_SECONDS = 60.0

#: A call refused for a passing reason is tried this often in one apply, each time as a new attempt.
TRIES_PER_CALL = 3

#: A signal is noticed at least this soon while sleeping.
STOP_NOTICED_SECONDS = 0.5

#: The first wait before trying again; it doubles, unless the service names its own.
FIRST_WAIT_SECONDS = 1.0

#: Whoever is to wait longer is left to the next apply: others may want the lock.
LONGEST_WAIT_SECONDS = 120.0


class Stop(Protocol):
    """Whether somebody asked us to stop."""

    def is_set(self) -> bool:
        """True from the first signal on."""
        ...


async def sleep_until(until: float, *, clock: Clock, stop: Stop) -> None:
    """Sleep until a moment of the clock's monotonic time, or shortly after being asked to stop."""
    while (left := until - clock.monotonic()) > 0 and not stop.is_set():
        await clock.sleep(min(left, STOP_NOTICED_SECONDS))


async def unless_stopped(work: Awaitable[None], *, clock: Clock, stop: Stop) -> None:
    """Wait for `work`, or give it up shortly after being asked to stop."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(sleep_until(math.inf, clock=clock, stop=stop))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        working.cancel()
        watching.cancel()


class Applied:
    """What an apply did, as the events that told of it, in the order they happened."""

    def __init__(self, reporter: Reporter) -> None:
        """Pass every event on to `reporter` as well."""
        self._reporter = reporter
        self._events: list[Event] = []
        self._told: set[Event] = set()

    def tell(self, event: Event) -> None:
        """Keep one event and report it."""
        self._events.append(event)
        self._reporter.report(event)

    def tell_once(self, event: Event) -> None:
        """Keep and report an event, unless it was told before."""
        if event not in self._told:
            self._told.add(event)
            self.tell(event)

    def of(self, kind: type[E]) -> tuple[E, ...]:
        """All events of a kind."""
        return tuple(event for event in self._events if isinstance(event, kind))

    @property
    def events(self) -> tuple[Event, ...]:
        """All of them."""
        return tuple(self._events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What the engine works with.

    `spec_moved` says why the specs at hand no longer ask for a call; `frozen`, asked before each intent,
    whether nothing may start now. `listings`, if the plan was made under this very lease, serve in place of
    an address's first look, while they are fresh. `board` is where gates are looked at; without it, they
    count as closed.
    """

    store: StateStore
    lease: Lease
    lines: Mapping[str, Line]
    clock: Clock
    stop: Stop
    at_once: int = 4
    spec_moved: Mapping[str, str] = field(default_factory=dict)
    frozen: Callable[[], bool] = lambda: False
    listings: Listings | None = None
    board: GateBoard | None = None


async def apply_plan(plan: Plan, bench: Bench, applied: Applied) -> None:
    """Carry out a plan under a lease; `applied` takes what happens. Calls that are blocked stay unsent.

    Raises:
        StateError: The store stopped taking writes (`FenceLost`: someone took over). What was sent is on
            record as sent.
    """
    recorded = bench.store.snapshot()
    for adoption in plan.adoptions:
        _adopt(plan, adoption, bench, applied, recorded)
    if plan.adoptions:
        recorded = bench.store.snapshot()
    run = _Run(plan, bench, applied, recorded)
    await each(
        [call for call in plan.calls if not call.blocked_by],
        run.one,
        at_once=bench.at_once,
        telling=OutcomeUnrecorded,
    )


def _adopt(
    plan: Plan, adoption: Adoption, bench: Bench, applied: Applied, recorded: RecordedState
) -> None:
    series = plan.series[adoption.series]
    if RunsOnRecord(recorded).cover(series, adoption.run):
        return
    bench.store.adopt(
        bench.lease,
        adoption,
        series,
        at=bench.clock.now(),
        plan_id=plan.id,
    )
    home = series.subject.home
    if adoption.run.tag is not None and home not in recorded.tags_survive:
        name = adoption.run.name or ""
        bench.store.note_tags(bench.lease, home, survives=True, name=name)
    applied.tell(
        RunAdopted(
            address=adoption.address, dates=adoption.run.dates, run_ids=adoption.run.run_ids
        )
    )


class _Run:
    """One walk over a plan's calls."""

    def __init__(
        self, plan: Plan, bench: Bench, applied: Applied, recorded: RecordedState
    ) -> None:
        self._plan = plan
        self._bench = bench
        self._applied = applied
        self._known = Known(recorded, plan.series)
        self._sent_calls = {
            attempt.call_id for attempt in recorded.attempts if not attempt.state.never_ran
        }
        self._guards = Guards(plan)
        self._listings_used: set[Address] = set()
        self._following: set[str] = set()
        self._looks: dict[Address, asyncio.Future[Checked]] = {}
        self._calls: dict[Address, list[Call]] = defaultdict(list)
        for call in plan.calls:
            if not call.blocked_by and not self._sent_before(call):
                self._calls[call.address].append(call)

    async def one(self, call: Call) -> None:
        """Check one call and send it, or say why not."""
        if self._bench.stop.is_set():
            return
        if self._sent_before(call):
            skipped = CallSkipped(address=call.address, dates=call.dates, call_id=call.id)
            self._applied.tell_once(skipped)
            await self._recover(call)
            return
        if call.id in self._bench.spec_moved:
            self._moved(call, self._bench.spec_moved[call.id])
            return
        if await self._checked(call) is not None:
            await self._send(call)

    def _tell(self, event: Event) -> None:
        self._applied.tell(event)

    def _moved(self, call: Call, why: str) -> None:
        self._tell(CallMoved(address=call.address, dates=call.dates, call_id=call.id, why=why))

    def _sent_before(self, call: Call) -> bool:
        return call.id in self._sent_calls

    async def _recover(self, call: Call) -> None:
        """Adopt the run of a call that an earlier apply left unknown, if it is listed by now."""
        line = self._bench.lines.get(call.connection)
        unclear = self._known.unclear_dates(call)
        if not unclear or line is None:
            return
        series = self._plan.series[call.series]
        found = await find_sent(call, unclear, series, self._known, line)
        if found is not None:
            _adopt(self._plan, found, self._bench, self._applied, self._known.recorded)

    async def _checked(self, call: Call) -> Checked | None:
        """A look at the call's address that lets it leave; None after saying why it must not."""
        checked = await self._look(call.address)
        if checked.problem is not None:
            self._tell(
                ReadFailed(
                    address=call.address,
                    summary=checked.problem.summary,
                    hint=checked.problem.hint,
                )
            )
            return None
        why = moved(checked, call)
        if why is not None:
            self._moved(call, why)
            return None
        return checked

    async def _look(self, address: Address) -> Checked:
        look = self._looks.get(address)
        if look is not None and look.done():
            age = self._bench.clock.monotonic() - look.result().taken_at
            look = look if age <= LOOK_VALID_SECONDS else None
        if look is None:
            look = asyncio.ensure_future(self._look_now(address))
            self._looks[address] = look
        return await asyncio.shield(look)

    async def _look_now(self, address: Address) -> Checked:
        calls = self._calls[address]
        series = self._plan.series[calls[0].series]
        checked = await look_again(
            address,
            calls,
            series,
            self._known,
            line=self._bench.lines[calls[0].connection],
            clock=self._bench.clock,
            listed=self._listed(address),
        )
        self._bench.store.observe(checked.changed, at=self._bench.clock.now())
        return checked

    def _listed(self, address: Address) -> Discovery | None:
        """The listing of an address that the plan was just made from, the first time it is asked for."""
        listings = self._bench.listings
        if listings is None or address in self._listings_used:
            return None
        self._listings_used.add(address)
        age = self._bench.clock.monotonic() - listings.taken_at
        return listings.by_address.get(address) if age <= LOOK_VALID_SECONDS else None

    async def _send(self, call: Call) -> None:
        line = self._bench.lines[call.connection]
        sending = Sending(
            store=self._bench.store,
            lease=self._bench.lease,
            provider=line.provider,
            clock=self._bench.clock,
        )
        self._tell(
            CallSending(
                address=call.address,
                dates=call.dates,
                call_id=call.id,
                operation=call.operation,
            )
        )
        wait = FIRST_WAIT_SECONDS
        for left in reversed(range(TRIES_PER_CALL)):
            # The turn may take longer than a look holds, and a look may outlast a signal or begin a freeze.
            checked = await self._cleared(call) if await self._has_turn(call, line) else None
            if checked is None or not self._may_leave(call):
                return
            try:
                self._mark_absent(call, checked)
                attempt, outcome = await send_once(sending, self._intent(call), _wire(call))
            except ProviderError as error:
                outcome = Refused(code=error.code, message=error.summary, transient=False)
                self._refused(call, outcome, retrying_in=None)
                return
            except UnitsTaken as error:
                self._moved(call, error.summary)
                return
            except OutcomeUnrecorded as error:
                self._unknown(call, f"{error.summary}; {error.hint}")
                raise
            pause = _pause(outcome, wait) if left else None
            if pause is None or not isinstance(outcome, Refused):
                await self._settle(call, sending, attempt, outcome)
                return
            self._refused(call, outcome, retrying_in=pause)
            until = self._bench.clock.monotonic() + pause
            await sleep_until(until, clock=self._bench.clock, stop=self._bench.stop)
            wait *= 2

    async def _has_turn(self, call: Call, line: Line) -> bool:
        """Wait for the call's turn; False after saying why it does not leave now."""
        turn = line.provider.take_create_turn(call.operation)
        try:
            await unless_stopped(turn, clock=self._bench.clock, stop=self._bench.stop)
        except ProviderError as error:
            refused = Refused(code=error.code, message=error.summary, transient=True)
            self._refused(call, refused, retrying_in=None)
            return False
        return self._may_leave(call)

    async def _cleared(self, call: Call) -> Checked | None:
        """A look that lets a call leave while its gates are open; None after saying why it must not."""
        if not await self._gates_open(call):
            return None
        checked = await self._checked(call)
        # The look may have taken longer than a look at a gate is good for.
        return checked if checked is not None and await self._gates_open(call) else None

    async def _gates_open(self, call: Call) -> bool:
        """Whether all gates of a call are open on all of its dates; a closed one is told."""
        wanted = self._guards.wanted(call)
        if not wanted:
            return True
        readings: Mapping[str, GateReading] = {}
        if self._bench.board is not None:
            readings = await self._bench.board.look(wanted, max_age=GATE_VALID_SECONDS)
            for item in unread_gates(self._bench.board.standings[name] for name in readings):
                gate = item.address or ""
                unread = GateUnreadable(gate=gate, summary=item.summary, hint=item.hint)
                self._applied.tell_once(unread)
        closed = self._guards.closed(call, readings)
        if closed:
            self._blocked(call, tuple(block.by for block in closed), closed[0].opens)
        return not closed

    def _blocked(self, call: Call, names: tuple[str, ...], why: str = "") -> None:
        self._tell(
            CallBlocked(
                address=call.address,
                dates=call.dates,
                call_id=call.id,
                blocked_by=names,
                why=why,
            )
        )

    def _may_leave(self, call: Call) -> bool:
        """Whether nobody asked us to stop and nothing is frozen, which is told."""
        if self._bench.stop.is_set():
            return False
        if self._bench.frozen():
            self._blocked(call, (FREEZE,))
            return False
        return True

    def _mark_absent(self, call: Call, checked: Checked) -> None:
        """Record what a call may follow, once: it is on record when the call is tried again."""
        if call.id in self._following:
            return
        for attempt_id, dates in proved_absent(checked, call)[0].items():
            self._bench.store.mark_absent(self._bench.lease, attempt_id, dates, _proof(checked))
        self._following.add(call.id)

    async def _settle(
        self, call: Call, sending: Sending, attempt: Attempt, outcome: CreateOutcome
    ) -> None:
        match outcome:
            case Accepted():
                self._known.started(self._plan.series[call.series], outcome.run_ids, call.dates)
                self._tell(
                    CallAccepted(
                        address=call.address,
                        dates=call.dates,
                        call_id=call.id,
                        run_ids=outcome.run_ids,
                        request_id=outcome.request_id,
                    ),
                )
                seen = await confirm(sending, attempt, outcome)
                if seen is not None and seen.name is not None:
                    self._compare(call, attempt, seen.name)
            case Refused():
                self._refused(call, outcome, retrying_in=None)
            case Unknown():
                self._unknown(call, outcome.cause)

    def _unknown(self, call: Call, cause: str) -> None:
        self._tell(
            CallUnknown(address=call.address, dates=call.dates, call_id=call.id, cause=cause)
        )

    def _compare(self, call: Call, attempt: Attempt, name: str) -> None:
        """Note whether the tag we gave came back; where it does not, nothing rests on tags any more."""
        tag = Tag.parse(attempt.name)
        home = self._plan.series[call.series].subject.home
        survives = Tag.parse(name) == tag
        if tag is None or self._known.tags_survive(home) is survives:
            return
        self._known.note_tags(home, survives=survives)
        self._bench.store.note_tags(self._bench.lease, home, survives=survives, name=name)
        if not survives:
            self._looks.clear()  # they believed in tags
            self._tell(
                TagAltered(
                    address=call.address,
                    dates=call.dates,
                    call_id=call.id,
                    sent=attempt.name,
                    seen=name,
                )
            )

    def _refused(self, call: Call, outcome: Refused, *, retrying_in: float | None) -> None:
        self._tell(
            CallRefused(
                address=call.address,
                dates=call.dates,
                call_id=call.id,
                code=outcome.code,
                message=outcome.message,
                request_id=outcome.request_id,
                retrying_in_seconds=retrying_in,
            )
        )

    def _intent(self, call: Call) -> Intent:
        (dates,) = call.dates
        return Intent(
            address=call.address,
            connection=call.connection,
            operation=call.operation,
            series=self._plan.series[call.series],
            generation=call.generation,
            dates=dates,
            call_id=call.id,
            plan_id=self._plan.id,
            name=call.name,
            serial=call.serial,
            created_at=self._bench.clock.now(),
        )


def _pause(outcome: CreateOutcome, otherwise: float) -> float | None:
    """Seconds until a refused call may be tried again in this apply; None if it shall not be."""
    if not isinstance(outcome, Refused) or not outcome.transient:
        return None
    pause = outcome.retry_after_seconds or otherwise
    return pause if pause <= LONGEST_WAIT_SECONDS else None


def _wire(call: Call) -> WireCall:
    return WireCall(operation=call.operation, parameters=call.parameters)


def _proof(checked: Checked) -> str:
    assert checked.listing is not None  # noqa: S101 - nothing is proved without one
    began = f"{checked.listing.began_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"a complete listing begun {began} does not show it"
