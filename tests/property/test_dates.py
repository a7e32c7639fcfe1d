"""Date algebra against a plain set and a plain dict of days."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.dates import MAX_DATE, MIN_DATE, DateRange, DateSet
from reconciler.model.rangemap import RangeMap, cut, overlay, sweep
from tests.builders import date_sets, day, range_maps, ranges

WINDOW = [day(n) for n in range(-1, 13)]
ANY_DATE = st.dates(MIN_DATE, MAX_DATE)
VALUES = st.sampled_from(["a", "b"])
MAPS = range_maps(VALUES)
LAYERS = st.lists(st.tuples(ranges(), VALUES), max_size=6)


def days_of(dates: Iterable[DateRange]) -> set[dt.date]:
    return {date for item in dates for date in item.days()}


def dict_of(mapped: Iterable[tuple[DateRange, str]]) -> dict[dt.date, str]:
    return {date: value for item, value in mapped for date in item.days()}


def assert_normal(dates: DateSet) -> None:
    """Sorted, disjoint, and never touching: so there is one form for each set of days."""
    pairs = itertools.pairwise(dates.ranges)
    assert all(left.end < right.start for left, right in pairs)


def assert_normal_map(mapped: RangeMap[str]) -> None:
    for (left, before), (right, after) in itertools.pairwise(mapped.items):
        assert left.end <= right.start
        assert left.end < right.start or before != after


@given(st.lists(ranges()))
def test_of_makes_the_normal_form_of_any_ranges(parts: list[DateRange]) -> None:
    dates = DateSet.of(parts)
    assert_normal(dates)
    assert set(dates.days()) == days_of(parts)
    assert list(dates.days()) == sorted(days_of(parts))


@given(st.lists(ranges()), st.randoms(use_true_random=False))
def test_order_of_ranges_does_not_matter(parts: list[DateRange], random: object) -> None:
    shuffled = parts.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands out a Random
    assert DateSet.of(shuffled) == DateSet.of(parts)


@given(st.lists(st.sampled_from(WINDOW)))
def test_of_dates_holds_just_those_days(days: list[dt.date]) -> None:
    assert_normal(DateSet.of_dates(days))
    assert set(DateSet.of_dates(days).days()) == set(days)


@given(date_sets(), date_sets())
def test_set_operations_agree_with_sets_of_days(left: DateSet, right: DateSet) -> None:
    mine, theirs = set(left.days()), set(right.days())
    for result, expected in (
        (left | right, mine | theirs),
        (left & right, mine & theirs),
        (left - right, mine - theirs),
    ):
        assert_normal(result)
        assert set(result.days()) == expected
        assert result.count == len(expected)
        assert bool(result) == bool(expected)
        assert all((date in result) == (date in expected) for date in WINDOW)


@given(date_sets())
def test_hull_runs_from_the_first_day_to_the_last(dates: DateSet) -> None:
    days = set(dates.days())
    expected = DateRange.inclusive(min(days), max(days)) if days else None
    assert dates.hull == expected


@given(ranges(), ranges())
def test_intersection_of_ranges(left: DateRange, right: DateRange) -> None:
    both = left.intersection(right)
    assert set(both.days() if both else ()) == set(left.days()) & set(right.days())


@given(ANY_DATE, ANY_DATE)
def test_range_text_is_inclusive_and_reads_back(one: dt.date, other: dt.date) -> None:
    item = DateRange.inclusive(min(one, other), max(one, other))
    assert DateRange.parse(str(item)) == item
    assert item.last == max(one, other)
    assert item.count == (item.last - item.start).days + 1
    assert str(item).count("..") == (item.count > 1)


@given(date_sets())
def test_set_texts_read_back(dates: DateSet) -> None:
    assert DateSet.parse(dates.texts()) == dates
    assert str(dates) == ", ".join(dates.texts())


@given(st.text(max_size=24))
def test_any_text_is_a_range_or_a_value_error(text: str) -> None:
    try:
        item = DateRange.parse(text)
    except ValueError:
        return
    assert DateRange.parse(str(item)) == item


@given(ANY_DATE, st.integers(0, 40))
def test_empty_ranges_cannot_be_made(date: dt.date, back: int) -> None:
    end = max(dt.date.min, date - dt.timedelta(days=back))
    with pytest.raises(ValueError, match="empty date range"):
        DateRange(date, end)


@given(MAPS, date_sets())
def test_restricted_keeps_the_values_of_those_days(mapped: RangeMap[str], dates: DateSet) -> None:
    kept = mapped.restricted(dates)
    assert_normal_map(kept)
    wanted = set(dates.days())
    assert dict_of(kept) == {d: value for d, value in dict_of(mapped).items() if d in wanted}


@given(MAPS, MAPS)
def test_overlaid_prefers_the_newer(older: RangeMap[str], newer: RangeMap[str]) -> None:
    result = older.overlaid(newer)
    assert_normal_map(result)
    assert dict_of(result) == dict_of(older) | dict_of(newer)


@given(LAYERS)
def test_overlay_lets_the_last_one_win(layers: list[tuple[DateRange, str]]) -> None:
    result = overlay(layers)
    assert_normal_map(result)
    assert dict_of(result) == dict_of(layers)


@given(MAPS)
def test_map_look_ups_agree_with_a_dict(mapped: RangeMap[str]) -> None:
    plain = dict_of(mapped)
    assert all(mapped.at(date) == plain.get(date) for date in WINDOW)
    assert set(mapped.dates.days()) == set(plain)
    assert bool(mapped) == bool(plain)
    assert set(mapped.where(lambda value: value == "a").days()) == {
        date for date, value in plain.items() if value == "a"
    }
    assert RangeMap.of(reversed(mapped.items)) == mapped
    assert_normal(mapped.dates)


@given(MAPS, st.fixed_dictionaries({"a": VALUES, "b": VALUES}))
def test_mapping_values_joins_neighbours_that_became_equal(
    mapped: RangeMap[str], table: Mapping[str, str]
) -> None:
    result = mapped.map(lambda value: table[value])
    assert_normal_map(result)
    assert dict_of(result) == {date: table[value] for date, value in dict_of(mapped).items()}


@given(date_sets())
def test_constant_has_one_value_on_each_day(dates: DateSet) -> None:
    result = RangeMap.constant(dates, "a")
    assert_normal_map(result)
    assert dict_of(result) == dict.fromkeys(dates.days(), "a")


@given(st.lists(st.tuples(ranges(), st.integers(0, 99)), max_size=6))
def test_sweep_stacks_all_values_of_each_day_in_order(layers: list[tuple[DateRange, int]]) -> None:
    pieces = list(sweep(layers))
    for (left, _), (right, _) in itertools.pairwise(pieces):
        assert left.end <= right.start
    stacks = {date: stack for item, stack in pieces for date in item.days()}
    for date in WINDOW:
        expected = tuple(value for item, value in layers if date in item)
        assert stacks.get(date, ()) == expected


@given(date_sets(), st.lists(MAPS, max_size=3))
def test_cut_covers_the_dates_with_constant_pieces(
    dates: DateSet, maps: list[RangeMap[str]]
) -> None:
    found = cut(dates, maps)
    pieces = list(found)
    assert [d for item, _ in pieces for d in item.days()] == list(dates.days())
    for item, row in pieces:
        for date in item.days():
            assert row == tuple(mapped.at(date) for mapped in maps)
