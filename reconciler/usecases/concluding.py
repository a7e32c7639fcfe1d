"""How an apply ends: waiting if asked to, and saying what is left to a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.applying.engine import Applied
from reconciler.applying.gathering import observe_attempts
from reconciler.applying.waiting import Follower, Watch
from reconciler.model.addresses import Address
from reconciler.model.attempts import AttemptState, RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.events import CallUnknown, RunAdopted
from reconciler.model.plan import Decision, Plan, Reason
from reconciler.model.report import ApplyReport, Units
from reconciler.model.runs import UnitStatus
from reconciler.planning.history import attempts_by_subject, history
from reconciler.usecases.agendas import Agenda, Dates
from reconciler.usecases.carrying_out import Carrying
from reconciler.usecases.converging import Convergence


async def conclude(
    plan: Plan, agenda: Agenda, tried: Dates, applied: Applied, carrying: Carrying
) -> ApplyReport:
    """Wait if asked to, without the lock, and say how everything ended.

    `plan` is what was approved, and `applied` what was done of it; `tried` was ready before.

    Raises:
        OverBudget, StateError: Something that opened while waiting could not be started.
    """
    store, hooks = carrying.store, carrying.hooks
    covered = _covered(plan, store.snapshot(), agenda.subjects())
    if applied.of(RunAdopted):
        await _observe(carrying, covered)
    finished, plans = True, [plan]
    if carrying.options.wait and not hooks.stop.is_set():
        waiting = _waiting(plan, agenda, tried, applied, carrying, covered)
        finished = await waiting.reach()
        plans += waiting.plans
    recorded = store.snapshot()
    unknown, unhelped = _leftovers(plans, applied, recorded, covered)
    return ApplyReport(
        plan=plan,
        events=applied.events,
        unknown=unknown,
        unhelped=unhelped,
        blocked=agenda.outlook(recorded).blocked,
        calls=carrying.meter.lines.calls_made,
        finished=finished,
        interrupted=hooks.stop.is_set(),
    )


def _waiting(
    plan: Plan,
    agenda: Agenda,
    tried: Dates,
    applied: Applied,
    carrying: Carrying,
    covered: Mapping[str, DateSet],
) -> Convergence:
    clock, timeout = carrying.workspace.clock, carrying.options.timeout
    wanted: dict[Address, DateSet] = defaultdict(DateSet)
    for action in plan.actions:
        if action.decision in _TO_FOLLOW:
            wanted[action.address] |= action.dates
    watch = Watch(
        store=carrying.store,
        lines=carrying.meter.lines.runs,
        clock=clock,
        reporter=carrying.hooks.reporter,
        stop=carrying.hooks.stop,
        deadline=None if timeout is None else clock.monotonic() + timeout,
        wanted=wanted,
        least_pause=carrying.meter.least_pause,
        counted=carrying.meter.count,
    )
    follower = Follower(
        watch,
        lambda attempt: bool(covered.get(attempt.subject, DateSet()) & DateSet((attempt.dates,))),
    )
    return Convergence(
        agenda=agenda,
        carrying=carrying,
        applied=applied,
        watch=watch,
        follower=follower,
        tried=tried,
    )


#: What a plan does about units whose progress is counted.
_TO_FOLLOW = {
    Decision.CREATE,
    Decision.RERUN,
    Decision.ADOPT,
    Decision.WAIT,
    Decision.BLOCKED,
}


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
    changed = await observe_attempts(
        fresh, recorded, carrying.meter.lines.runs, unreadable=unreadable
    )
    store.observe(changed, at=at)


def _covered(
    plan: Plan, recorded: RecordedState, subjects: Mapping[Address, str]
) -> dict[str, DateSet]:
    """By subject, the units the plan is about: what it decided on, whoever they ran for before."""
    by_address: dict[Address, DateSet] = defaultdict(DateSet)
    for action in plan.actions:
        if action.decision is not Decision.RELEASED:
            by_address[action.address] |= action.dates
    covered: dict[str, DateSet] = defaultdict(DateSet)
    for address, dates in by_address.items():
        if address in subjects:
            covered[subjects[address]] |= dates
    for attempt in recorded.attempts:
        covered[attempt.subject] |= by_address[attempt.address] & DateSet((attempt.dates,))
    for call in plan.calls:
        covered[plan.series[call.series].subject.fingerprint] |= call.dates
    return {subject: dates for subject, dates in covered.items() if dates}


def _leftovers(
    plans: Sequence[Plan],
    applied: Applied,
    recorded: RecordedState,
    covered: Mapping[str, DateSet],
) -> tuple[Units, Units]:
    """The units of unknown outcome, and those that did not end well, each with a word for how they are."""
    unknown: dict[tuple[Address, str], DateSet] = defaultdict(DateSet)
    unhelped: dict[tuple[Address, str], DateSet] = defaultdict(DateSet)
    well: dict[Address, DateSet] = defaultdict(DateSet)
    for subject, attempts in attempts_by_subject(recorded).items():
        for piece, past in history(attempts).restricted(covered.get(subject, DateSet())):
            dates = DateSet((piece,))
            if past.state.unresolved and past.status is None:
                unknown[(past.address, UNKNOWN_OUTCOME)] |= dates
            elif past.gone and past.in_flight:
                unhelped[(past.address, "lost sight")] |= dates
            elif past.status in _ENDED_BADLY:
                unhelped[(past.address, _ENDED_BADLY[past.status])] |= dates
            elif past.status is not None:
                well[past.address] |= dates
    for address, held in tuple(_held(plans, unhelped, well)):
        unhelped[(address, "held")] |= held
    for event in applied.of(CallUnknown):
        if left := event.dates - well[event.address]:
            unknown[(event.address, UNKNOWN_OUTCOME)] |= left
    return dict(unknown), dict(unhelped)


def _held(
    plans: Iterable[Plan], unhelped: Units, well: Mapping[Address, DateSet]
) -> Iterator[tuple[Address, DateSet]]:
    """What the plans held and nothing has helped since; what is told of already is left out."""
    told: dict[Address, DateSet] = defaultdict(DateSet)
    for (address, _), dates in unhelped.items():
        told[address] |= dates
    for action in (action for plan in plans for action in plan.actions):
        if action.decision is Decision.HOLD:
            # Somebody may have repaired meanwhile what was held for how it ended.
            by_status = action.reason in _HELD_BY_STATUS
            helped = well.get(action.address, DateSet()) if by_status else DateSet()
            if held := action.dates - told[action.address] - helped:
                yield action.address, held


#: Units are held for these reasons because of how their runs ended.
_HELD_BY_STATUS = {
    Reason.FAILED,
    Reason.BEHIND_FAILED,
    Reason.STOPPED,
    Reason.HOLLOW,
    Reason.LOST_SIGHT,
}

#: The word for units of which nobody knows whether they run.
UNKNOWN_OUTCOME = "outcome unknown"

_ENDED_BADLY = {
    UnitStatus.FAILURE: "failed",
    UnitStatus.NOT_RUN: "not run, behind a failed date",
    UnitStatus.HOLLOW: "hollow",
    UnitStatus.STOPPED: "stopped",
}
