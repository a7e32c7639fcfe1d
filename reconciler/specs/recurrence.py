"""RFC 5545 recurrence rules on civil dates, with bounded work.

A rule comes from a pull request. What is allowed of it is listed here; the rest, such as hours or
frequencies below a day, is refused with a reason before the library sees it.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import re
from collections.abc import Mapping

from reconciler.model.dates import ONE_DAY, DateRange, DateSet, parse_date

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_NUMBERS = re.compile(r"[+-]?[0-9]{1,3}(,[+-]?[0-9]{1,3}){0,99}", re.ASCII)
_DAYS = re.compile(
    r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)){0,99}",
    re.ASCII,
)
_PARTS = {
    "FREQ": re.compile("|".join(_FREQUENCIES)),
    "INTERVAL": re.compile(r"[1-9][0-9]{0,2}", re.ASCII),
    "COUNT": re.compile(r"[1-9][0-9]{0,4}", re.ASCII),
    "UNTIL": re.compile(r"[0-9]{8}", re.ASCII),
    "WKST": re.compile("MO|TU|WE|TH|FR|SA|SU"),
    "BYDAY": _DAYS,
    "BYMONTHDAY": _NUMBERS,
    "BYYEARDAY": _NUMBERS,
    "BYWEEKNO": _NUMBERS,
    "BYMONTH": _NUMBERS,
    "BYSETPOS": _NUMBERS,
}
#: The largest number of each part, counted from either end; zero means nothing anywhere.
_LARGEST = {
    "BYDAY": 53,
    "BYMONTH": 12,
    "BYMONTHDAY": 31,
    "BYSETPOS": 366,
    "BYWEEKNO": 53,
    "BYYEARDAY": 366,
}
_NUMBER = re.compile(r"[0-9]+", re.ASCII)
_NAMES_DAYS = {"BYDAY", "BYMONTHDAY", "BYYEARDAY"}

#: The longest stretch a rule is asked about; with it, a rule costs less than a second whatever it says.
LONGEST_DAYS = 366 * 50

#: The calendar repeats, weekdays included, after this many years and days.
_CYCLE_YEARS = 400
_CYCLE = dt.timedelta(days=146_097)


def parse_rule(text: str, *, moving: bool) -> str:
    """Check a rule and put it into canonical form.

    Args:
        text: `FREQ=MONTHLY;BYMONTHDAY=-1`, with or without `RRULE:` in front.
        moving: The first date moves from day to day (`last: N`). Then a rule must mean the same dates
            whatever the first date is, or each day's plan would start different ones.

    Raises:
        ValueError: The rule is malformed or uses what is not allowed; the text says so.
    """
    parts: dict[str, str] = {}
    for piece in text.upper().removeprefix("RRULE:").split(";"):
        name, _, value = piece.strip().partition("=")
        if name not in _PARTS:
            raise ValueError(f"the rule part {name[:30]!r} is not supported")
        if name in parts:
            raise ValueError(f"{name} stands twice in the rule")
        if not _PARTS[name].fullmatch(value):
            raise ValueError(f"{name} cannot be {value[:30]!r}")
        if any(not 1 <= int(item) <= _LARGEST[name] for item in _numbers(name, value)):
            raise ValueError(f"a number in {name} is out of range")
        parts[name] = value
    if "FREQ" not in parts:
        raise ValueError("the rule has no FREQ")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("the rule has both COUNT and UNTIL")
    if parts["FREQ"] in {"DAILY", "WEEKLY"} and _NUMBER.search(parts.get("BYDAY", "")):
        raise ValueError("BYDAY takes numbers with FREQ=MONTHLY or YEARLY only")
    if moving and _depends_on_start(parts):
        raise ValueError("with `last` the first date moves, and this rule depends on it")
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _depends_on_start(parts: Mapping[str, str]) -> bool:
    return (
        "COUNT" in parts
        or parts.get("INTERVAL", "1") != "1"
        or (parts["FREQ"] != "DAILY" and not _NAMES_DAYS & parts.keys())
        # The first week is a part of one, in which positions are others.
        or (parts["FREQ"] == "WEEKLY" and "BYSETPOS" in parts)
    )


def _numbers(name: str, value: str) -> list[str]:
    return _NUMBER.findall(value) if name in _LARGEST else []


@functools.lru_cache(maxsize=1024)
def dates_of_rule(rule: str, within: DateRange) -> DateSet:
    """The dates in `within` that a rule yields, counted from its first date.

    Args:
        rule: What `parse_rule` returned.
        within: At most `LONGEST_DAYS` dates.

    Raises:
        ValueError: A part has an impossible value, or the stretch is too long.
    """
    if within.count > LONGEST_DAYS:
        raise ValueError(f"a rule cannot span more than {LONGEST_DAYS:,} dates")
    # dateutil takes 20 ms to import, and few specs have a rule.
    from dateutil.rrule import rrulestr  # noqa: PLC0415

    # A rule that matches nothing makes dateutil search to the year 9999. Asking in the last repetition
    # of the calendar that has room for the dates leaves it at most some 450 years to search.
    cycles = (dt.MAXYEAR - within.end.year) // _CYCLE_YEARS
    shift = cycles * _CYCLE
    pieces = dict(piece.split("=") for piece in rule.split(";"))
    if until := pieces.pop("UNTIL", None):
        last = parse_date(f"{until[:4]}-{until[4:6]}-{until[6:]}")
        if last < within.start:
            return DateSet()
        within = DateRange(within.start, min(within.end, last + ONE_DAY))
    start = dt.datetime.combine(within.start + shift, dt.time())
    text = ";".join(f"{name}={value}" for name, value in pieces.items())
    try:
        moments = itertools.takewhile(
            lambda moment: moment.date() - shift < within.end, rrulestr(text, dtstart=start)
        )
        return DateSet.of_dates(moment.date() - shift for moment in moments)
    except IndexError:
        # dateutil says it so when an ordinal such as 10MO has no place in a month.
        raise ValueError("BYDAY counts further than the period goes") from None
