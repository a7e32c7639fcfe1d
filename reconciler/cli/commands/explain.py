"""`reconciler explain`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import UNIT_METAVAR, Units, workspace_of
from reconciler.cli.output import Terminal, answer, note_diagnostics
from reconciler.model.addresses import UnitRange
from reconciler.model.remedies import choices
from reconciler.planning.deciding import Verdict
from reconciler.rendering.explain_text import render_explanation
from reconciler.usecases.explain import explain_unit


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler explain backfill.orders@2020-05-21\n"
    "  reconciler explain backfill.orders@2020-05-20..2020-05-31",
)
@click.argument("unit", type=Units(), metavar=UNIT_METAVAR)
@click.pass_obj
def command(terminal: Terminal, unit: UnitRange) -> ExitCode:
    """Say why units are where they are: what is desired, every attempt, what the next plan does."""
    known = explain_unit(workspace_of(terminal), unit)
    note_diagnostics(known.diagnostics)
    upcoming = [
        (
            str(dates),
            _words(verdict, generation),
            choices(
                UnitRange(unit.address, dates), verdict.decision, verdict.reason, verdict.run_ids
            ),
        )
        for dates, generation, verdict in known.next
    ]
    answer(
        render_explanation(
            known.unit,
            known.resource,
            known.attempts,
            known.failures,
            upcoming,
            terminal.paint,
            width=terminal.width,
        )
    )
    return ExitCode.ERROR if known.diagnostics else ExitCode.OK


def _words(verdict: Verdict, generation: int) -> str:
    by = f" by {', '.join(verdict.blocked_by)}" if verdict.blocked_by else ""
    said = f"{verdict.decision.value}{by} ({verdict.reason.value}), generation {generation}"
    return f"{said}: {verdict.detail}" if verdict.detail else said
