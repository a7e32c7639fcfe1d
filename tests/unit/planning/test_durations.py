"""How long dates took goes on record once, when they succeed, and is nobody else's."""

from __future__ import annotations

import dataclasses

import pytest

from reconciler.model.attempts import Attempt, AttemptState
from reconciler.model.dates import DateRange
from reconciler.model.durations import Took
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.planning.durations import without
from reconciler.planning.history import observed_attempt
from tests.builders import LAG, an_attempt, an_observation, at, dates

FAILED, SUCCESS = UnitStatus.FAILURE, UnitStatus.SUCCESS
CREATED, RUNNING = UnitStatus.CREATED, UnitStatus.RUNNING


def seconds(told: dict[str, int]) -> RangeMap[int]:
    return RangeMap.of((DateRange.parse(text), one) for text, one in told.items())


def after(
    attempt: Attempt, seen: dict[str, UnitStatus] | UnitStatus, told: dict[str, int]
) -> Attempt:
    """The attempt once that was observed of it."""
    observation = dataclasses.replace(an_observation(attempt, seen), took=seconds(told))
    return observed_attempt(attempt, observation, now=at(60), lag=LAG)


def test_dates_that_have_just_succeeded_are_counted() -> None:
    attempt = an_attempt(seen=RUNNING)
    statuses = {"2024-05-01..2024-05-02": SUCCESS, "2024-05-03": RUNNING}
    seen = after(attempt, statuses, {"2024-05-01": 60, "2024-05-02": 90})
    assert seen.took == Took(dates=2, least=60, most=90, total=150)


def test_what_is_shown_again_is_not_counted_again() -> None:
    told = {"2024-05-01": 60, "2024-05-02": 90, "2024-05-03": 10}
    once = after(an_attempt(seen=CREATED), {"2024-05-01": SUCCESS, "2024-05-02": RUNNING}, told)
    twice = after(once, {"2024-05-01..2024-05-02": SUCCESS, "2024-05-03": RUNNING}, told)
    assert once.took == Took(dates=1, least=60, most=60, total=60)
    assert twice.took == Took(dates=2, least=60, most=90, total=150)
    assert after(twice, {"2024-05-01..2024-05-02": SUCCESS}, told).took == twice.took


@pytest.mark.parametrize("before", [FAILED, UnitStatus.STOPPED])
def test_a_run_that_was_repaired_is_not_timed(before: UnitStatus) -> None:
    """It lay there until somebody came."""
    attempt = an_attempt(seen={"2024-05-01": before})
    assert after(attempt, SUCCESS, {"2024-05-01": 9999}).took is None
    told = {"2024-05-01": 9999, "2024-05-02": 60}
    assert after(attempt, SUCCESS, told).took == Took(dates=1, least=60, most=60, total=60)


def test_what_had_to_wait_for_a_repair_is_timed_from_its_own_begin() -> None:
    attempt = an_attempt(seen={"2024-05-01": FAILED, "2024-05-02": UnitStatus.NOT_RUN})
    seen = after(attempt, SUCCESS, {"2024-05-02": 60})
    assert seen.took == Took(dates=1, least=60, most=60, total=60)


@pytest.mark.parametrize("status", [CREATED, RUNNING, FAILED, UnitStatus.HOLLOW])
def test_what_did_not_succeed_is_not_timed(status: UnitStatus) -> None:
    assert after(an_attempt(), status, {"2024-05-01": 60}).took is None


def test_without_times_nothing_is_known() -> None:
    assert after(an_attempt(), SUCCESS, {}).took is None


def test_of_a_call_that_was_split_each_part_counts_its_own_dates() -> None:
    told = {"2024-05-01": 60, "2024-05-02": 90, "2024-05-03": 30}
    seen: dict[str, UnitStatus] = {"2024-05-01..2024-05-03": SUCCESS}
    parts = [after(an_attempt(1, when), seen, told) for when in ("2024-05-01", "2024-05-03")]
    assert [part.took.total if part.took else 0 for part in parts] == [60, 30]


def test_dates_of_which_a_part_was_skipped_are_not_timed() -> None:
    told = seconds({"2024-05-01..2024-05-04": 60, "2024-05-05": 1})
    attempt = after(an_attempt(), SUCCESS, {str(when): one for when, one in told})
    assert attempt.took == Took(dates=5, least=1, most=60, total=241)
    assert without(attempt, dates("2024-05-05"), told) == Took(
        dates=4, least=60, most=60, total=240
    )
    assert without(attempt, dates("2024-05-01..2024-05-05"), told) is None


@pytest.mark.parametrize("again", [{}, {"2024-05-01..2024-05-02": 60, "2024-05-05": 1}])
def test_what_is_not_told_again_cannot_be_told_apart_from_what_was_skipped(
    again: dict[str, int],
) -> None:
    attempt = after(an_attempt(), SUCCESS, {"2024-05-01..2024-05-04": 60, "2024-05-05": 1})
    assert without(attempt, dates("2024-05-05"), seconds(again)) is None


def test_a_repaired_date_does_not_come_back_when_others_are_left_out() -> None:
    told = {"2024-05-01": 9999, "2024-05-02..2024-05-05": 60}
    attempt = after(an_attempt(seen={"2024-05-01": FAILED}), SUCCESS, told)
    assert attempt.took == Took(dates=4, least=60, most=60, total=240)
    assert without(attempt, dates("2024-05-05"), seconds(told)) is None


def test_a_date_that_went_missing_for_a_while_is_counted_once() -> None:
    told = {"2024-05-01..2024-05-05": 60}
    once = after(an_attempt(), SUCCESS, told)
    missing = after(once, {"2024-05-01": SUCCESS}, {})
    assert missing.state is AttemptState.ACCEPTED
    assert after(missing, SUCCESS, told).took == once.took
