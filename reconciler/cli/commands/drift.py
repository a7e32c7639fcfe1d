"""`reconciler drift`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import workspace_of
from reconciler.cli.output import Terminal, answer, answer_json, note_diagnostics
from reconciler.rendering.drift_text import drift_document, render_drift
from reconciler.usecases.drift import find_drift


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler drift\n"
    "  reconciler drift --json --detailed-exitcode\n"
    "\b\nExit codes:\n"
    "  0 done   2 with --detailed-exitcode: something changed outside   1 error",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when something changed outside.")
@click.pass_obj
def command(terminal: Terminal, as_json: bool, detailed_exitcode: bool) -> ExitCode:
    """Show what changed outside: repairs in the console, runs of others, runs that are gone.

    It reads every run on record, successes included, and lists around every declared unit: more API
    calls than a plan makes. It writes nothing.
    """
    report = find_drift(workspace_of(terminal))
    note_diagnostics(report.diagnostics)
    if as_json:
        document = drift_document(report.drifts, reads=report.reads)
        answer_json(document, indent=2)
    else:
        paint, width = terminal.paint, terminal.width
        unread = len(report.diagnostics)
        answer(
            render_drift(
                report.drifts, reads=report.reads, paint=paint, width=width, unread=unread
            )
        )
    if report.diagnostics:
        return ExitCode.ERROR
    return ExitCode.CHANGES if detailed_exitcode and report.drifts else ExitCode.OK
