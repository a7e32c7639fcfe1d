"""`reconciler plan`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.applying.gathering import Refresh
from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import selecting, selection, workspace_of
from reconciler.cli.output import Terminal, note
from reconciler.cli.plans import form_of, in_forms, show_failure, show_plan
from reconciler.model.diagnostics import has_errors
from reconciler.model.errors import ReconcilerError
from reconciler.model.plan import Plan
from reconciler.rendering.words import argument
from reconciler.usecases.plan import PlanOptions, plan_project
from reconciler.usecases.saved_plans import ensure_writable, save_plan

_OFFLINE = "offline: the service was not asked; what ran unknown to the record shows as missing"
_BLIND = "offline: neither a record nor the service was asked, so what ran already shows as missing, too"


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler plan\n"
    "  reconciler plan --out p.json             save it for apply p.json\n"
    "  reconciler plan --target 'backfill.orders-*' --json\n"
    "  reconciler plan --offline                no network, no credential\n"
    "  reconciler plan --markdown > plan.md     for a comment on a pull request\n"
    "\b\nExit codes with --detailed-exitcode:\n"
    "  0 nothing to do   2 something to start or adopt   3 only a person can help",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan to this file."
)
@in_forms
@click.option(
    "--detailed-exitcode", is_flag=True, help="Tell by the exit code what the plan holds."
)
@click.option(
    "--refresh",
    type=click.Choice(["normal", "full", "none"]),
    default="normal",
    show_default=True,
    help="Read unfinished runs again (normal), successes too (full), or nothing on record (none).",
)
@click.option(
    "--offline", is_flag=True, help="Use no network, no database server and no credential."
)
@click.option("--full", is_flag=True, help="Fold nothing, however much there is.")
@selecting
@click.pass_obj
def command(
    terminal: Terminal,
    out: Path | None,
    as_json: bool,
    as_markdown: bool,
    detailed_exitcode: bool,
    refresh: str,
    offline: bool,
    full: bool,
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
) -> ExitCode:
    """Compare specs, record and service; show which units would start, and why.

    Writes nothing, here or there, but the file named by --out.
    """
    options = PlanOptions(
        refresh=Refresh.OFFLINE if offline else Refresh(refresh),
        selection=selection(targets, excludes),
        only_shown=out is None,
    )
    form = form_of(as_json=as_json, as_markdown=as_markdown)
    project = ""
    try:
        if out is not None:
            ensure_writable(out)
        workspace = workspace_of(terminal)
        project = workspace.project.name
        plan, warnings = plan_project(workspace, options)
    except ReconcilerError as error:
        show_failure(error, form, project=project, command="reconciler plan")
        raise
    remarks = (_BLIND if plan.lineage is None else _OFFLINE,) if offline else ()
    show_plan(
        terminal,
        plan,
        form=form,
        full=full,
        warnings=warnings,
        file=None if out is None else str(out),
        remarks=remarks,
    )
    for remark in remarks:
        note(remark)
    failed = has_errors(plan.diagnostics)
    if out is not None:
        if failed:
            note(f"the plan holds errors and was not saved to {out}")
        else:
            save_plan(plan, out, workspace.steps)
            note(f"saved to {out}; apply just this with: reconciler apply {argument(str(out))}")
    if failed:
        return ExitCode.ERROR
    return _detailed(plan) if detailed_exitcode else ExitCode.OK


def _detailed(plan: Plan) -> ExitCode:
    if plan.changes_anything:
        return ExitCode.CHANGES
    return ExitCode.PERSON if plan.needs_person else ExitCode.OK
