"""`reconciler show`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.output import Terminal, answer, note_diagnostics
from reconciler.formats.planfile import plan_text
from reconciler.rendering.plan_text import render_plan
from reconciler.usecases.saved_plans import read_plan


@click.command(epilog="\b\nExamples:\n  reconciler show p.json\n  reconciler show p.json --json")
@click.argument("planfile", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the plan as one JSON document.")
@click.pass_obj
def command(terminal: Terminal, planfile: Path, as_json: bool) -> None:
    """Show a saved plan again, also one that can no longer be applied, unless it was edited."""
    plan = read_plan(planfile)
    note_diagnostics(plan.diagnostics)
    answer(plan_text(plan) if as_json else render_plan(plan, paint=terminal.paint, full=True))
