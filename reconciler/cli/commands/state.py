"""`reconciler state`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import UNIT_METAVAR, Addresses, Units, reasoned, workspace_of
from reconciler.cli.output import Terminal, answer, answer_json
from reconciler.formats.statefile import state_document
from reconciler.model.addresses import UnitRange
from reconciler.rendering.state_text import render_attempts, render_list
from reconciler.usecases.forget import forget
from reconciler.usecases.state import read_attempts, read_state


@click.group(
    epilog="\b\nExamples:\n"
    "  reconciler state list\n"
    "  reconciler state show backfill.orders\n"
    "  reconciler state forget backfill.orders@2020-05-21\n"
    "  reconciler state pull > state.json"
)
def command() -> None:
    """Look at the record itself, as it stands, or take units off it."""


@command.command(
    "list",
    short_help="The addresses on record.",
    epilog="\b\nExamples:\n  reconciler state list",
)
@click.pass_obj
def list_(terminal: Terminal) -> None:
    """List the addresses on record and the dates that ran for each."""
    answer(render_list(read_state(workspace_of(terminal)), terminal.paint))


@command.command(
    short_help="Every attempt on record.",
    epilog="\b\nExamples:\n"
    "  reconciler state show backfill.orders\n"
    "  reconciler state show 'backfill.orders-*'",
)
@click.argument("address", type=Addresses(), metavar="ADDR")
@click.pass_obj
def show(terminal: Terminal, address: str) -> ExitCode:
    """Show every attempt on record for an address."""
    answer(render_attempts(read_attempts(workspace_of(terminal), address), terminal.paint))
    return ExitCode.OK


@command.command(
    "forget",
    short_help="Take units off the record.",
    epilog="\b\nExamples:\n"
    "  reconciler state forget backfill.orders@2020-05-20..2020-05-24\n"
    "  reconciler state forget backfill.orders@2020-05-21 --reason 'wrong table'",
)
@click.argument("unit", type=Units(), metavar=UNIT_METAVAR)
@reasoned(required=False)
@click.pass_obj
def forget_(terminal: Terminal, unit: UnitRange, reason: str | None) -> ExitCode:
    """Take units off the record; the next plan looks for their runs anew.

    A backfill that the service still lists is adopted again; one that it has forgotten is missing then.
    What is in flight or of unknown outcome cannot be forgotten.
    """
    dates = forget(workspace_of(terminal), unit, reason=reason)
    answer(f"Forgotten: {unit.address}@{dates}. `reconciler plan` shows what follows from it.")
    return ExitCode.OK


@command.command(
    short_help="The whole record as JSON.",
    epilog="\b\nExamples:\n  reconciler state pull > state.json",
)
@click.pass_obj
def pull(terminal: Terminal) -> None:
    """Print the whole record as one JSON document."""
    document = state_document(read_state(workspace_of(terminal)))
    answer_json(document, indent=2)
