"""`reconciler stop`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import UNIT_METAVAR, Units, reasoned, workspace_of
from reconciler.cli.output import Terminal, answer, note
from reconciler.model.addresses import UnitRange
from reconciler.rendering.paint import clean
from reconciler.rendering.words import some
from reconciler.usecases.stop import Stopping, stop


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler stop backfill.orders@2020-05-21 --reason 'wrong params'\n"
    "  reconciler stop backfill.orders@2020-05-20..2020-05-31 --reason 'too early'\n"
    "\b\nExit codes:\n"
    "  0 nothing of it runs any more   3 some of it goes on   1 error   5 locked",
)
@click.argument("unit", type=Units(), metavar=UNIT_METAVAR)
@reasoned(required=True)
@click.pass_obj
def command(terminal: Terminal, unit: UnitRange, reason: str) -> ExitCode:
    """Stop runs in flight; name what the service cannot stop.

    Stopped units are held until a `reruns` entry, or `resolve`, says what shall become of them.
    """
    report = stop(workspace_of(terminal), Stopping(units=unit, reason=reason))
    where = f" on {report.dates}" if report.dates else ""
    answer(f"Stopped {some(report.stopped, 'instance')} of {unit.address}{where}.")
    for line in report.left:
        note(f"goes on: {clean(line)}")
    return ExitCode.PERSON if report.left or not report.stopped else ExitCode.OK
