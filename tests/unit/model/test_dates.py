from __future__ import annotations

import datetime as dt

import pytest

from reconciler.model.dates import MAX_DATE, MIN_DATE, DateRange, DateSet, parse_date
from reconciler.model.rangemap import RangeMap
from tests.builders import dates, span

#: `2024-05-01` in digits that `int` would take as well.
ARABIC = "2024-05-01".translate({ord("0") + n: 0x660 + n for n in range(10)})


@pytest.mark.parametrize("text", ["1970-01-01", "2024-02-29", "9998-12-31"])
def test_dates_within_the_bounds_are_read(text: str) -> None:
    assert str(parse_date(text)) == text


@pytest.mark.parametrize("text", ["9999-12-31", "9999-01-01", "1969-12-31", "0001-01-01"])
def test_dates_out_of_bounds_say_what_the_bounds_are(text: str) -> None:
    with pytest.raises(ValueError, match="dates run from 1970-01-01 to 9998-12-31"):
        parse_date(text)


@pytest.mark.parametrize("text", ["2023-02-29", "2024-13-01", "2024-00-10", "0000-01-01"])
def test_days_that_are_not_in_the_calendar_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a day of the calendar"):
        parse_date(text)


@pytest.mark.parametrize(
    "text",
    ["", "2024-5-1", "20240501", "2024-05-01T00:00", " 2024-05-01", "2024-05-01\n", ARABIC],
)
def test_other_ways_to_write_a_date_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write YYYY-MM-DD"):
        parse_date(text)


def test_the_latest_date_makes_a_range() -> None:
    assert DateRange.day(MAX_DATE).last == MAX_DATE
    assert str(DateRange.inclusive(MIN_DATE, MAX_DATE)) == "1970-01-01..9998-12-31"


def test_a_range_that_would_end_past_the_calendar_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="9999-12-31"):
        DateRange.day(dt.date.max)
    with pytest.raises(ValueError, match="9999-12-31"):
        DateRange.inclusive(MIN_DATE, dt.date.max)
    with pytest.raises(ValueError, match="9999-12-31"):
        DateSet.of_dates([dt.date.max])


@pytest.mark.parametrize("text", ["2024-05-02..2024-05-01", "2024-05-02..2024-05-01..x"])
def test_ranges_run_forwards(text: str) -> None:
    with pytest.raises(ValueError, match=r"ends before it starts|write YYYY-MM-DD"):
        DateRange.parse(text)


@pytest.mark.parametrize("text", ["..", "2024-05-01..", "..2024-05-01", "2024-05-01...2024-05-02"])
def test_ranges_have_two_ends(text: str) -> None:
    with pytest.raises(ValueError, match="write YYYY-MM-DD"):
        DateRange.parse(text)


def test_a_set_is_as_large_as_its_gaps_not_its_days() -> None:
    century = dates("1970-01-01..2069-12-31")
    assert (century | dates("2070-01-01..2100-01-01")).ranges == (
        DateRange.parse("1970-01-01..2100-01-01"),
    )
    assert century.count == 36525


def test_iterating_a_set_gives_its_ranges() -> None:
    assert list(dates("2024-05-03", "2024-05-01..2024-05-02", "2024-05-05")) == [
        span(0, 2),
        span(4, 4),
    ]


def test_overlapping_ranges_are_no_map() -> None:
    with pytest.raises(ValueError, match=r"2024-05-01\.\.2024-05-03 and 2024-05-03 overlap"):
        RangeMap.of([(span(2, 2), "b"), (span(0, 2), "a")])
