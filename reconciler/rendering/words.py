"""Small words that every text needs."""

from __future__ import annotations

import shlex


def argument(path: str) -> str:
    """A path as it is pasted into a shell: quoted where it must be, and never taken for an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def some(count: int, noun: str) -> str:
    """`1 date`, `2 dates`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
