"""What is wrong, in Markdown: beside a plan, or in place of one that could not be made."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.rendering.fitting import Part, characters, fit, left_out
from reconciler.rendering.markdown import LIMIT, LITTLE, code, markdown, marker
from reconciler.rendering.phrases import joined, theirs
from reconciler.rendering.tallies import by_code
from reconciler.rendering.words import some

#: So many warnings stand open on a page, or gates; more are folded.
OPEN_ITEMS = 5


def of_severity(problems: Sequence[Diagnostic], severity: Severity) -> tuple[Diagnostic, ...]:
    """The errors, or the warnings."""
    return tuple(item for item in problems if item.severity is severity)


def problem_line(item: Diagnostic) -> str:
    """One problem with its code, its place and what to do, as an item of a list."""
    place = str(item.place) if item.place else ""
    kind = (f"{item.severity.value} ", *theirs(item.code))
    said = joined(": ", (kind, theirs(item.address or ""), theirs(item.summary)))
    more = (("at ", place), ("note: ", item.detail), ("help: ", item.hint))
    labelled = ((label, *theirs(text)) for label, text in more if text)
    return f"- {markdown(joined('; ', (said, *labelled)))}"


def counted_by_code(problems: Sequence[Diagnostic]) -> str:
    """How many problems there are in all, by their codes."""
    return markdown(by_code(problems), in_cell=True)


def folded(summary: str, body: str) -> str:
    """A text behind a fold that bears a summary, both harmless."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def listed(name: str, total: int, items: Sequence[str]) -> str:
    """A list that stands open if it is short; `name` is what `total` items are, in the plural."""
    body = "\n".join(items)
    if not items:
        return ""
    # Without a line between them two lists would be one.
    return (
        folded(f"{total} {name}", body)
        if total > OPEN_ITEMS
        else f"**{name.capitalize()}**\n\n{body}"
    )


def render_failure(
    project: str, problems: Sequence[Diagnostic], *, shows: str, limit: int = LIMIT
) -> str:
    """That there is no plan, and why; ends with a newline.

    Args:
        project: Its name, empty where that could not be read.
        problems: At least one.
        shows: The command that shows all of them.
        limit: So many UTF-16 units at most.
    """
    errors = of_severity(problems, Severity.ERROR)
    warnings = of_severity(problems, Severity.WARNING)
    named = f" for {code(project, most=LITTLE)}" if project else ""
    head = (marker(project), f"**✗ No plan{named}: {some(len(errors), 'error')}.**")
    kinds = counted_by_code(errors)
    parts = (
        Part("errors", len(errors), map(problem_line, errors), frame="\n\n"),
        Part("warnings", len(warnings), map(problem_line, warnings), frame="\n\n"),
    )
    told = _left_out(parts, kinds, shows)
    fit(parts, limit - sum(characters(block) + 1 for block in (*head, told)))
    # Two lists in a row would be one that is set wide.
    items = "\n".join(item for part in parts for item in part.kept)
    blocks = (*head, _left_out(parts, kinds, shows), items)
    return "\n\n".join(filter(None, blocks)) + "\n"


def _left_out(parts: Sequence[Part], kinds: str, shows: str) -> str:
    missing = left_out(parts)
    if not missing:
        return ""
    return (
        f"**Left out**, for want of room: {missing}. All errors: {kinds}. All of it: {code(shows)}"
    )
