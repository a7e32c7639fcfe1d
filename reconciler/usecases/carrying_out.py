"""Carrying out a plan under the lock, within what its connections allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.applying.checking import Listings
from reconciler.applying.engine import Applied, Bench, Stop, apply_plan
from reconciler.applying.gates import GateBoard
from reconciler.model.addresses import Address
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.errors import OverBudget
from reconciler.model.events import GateUnreadable, ReadFailed
from reconciler.model.gates import is_gate
from reconciler.model.plan import Plan
from reconciler.model.state import Lease
from reconciler.ports import Reporter
from reconciler.usecases.locking import locked
from reconciler.usecases.metering import Meter
from reconciler.usecases.plan import PlanOptions
from reconciler.wiring.workspace import Workspace

if TYPE_CHECKING:
    from reconciler.state.store import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """What `apply` was asked for. Times are in seconds; `timeout` bounds the waiting, None is for ever."""

    planning: PlanOptions = field(default_factory=PlanOptions)
    wait: bool = False
    timeout: float | None = None
    lock_timeout: float = 0.0
    at_once: int = 4
    create_state: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyHooks:
    """What the command line lends an apply: approval of a plan, a reporter, the stop signal.

    `asks` says that `approve` may keep a person waiting, for whom no lock is held.
    """

    asks: bool
    approve: Callable[[Plan], None]
    reporter: Reporter
    stop: Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrying:
    """What a plan is carried out with."""

    workspace: Workspace
    store: SqlStore
    meter: Meter
    options: ApplyOptions
    hooks: ApplyHooks


async def send_planned(
    plan: Plan,
    carrying: Carrying,
    lease: Lease,
    applied: Applied,
    moved: Mapping[str, str] | None = None,
    *,
    listings: Listings | None = None,
    board: GateBoard,
) -> None:
    """Send what a plan asks for, under a lease; `applied` takes what happens.

    `moved` names calls that the specs at hand no longer ask for, with the reason; `listings` are those the
    plan was made from, if that was under this lease; `board` is where its gates are looked at.

    Raises:
        OverBudget: It would exceed a connection's calls a day; nothing was sent.
        StateError: The lock was lost, or the store failed.
    """
    _refuse_over_budget(plan, carrying, listings)
    policy, clock = carrying.workspace.project.policy, carrying.workspace.clock
    bench = Bench(
        store=carrying.store,
        lease=lease,
        lines=carrying.meter.lines.runs,
        clock=clock,
        stop=carrying.hooks.stop,
        at_once=carrying.options.at_once,
        spec_moved=moved or {},
        listings=listings,
        board=board,
        frozen=lambda: policy.frozen(clock.now()) is not None,
    )
    await apply_plan(plan, bench, applied)


def tell_unread(problems: Iterable[Diagnostic], applied: Applied) -> None:
    """Tell what could not be read, of which nothing was decided or sent."""
    for item in problems:
        if item.severity is not Severity.ERROR or item.address is None:
            continue
        if is_gate(item.address):
            unread = GateUnreadable(gate=item.address, summary=item.summary, hint=item.hint)
            applied.tell_once(unread)
        else:
            address = Address.parse(item.address)
            applied.tell(ReadFailed(address=address, summary=item.summary, hint=item.hint))


def _refuse_over_budget(plan: Plan, carrying: Carrying, listings: Listings | None) -> None:
    looked_at = () if listings is None else listings.by_address
    for name in carrying.meter.lines.connected:
        bound = carrying.workspace.project.connections[name].limits.daily_calls
        needed = plan.expected_calls(name, looked_at=looked_at)
        if not bound or not needed:
            continue
        used = carrying.meter.used_today(name)
        if used + needed > bound:
            raise OverBudget(
                f"connection {name} has used {used} of its {bound} API calls today (UTC); "
                f"this apply needs about {needed} more",
                hint="apply part of it with --target, go on tomorrow, or raise limits.dailyCalls",
            )


def lock_for(
    carrying: Carrying, *, wait_seconds: float | None = None
) -> AbstractAsyncContextManager[Lease]:
    """The lock, for as long as the context lasts; who has it is waited for as long as asked for."""
    return locked(
        carrying.store,
        carrying.workspace.clock,
        wait_seconds=carrying.options.lock_timeout if wait_seconds is None else wait_seconds,
        stop=carrying.hooks.stop,
    )
