"""A file's text and name, and the making of diagnostics that point into it."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.model.codes import Code
from reconciler.model.diagnostics import Diagnostic, Place, Severity
from reconciler.model.visibility import INVISIBLE

#: How much of a line a diagnostic carries.
EXCERPT_LIMIT = 200

#: What YAML takes for the end of a line, once the characters of `reading` are refused.
_LINE_END = re.compile(r"\r\n|\r|\n")

#: Wide on purpose: a mistyped key, such as `pass:`, may be followed by a secret as well.
_SECRET = re.compile(r"access|credential|key|pass|pw|secret|token|://[^/\s]*@", re.IGNORECASE)
_KEY_AND_VALUE = re.compile(r"\s*(?:- +)?[A-Za-z_]\w*\s*:(?:\s|$)")


class Positioned(Protocol):
    """Anything that starts somewhere: a node, a place."""

    @property
    def line(self) -> int:
        """Line, from 1."""
        ...

    @property
    def column(self) -> int:
        """Column in characters, from 1."""
        ...


def visible(text: str) -> str:
    """Replace each control or invisible character by one visible character, so columns stay put."""
    if not text.isprintable():
        text = "".join(
            char if char.isprintable() else chr(0x2400 + ord(char)) if char < " " else "\ufffd"
            for char in text
        )
    return INVISIBLE.sub("\ufffd", text)


@dataclass(frozen=True)  # no slots: the lines are split once, when the first problem is found
class Source:
    """One file as read. `file` is its path for messages.

    A `guarded` source may hold secrets: lines of it are quoted only where they plainly hold none.
    """

    file: str
    text: str = field(repr=False)
    guarded: bool = False

    @functools.cached_property
    def _lines(self) -> Sequence[str]:
        return _LINE_END.split(self.text)

    def place(self, at: Positioned) -> Place:
        """The place of a node."""
        return Place(self.file, at.line, at.column)

    def excerpt(self, line: int) -> str | None:
        """Line `line`, from 1, cut and made visible; None where it may not be shown."""
        if not self.text or not 0 < line <= len(self._lines):
            return None
        text = self._lines[line - 1]
        if self.guarded and (_SECRET.search(text) or not _KEY_AND_VALUE.match(text)):
            return None
        return visible(text if len(text) <= EXCERPT_LIMIT else text[: EXCERPT_LIMIT - 1] + "…")


@dataclass(frozen=True, slots=True)
class Problems:
    """Collects what is wrong in one source. `address`, once known, names the resource in each."""

    source: Source
    found: list[Diagnostic] = field(default_factory=list)

    def error(
        self, at: Positioned, code: Code, summary: str, *, detail: str = "", hint: str
    ) -> None:
        """Note something that must be changed."""
        self._note(Severity.ERROR, at, code, summary, detail, hint)

    def warning(
        self, at: Positioned, code: Code, summary: str, *, detail: str = "", hint: str
    ) -> None:
        """Note something that is likely a mistake."""
        self._note(Severity.WARNING, at, code, summary, detail, hint)

    def _note(
        self, severity: Severity, at: Positioned, code: Code, summary: str, detail: str, hint: str
    ) -> None:
        self.found.append(
            Diagnostic(
                severity=severity,
                code=code,
                summary=summary,
                detail=detail,
                hint=hint,
                place=self.source.place(at),
                excerpt=self.source.excerpt(at.line),
            )
        )
