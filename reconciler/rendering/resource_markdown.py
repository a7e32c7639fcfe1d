"""One resource of a plan in Markdown: its row in the table, and its details behind a fold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.model.plan import Action, Decision, FieldChange
from reconciler.model.remedies import NEEDS_PERSON, remedies_for
from reconciler.rendering.estimates_text import estimate_text
from reconciler.rendering.fitting import Part, fit, left_out
from reconciler.rendering.layout import NO_BREAK
from reconciler.rendering.markdown import MOST, code, fenced, harmless, markdown, words
from reconciler.rendering.phrases import Phrase, joined
from reconciler.rendering.plan_view import QUIET, Row, Section
from reconciler.rendering.plan_words import (
    COMMANDS_TOLD,
    SIGNS,
    about,
    calls_counted,
    calls_taken,
    cause,
    first_ranges,
    main_cause,
    outlook,
    span,
    where,
    whose,
)
from reconciler.rendering.words import some

#: So many characters at most are told of one resource, so that none crowds out the others.
DETAILS_MOST = 6_000

#: Of values that are long and begin alike so many characters are shown before they differ.
_BEFORE_DIFFERENCE = 40

TABLE_HEAD = "| | resource | dates | why |\n| --- | --- | --- | --- |"

#: Between lines of a cell.
_BREAK = "<br>"

#: What an apply leaves alone.
_LEFT_ALONE = {
    Decision.WAIT: "in flight",
    Decision.NONE: "satisfied",
    Decision.RELEASED: "released",
    Decision.SHARED: "counted elsewhere",
}


def table_row(section: Section) -> str:
    """What a reviewer must know of a resource that starts or needs somebody, in one row."""
    starts = calls_counted(section) if section.calls else ""
    cells = (
        (f"`{SIGNS[section.decision]}`{NO_BREAK}{section.decision.value}",),
        (code(str(section.address)), _cell(where(section.heading))),
        (
            *(_kept_together(told, _BREAK) for told in outlook(section)),
            _kept_together(starts, ", "),
        ),
        (_cell(main_cause(section)), _cell(whose(section.heading))),
    )
    return f"| {' | '.join(_BREAK.join(filter(None, lines)) for lines in cells)} |"


def idle_line(section: Section) -> str:
    """A resource with nothing to do, in one line."""
    counted: Counter[str] = Counter()
    for action in section.actions:
        counted[_LEFT_ALONE[action.decision]] += action.dates.count
    told = ", ".join(f"{some(count, 'date')} {word}" for word, count in counted.items())
    return f"- {code(str(section.address))}: {told}"


def details(section: Section, *, canary: bool, shows: str) -> str:
    """All that is known of a resource, folded; what is too much is left out and counted.

    Args:
        section: The resource.
        canary: Whether some of its dates go first, on their own.
        shows: The command that shows the whole plan, as Markdown.
    """
    rows = sorted(section.rows, key=lambda row: (not row.needs_person, _is_quiet(row)))
    ranges = Part("ranges of dates", len(rows), map(_row_line, rows))
    commands = _part("commands", _commands(section.actions))
    fields = _part("changed fields", _fields(section.actions))
    calls = _part("sentences on calls", _calls(section, canary))
    parts = (commands, ranges, fields, calls)
    fit(parts, DETAILS_MOST)
    missing = left_out(parts)
    name = f"{SIGNS[section.decision]} {section.address}"
    blocks = (
        f"<details>\n<summary><code>{name}</code></summary>",
        markdown(joined("", (("In ",), told))) if (told := about(section.heading)) else "",
        "\n".join(ranges.kept),
        "\n".join(calls.kept),
        fenced(fields.kept, "diff") if fields.kept else "",
        fenced(commands.kept, "sh") if commands.kept else "",
        f"Left out here: {missing}. All of it: {shows}" if missing else "",
        "</details>",
    )
    return "\n\n".join(filter(None, blocks))


def _part(noun: str, items: Iterator[str]) -> Part:
    known = tuple(items)
    return Part(noun, len(known), iter(known))


def _is_quiet(row: Row) -> bool:
    return row.action.decision in QUIET


def _kept_together(text: str, between: str) -> str:
    """A text of ours that breaks at its commas alone, so that no cell is too narrow for dates."""
    return between.join(piece.replace(" ", NO_BREAK) for piece in text.split(", "))


def _cell(phrase: Phrase) -> str:
    return markdown(phrase, in_cell=True)


def _row_line(row: Row) -> str:
    told = joined(": ", ((f"{span(row)}, {some(row.dates.count, 'date')}",), cause(row.action)))
    return f"- `{SIGNS[row.action.decision]}` {markdown(told)}"


def _calls(section: Section, canary: bool) -> Iterator[str]:
    """In how many calls it starts, in which batches, and how long it would run."""
    if taken := calls_taken(section):
        first = "; the canary goes first" if canary and section.calls[0].batch == 0 else ""
        yield words(f"Starts {taken}{first}.")
    if lasts := estimate_text(section.estimate):
        yield words(f"It {lasts}.")


def _fields(actions: Sequence[Action]) -> Iterator[str]:
    """The fields that differ, each as lines of a diff; before the first of an action, its dates."""
    for action in actions:
        for number, change in enumerate(action.changes):
            head = () if number else (f"@@ {first_ranges(action.dates)} @@",)
            yield "\n".join((*head, *_change(change)))


def _change(change: FieldChange) -> Iterator[str]:
    path, _ = harmless(change.path)
    skipped = _alike(change.before, change.after)
    for sign, value in (("-", change.before), ("+", change.after)):
        if value is not None:
            shown, note = harmless(value[skipped:])
            since = f" (from character {skipped + 1} on)" if skipped else ""
            yield f'{sign} {path}: "{shown}"{since}{note}'


def _alike(before: str | None, after: str | None) -> int:
    """How much of two values to skip, so that where they differ is not cut away."""
    if before is None or after is None or max(len(before), len(after)) <= MOST:
        return 0
    pairs = enumerate(zip(before, after, strict=False))
    differ = next(
        (place for place, (old, new) in pairs if old != new), len(min(before, after, key=len))
    )
    return max(0, differ - _BEFORE_DIFFERENCE)


def _commands(actions: Sequence[Action]) -> Iterator[str]:
    """What a person can type, for the first ranges of each action that needs one."""
    for action in actions:
        if action.decision not in NEEDS_PERSON:
            continue
        for dates in action.dates.ranges[:COMMANDS_TOLD]:
            yield from remedies_for(action, dates)
        more = len(action.dates.ranges) - COMMANDS_TOLD
        if more > 0:
            yield f"# the same for {some(more, 'later range')} of dates"
