"""What a process of a history does: the product's use cases, as the command line calls them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.formats.planfile import parse_plan, plan_text
from reconciler.model.addresses import UnitRange
from reconciler.model.dates import DateRange
from reconciler.model.errors import InputError
from reconciler.model.plan import Action, Decision, Plan
from reconciler.model.report import ApplyReport
from reconciler.simulator import Simulator
from reconciler.usecases.apply import apply_project, apply_saved
from reconciler.usecases.carrying_out import ApplyHooks, ApplyOptions
from reconciler.usecases.plan import PlanOptions, plan_project
from reconciler.usecases.resolve import Resolution, Word, resolve
from reconciler.usecases.selection import Selection
from reconciler.usecases.status import project_status
from reconciler.usecases.unlock import unlock
from tests.crash.oracle import record_of, work_of
from tests.crash.simulation.processes import Staged
from tests.crash.simulation.script import Command
from tests.fakes.seams import FlagStop, ListReporter
from tests.scenario.backfilled import Work
from tests.scenario.sandbox import executed_dates


@dataclass(slots=True)
class Desk:
    """What the processes of a history share: saved plans, approvals, and the service's own word."""

    root: Path
    simulator: Simulator
    work_of: Callable[[str, int], Work]
    plans: list[str] = field(default_factory=list)
    approved: set[str] = field(default_factory=set)
    """The names of all calls of plans that were approved."""

    def carry_out(self, command: Command, workspace: Staged) -> str:
        """Run one command and say in a line how it ended.

        Raises:
            ReconcilerError: As the use case does.
        """
        match command:
            case Command.APPLY:
                return _told(apply_project(workspace, _OPTIONS, self._hooks()))
            case Command.PLAN:
                plan, _ = plan_project(workspace, PlanOptions())
                self.plans.append(plan_text(plan))
                return f"planned {_summary(plan)}"
            case Command.APPLY_SAVED:
                if not self.plans:
                    return "found no plan"
                plan = parse_plan(self.plans[-1])
                return _told(apply_saved(workspace, plan, _OPTIONS, self._hooks()))
            case Command.STATUS:
                project_status(workspace, Selection())
                return "saw how far everything is"
            case Command.UNLOCK:
                return _unlock(workspace)
            case Command.RESOLVE:
                return self._resolve(workspace)

    def _hooks(self) -> ApplyHooks:
        return ApplyHooks(
            asks=False, approve=self._approve, reporter=ListReporter(), stop=FlagStop()
        )

    def _approve(self, plan: Plan) -> None:
        self.approved.update(call.name for call in plan.calls)
        self.approved.update(call.id for call in plan.calls)

    def _resolve(self, workspace: Staged) -> str:
        """Answer whatever needs a person, and never say but the truth."""
        plan, _ = plan_project(workspace, PlanOptions())
        told = []
        for action, day in _questions(plan):
            unit = UnitRange(action.address, DateRange.day(day))
            runs = self._unrecorded_runs(self.work_of(action.address.name, day.day))
            word = Word.RUN_ID if runs else Word.NEVER_RAN
            run_id = runs[-1] if runs else None
            resolution = Resolution(units=unit, word=word, reason="I looked", run_id=run_id)
            try:
                resolve(workspace, resolution)
            except InputError as error:
                told.append(f"{unit}: {error.diagnostics[0].summary}")
            else:
                told.append(f"{unit}: {word.value}")
        return f"resolved {told}"

    def _unrecorded_runs(self, work: Work) -> list[str]:
        """The runs of some work that are not on record for it."""
        recorded = record_of(self.root)
        known = {
            run
            for one in recorded.attempts
            if work in work_of(one, recorded.series[one.series])
            for run in one.run_ids
        }
        return [
            str(run)
            for entry in self.simulator.ledger()
            for run, started in _runs(entry)
            if started == work and str(run) not in known
        ]


def _runs(entry: Mapping[str, Any]) -> Iterator[tuple[object, Work]]:
    """Each run that a create started, with its work; one run may be for several dates."""
    works, runs = executed_dates([entry]), entry["dag_ids"]
    return zip(runs if len(runs) > 1 else runs * len(works), works, strict=True)


_OPTIONS = ApplyOptions(create_state=True, lock_timeout=0.0)


def _questions(plan: Plan) -> Iterator[tuple[Action, dt.date]]:
    for action in plan.actions:
        if action.decision in {Decision.UNKNOWN, Decision.HOLD}:
            for day in action.dates.days():
                yield action, day


def _unlock(workspace: Staged) -> str:
    store = workspace.store_to_read("unlock")
    held = store.lock_info() if store is not None else None
    if store is not None:
        store.close()
    if held is None:
        return "found nothing to unlock"
    unlock(workspace, held.id, reason="it hangs")
    return f"ended the lock {held.id}"


def _summary(plan: Plan) -> dict[str, int]:
    names = ("create", "rerun", "adopt", "wait", "hold", "unknown", "none")
    counts = {name: getattr(plan.summary, name) for name in names}
    return {name: count for name, count in counts.items() if count}


def _told(report: ApplyReport) -> str:
    events = ", ".join(type(event).__name__ for event in report.events)
    return f"applied {_summary(report.plan)}: {events or 'nothing'}"
