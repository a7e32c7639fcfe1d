"""Seals: a digest that lies in a row beside what it covers, so that a damaged row is known when it is read.

Neither SQLite's pages nor PostgreSQL's (unless its cluster was made with checksums) notice a letter that
changed on the disk, and one that turns generation 1 into 0 would start a run a second time. A seal is no
signature: whoever may write to the database can write a new one, and the journal is there for them.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping

from sqlalchemy import Table

from reconciler.state.schema import FORMAT, since

#: The column that holds a row's seal.
SEAL = "seal"

#: What no seal covers: who holds the lock is a matter of now, and the fence keeps it from doing harm.
_UNSEALED = frozenset({SEAL, "lease_id", "holder", "held_since", "lease_until"})

#: Hexadecimal digits of a seal: 128 bits.
_LENGTH = 32

_write = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@functools.cache
def _covered(table: Table, version: int) -> tuple[str, ...]:
    return tuple(
        column.name
        for column in table.c
        if column.name not in _UNSEALED and since(column) <= version
    )


def seal_of(table: Table, cells: Mapping[str, object], *, version: int = FORMAT) -> str:
    """The seal that belongs to a row of a table in a store of the format `version`.

    Raises:
        TypeError, ValueError: Something in it is no text, number, truth value or nothing, so that it
            cannot be a row of ours.
    """
    covered = [cells[name] for name in _covered(table, version)]
    return hashlib.sha256(_write([table.name, covered]).encode()).hexdigest()[:_LENGTH]


def is_whole(table: Table, cells: Mapping[str, object], *, version: int = FORMAT) -> bool:
    """Whether a row of a store of the format `version` matches its seal."""
    try:
        return cells[SEAL] == seal_of(table, cells, version=version)
    except (TypeError, ValueError):
        return False


#: The sum of no seals.
EMPTY = "0" * _LENGTH


def total(seals: Iterable[str]) -> str:
    """The sum of seals.

    Each row can prove that nobody touched it, and only their sum that none is missing, come back from an
    older page, or there twice.
    """
    return _text(sum(int(one, 16) for one in seals))


def summed(sum_before: str, *, added: str, removed: str) -> str:
    """A sum with one more seal in it, and one less."""
    return _text(int(sum_before, 16) + int(added, 16) - int(removed, 16))


def _text(number: int) -> str:
    return f"{number % 16**_LENGTH:0{_LENGTH}x}"
