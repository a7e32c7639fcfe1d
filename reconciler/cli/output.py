"""Where text goes: the answer to stdout, everything about the work to stderr. Nothing else prints.

Every line for a person is made harmless on its way out, whatever it was made of; JSON is written in ASCII.
Only formats of their own (a schema, a completion script, annotations, Markdown) leave as they are.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.model.codes import Code
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import InputError, ProviderError, ReconcilerError
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.rendering.json_text import json_text
from reconciler.rendering.layout import COLUMNS
from reconciler.rendering.paint import Paint, clean, harmless

#: Narrower terminals are taken for one of so many columns, and wider ones for one of so many.
_NARROWEST, _WIDEST = 60, 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """What was said before the command: the project's folder, colours, verbosity."""

    root: Path
    no_color: bool
    verbose: bool

    @property
    def paint(self) -> Paint:
        """Colours for stdout, if it is a terminal and nobody asked for none."""
        wanted = not (self.no_color or os.environ.get("NO_COLOR") or os.environ.get("CI"))
        return Paint(colours=wanted and _is_terminal())

    @property
    def width(self) -> int:
        """How many columns text may take: those of the terminal or of COLUMNS, or else 80."""
        columns = shutil.get_terminal_size((COLUMNS, 24)).columns
        return max(_NARROWEST, min(columns, _WIDEST))

    @property
    def interactive(self) -> bool:
        """Whether somebody can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def answer(text: str) -> None:
    """Print text for a person to stdout; a newline is added unless there is one."""
    _print(harmless(text, colours=_is_terminal()))


def answer_json(document: object, *, indent: int | None = None) -> None:
    """Print one JSON document to stdout; on one line unless it is indented."""
    _print(json_text(document, indent=indent))


def answer_verbatim(text: str) -> None:
    """Print a text to stdout as it is: one in a format whose writer has made it harmless there."""
    _print(text)


def _print(text: str) -> None:
    click.echo(text, nl=not text.endswith("\n"), color=True)


def note(text: str) -> None:
    """Print to stderr; a full disk or a closed stream there must not stop the work that is told of."""
    with contextlib.suppress(OSError):
        click.echo(harmless(text), err=True, nl=not text.endswith("\n"))


def note_diagnostics(diagnostics: tuple[Diagnostic, ...], *, most: int | None = None) -> None:
    """Print problems to stderr, if there are any: all, or so many and how many more."""
    if diagnostics:
        note(render_diagnostics(diagnostics, most=most))


def note_error(error: ReconcilerError) -> None:
    """Print what stopped us to stderr."""
    if isinstance(error, InputError):
        note_diagnostics(error.diagnostics)
        return
    detail = error.trace if isinstance(error, ProviderError) else ""
    note_problem(error.code, error.summary, error.hint, detail=detail)


def note_problem(code: Code, summary: str, hint: str, *, detail: str = "") -> None:
    """Print one problem that stands in no file to stderr: what is wrong, and what to do."""
    note(f"error[{code}]: {clean(summary)}")
    if detail:
        note(f"     = note: {clean(detail)}")
    note(f"     = help: {clean(hint)}")


def note_usage(error: click.ClickException) -> None:
    """Print what is wrong with a command line to stderr."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if ctx is not None:
        note(ctx.get_usage())
    path = ctx.command_path if ctx is not None else "reconciler"
    note_problem("usage", error.format_message().removesuffix("."), f"see `{path} --help`")


def note_bug(error: Exception, version: str, *, verbose: bool) -> None:
    """Print that we are at fault to stderr, with the way through the code but no values if `verbose`."""
    if verbose:
        note("".join(traceback.format_exception(error)))
    note_problem(
        "bug",
        f"this is a bug in reconciler {version}: {type(error).__name__}: {error}",
        "report it with all that is printed here"
        if verbose
        else "run the command again with -v and report what it prints",
    )
