"""What runs took, added up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.dates import DateRange
from reconciler.model.durations import Took, joined
from reconciler.model.rangemap import RangeMap
from tests.builders import day

durations = st.lists(st.integers(0, 10**7), min_size=1, max_size=8)


def took(*seconds: int) -> Took:
    """Dates that took so many seconds each."""
    days = [(DateRange.day(day(number)), one) for number, one in enumerate(seconds)]
    found = Took.of(RangeMap.of(days))
    assert found is not None
    return found


@given(durations)
def test_what_was_taken_is_counted_date_by_date(seconds: list[int]) -> None:
    assert took(*seconds) == Took(
        dates=len(seconds), least=min(seconds), most=max(seconds), total=sum(seconds)
    )


def test_a_stretch_of_equal_dates_counts_each_of_them() -> None:
    stretch = RangeMap.of([(DateRange.parse("2024-05-01..2024-05-05"), 60)])
    assert Took.of(stretch) == Took(dates=5, least=60, most=60, total=300)


def test_where_nothing_was_timed_nothing_is_told() -> None:
    assert Took.of(RangeMap()) is None
    assert joined([None, None]) is None
    assert joined([None, took(3), None]) == took(3)


@given(durations, durations)
def test_parts_are_joined_as_if_timed_together(one: list[int], other: list[int]) -> None:
    assert joined([took(*one), None, took(*other)]) == took(*one, *other)


@given(durations, st.integers(1, 400))
def test_an_average_lies_between_the_least_and_the_most(seconds: list[int], number: int) -> None:
    told = took(*seconds).average_of(number)
    assert number * min(seconds) <= told <= number * max(seconds)
    assert abs(told - number * sum(seconds) / len(seconds)) <= 0.5


@pytest.mark.parametrize(
    ("dates", "least", "most", "total"), [(0, 0, 0, 0), (1, -1, 0, 0), (2, 3, 4, 5), (2, 3, 4, 9)]
)
def test_what_no_runs_can_have_taken_is_refused(
    dates: int, least: int, most: int, total: int
) -> None:
    with pytest.raises(ValueError, match="no runs took"):
        Took(dates=dates, least=least, most=most, total=total)
