"""The plan for a person: one line per range of dates whatever its length, what needs them below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.plan import Action, Plan
from reconciler.model.remedies import remedies_for
from reconciler.rendering.decision_roles import ROLES
from reconciler.rendering.estimates_text import estimate_text, total_text
from reconciler.rendering.gates_text import gate_lines
from reconciler.rendering.layout import COLUMNS, NO_BREAK, hanging, indent_of
from reconciler.rendering.paint import Paint, Role, clean
from reconciler.rendering.phrases import plain
from reconciler.rendering.plan_brief import Brief
from reconciler.rendering.plan_view import Row, Section, View, view_of
from reconciler.rendering.plan_words import (
    COMMANDS_TOLD,
    SIGNS,
    about,
    calls_taken,
    cost,
    counts,
    span,
    why,
)
from reconciler.rendering.words import some

#: Columns before commands, and before what goes on in words of ours.
_INDENT = 10

#: So many lines at most for a plan with very much in it, and so many can always be had.
MOST_LINES = 60
FEWEST_LINES = 38


def render_plan(
    plan: Plan,
    *,
    paint: Paint,
    full: bool = False,
    width: int = COLUMNS,
    most: int = MOST_LINES,
) -> str:
    """The plan as text; ends with a newline.

    Args:
        plan: What to show.
        paint: Colours, or none.
        full: Do not fold resources, or ranges of dates, that need nobody; tell all, however much it is.
        width: Columns to fit into; only commands and names may be longer.
        most: So many lines at most for a crowded plan; at least `FEWEST_LINES`.
    """
    view = view_of(plan, full=full)
    total = total_text(plan)
    summary = (
        *_summary(plan, paint, width),
        *(hanging("", total, indent=2, width=width) if total else ()),
    )
    told = _lines(plan, view, paint, width)
    if view.crowded:
        room = most - len(summary)
        first = tuple(islice(told, room + 1))
        told = iter(first) if len(first) <= room else Brief(plan, view, paint, width).lines(room)
    return "\n".join([*told, *summary]) + "\n"


def _lines(plan: Plan, view: View, paint: Paint, width: int) -> Iterator[str]:
    for section in view.sections:
        yield from _section(section, paint, width)
    if view.folded:
        told = f"  = {view.folded} more resources need nothing (--full shows them)"
        yield paint(told, Role.QUIET)
    yield from gate_lines(plan.gates, paint, width)
    for item in plan.diagnostics:
        if item.severity is Severity.WARNING:
            yield from _warning(item, paint, width)


def _section(section: Section, paint: Paint, width: int) -> Iterator[str]:
    sign = SIGNS[section.decision]
    title = f"  {sign} {section.address}"
    painted = f"  {sign} {paint(str(section.address), Role.STRONG)}"
    told = plain(about(section.heading))
    beside = hanging(f"{title}   ", told, width=width)
    if len(beside) == 1:
        yield f"{painted}   {paint(told, Role.QUIET)}" if told else painted
    else:
        yield painted
        for line in hanging(" " * 6, told, width=width):
            yield paint(line, Role.QUIET)
    yield from _rows(section, paint, width)
    for told in filter(None, (calls_taken(section), estimate_text(section.estimate))):
        for line in hanging(" " * 8, told, indent=_INDENT, width=width):
            yield paint(line, Role.QUIET)


def _rows(section: Section, paint: Paint, width: int) -> Iterator[str]:
    rows = section.rows
    span_width = max(len(span(row)) for row in rows)
    count_width = max(len(_dates(row)) for row in rows)
    told: Counter[Action] = Counter()
    for row in rows:
        action = row.action
        prefix = f"      {SIGNS[action.decision]} {span(row):<{span_width}}  {_dates(row):>{count_width}}"
        first, *rest = hanging(f"{prefix}  ", plain(why(action)), width=width)
        yield f"{paint(prefix, ROLES[action.decision])}{first[len(prefix) :]}"
        yield from rest
        if row.needs_person:
            yield from _commands(row, told, paint, width)


def _commands(row: Row, told: Counter[Action], paint: Paint, width: int) -> Iterator[str]:
    """What a person can do about a row; for later ranges of the same action it is the same."""
    action, stretch = row.action, row.stretch
    told[action] += 1
    if stretch is not None and told[action] <= COMMANDS_TOLD:
        for command in remedies_for(action, stretch):
            yield indent_of(command, most=_INDENT, width=width) + paint(command, Role.STRONG)
    elif told[action] == COMMANDS_TOLD + 1:
        yield f"{' ' * _INDENT}the same commands, with these and later dates"


def _warning(item: Diagnostic, paint: Paint, width: int) -> Iterator[str]:
    where = f"{clean(item.address)}: " if item.address else ""
    told = f"{where}{clean(item.summary)} ({clean(item.hint)})"
    word = f"warning[{clean(item.code)}]:"
    first, *rest = hanging(f"  {word} ", told, width=width)
    yield first.replace(word, paint(word, Role.CHANGE), 1)
    yield from rest


def _summary(plan: Plan, paint: Paint, width: int) -> Iterator[str]:
    """What starts, in how many calls, what is satisfied, what needs a person."""
    # No line breaks within a piece: whoever looks for one in a log finds it whole.
    pieces = {piece.replace(" ", NO_BREAK): urgent for piece, urgent in counts(plan)}
    spent = "; ".join(piece.replace(" ", NO_BREAK) for piece in cost(plan))
    first, *rest = hanging("Plan: ", f"{'; '.join(pieces)}. {spent}.", indent=2, width=width)
    for line in (first.replace("Plan:", paint("Plan:", Role.STRONG), 1), *rest):
        painted = line
        for piece in (piece for piece, urgent in pieces.items() if urgent):
            painted = painted.replace(piece, paint(piece, Role.PROBLEM))
        yield painted.replace(NO_BREAK, " ")


def _dates(row: Row) -> str:
    return some(row.dates.count, "date")
