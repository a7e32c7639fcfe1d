"""How an apply ended: a few lines for a person, one JSON object for a script."""

from __future__ import annotations

from collections import defaultdict

from reconciler.model.dates import DateSet
from reconciler.model.events import CallAccepted, CallMoved, CallSkipped, RunAdopted
from reconciler.model.report import ApplyReport, Units
from reconciler.rendering.events import EVENTS_VERSION
from reconciler.rendering.paint import Paint, Role
from reconciler.rendering.words import some


def report_text(report: ApplyReport, paint: Paint) -> str:
    """What was done, in a line, and below it whatever needs a person."""
    accepted = report.of(CallAccepted)
    parts = [f"{some(len(accepted), 'call')} accepted"]
    parts.extend(
        f"{len(events)} {word}"
        for events, word in (
            (report.refused, "refused"),
            (report.of(CallMoved), "not sent: their units moved"),
            (report.of(CallSkipped), "sent before"),
            (report.of(RunAdopted), "adopted"),
        )
        if events
    )
    lines = [
        f"{paint('Apply:', Role.STRONG)} {', '.join(parts)}. {some(report.calls, 'API call')} made."
    ]
    people = {**report.unknown, **report.unhelped}
    for (address, word), dates in sorted(people.items()):
        lines.append(f"  {paint(word, Role.PROBLEM)}: {address}@{dates}")
    for (address, word), dates in sorted(report.blocked.items()):
        lines.append(f"  {paint(word, Role.CHANGE)}: {address}@{dates}")
    if people or report.blocked:
        lines.append(
            "`reconciler plan` says what the next apply does about them, or what a person can."
        )
    if report.interrupted:
        lines.append("Interrupted; what was sent is on record. Run it again to continue.")
    elif not report.finished:
        lines.append("Waiting was cut short; what runs goes on. Run it again to continue.")
    return "\n".join(lines) + "\n"


def report_document(report: ApplyReport, *, exit_code: int) -> dict[str, object]:
    """The last event of `apply --json`."""
    return {
        "format_version": EVENTS_VERSION,
        "type": "finished",
        "accepted": len(report.of(CallAccepted)),
        "refused": len(report.refused),
        "moved": len(report.of(CallMoved)),
        "skipped": len(report.of(CallSkipped)),
        "adopted": len(report.of(RunAdopted)),
        "unknown": _units(report.unknown),
        "needs_person": _units(report.unhelped),
        "blocked": _units(report.blocked),
        "api_calls": report.calls,
        "finished": report.finished,
        "interrupted": report.interrupted,
        "exit_code": exit_code,
    }


def _units(units: Units) -> dict[str, list[str]]:
    by_address: dict[str, DateSet] = defaultdict(DateSet)
    for (address, _), dates in sorted(units.items()):
        by_address[str(address)] |= dates
    return {address: list(dates.texts()) for address, dates in by_address.items()}
