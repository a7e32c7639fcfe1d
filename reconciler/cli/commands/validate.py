"""`reconciler validate`."""

from __future__ import annotations

import os

import click

from reconciler.cli.checkout import folder_in_checkout
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

#: Of the document of `--format json`: `folder` is the project's, as seen from the root of the checkout; the
#: files of its diagnostics are below it.
FORMAT_VERSION = "1.0"


@click.command(
    epilog="\b\nExamples:\n"
    "  reconciler validate\n"
    "  reconciler validate specs/orders.yaml\n"
    "  reconciler validate --format github      annotations in a pull request",
)
@click.argument("paths", type=click.Path(readable=False), nargs=-1, metavar="[PATH]...")
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
    Given files are checked together with all others; what is wrong with the others alone is left out.
    Paths are those of the project's folder; with --format github, of the root of the checkout.
    """
    try:
        loaded = workspace_of(terminal).load_specs(paths)
        problems = loaded.diagnostics
        counted = _counted(loaded)
    except InputError as error:
        problems, counted = error.diagnostics, ""
    _tell(problems, form, counted, folder_in_checkout(terminal.root, os.environ))
    return ExitCode.ERROR if has_errors(problems) else ExitCode.OK


def _tell(problems: tuple[Diagnostic, ...], form: str, counted: str, folder: str) -> None:
    match form:
        case "json":
            document = {
                "format_version": FORMAT_VERSION,
                "folder": folder,
                "diagnostics": [diagnostic_document(item) for item in problems],
            }
            answer_json(document, indent=2)
        case "github":
            answer_verbatim(render_annotations(problems, folder))
        case _ if problems:
            answer(render_diagnostics(problems))
        case _:
            answer(f"{counted}, no problems.")


def _counted(loaded: Loaded) -> str:
    counts = [some(len(loaded.resources), "resource")]
    if loaded.gates:
        counts.append(some(len(loaded.gates), "gate"))
    return ", ".join(counts)
