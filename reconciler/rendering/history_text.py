"""The journal for a person and for a script."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.canonical import canonical_json
from reconciler.model.dates import DateRange
from reconciler.model.state import JournalEntry
from reconciler.rendering.layout import COLUMNS, hanging
from reconciler.rendering.paint import Paint, Role, clean

#: Dates as the journal writes them: the first, and the one after the last.
_HALF_OPEN = re.compile(r"(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)")

#: Version of `history --json`.
HISTORY_VERSION = "1.0"


def render_history(entries: Iterable[JournalEntry], paint: Paint, *, width: int = COLUMNS) -> str:
    """One line an entry, what it says below it in lines that fit; ends with a newline."""
    lines = [line for entry in entries for line in _entry(entry, paint, width)]
    return "\n".join(lines or ["Nothing happened yet."]) + "\n"


def _entry(entry: JournalEntry, paint: Paint, width: int) -> Iterator[str]:
    commit = f", commit {clean(entry.git_commit)[:12]}" if entry.git_commit else ""
    yield (
        f"{entry.seq:>5}  {entry.at:%Y-%m-%d %H:%M:%S} UTC  {paint(clean(entry.event), Role.STRONG)}"
        f"  {clean(entry.who)}, {clean(entry.command)}{commit}"
    )
    said = [
        f"{name} {_words(value)}"
        for name, value in entry.data.items()
        if value and name != "became"
    ]
    if entry.became:
        said.append(f"now {', '.join(_standings(entry.became))}")
    if said:
        yield from hanging(" " * 7, "; ".join(said), width=width)


def _standings(became: Mapping[str, str]) -> Iterator[str]:
    """How attempts stand; which is which is said where there are several."""
    for attempt, standing in became.items():
        yield _words(standing) if len(became) == 1 else f"{clean(attempt)} {_words(standing)}"


def _both_ends(found: re.Match[str]) -> str:
    try:
        return str(DateRange(*map(dt.date.fromisoformat, found.groups())))
    except ValueError:
        return found[0]


def _words(value: object) -> str:
    """A value of an entry, with both ends of its dates."""
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    text = value if isinstance(value, str) else canonical_json(value)
    return clean(_HALF_OPEN.sub(_both_ends, text))


def history_document(
    entries: Iterable[JournalEntry], problems: Iterable[str] | None
) -> dict[str, object]:
    """`history --json`; `problems` is null when nothing was verified."""
    return {
        "format_version": HISTORY_VERSION,
        "entries": [
            {
                "seq": entry.seq,
                "at": entry.at.isoformat().replace("+00:00", "Z"),
                "fence": entry.fence,
                "who": entry.who,
                "command": entry.command,
                "git_commit": entry.git_commit,
                "event": entry.event,
                "data": entry.data,
                "prev_hash": entry.prev_hash,
                "hash": entry.hash,
            }
            for entry in entries
        ],
        "problems": None if problems is None else list(problems),
    }
