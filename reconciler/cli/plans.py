"""How a plan is shown: its text, or its document, and what is wrong with it."""

from __future__ import annotations

from reconciler.cli.output import Terminal, answer, answer_json, note_diagnostics
from reconciler.formats.planfile import plan_document
from reconciler.model.diagnostics import Severity
from reconciler.model.plan import Plan
from reconciler.rendering.plan_text import render_plan


def show_plan(terminal: Terminal, plan: Plan, *, full: bool = False) -> None:
    """Print a plan for a person, its warnings among it; what is wrong with it goes to stderr."""
    note_diagnostics(tuple(one for one in plan.diagnostics if one.severity is Severity.ERROR))
    answer(render_plan(plan, paint=terminal.paint, full=full, width=terminal.width))


def print_plan(plan: Plan) -> None:
    """Print a plan's document; warnings and errors go to stderr, too."""
    note_diagnostics(plan.diagnostics)
    answer_json(plan_document(plan), indent=2)
