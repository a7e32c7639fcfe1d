"""`reconciler status`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import Addresses, workspace_of
from reconciler.cli.output import Terminal, answer, answer_json, note_diagnostics
from reconciler.cli.progress import reporting
from reconciler.cli.signals import stopping
from reconciler.rendering.events import EVENTS_VERSION
from reconciler.rendering.status_text import render_status, status_document
from reconciler.usecases.selection import Selection
from reconciler.usecases.status import project_status, watch_project


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler status\n"
    "  reconciler status 'backfill.orders-*' --json\n"
    "  reconciler status --watch\n"
    "\b\nExit codes:\n"
    "  0 all is well or on its way   3 something needs a person   1 error",
)
@click.argument("addresses", type=Addresses(), nargs=-1, metavar="[ADDR]...")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document; with --watch, JSON Lines."
)
@click.option("--watch", is_flag=True, help="Follow what is in flight to its end first.")
@click.pass_obj
def command(
    terminal: Terminal, addresses: tuple[str, ...], as_json: bool, watch: bool
) -> ExitCode:
    """Show how far every declared unit is; read what is unfinished and record what is seen.

    A scheduled status is what keeps memory longer than the service does.
    """
    workspace = workspace_of(terminal)
    wanted = Selection(targets=addresses)
    if watch:
        with stopping() as stop, reporting(terminal, as_json=as_json) as reporter:
            status = watch_project(workspace, wanted, reporter=reporter, stop=stop)
        if stop.is_set():
            return ExitCode.INTERRUPTED
    else:
        status = project_status(workspace, wanted)
    note_diagnostics(status.diagnostics)
    rows = [(one.address, one.ranges) for one in status.resources]
    if as_json and watch:
        event = {"format_version": EVENTS_VERSION, "type": "status", **status_document(rows)}
        answer_json(event)
    elif as_json:
        answer_json(status_document(rows), indent=2)
    else:
        answer(render_status(rows, terminal.paint, width=terminal.width))
    if status.needs_person:
        return ExitCode.PERSON
    return ExitCode.ERROR if status.diagnostics else ExitCode.OK
