"""How a plan is shown: as text, as its document or as Markdown, and what is wrong with it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import Any, TypeVar

import click

from reconciler.cli.output import (
    Terminal,
    answer,
    answer_json,
    answer_verbatim,
    note_diagnostics,
)
from reconciler.formats.planfile import plan_document
from reconciler.model.diagnostics import Diagnostic, Severity, has_errors
from reconciler.model.errors import InputError, ProviderError, ReconcilerError
from reconciler.model.plan import Plan
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.rendering.plan_markdown import Provenance, render_markdown
from reconciler.rendering.plan_text import FEWEST_LINES, MOST_LINES, render_plan
from reconciler.rendering.plan_view import is_crowded
from reconciler.rendering.problem_markdown import render_failure

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

#: So many problems of a crowded plan are shown, where all of them would take the plan's own lines.
_FEW_PROBLEMS = 2

#: Lines that a command may add: where the plan was saved, and that nobody was asked.
_NOTES = 2


class Form(enum.Enum):
    """What a plan is printed as."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def in_forms(function: Decorated) -> Decorated:
    """Add `--json` and `--markdown`."""
    function = click.option(
        "--markdown",
        "as_markdown",
        is_flag=True,
        help="Print Markdown for a comment on a pull request.",
    )(function)
    return click.option(
        "--json", "as_json", is_flag=True, help="Print the plan as one JSON document."
    )(function)


def form_of(*, as_json: bool, as_markdown: bool) -> Form:
    """Which form was asked for.

    Raises:
        UsageError: Two of them.
    """
    if as_json and as_markdown:
        raise click.UsageError(
            "--json and --markdown exclude each other; save the plan with --out,"
            " and `reconciler show FILE` prints it in the other form"
        )
    if as_markdown:
        return Form.MARKDOWN
    return Form.JSON if as_json else Form.TEXT


def show_plan(
    terminal: Terminal,
    plan: Plan,
    *,
    form: Form = Form.TEXT,
    full: bool = False,
    warnings: tuple[Diagnostic, ...] = (),
    file: str | None = None,
    remarks: tuple[str, ...] = (),
) -> None:
    """Print a plan; what is wrong with it goes to stderr, too.

    Args:
        terminal: Where it is printed.
        plan: The plan.
        form: What it is printed as.
        full: Fold nothing.
        warnings: What was said of the specs.
        file: Where it is saved, unless it is not.
        remarks: What readers of Markdown must know of how it was made, in words of ours.
    """
    errors = tuple(one for one in plan.diagnostics if one.severity is Severity.ERROR)
    problems = (*warnings, *(plan.diagnostics if form is Form.JSON else errors))
    lines = _note_problems(problems, crowded=not full and is_crowded(plan))
    match form:
        case Form.TEXT:
            most = max(FEWEST_LINES, MOST_LINES - _NOTES - lines)
            paint, width = terminal.paint, terminal.width
            answer(render_plan(plan, paint=paint, full=full, width=width, most=most))
        case Form.JSON:
            answer_json(plan_document(plan), indent=2)
        case Form.MARKDOWN:
            came = Provenance(
                file=None if has_errors(errors) else file,
                digest=str(plan_document(plan)["digest"]),
                remarks=remarks,
            )
            told = dataclasses.replace(plan, diagnostics=(*plan.diagnostics, *warnings))
            answer_verbatim(render_markdown(told, origin=came, full=full))


def show_failure(error: ReconcilerError, form: Form, *, project: str, command: str) -> None:
    """Print in place of a page that there is none, so that no older one is taken for today's.

    Args:
        error: What stopped us; it is said on stderr by whoever catches it.
        form: What was asked for; scripts that read other forms go by the exit code.
        project: The project's name, empty while nobody knows.
        command: What was typed.
    """
    if form is not Form.MARKDOWN:
        return
    problems = (
        error.diagnostics
        if isinstance(error, InputError)
        else (
            Diagnostic(
                severity=Severity.ERROR,
                code=error.code,
                summary=error.summary,
                detail=error.trace if isinstance(error, ProviderError) else "",
                hint=error.hint,
            ),
        )
    )
    answer_verbatim(render_failure(project, problems, shows=command))


def _note_problems(problems: tuple[Diagnostic, ...], *, crowded: bool) -> int:
    """Print problems, not all of them where a plan is crowded; returns in how many lines."""
    most = None
    lines = render_diagnostics(problems).count("\n")
    if crowded and lines > MOST_LINES - _NOTES - FEWEST_LINES:
        most = _FEW_PROBLEMS
        lines = render_diagnostics(problems, most=most).count("\n")
    note_diagnostics(problems, most=most)
    return lines
