"""What output may hold: nothing that moves a cursor, hides, forges a line or commands a CI runner."""

from __future__ import annotations

import re
import unicodedata

#: Azure Pipelines and its kin look for these anywhere in a line.
_ANYWHERE = re.compile(r"##\w*\[")
#: GitHub takes a line for a command whatever blanks stand before it.
_AT_THE_START = re.compile(r"\s*::")

#: Letters and marks by category that nothing shows.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")


def harm(text: str) -> list[str]:
    """What is wrong with lines that a person or a CI runner reads; empty if nothing is."""
    return [why for line in text.split("\n") for why in _harm_of_line(line)]


def is_harmless(text: str) -> bool:
    """Whether nothing is wrong with it."""
    return not harm(text)


def _harm_of_line(line: str) -> list[str]:
    found = [
        f"U+{ord(char):04X} in {line[:120]!a}"
        for char in sorted(set(line))
        if char in _UNSEEN or not (char.isprintable() or unicodedata.category(char) == "Zs")
    ]
    if _AT_THE_START.match(line):
        found.append(f"a workflow command: {line[:120]!a}")
    if _ANYWHERE.search(line):
        found.append(f"a logging command: {line[:120]!a}")
    return found
