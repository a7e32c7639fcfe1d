"""`reconciler validate`."""

from __future__ import annotations

import click

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.options import workspace_of
from reconciler.cli.output import Terminal, answer, answer_json, answer_verbatim
from reconciler.formats.diagnostics import diagnostic_document
from reconciler.model.diagnostics import Diagnostic, has_errors
from reconciler.model.errors import InputError
from reconciler.rendering.annotations import render_annotations
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.rendering.words import some
from reconciler.specs import Loaded


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler validate\n"
    "  reconciler validate specs/orders.yaml\n"
    "  reconciler validate --format github      annotations in a pull request",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="How problems are written.",
)
@click.pass_obj
def command(terminal: Terminal, paths: tuple[str, ...], form: str) -> ExitCode:
    """Check the project file and all specs (or the given files): schema, dates, conflicts.

    Every problem is shown in one pass, with its place. Uses no network, no state store and no credential.
    """
    try:
        loaded = workspace_of(terminal).load_specs(paths)
        problems = loaded.diagnostics
        counted = _counted(loaded)
    except InputError as error:
        problems, counted = error.diagnostics, ""
    _tell(problems, form, counted)
    return ExitCode.ERROR if has_errors(problems) else ExitCode.OK


def _tell(problems: tuple[Diagnostic, ...], form: str, counted: str) -> None:
    match form:
        case "json":
            answer_json(
                {"diagnostics": [diagnostic_document(item) for item in problems]}, indent=2
            )
        case "github":
            answer_verbatim(render_annotations(problems))
        case _ if problems:
            answer(render_diagnostics(problems))
        case _:
            answer(f"{counted}, no problems.")


def _counted(loaded: Loaded) -> str:
    counts = [some(len(loaded.resources), "resource")]
    if loaded.gates:
        counts.append(some(len(loaded.gates), "gate"))
    return ", ".join(counts)
