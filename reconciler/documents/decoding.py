"""Bytes to text: size, encoding, and characters that have no business in a file people review.

Refused besides broken UTF-8: NUL and the other control characters, and the invisible ones (bidirectional
controls, zero-width characters, unusual line separators), since a reviewer would not see what they do.
They are refused everywhere, comments included, because what a comment hides may be the line after it.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import NamedTuple

from reconciler.documents.source import Problems, Source
from reconciler.model.visibility import INVISIBLE

#: Largest file, in bytes.
FILE_LIMIT = 1024 * 1024
_REPORTED = 10

_LINE_END = re.compile(r"\r\n|\r|\n")
_UTF16_OR_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


class Position(NamedTuple):
    """Line and column, from 1."""

    line: int = 1
    column: int = 1


def position_of(text: str, index: int) -> Position:
    """Where the character at `index` stands."""
    line, start = 1, 0
    for end in _LINE_END.finditer(text, 0, index):
        line, start = line + 1, end.end()
    return Position(line, index - start + 1)


def character_name(char: str) -> str:
    """`U+200B ZERO WIDTH SPACE`, for a character that cannot be shown."""
    return f"U+{ord(char):04X} {unicodedata.name(char, 'control character')}"


def decode(data: bytes, file: str, *, guarded: bool) -> Problems:
    """Turn the bytes of a file into a source, with what is wrong about them.

    Returns:
        The source and its problems. With any problem found, the text must not be parsed.
    """
    if len(data) > FILE_LIMIT:
        problems = Problems(Source(file, ""))
        problems.error(
            Position(),
            "file_too_large",
            f"the file is larger than {FILE_LIMIT // 1024} KiB",
            hint="split it into several files",
        )
        return problems
    if data.startswith(_UTF16_OR_32):
        problems = Problems(Source(file, ""))
        problems.error(
            Position(), "encoding", "the file is UTF-16 or UTF-32", hint="save it as UTF-8"
        )
        return problems
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _undecodable(data, error, file, guarded=guarded)
    problems = Problems(Source(file, text, guarded))
    for index, found in enumerate(INVISIBLE.finditer(text)):
        if index == _REPORTED:
            break
        problems.error(
            position_of(text, found.start()),
            "invisible_character",
            f"the file holds {character_name(found[0])}, which a reader cannot see",
            hint="remove it",
        )
    return problems


def _undecodable(data: bytes, error: UnicodeDecodeError, file: str, *, guarded: bool) -> Problems:
    before = data[: error.start].decode("utf-8")
    rest = data[error.start :].decode("utf-8", "replace")
    problems = Problems(Source(file, before + rest, guarded))
    problems.error(
        position_of(before, len(before)),
        "encoding",
        f"the file is not UTF-8: byte 0x{data[error.start]:02X} does not belong here",
        hint="save it as UTF-8",
    )
    return problems
