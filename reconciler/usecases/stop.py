"""Stop: end runs of ours that are in flight, as far as the service lets us."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.applying.gathering import Discovering
from reconciler.model.addresses import UnitRange
from reconciler.model.attempts import Attempt
from reconciler.model.calls import StopReport
from reconciler.model.dates import DateSet
from reconciler.model.errors import InputError
from reconciler.model.state import Ruling
from reconciler.usecases.deciding_by_hand import Desk, Unit, at_desk, look_at, problem
from reconciler.wiring.workspace import Workspace

_NOTHING = "`reconciler status` shows what is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """What somebody wants stopped, and why."""

    units: UnitRange
    reason: str


def stop(workspace: Workspace, stopping: Stopping) -> StopReport:
    """Stop what is in flight on some units.

    Who asked and why is on record before anything is stopped.

    Returns:
        What was stopped, and what goes on.

    Raises:
        InputError: Nothing of it is in flight, or nobody knows whether it is.
        ProviderError: The service could not be asked.
        StateError: The store cannot be used.
    """
    reports: list[StopReport] = []

    async def work(desk: Desk) -> None:
        dates = DateSet((stopping.units.dates,))
        address = stopping.units.address
        units = await look_at(desk, address, dates, discovering=Discovering.NOTHING)
        flying = _in_flight(units, stopping)
        desk.store.rule(desk.lease, _note("stopping", stopping, desk))
        by_id = {attempt.id: attempt for attempt in desk.store.snapshot().attempts}
        for attempt_id, dates in flying.items():
            report = await _stop(by_id[attempt_id], dates, desk)
            # Not read back at once: the service may show it running for a moment longer.
            desk.store.rule(desk.lease, _stopped(attempt_id, report, stopping, desk))
            reports.append(report)

    # What runs must not go on because somebody's spec is broken.
    at_desk(workspace, "stop", work, broken_specs=True)
    return _joined(reports)


def _in_flight(units: tuple[Unit, ...], stopping: Stopping) -> dict[str, DateSet]:
    """By attempt, the dates on which it is in flight."""
    unclear = DateSet.of(unit.dates for unit in units if unit.unclear)
    if unclear:
        name = f"{stopping.units.address}@{unclear}"
        hint = "once its run is found, or named with `reconciler resolve`, it can be stopped"
        raise InputError(
            [problem("unknown_outcome", f"{name}: nobody knows whether it runs", hint)]
        )
    flying: dict[str, DateSet] = {}
    for unit in units:
        past = unit.past
        if past is not None and past.ran and past.in_flight and not past.gone:
            flying[past.attempt] = flying.get(past.attempt, DateSet()) | DateSet((unit.dates,))
    if not flying:
        raise InputError(
            [problem("nothing_in_flight", f"nothing of {stopping.units} is in flight", _NOTHING)]
        )
    return flying


async def _stop(attempt: Attempt, dates: DateSet, desk: Desk) -> StopReport:
    provider = desk.line(attempt.connection).provider
    report = await provider.stop(attempt, desk.recorded.series[attempt.series], dates)
    untouched = dates - report.dates
    if untouched and not report.left:
        line = f"{untouched}: the service showed nothing there that could be stopped"
        return replace(report, left=(line,))
    return report


def _joined(reports: list[StopReport]) -> StopReport:
    return StopReport(
        dates=DateSet.of(piece for report in reports for piece in report.dates),
        stopped=sum(report.stopped for report in reports),
        left=tuple(line for report in reports for line in report.left),
    )


def _stopped(attempt_id: str, report: StopReport, stopping: Stopping, desk: Desk) -> Ruling:
    data: dict[str, object] = {
        "dates": list(report.dates.texts()),
        "stopped": report.stopped,
        "left": list(report.left),
    }
    note = _note("stopped", stopping, desk)
    return replace(note, stopped={attempt_id: report.dates}, data=data)


def _note(event: str, stopping: Stopping, desk: Desk) -> Ruling:
    return Ruling(event=event, units=(str(stopping.units),), reason=stopping.reason, at=desk.now())
