"""Carrying out a plan under the lock, waiting for its runs, and saying what is left to a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.applying.engine import Applied, Bench, Stop, apply_plan
from reconciler.applying.gathering import Line, observe_attempts
from reconciler.applying.waiting import Watch, follow
from reconciler.model.addresses import Address
from reconciler.model.attempts import AttemptState, RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import OverBudget
from reconciler.model.events import CallUnknown, RunAdopted
from reconciler.model.plan import Decision, Plan
from reconciler.model.report import ApplyReport, Units
from reconciler.model.runs import UnitStatus
from reconciler.model.state import Lease
from reconciler.planning.history import attempts_by_subject, history
from reconciler.ports import Reporter
from reconciler.usecases.locking import locked
from reconciler.usecases.plan import PlanOptions, calls_made
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
    lines: Mapping[str, Line]
    options: ApplyOptions
    hooks: ApplyHooks


async def carry_out(plan: Plan, carrying: Carrying, moved: Mapping[str, str]) -> ApplyReport:
    """Take the lock, send what a plan asks for, and wait if asked to.

    `moved` names calls that the specs at hand no longer ask for, with the reason.

    Raises:
        OverBudget: It would exceed a connection's calls a day; nothing was sent.
        StateError: The lock could not be had or was lost, or the store failed.
    """
    applied = Applied(carrying.hooks.reporter)
    if plan.calls or plan.adoptions:
        async with lock_for(carrying) as lease:
            applied = await send_planned(plan, carrying, lease, moved)
    return await finish(plan, applied, carrying)


async def send_planned(
    plan: Plan, carrying: Carrying, lease: Lease, moved: Mapping[str, str]
) -> Applied:
    """Send what a plan asks for, under a lease.

    Raises:
        OverBudget: It would exceed a connection's calls a day; nothing was sent.
        StateError: The lock was lost, or the store failed.
    """
    _refuse_over_budget(plan, carrying)
    bench = Bench(
        store=carrying.store,
        lease=lease,
        lines=carrying.lines,
        clock=carrying.workspace.clock,
        reporter=carrying.hooks.reporter,
        stop=carrying.hooks.stop,
        at_once=carrying.options.at_once,
        spec_moved=moved,
    )
    return await apply_plan(plan, bench)


async def finish(plan: Plan, applied: Applied, carrying: Carrying) -> ApplyReport:
    """Wait if asked to, without the lock, and say how everything ended."""
    store, lines, hooks = carrying.store, carrying.lines, carrying.hooks
    covered = _covered(plan, store.snapshot())
    if applied.of(RunAdopted):
        await _observe(carrying, covered)
    finished = True
    if carrying.options.wait and not hooks.stop.is_set():
        finished = await _wait(carrying, covered)
    unknown, unhelped = _leftovers(plan, applied, store.snapshot(), covered)
    return ApplyReport(
        plan=plan,
        events=applied.events,
        unknown=unknown,
        unhelped=unhelped,
        calls=calls_made(lines),
        finished=finished,
        interrupted=hooks.stop.is_set(),
    )


def _refuse_over_budget(plan: Plan, carrying: Carrying) -> None:
    workspace, store = carrying.workspace, carrying.store
    today = workspace.clock.now().date()
    for name, line in carrying.lines.items():
        bound = workspace.project.connections[name].limits.daily_calls
        needed = plan.expected_calls(name)
        if not bound or not needed:
            continue
        used = store.calls_on(name, today) + line.provider.calls_made
        if used + needed > bound:
            raise OverBudget(
                f"connection {name} has used {used} of its {bound} API calls today (UTC); "
                f"this apply needs about {needed} more",
                hint="apply part of it with --target, go on tomorrow, or raise limits.dailyCalls",
            )


def lock_for(carrying: Carrying) -> AbstractAsyncContextManager[Lease]:
    """The lock, for as long as the context lasts."""
    return locked(
        carrying.store,
        carrying.workspace.clock,
        wait_seconds=carrying.options.lock_timeout,
        stop=carrying.hooks.stop,
    )


async def _wait(carrying: Carrying, covered: Mapping[str, DateSet]) -> bool:
    clock, timeout = carrying.workspace.clock, carrying.options.timeout
    watch = Watch(
        store=carrying.store,
        lines=carrying.lines,
        clock=clock,
        reporter=carrying.hooks.reporter,
        stop=carrying.hooks.stop,
        deadline=None if timeout is None else clock.monotonic() + timeout,
    )
    return await follow(
        watch,
        lambda attempt: bool(covered.get(attempt.subject, DateSet()) & DateSet((attempt.dates,))),
    )


async def _observe(carrying: Carrying, covered: Mapping[str, DateSet]) -> None:
    """Read runs that were just adopted, so that the record says how far they are."""
    store = carrying.store
    recorded = store.snapshot()
    fresh = [
        one
        for one in recorded.attempts
        if one.subject in covered and one.state is AttemptState.ACCEPTED and not one.coverage
    ]
    unreadable: dict[Address, Diagnostic] = {}
    at = carrying.workspace.clock.now()
    changed = await observe_attempts(fresh, recorded, carrying.lines, unreadable=unreadable)
    store.observe(changed, at=at)


def _covered(plan: Plan, recorded: RecordedState) -> dict[str, DateSet]:
    """By subject, the units the plan is about: what it decided on, whoever they ran for before."""
    by_address: dict[Address, DateSet] = defaultdict(DateSet)
    for action in plan.actions:
        if action.decision is not Decision.RELEASED:
            by_address[action.address] |= action.dates
    covered: dict[str, DateSet] = defaultdict(DateSet)
    for attempt in recorded.attempts:
        covered[attempt.subject] |= by_address[attempt.address] & DateSet((attempt.dates,))
    return {subject: dates for subject, dates in covered.items() if dates}


def _leftovers(
    plan: Plan,
    applied: Applied,
    recorded: RecordedState,
    covered: Mapping[str, DateSet],
) -> tuple[Units, Units]:
    """The units of unknown outcome, and those that did not end well, each with a word for how they are."""
    unknown: dict[tuple[Address, str], DateSet] = defaultdict(DateSet)
    unhelped: dict[tuple[Address, str], DateSet] = defaultdict(DateSet)
    for subject, attempts in attempts_by_subject(recorded).items():
        for piece, past in history(attempts).restricted(covered.get(subject, DateSet())):
            dates = DateSet((piece,))
            if past.state.unresolved and past.status is None:
                unknown[(past.address, UNKNOWN_OUTCOME)] |= dates
            elif past.gone and past.in_flight:
                unhelped[(past.address, "lost sight")] |= dates
            elif past.status in _ENDED_BADLY:
                unhelped[(past.address, _ENDED_BADLY[past.status])] |= dates
    told: dict[Address, DateSet] = defaultdict(DateSet)
    for (address, _), dates in unhelped.items():
        told[address] |= dates
    for action in plan.actions:
        held = action.dates - told[action.address]
        if action.decision is Decision.HOLD and held:
            unhelped[(action.address, "held")] |= held
    for event in applied.of(CallUnknown):
        unknown[(event.address, UNKNOWN_OUTCOME)] |= event.dates
    return dict(unknown), dict(unhelped)


#: The word for units of which nobody knows whether they run.
UNKNOWN_OUTCOME = "outcome unknown"

_ENDED_BADLY = {
    UnitStatus.FAILURE: "failed",
    UnitStatus.NOT_RUN: "not run, behind a failed date",
    UnitStatus.HOLLOW: "hollow",
    UnitStatus.STOPPED: "stopped",
}
