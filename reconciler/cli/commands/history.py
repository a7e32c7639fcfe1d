"""`reconciler history`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import Addresses, workspace_of
from reconciler.cli.output import Terminal, answer, answer_json, note, note_problem
from reconciler.rendering.history_text import history_document, render_history
from reconciler.usecases.history import read_history
from reconciler.usecases.selection import Selection

_TAMPERED = "somebody changed the store behind this tool: find out who, or restore a backup"


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler history\n"
    "  reconciler history 'backfill.orders-*' --json\n"
    "  reconciler history --verify",
)
@click.argument("address", type=Addresses(), metavar="[ADDR]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option(
    "--verify", is_flag=True, help="Check the chain of hashes, and the record against it."
)
@click.pass_obj
def command(terminal: Terminal, address: str | None, as_json: bool, verify: bool) -> ExitCode:
    """Show the journal, oldest first: who did what, when and why."""
    targets = (address,) if address is not None else ()
    known = read_history(workspace_of(terminal), Selection(targets=targets), verify=verify)
    if as_json:
        problems = known.problems if verify else None
        answer_json(history_document(known.entries, problems))
    else:
        answer(render_history(known.entries, terminal.paint, width=terminal.width))
    for line in known.problems:
        note_problem("journal_broken", line, _TAMPERED)
    if verify and not known.problems:
        note("the journal is whole, and the record agrees with it")
    return ExitCode.ERROR if known.problems else ExitCode.OK
