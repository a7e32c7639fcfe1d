"""Times that services tell of runs: what they say, and that nothing else is taken for a duration."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from reconciler.providers.json_fields import Fields
from reconciler.providers.spans import Span, read_span, seconds_over

ZONE = ZoneInfo("Europe/Berlin")
BEGIN = 1_590_422_400_000


def span(start: object, end: object) -> Span | None:
    return read_span(
        Fields({"StartTime": start, "FinishTime": end}, "x"), "StartTime", "FinishTime", ZONE
    )


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        (BEGIN, BEGIN + 62_000, 62),
        (str(BEGIN), str(BEGIN + 62_499), 62),
        (BEGIN, BEGIN, 0),
        ("2024-05-01 10:00:00", "2024-05-01 10:01:02", 62),
        # Clocks go forward at 2.
        ("2024-03-31 01:59:00", "2024-03-31 03:01:00", 120),
    ],
)
def test_two_moments_are_so_many_seconds_apart(start: object, end: object, seconds: int) -> None:
    assert seconds_over([span(start, end)]) == seconds


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (BEGIN, None),
        (None, BEGIN),
        (BEGIN, ""),
        (0, BEGIN),
        (BEGIN, 0),
        (BEGIN, BEGIN - 1),
        (BEGIN, -1),
        (BEGIN, 10**19),
        ("soon", BEGIN),
        (BEGIN, [BEGIN + 1]),
        (BEGIN, True),
        (BEGIN, 1.5),
        ("0001-01-01 00:00:00", BEGIN),
    ],
)
def test_what_is_no_time_tells_nothing_and_is_no_error(start: object, end: object) -> None:
    assert span(start, end) is None


def test_several_last_from_the_first_begin_to_the_last_end() -> None:
    def between(start: int, end: int) -> Span:
        noon = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
        return Span(noon + dt.timedelta(seconds=start), noon + dt.timedelta(seconds=end))

    assert seconds_over([between(30, 40), between(0, 10), between(5, 90)]) == 90
    assert seconds_over([between(30, 40), None]) is None
    assert seconds_over([]) is None
