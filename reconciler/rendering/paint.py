"""The one way text from outside reaches a person's screen: cleaned, then perhaps coloured."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from reconciler.model.visibility import INVISIBLE

_RESET = "\x1b[0m"

#: What CI runners take for a command wherever it stands in a line: `##[…]`, `##vso[…]`.
RUNNER_COMMAND = re.compile(r"##(?=\w*\[)")

#: What a line must not begin with, as CI runners would obey it.
_COMMAND_START = re.compile(r"(\s*:):")


class Role(enum.Enum):
    """What a piece of text is, for colour: the value is an SGR sequence."""

    CREATE = "\x1b[32m"
    CHANGE = "\x1b[33m"
    PROBLEM = "\x1b[31m"
    QUIET = "\x1b[2m"
    STRONG = "\x1b[1m"


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours text, or leaves it alone."""

    colours: bool = False

    def __call__(self, text: str, role: Role) -> str:
        """The text in the colour of its role."""
        return f"{role.value}{text}{_RESET}" if self.colours and text else text


def clean(text: str) -> str:
    r"""Make text from outside harmless on a terminal and in a CI log, on one line.

    Control, format (bidirectional and invisible) and unassigned characters, unusual blanks and letters that
    show nothing become `\u{…}` escapes, so that no name or message can move the cursor, start a workflow
    command or hide itself.
    """
    if "##" in text:
        text = RUNNER_COMMAND.sub(r"#\\u{23}", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char.isprintable() and not INVISIBLE.match(char) else f"\\u{{{ord(char):x}}}"
        for char in text
    )


_COLOURED = re.compile(
    f"({'|'.join(re.escape(code) for code in [_RESET, *(r.value for r in Role)])})"
)


def harmless(text: str, *, colours: bool = False) -> str:
    """Make a whole text fit for a screen or a log: each line as `clean` does, none a workflow command.

    Args:
        text: Lines, made of our words and of what others wrote.
        colours: Whether the sequences that `Paint` writes may stay.
    """
    return "\n".join(_harmless_line(line, colours=colours) for line in text.split("\n"))


def _harmless_line(line: str, *, colours: bool) -> str:
    safe = (
        "".join(
            piece if _COLOURED.fullmatch(piece) else clean(piece)
            for piece in _COLOURED.split(line)
        )
        if colours and "\x1b" in line
        else clean(line)
    )
    return _COMMAND_START.sub(r"\1\\u{3a}", safe, count=1) if _COMMAND_START.match(safe) else safe
