"""Lengths of time in words, in the unit that keeps them short."""

from __future__ import annotations

from reconciler.model.durations import Took
from reconciler.rendering.words import some

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

#: Each unit from so many seconds on: `90 s`, then `2 min`; `110 min`, then `2 h`.
_UNITS = (
    (2 * _DAY, _DAY, "d"),
    (2 * _HOUR, _HOUR, "h"),
    (2 * _MINUTE, _MINUTE, "min"),
    (0, 1, "s"),
)

#: So many of a unit and more are told without a fraction.
_WHOLE_FROM = 10


def lasting(seconds: int) -> str:
    """`55 s`, `2.5 min`, `26 h`."""
    return " ".join(_told(seconds))


def from_to(least: int, most: int) -> str:
    """`55 to 80 s`, `40 min to 2 h`; one length where both read alike."""
    (one, unit), (other, other_unit) = _told(least), _told(most)
    if unit != other_unit:
        return f"{one} {unit} to {other} {other_unit}"
    return f"{one} {unit}" if one == other else f"{one} to {other} {unit}"


def took_text(took: Took) -> str:
    """`5 dates took 62 s each on average, 55 to 80 s`."""
    dates = some(took.dates, "date")
    if took.dates == 1:
        return f"{dates} took {lasting(took.total)}"
    if took.least == took.most:
        return f"{dates} took {lasting(took.least)} each"
    span = from_to(took.least, took.most)
    return f"{dates} took {lasting(took.average)} each on average, {span}"


def _told(seconds: int) -> tuple[str, str]:
    size, name = next((size, name) for least, size, name in _UNITS if seconds >= least)
    tenths = (20 * seconds + size) // (2 * size)
    whole, tenth = divmod(tenths, 10)
    if whole >= _WHOLE_FROM:
        return str((2 * seconds + size) // (2 * size)), name
    return (f"{whole}.{tenth}" if tenth else str(whole)), name
