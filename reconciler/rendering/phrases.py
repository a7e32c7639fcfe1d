"""Sentences of our words and other people's: each surface makes the others' harmless in its own way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.rendering.paint import clean

_BLANKS = re.compile(" {2,}")


@dataclass(frozen=True, slots=True)
class Theirs:
    """Text from outside: out of a spec, a file, a service's answer."""

    text: str


#: Pieces of one line; a plain text in it is ours.
Phrase = tuple[str | Theirs, ...]


def theirs(text: str) -> Phrase:
    """A phrase of nothing but somebody else's text; empty for an empty text."""
    return (Theirs(text),) if text else ()


def joined(separator: str, phrases: Iterable[Phrase]) -> Phrase:
    """The phrases that say something, with our separator between them."""
    pieces: list[str | Theirs] = []
    for phrase in phrases:
        if not phrase:
            continue
        if pieces:
            pieces.append(separator)
        pieces.extend(phrase)
    return tuple(pieces)


def plain(phrase: Phrase) -> str:
    """The phrase as one line that is safe on a terminal and in a log.

    Blanks of theirs count once: nobody aims with them at where our lines begin.
    """
    return "".join(
        _BLANKS.sub(" ", clean(piece.text)) if isinstance(piece, Theirs) else piece
        for piece in phrase
    )
