"""The journal for a person and for a script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.model.canonical import canonical_json
from reconciler.model.state import JournalEntry
from reconciler.rendering.layout import COLUMNS, hanging
from reconciler.rendering.paint import Paint, Role, clean

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
    said = [f"{name} {_words(value)}" for name, value in entry.data.items() if value]
    if said:
        yield from hanging(" " * 7, "; ".join(said), indent=9, width=width)


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(clean(str(one)) for one in value)
    return clean(value if isinstance(value, str) else canonical_json(value))


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
