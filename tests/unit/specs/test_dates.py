from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.dates import DateRange, DateSet
from reconciler.specs.recurrence import LONGEST_DAYS, dates_of_rule, parse_rule
from tests.effort import examples
from tests.unit.specs.spec_files import PROJECT, backfill, load

# The last complete data date on `prod` at the tests' moment is 2026-11-20.


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ("{start: 2020-05-20, end: 2020-05-20}", "2020-05-20"),
        ("{start: 2020-05-20, end: 2020-05-31}", "2020-05-20..2020-05-31"),
        ("{start: 2026-11-18, end: yesterday}", "2026-11-18..2026-11-20"),
        ("{start: 2026-11-18, end: 2026-11-20}", "2026-11-18..2026-11-20"),
        (
            "{list: [2020-06-01, 2020-05-20..2020-05-21, 2020-05-22]}",
            "2020-05-20..2020-05-22, 2020-06-01",
        ),
        ("{last: 1}", "2026-11-20"),
        ("{last: 7}", "2026-11-14..2026-11-20"),
        ("{last: 3, except: [2026-11-19]}", "2026-11-18, 2026-11-20"),
        (
            "{start: 2020-01-01, end: 2020-04-30, rrule: FREQ=MONTHLY;BYMONTHDAY=-1}",
            "2020-01-31, 2020-02-29, 2020-03-31, 2020-04-30",
        ),
        (
            "{start: 2020-01-01, end: 2020-01-31, rrule: 'RRULE:FREQ=WEEKLY;INTERVAL=2'}",
            "2020-01-01, 2020-01-15, 2020-01-29",
        ),
        (
            "{start: 2020-01-01, end: 2020-12-31, rrule: FREQ=DAILY;COUNT=3, except: [2020-01-02]}",
            "2020-01-01, 2020-01-03",
        ),
        (
            "{start: 2020-01-01, end: 2020-12-31, rrule: FREQ=DAILY;UNTIL=20200102}",
            "2020-01-01..2020-01-02",
        ),
        (
            "{start: 2020-01-01, end: 2020-12-31, rrule: FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU}",
            "2020-03-29",
        ),
        (
            "{last: 30, rrule: FREQ=WEEKLY;BYDAY=MO}",
            "2026-10-26, 2026-11-02, 2026-11-09, 2026-11-16",
        ),
    ],
)
def test_dates_are_resolved(tmp_path: Path, dates: str, expected: str) -> None:
    loaded = load(tmp_path, a=backfill(dates=dates))
    assert [item.summary for item in loaded.diagnostics] == []
    assert str(loaded.resources[0].dates) == expected


@pytest.mark.parametrize(
    ("dates", "code", "column"),
    [
        ("{start: 2020-05-20}", "dates_form", 3),
        ("{end: 2020-05-20}", "dates_form", 3),
        ("{except: [2020-05-20]}", "dates_form", 3),
        ("{start: 2020-05-20, end: 2020-05-21, last: 3}", "dates_form", 47),
        ("{list: [2020-05-20], last: 3}", "dates_form", 31),
        ("{list: [2020-05-20], end: yesterday}", "dates_form", 11),
        ("{list: [2020-05-20], rrule: FREQ=DAILY}", "dates_form", 31),
        ("{start: 2020-05-20, end: 2020-05-19}", "date", 35),
        ("{start: 2020-02-30, end: 2020-05-19}", "date", 18),
        ("{start: 2020-5-1, end: 2020-05-19}", "malformed", 18),
        ("{list: [2020-05-20..2020-05-19]}", "date", 18),
        ("{list: [1969-01-01]}", "date", 18),
        ("{list: []}", "out_of_bounds", 11),
        ("{start: 2020-05-20, end: 2026-11-21}", "date_not_complete", 35),
        ("{list: [2026-11-20, 2026-11-21]}", "date_not_complete", 30),
        ("{start: 2018-05-20, end: 2020-05-21}", "earliest_date", 18),
        ("{last: 10000}", "earliest_date", 17),
        ("{list: [2020-05-20], except: [2020-05-01..2020-05-31]}", "no_dates", 3),
        ("{start: 2020-05-01, end: 2020-05-10, rrule: FREQ=MONTHLY;BYMONTHDAY=-1}", "no_dates", 3),
        ("{start: 2020-05-01, end: 2020-05-10, rrule: FREQ=HOURLY}", "rrule", 54),
        ("{start: 2020-05-01, end: 2020-05-10, rrule: nonsense}", "rrule", 54),
        ("{last: 5, rrule: FREQ=DAILY;INTERVAL=2}", "rrule", 27),
    ],
)
def test_wrong_dates_are_told_with_their_place(
    tmp_path: Path, dates: str, code: str, column: int
) -> None:
    project = PROJECT + "  policy: {earliestDate: 2019-01-01}\n"
    if "1969" in dates:
        project = PROJECT
    loaded = load(tmp_path, project=project, a=backfill(dates=dates))
    assert [
        (item.code, item.place.line, item.place.column)
        for item in loaded.diagnostics
        if item.place is not None
    ] == [(code, 7, column)], loaded.diagnostics
    assert not loaded.resources


