"""`reconciler apply`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exit_codes import ExitCode, strongest
from reconciler.cli.options import Duration, selecting, selection, workspace_of
from reconciler.cli.output import Terminal, answer, answer_json, note, note_diagnostics
from reconciler.cli.plans import show_plan
from reconciler.cli.progress import reporting
from reconciler.cli.signals import stopping
from reconciler.formats.planfile import plan_document
from reconciler.model.errors import Declined
from reconciler.model.plan import Plan
from reconciler.model.report import ApplyReport
from reconciler.rendering.events import EVENTS_VERSION
from reconciler.rendering.report_text import report_document, report_text
from reconciler.usecases.apply import apply_project, apply_saved
from reconciler.usecases.carrying_out import ApplyHooks, ApplyOptions
from reconciler.usecases.plan import PlanOptions
from reconciler.usecases.saved_plans import read_plan


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler apply                         plan, ask, apply\n"
    "  reconciler apply p.json --wait           just the saved plan, to its end\n"
    "  reconciler apply --auto-approve --json   in CI\n"
    "\b\nExit codes:\n"
    "  0 done or on its way   1 error, or time is up   4 plan refused or moved\n"
    "  3 an outcome is unknown; with --wait also: something failed or is held\n"
    "  5 locked by someone else   130 interrupted",
)
@click.argument("planfile", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--auto-approve", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@click.option("--wait", is_flag=True, help="Follow the runs to their end.")
@click.option(
    "--timeout", type=Duration(), help="Stop waiting after this long: 90s, 15m, 2h or 1d."
)
@click.option(
    "--lock-timeout",
    type=Duration(),
    default=0.0,
    help="How long to wait for someone else's lock, such as 10m. [default: not at all]",
)
@click.option(
    "--parallelism",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Calls in flight at once.",
)
@click.option(
    "--create-state",
    is_flag=True,
    help="Make the state store: this project is new, or its store was lost 20 minutes ago or more.",
)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON Lines.")
@selecting
@click.pass_obj
def command(
    terminal: Terminal,
    planfile: Path | None,
    auto_approve: bool,
    wait: bool,
    timeout: float | None,
    lock_timeout: float,
    parallelism: int,
    create_state: bool,
    as_json: bool,
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
) -> ExitCode:
    """Apply PLANFILE, or plan now, show the plan and ask.

    A call that may have reached the service is never sent again; run it as often as you like.
    """
    if planfile is not None and (targets or excludes):
        raise click.UsageError("--target and --exclude were decided when the plan was made")
    options = ApplyOptions(
        planning=PlanOptions(selection=selection(targets, excludes)),
        wait=wait,
        timeout=timeout,
        lock_timeout=lock_timeout,
        at_once=parallelism,
        create_state=create_state,
    )
    asking = not auto_approve and planfile is None
    approver = _Approver(terminal, asking=asking, as_json=as_json)
    plan = read_plan(planfile) if planfile is not None else None
    workspace = workspace_of(terminal)
    with stopping() as stop, reporting(terminal, as_json=as_json) as reporter:
        hooks = ApplyHooks(asks=asking, approve=approver.approve, reporter=reporter, stop=stop)
        report = (
            apply_project(workspace, options, hooks)
            if plan is None
            else apply_saved(workspace, plan, options, hooks)
        )
    code = _code_of(report, waited=wait)
    if as_json:
        answer_json(report_document(report, exit_code=code))
    else:
        answer(report_text(report, terminal.paint))
    return code


class _Approver:
    """Shows a plan and, unless it was reviewed already, asks."""

    def __init__(self, terminal: Terminal, *, asking: bool, as_json: bool) -> None:
        self._terminal = terminal
        self._asking = asking
        self._as_json = as_json

    def approve(self, plan: Plan) -> None:
        if self._as_json:
            note_diagnostics(plan.diagnostics)
            event = {
                "format_version": EVENTS_VERSION,
                "type": "planned",
                "plan": plan_document(plan),
            }
            answer_json(event)
        else:
            show_plan(self._terminal, plan)
        if not self._asking or not (plan.calls or plan.adoptions):
            return
        if not self._terminal.interactive:
            raise Declined(
                "there is no terminal to ask on",
                hint="review a saved plan and apply it, or pass --auto-approve",
            )
        if not click.confirm("Apply this plan?", err=True):
            note("nothing was sent")
            raise Declined(
                "the plan was declined", hint="nothing was sent; apply again to be asked again"
            )


def _code_of(report: ApplyReport, *, waited: bool) -> ExitCode:
    codes = [ExitCode.OK]
    if report.interrupted:
        codes.append(ExitCode.INTERRUPTED)
    if report.unknown or (waited and report.unhelped):
        codes.append(ExitCode.PERSON)
    if report.moved:
        codes.append(ExitCode.STALE)
    if report.failed or not report.finished:
        codes.append(ExitCode.ERROR)
    return strongest(codes)
