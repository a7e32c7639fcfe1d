"""`reconciler adopt`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import OneAddress, reasoned, workspace_of
from reconciler.cli.output import Terminal, answer
from reconciler.model.addresses import Address
from reconciler.usecases.adopt import HandMade, adopt


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler adopt backfill.orders --run-id 7000012\n"
    "  reconciler adopt manualflow.close --run-id 7000044 --reason 'by hand'",
)
@click.argument("address", type=OneAddress(), metavar="ADDR")
@click.option("--run-id", metavar="ID", required=True, help="As the console shows it.")
@reasoned(required=False)
@click.pass_obj
def command(terminal: Terminal, address: Address, run_id: str, reason: str | None) -> ExitCode:
    """Record a run that someone started by hand, after reading it back.

    It counts for those of its dates that ADDR declares, as if we had started it.
    """
    dates = adopt(workspace_of(terminal), HandMade(address=address, run_id=run_id, reason=reason))
    answer(f"Adopted for {address}@{dates}: run {run_id}.")
    return ExitCode.OK
