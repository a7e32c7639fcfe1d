"""The one way text from outside reaches a person's screen: cleaned, then perhaps coloured."""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass

_RESET = "\x1b[0m"

_COMMAND = re.compile(r"##(?=\w*\[)")


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

    Control, format (bidirectional and invisible) and unassigned characters become `\\u{…}` escapes, so
    that no name or message can move the cursor, start a workflow command or hide itself. CI runners look
    for `##[…]` and `##vso[…]` anywhere in a line, so these are broken up.
    """
    if "##" in text:
        text = _COMMAND.sub(r"#\\u{23}", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{{{ord(char):x}}}"
        if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029"
        else char
        for char in text
    )
