"""Reading values out of parsed JSON, each with the shape it must have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast


def as_object(value: object) -> dict[str, object]:
    """An object.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return cast("dict[str, object]", value)


def as_objects(value: object) -> Iterator[dict[str, object]]:
    """A list of objects.

    Raises:
        TypeError: It, or one of its items, is something else.
    """
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {type(value).__name__}")
    return map(as_object, value)


def as_texts(value: object) -> tuple[str, ...]:
    """A list, its items as texts.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {type(value).__name__}")
    return tuple(map(str, value))


def as_text_or_none(value: object) -> str | None:
    """A text, or None for null."""
    return None if value is None else str(value)


def as_number(value: object) -> int:
    """A whole number.

    Raises:
        ValueError: It is something else.
    """
    return int(str(value))


def as_number_or_none(value: object) -> int | None:
    """A whole number, or None for null.

    Raises:
        ValueError: It is something else.
    """
    return None if value is None else as_number(value)