@pytest.mark.parametrize(
    "dates",
    ["{last: 3, rrule: FREQ=MONTHLY;BYMONTHDAY=1}", "{start: 2026-11-21, end: yesterday}"],
)
def test_relative_dates_that_are_empty_today_are_a_warning(tmp_path: Path, dates: str) -> None:
    loaded = load(tmp_path, a=backfill(dates=dates))
    assert [(item.code, item.severity.value) for item in loaded.diagnostics] == [
        ("no_dates", "warning")
    ]
    assert not loaded.resources[0].dates


@pytest.mark.parametrize(
    "rule",
    ["", "FREQ", "FREQ=SECONDLY", "FREQ=MINUTELY", "INTERVAL=2", "FREQ=DAILY;FREQ=DAILY",
     "FREQ=DAILY;BYHOUR=1", "FREQ=DAILY;BYEASTER=0", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=1000",
     "FREQ=DAILY;COUNT=1;UNTIL=20200101", "FREQ=DAILY;UNTIL=20200101T000000Z", "FREQ=DAILY;BYMONTHDAY=0",
     "FREQ=DAILY;BYMONTH=13", "FREQ=WEEKLY;BYDAY=2MO", "FREQ=MONTHLY;BYDAY=0MO", "FREQ=DAILY;BYMONTHDAY=٣",
     "FREQ=DAILY\nDTSTART=20200101", "FREQ=DAILY;BYMONTHDAY=" + ",".join(["1"] * 101)],
)  # fmt: skip
def test_rules_beyond_the_list_are_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_rule(rule, moving=False)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY;COUNT=2", "FREQ=DAILY;INTERVAL=2", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY;BYMONTH=2",
     "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1"],
)  # fmt: skip
def test_rules_that_depend_on_a_moving_start_are_refused(rule: str) -> None:
    parse_rule(rule, moving=False)
    with pytest.raises(ValueError, match="last"):
        parse_rule(rule, moving=True)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
     "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
     "FREQ=DAILY;BYMONTH=4;BYMONTHDAY=" + ",".join(["31"] * 100), "FREQ=MONTHLY;BYSETPOS=300;BYDAY=MO"],
)  # fmt: skip
def test_a_rule_that_never_matches_ends(rule: str) -> None:
    end = dt.date(2026, 11, 20)
    within = DateRange.inclusive(end - dt.timedelta(days=LONGEST_DAYS - 1), end)
    assert dates_of_rule(parse_rule(rule, moving=False), within) == DateSet()


def test_a_rule_over_too_long_a_stretch_is_refused() -> None:
    within = DateRange.inclusive(dt.date(1970, 1, 1), dt.date(2026, 1, 1))
    with pytest.raises(ValueError, match="span"):
        dates_of_rule("FREQ=DAILY", within)


@settings(max_examples=examples(150))
@given(
    start=st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1)),
    days=st.integers(1, 900),
    freq=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    parts=st.sets(
        st.sampled_from(
            ["INTERVAL=2", "BYMONTHDAY=1,-1", "BYDAY=MO,FR", "BYMONTH=1,2,12", "BYSETPOS=1",
             "BYYEARDAY=60,-1", "BYWEEKNO=1,53", "WKST=SU", "COUNT=9"]
        ),
        max_size=3,
    ),
)  # fmt: skip
def test_moving_a_rule_along_the_calendar_changes_nothing(
    start: dt.date, days: int, freq: str, parts: set[str]
) -> None:
    rule = ";".join([f"FREQ={freq}", *sorted(parts)])
    if "BYSETPOS" in rule and not {"BYMONTHDAY", "BYDAY"} & {part.split("=")[0] for part in parts}:
        return  # RFC 5545: a position needs a set.
    within = DateRange(start, start + dt.timedelta(days=days))
    first = dt.datetime.combine(start, dt.time())
    last = dt.datetime.combine(within.last, dt.time())
    expected = rrulestr(rule, dtstart=first).between(first, last, inc=True)
    assert dates_of_rule(rule, within) == DateSet.of_dates(moment.date() for moment in expected)
