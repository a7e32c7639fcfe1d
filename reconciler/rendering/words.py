"""Small words that every text needs."""

from __future__ import annotations


def some(count: int, noun: str) -> str:
    """`1 date`, `2 dates`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
