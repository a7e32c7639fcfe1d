"""Where text goes: the answer to stdout, everything about the work to stderr."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import InputError, ReconcilerError
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.rendering.paint import Paint, clean


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
        return Paint(colours=wanted and sys.stdout is not None and sys.stdout.isatty())

    @property
    def interactive(self) -> bool:
        """Whether somebody can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()


def answer(text: str) -> None:
    """Print to stdout as it is; a newline is added unless there is one."""
    click.echo(text, nl=not text.endswith("\n"), color=True)


def note(text: str) -> None:
    """Print to stderr; a full disk or a closed stream there must not stop the work that is told of."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True, nl=not text.endswith("\n"))


def note_diagnostics(diagnostics: tuple[Diagnostic, ...]) -> None:
    """Print problems to stderr, if there are any."""
    if diagnostics:
        note(render_diagnostics(diagnostics))


def note_error(error: ReconcilerError) -> None:
    """Print what stopped us to stderr."""
    if isinstance(error, InputError):
        note_diagnostics(error.diagnostics)
        return
    note(f"error: {clean(error.summary)}")
    if error.hint:
        note(f"  help: {clean(error.hint)}")
