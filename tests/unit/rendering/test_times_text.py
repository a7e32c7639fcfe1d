"""Lengths of time in words."""

from __future__ import annotations

import pytest

from reconciler.model.durations import Took
from reconciler.rendering.times_text import from_to, lasting, took_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (150, "2.5 min"),
        (597, "10 min"),
        (119 * 60, "119 min"),
        (7200, "2 h"),
        (9000, "2.5 h"),
        (47 * 3600, "47 h"),
        (48 * 3600, "2 d"),
        (400 * 86_400, "400 d"),
    ],
)
def test_a_length_is_told_in_the_unit_that_suits_it(seconds: int, text: str) -> None:
    assert lasting(seconds) == text


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [
        (55, 80, "55 to 80 s"),
        (2400, 7200, "40 min to 2 h"),
        (60, 60, "60 s"),
        (601, 629, "10 min"),
    ],
)
def test_a_range_names_a_unit_once(least: int, most: int, text: str) -> None:
    assert from_to(least, most) == text


@pytest.mark.parametrize(
    ("took", "text"),
    [
        (
            Took(dates=5, least=55, most=80, total=311),
            "5 dates took 62 s each on average, 55 to 80 s",
        ),
        (Took(dates=5, least=60, most=60, total=300), "5 dates took 60 s each"),
        (Took(dates=1, least=60, most=60, total=60), "1 date took 60 s"),
    ],
)
def test_what_was_taken_is_told_in_a_line(took: Took, text: str) -> None:
    assert took_text(took) == text
