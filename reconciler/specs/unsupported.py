"""What the file format has and this version cannot do yet, said the same way everywhere."""

from __future__ import annotations

from reconciler.documents import Problems
from reconciler.documents.source import Positioned

CODE = "not_supported_yet"


def note_unsupported(
    problems: Problems, at: Positioned, what: str, hint: str = "remove it"
) -> None:
    """Note the use of something that is part of the format but not yet of the product."""
    problems.error(at, CODE, f"{what} is not supported yet", hint=hint)
