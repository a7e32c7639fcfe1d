"""How wide text is on a screen, and where its lines break."""

from __future__ import annotations

import unicodedata
from itertools import accumulate

#: Lines are meant to be read in this many columns.
COLUMNS = 80

#: Columns before a line that goes on with words from outside: no line of ours begins there, so that what
#: somebody else wrote is not taken for one.
CONTINUED = 12

#: A blank at which no line breaks.
NO_BREAK = "\N{NO-BREAK SPACE}"


def columns(text: str) -> int:
    """How many columns a printable text takes: wide characters take two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def clipped(text: str, width: int) -> str:
    """A text that is cut where it is wider than a line; three dots say so."""
    if columns(text) <= width:
        return text
    taken = accumulate(map(columns, text))
    kept = sum(1 for wide in taken if wide < width)
    return f"{text[:kept].rstrip()}…"


def indent_of(text: str, *, most: int, width: int, least: int = 2) -> str:
    """The blanks before a text that must not be broken: `most`, or two where only that lets it fit."""
    spare = width - columns(text)
    return " " * (least if least <= spare < most else most)


def wrapped(text: str, *, room: int, width: int) -> list[str]:
    """Break a text at its blanks, but not at `NO_BREAK`, into lines that fit.

    A word that is wider than a line is left whole.

    Args:
        text: One line of printable text.
        room: Columns that are left on the first line.
        width: Columns of every other line.
    """
    lines: list[str] = []
    line = ""
    left = room
    for word in text.split(" "):
        wide = columns(word)
        fits = columns(line) + bool(line) + wide <= left
        if line and not fits:
            lines.append(line)
            line, left = word, width
        elif not line and not lines and wide > left:
            lines.append("")
            line, left = word, width
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def hanging(prefix: str, text: str, *, width: int, indent: int = CONTINUED) -> list[str]:
    """A text behind a prefix, in lines that fit; those after the first are indented.

    Args:
        prefix: What stands before the first line; not broken.
        text: One line of printable text.
        width: Columns of a whole line.
        indent: Columns before every other line; fewer only for words that are all ours.
    """
    first, *rest = wrapped(text, room=width - columns(prefix), width=width - indent)
    return [f"{prefix}{first}".rstrip(), *(f"{'':{indent}}{line}" for line in rest)]
