"""`reconciler check`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import workspace_of
from reconciler.cli.output import Terminal, answer
from reconciler.rendering.paint import Role, clean
from reconciler.usecases.check import check_connections


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler check\n"
    "  reconciler -C specs check               the project in folder specs",
)
@click.pass_obj
def command(terminal: Terminal) -> ExitCode:
    """Send one signed read per connection: reachable, credentials accepted, clock, rights.

    Starts nothing and writes nothing.
    """
    reports = check_connections(workspace_of(terminal))
    for name, report in reports.items():
        word = ("ok", Role.CREATE) if report.sound else ("failed", Role.PROBLEM)
        answer(f"{name}: {terminal.paint(*word)}")
        for line in report.lines:
            answer(f"  {clean(line)}")
    return ExitCode.OK if all(one.sound for one in reports.values()) else ExitCode.ERROR
