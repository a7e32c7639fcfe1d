"""Durations as JSON; times are whole seconds."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.formats.json_values import as_number
from reconciler.model.durations import Took


def took_document(took: Took) -> dict[str, object]:
    """How long dates took."""
    return {
        "dates": took.dates,
        "least_seconds": took.least,
        "average_seconds": took.average,
        "most_seconds": took.most,
        "total_seconds": took.total,
    }


def took_of(item: Mapping[str, object]) -> Took:
    """Read it; the average is not read but worked out.

    Raises:
        KeyError, ValueError: No dates took that.
    """
    return Took(
        dates=as_number(item["dates"]),
        least=as_number(item["least_seconds"]),
        most=as_number(item["most_seconds"]),
        total=as_number(item["total_seconds"]),
    )
