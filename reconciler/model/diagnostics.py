"""Diagnostics: problems in what a person wrote, as values that are collected and shown together."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.model.codes import Code


class Severity(enum.Enum):
    """How bad it is: an error stops the command, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file: line and column count from 1; `column` counts characters."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem.

    `summary` is one line without a full stop; `detail` may say more; `hint` says what to do, always.
    `excerpt` is the offending line of the file as it stands (may be cut), for the caret.
    """

    severity: Severity
    code: Code
    summary: str
    detail: str = ""
    place: Place | None = None
    address: str | None = None
    hint: str
    excerpt: str | None = None

    def sort_key(self) -> tuple[bool, Place, str, str]:
        """By place; problems without one come first, as they concern the whole."""
        return (self.place is not None, self.place or Place(""), self.code, self.summary)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted by place, each one once."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=Diagnostic.sort_key))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them stops the command."""
    return any(item.severity is Severity.ERROR for item in diagnostics)
