"""Estimates in words."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from reconciler.model.addresses import Address, Kind
from reconciler.model.durations import Took
from reconciler.model.estimates import Basis, Estimate
from reconciler.rendering.estimates_text import estimate_text, total_text
from tests.unit.formats.plans import ORDERS, USERS, a_call, a_plan

DOZEN = Took(dates=12, least=180, most=540, total=12 * 300)


def an_estimate(**changes: object) -> Estimate:
    estimate = Estimate(
        address=ORDERS,
        dates=13,
        in_turn=13,
        basis=Basis.SERIES,
        took=DOZEN,
        last_sent=dt.date(2026, 11, 2),
        ran_for=(ORDERS,),
        ran_for_count=1,
    )
    return dataclasses.replace(estimate, **changes)  # type: ignore[arg-type]  # fields by name


OTHERS = tuple(Address.of(Kind.BACKFILL, name) for name in ("a", "b", "c"))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "as 12 dates on record took 3 to 9 min each, last sent 2026-11-02"),
        (
            {"took": Took(dates=1, least=60, most=60, total=60)},
            "as 1 date on record took 60 s, last sent 2026-11-02",
        ),
        (
            {"basis": Basis.SUBJECT},
            "as 12 dates on record with other nodes or params took 3 to 9 min each, last sent 2026-11-02",
        ),
        (
            {"ran_for": OTHERS, "ran_for_count": 12},
            "as 12 dates on record of backfill.a, backfill.b and 10 more took 3 to 9 min each, last sent \
2026-11-02",
        ),
        (
            {"ran_for": OTHERS[:2], "ran_for_count": 2, "basis": Basis.SUBJECT},
            "as 12 dates on record of backfill.a, backfill.b with other nodes or params took 3 to 9 min \
each, last sent 2026-11-02",
        ),
    ],
)
def test_an_estimate_says_what_it_rests_on(changes: dict[str, object], text: str) -> None:
    assert estimate_text(an_estimate(**changes)).endswith(f" one date after another, {text}")


@pytest.mark.parametrize(
    ("dates", "in_turn", "text"),
    [
        (13, 13, "about 65 min (39 to 117 min), one date after another, as"),
        (13, 5, "about 25 min (15 to 45 min), 5 dates in turn, as"),
        (13, 1, "about 5 min (3 to 9 min), all dates at once, as"),
        (1, 1, "about 5 min (3 to 9 min), as"),
    ],
)
def test_an_estimate_says_what_it_takes_to_go_one_after_another(
    dates: int, in_turn: int, text: str
) -> None:
    told = estimate_text(an_estimate(dates=dates, in_turn=in_turn))
    assert told.startswith(f"runs for {text} 12 dates")


def test_dates_that_all_took_the_same_leave_no_range() -> None:
    alike = Took(dates=2, least=60, most=60, total=120)
    told = estimate_text(an_estimate(took=alike))
    assert told.startswith(
        "runs for about 13 min, one date after another, as 2 dates on record took 60 s each"
    )


def test_without_an_estimate_nothing_is_said() -> None:
    assert estimate_text(None) == ""
    assert total_text(a_plan(estimates=())) == ""


def test_the_whole_says_how_many_dates_are_not_in_it() -> None:
    calls = (a_call(), a_call(USERS, "2020-04-01..2020-04-30", "abcdeh"))
    one = an_estimate(dates=5, in_turn=5)
    two = an_estimate(address=USERS, dates=30, in_turn=30)
    plan = a_plan(calls=calls, desired=(), estimates=(one, two))
    begin = "It would run for about"
    assert total_text(plan) == (
        f"{begin} 90 min to 4.5 h, resources beside each other where they may, once nothing keeps it from"
        " starting."
    )
    assert total_text(a_plan(calls=calls, desired=(), estimates=(one,))) == (
        f"{begin} 15 to 45 min, once nothing keeps it from starting; not in it: 30 dates like which none"
        " was timed."
    )
    assert total_text(a_plan(calls=calls[:1], desired=(), estimates=(one,))) == "", (
        "it stands above"
    )
