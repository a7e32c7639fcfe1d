"""`reconciler unlock`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import reasoned, workspace_of
from reconciler.cli.output import Terminal, answer
from reconciler.usecases.unlock import unlock


@click.command(epilog="\b\nExamples:\n  reconciler unlock k3v5q7 --reason 'the runner was lost'")
@click.argument("lock_id")
@reasoned(required=False)
@click.pass_obj
def command(terminal: Terminal, lock_id: str, reason: str | None) -> ExitCode:
    """End a lock left behind, by the id that the message about it shows.

    It cannot start anything twice: whoever held the lock can record nothing any more, and sends
    nothing that is not recorded first. A lock whose process died also ends by itself, a minute later.
    """
    unlock(workspace_of(terminal), lock_id, reason=reason)
    answer(f"Lock {lock_id} is ended.")
    return ExitCode.OK
