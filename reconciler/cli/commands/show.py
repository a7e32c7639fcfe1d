"""`reconciler show`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.output import Terminal
from reconciler.cli.plans import Form, form_of, in_forms, show_failure, show_plan
from reconciler.model.errors import ReconcilerError
from reconciler.rendering.words import argument
from reconciler.usecases.saved_plans import read_plan


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler show p.json\n"
    "  reconciler show p.json --json\n"
    "  reconciler show p.json --markdown > plan.md   for a pull request",
)
@click.argument("planfile", type=click.Path(path_type=Path, dir_okay=False))
@in_forms
@click.pass_obj
def command(terminal: Terminal, planfile: Path, as_json: bool, as_markdown: bool) -> None:
    """Show a saved plan again, also one that can no longer be applied, unless it was edited."""
    form = form_of(as_json=as_json, as_markdown=as_markdown)
    file = str(planfile)
    try:
        plan = read_plan(planfile)
    except ReconcilerError as error:
        show_failure(error, form, project="", command=f"reconciler show {argument(file)}")
        raise
    show_plan(terminal, plan, form=form, full=form is not Form.MARKDOWN, file=file)
