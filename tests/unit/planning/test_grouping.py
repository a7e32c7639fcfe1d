"""The fewest calls: proved against every other way to cut the same units."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.dates import DateRange
from reconciler.model.rangemap import RangeMap
from reconciler.planning.grouping import call_ranges
from tests.builders import day, span

WINDOW = 7
GENERATIONS = 2


def starting(units: Mapping[int, int]) -> RangeMap[int]:
    return RangeMap.of((DateRange.day(day(n)), generation) for n, generation in units.items())


def groupings(days: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Every way to cut ascending days into groups that keep their order."""
    for cuts in itertools.product((False, True), repeat=max(0, len(days) - 1)):
        groups: list[tuple[int, ...]] = []
        for index, number in enumerate(days):
            if index == 0 or cuts[index - 1]:
                groups.append((number,))
            else:
                groups[-1] = (*groups[-1], number)
        yield tuple(groups)


def is_correct(groups: tuple[tuple[int, ...], ...], units: Mapping[int, int]) -> bool:
    """Whether each group could be one call: consecutive dates of one generation."""
    return all(
        group[-1] - group[0] == len(group) - 1 and len({units[n] for n in group}) == 1
        for group in groups
    )


def fewest(units: Mapping[int, int]) -> int:
    days = tuple(sorted(units))
    return min(len(groups) for groups in groupings(days) if is_correct(groups, units))


def assert_exact(calls: list[tuple[DateRange, int]], units: Mapping[int, int]) -> None:
    covered = [(date, generation) for dates, generation in calls for date in dates.days()]
    assert covered == [(day(n), units[n]) for n in sorted(units)]


def test_no_correct_plan_has_fewer_calls() -> None:
    """All units on all subsets of a week, at either of two generations: 3^7 cases."""
    for choice in itertools.product((None, *range(1, GENERATIONS + 1)), repeat=WINDOW):
        units = {n: generation for n, generation in enumerate(choice) if generation is not None}
        calls = list(call_ranges(starting(units)))
        assert_exact(calls, units)
        assert len(calls) == fewest(units)


@given(st.dictionaries(st.integers(0, 11), st.integers(1, 4)))
def test_fewest_calls_for_more_days_and_generations(units: Mapping[int, int]) -> None:
    calls = list(call_ranges(starting(units)))
    assert_exact(calls, units)
    assert len(calls) == fewest(units)


@given(st.dictionaries(st.integers(0, 11), st.integers(1, 4)))
def test_a_manual_flow_has_one_call_per_date(units: Mapping[int, int]) -> None:
    calls = list(call_ranges(starting(units), most=1))
    assert_exact(calls, units)
    assert [dates.count for dates, _ in calls] == [1] * len(units)


def test_a_year_is_one_call() -> None:
    (call,) = call_ranges(RangeMap(((span(0, 364), 1),)))
    assert call == (span(0, 364), 1)
