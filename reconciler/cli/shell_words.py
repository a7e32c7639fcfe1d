"""A command line that is being typed, cut into words as a shell does; nothing in it is ever expanded."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REDIRECTION = re.compile(r"[0-9]*(?:<|>>?|>\||&>>?|>&)")
#: By the quote that is open: what may end it, or take the meaning from the next character.
_ENDS = {"'": "'", '"': '"\\'}
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What was typed: the words that are complete, without quotes, and the one that is not.

    Of `current`, the shell keeps the first `kept` characters and replaces the others: bash cuts words
    at more characters than blanks, such as the `=` of an option and the `@` of a unit.
    """

    words: tuple[str, ...]
    current: str
    kept: int = 0

    @property
    def redirects(self) -> bool:
        """Whether the current word is the file of a redirection."""
        before = self.words[-1] if self.words else ""
        return bool(_REDIRECTION.fullmatch(before) or _REDIRECTION.match(self.current))

    @property
    def arguments(self) -> list[str]:
        """The complete words after the command's name, without redirections."""
        words = list(self.words)
        while words and _ASSIGNMENT.match(words[0]):
            del words[0]
        kept: list[str] = []
        rest = iter(words[1:])
        for word in rest:
            if _REDIRECTION.fullmatch(word):
                next(rest, None)
            elif not _REDIRECTION.match(word):
                kept.append(word)
        return kept


def cut(line: str, breaks: str = "") -> Typed:
    """Cut a line, up to the cursor, into words.

    Args:
        line: As typed. A quote may be open, and the last word is the current one, even if it is empty.
        breaks: Characters at which bash starts another word (`COMP_WORDBREAKS`), where they are not quoted.
    """
    words: list[str] = []
    word: list[str] | None = None
    quote, kept, outside, escaped = "", 0, 0, False
    for char in line:
        if word is None:
            if char.isspace():
                continue
            word, kept = [], 0
        if escaped or (quote and char not in _ENDS[quote]):
            word.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == quote:
            quote, kept = "", outside
        elif char in "'\"":
            quote, outside, kept = char, kept, len(word)
        elif char.isspace():
            words.append("".join(word))
            word = None
        else:
            word.append(char)
            if char in breaks:
                # Bash takes an `@` for the beginning of a host's name, and replaces it, too.
                kept = len(word) - (char == "@")
    current = "" if word is None else "".join(word)
    return Typed(words=tuple(words), current=current, kept=kept if word else 0)
