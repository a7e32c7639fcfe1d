"""`reconciler show`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.output import Terminal
from reconciler.cli.plans import print_plan, show_plan
from reconciler.usecases.saved_plans import read_plan


@click.command(epilog="\b\nExamples:\n  reconciler show p.json\n  reconciler show p.json --json")
@click.argument("planfile", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the plan as one JSON document.")
@click.pass_obj
def command(terminal: Terminal, planfile: Path, as_json: bool) -> None:
    """Show a saved plan again, also one that can no longer be applied, unless it was edited."""
    plan = read_plan(planfile)
    if as_json:
        print_plan(plan)
    else:
        show_plan(terminal, plan, full=True)
