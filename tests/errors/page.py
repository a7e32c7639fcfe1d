"""`docs/errors.md` taken apart: for each code, what is said of it and the message it is shown with.

A section begins with a heading that names its codes, such as ### `unknown_key`. Its fence holds commands
and, below each, what one prints; `…` stands for any text within a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"

_SECTION = re.compile(r"^### (.+)\n((?:(?!##).*\n?)*)", re.MULTILINE)
_CODE = re.compile(r"`(\w+)`")
_LINK = re.compile(r"\[`(\w+)`\]\(#")
_FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEAD = re.compile(r"( *)(?:error|warning)\[(\w+)\]: ")


@dataclass(frozen=True, kw_only=True)
class Section:
    """What the page says of some codes, and the messages of its example, each with its code."""

    codes: tuple[str, ...]
    prose: str
    shown: tuple[tuple[str, str], ...]


def read_page() -> tuple[Section, ...]:
    """Every section of the page that names a code."""
    return tuple(
        Section(
            codes=tuple(_CODE.findall(title)),
            prose=_FENCE.sub("", body).strip(),
            shown=tuple(one for fence in _FENCE.findall(body) for one in messages(fence)),
        )
        for title, body in _SECTION.findall(PAGE.read_text(encoding="utf-8"))
    )


def contents() -> list[str]:
    """The codes that the contents of the page link to, in order."""
    return _LINK.findall(PAGE.read_text(encoding="utf-8"))


def messages(text: str) -> Iterator[tuple[str, str]]:
    """Each message in what is printed, with its code: its first line and those indented below it."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if head := _HEAD.match(line):
            below = re.compile(rf"{head[1]} +\S")
            last = number + 1
            while last < len(lines) and below.match(lines[last]) and not _HEAD.match(lines[last]):
                last += 1
            yield head[2], "\n".join(lines[number:last])


def pattern_of(shown: str) -> re.Pattern[str]:
    """What a message on the page stands for."""
    return re.compile(".*".join(map(re.escape, shown.split("…"))))
