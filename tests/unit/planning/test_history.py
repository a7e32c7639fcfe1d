from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.model.attempts import BY_HAND, Attempt, AttemptState, UnitRecord
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.planning.history import (
    Past,
    history,
    observed_attempt,
)
from tests.builders import (
    LAG,
    a_series,
    an_attempt,
    an_observation,
    at,
    day,
)

WHEN = "2024-05-01..2024-05-05"
FAILED, SUCCESS = UnitStatus.FAILURE, UnitStatus.SUCCESS
CREATED, RUNNING = UnitStatus.CREATED, UnitStatus.RUNNING
NOT_RUN, STOPPED, HOLLOW = UnitStatus.NOT_RUN, UnitStatus.STOPPED, UnitStatus.HOLLOW
NEVER_RAN = (AttemptState.REFUSED, AttemptState.VOID, AttemptState.ABSENT, AttemptState.INTENT)


def past_on(number: int, *attempts: Attempt) -> Past:
    past = history(attempts).at(day(number))
    assert past is not None
    return past


def test_what_was_executed_was_signed_within_its_validity_of_the_services_clock() -> None:
    attempt = an_attempt(3)
    assert attempt.signed_at is not None
    assert attempt.valid_until is not None
    validity = attempt.valid_until - attempt.signed_at
    assert past_on(0, attempt).sent_after == attempt.signed_at - validity
    by_word = replace(attempt, state=AttemptState.ABSENT, code=BY_HAND)
    assert past_on(0, by_word).sent_after == attempt.signed_at - validity


@pytest.mark.parametrize("state", NEVER_RAN)
def test_when_what_never_ran_was_sent_is_our_clocks_word_alone(state: AttemptState) -> None:
    assert past_on(0, an_attempt(3, state=state)).sent_after is None


def test_what_was_found_or_decided_bears_the_services_own_time() -> None:
    found = replace(an_attempt(3, adopted=True), signed_at=at(1))
    assert past_on(0, found).sent_after == at(1)
    assert past_on(0, replace(found, signed_at=None)).sent_after is None
    word = replace(found, signed_at=None, code=BY_HAND)
    assert past_on(0, word).sent_after == word.created_at
    wish = replace(word, adopted=False, state=AttemptState.REQUESTED)
    assert past_on(0, wish).sent_after == wish.created_at


def test_a_persons_word_that_nothing_ran_dismisses_what_was_made_before_it() -> None:
    ran = an_attempt(1, seen=SUCCESS)
    word = replace(
        an_attempt(2, minutes=50), state=AttemptState.ABSENT, signed_at=None, code=BY_HAND
    )
    past = past_on(0, ran, word)
    assert (past.attempt, past.sent_after) == ("attempt-1", word.created_at)
    refused = an_attempt(1, state=AttemptState.REFUSED)
    assert past_on(0, refused, word).sent_after == word.created_at
    later = an_attempt(3, minutes=90, seen=FAILED)
    assert past_on(0, ran, word, later).sent_after == past_on(0, later).sent_after


@pytest.mark.parametrize("state", [AttemptState.REFUSED, AttemptState.VOID])
def test_what_was_dismissed_stays_so_when_the_call_after_it_never_ran(state: AttemptState) -> None:
    word = replace(
        an_attempt(1, minutes=50), state=AttemptState.ABSENT, signed_at=None, code=BY_HAND
    )
    assert past_on(0, word, an_attempt(2, minutes=51, state=state)).sent_after == word.created_at
    soon = an_attempt(2, minutes=51, seen=FAILED)
    assert past_on(0, word, soon).sent_after == word.created_at


def seen(
    attempt: Attempt,
    statuses: dict[str, UnitStatus] | UnitStatus | None,
    minutes: float = 60,
    *,
    gone: bool = False,
    beside: RangeMap[UnitRecord] | None = None,
) -> Attempt:
    observation = an_observation(attempt, statuses, gone=gone)
    return observed_attempt(attempt, observation, now=at(minutes), lag=LAG, beside=beside)


def statuses(attempt: Attempt) -> dict[str, tuple[UnitStatus, bool]]:
    return {str(dates): (one.status, one.gone) for dates, one in attempt.coverage}


def around_the_lag(attempt: Attempt) -> tuple[float, float]:
    """The minutes right before and after which all dates of a call are listed, whenever it was made."""
    assert attempt.valid_until is not None
    listed = (attempt.valid_until + LAG - at(0)).total_seconds() / 60
    return listed - 0.1, listed


# The attempt that matters.


def test_no_attempts_no_past() -> None:
    assert not history([])


def test_the_attempt_sent_last_matters_on_each_date() -> None:
    units = history([an_attempt(1), an_attempt(2, "2024-05-03..2024-05-09")])
    assert [(str(dates), past.attempt) for dates, past in units] == [
        ("2024-05-01..2024-05-02", "attempt-1"),
        ("2024-05-03..2024-05-09", "attempt-2"),
    ]


def test_order_is_the_stores_own_count_whatever_the_clocks_of_its_writers_say() -> None:
    assert past_on(0, an_attempt(1, minutes=9), an_attempt(2, minutes=5)).attempt == "attempt-2"
    assert past_on(0, an_attempt(2, minutes=5), an_attempt(1, minutes=9)).attempt == "attempt-2"


def test_an_adopted_run_counts_from_its_creation_but_goes_before_what_was_known() -> None:
    adopted = an_attempt(3, adopted=True, minutes=2)
    assert past_on(0, an_attempt(1, minutes=4), adopted).attempt == "attempt-3"
    assert past_on(0, adopted).sent_at == at(2)


def test_a_persons_request_goes_before_what_ran_until_a_call_follows_it() -> None:
    asked = an_attempt(2, state=AttemptState.REQUESTED)
    past = past_on(0, an_attempt(1, seen=FAILED), asked)
    assert (past.attempt, past.ran, past.in_flight) == ("attempt-2", False, False)
    refused = an_attempt(3, state=AttemptState.REFUSED)
    assert past_on(0, an_attempt(1, seen=FAILED), asked, refused).attempt == "attempt-2"
    assert past_on(0, asked, an_attempt(3, seen=SUCCESS)).status is SUCCESS


@pytest.mark.parametrize("state", NEVER_RAN)
def test_attempts_that_never_ran_are_looked_past(state: AttemptState) -> None:
    past = past_on(0, an_attempt(1, seen=FAILED), an_attempt(2, state=state))
    assert (past.attempt, past.status) == ("attempt-1", FAILED)


@pytest.mark.parametrize("state", NEVER_RAN)
def test_an_attempt_that_never_ran_matters_when_nothing_else_remains(state: AttemptState) -> None:
    past = past_on(0, an_attempt(1, state=AttemptState.VOID), an_attempt(2, state=state))
    assert (past.attempt, past.state, past.status) == ("attempt-2", state, None)


def test_an_unknown_attempt_hides_the_success_before_it() -> None:
    past = past_on(0, an_attempt(1, seen=SUCCESS), an_attempt(2, state=AttemptState.UNKNOWN))
    assert (past.state, past.status) == (AttemptState.UNKNOWN, None)


def test_what_is_told_of_the_attempt_that_matters() -> None:
    attempt = an_attempt(
        1, state=AttemptState.REFUSED, code="Throttling", message="later", transient=True,
        name="old",
    )  # fmt: skip
    past = past_on(0, attempt)
    assert (past.code, past.message, past.transient) == ("Throttling", "later", True)
    assert (str(past.address), past.call_id) == ("backfill.old", attempt.call_id)
    assert past.valid_until == attempt.valid_until


def test_dates_of_a_call_that_were_never_seen_have_no_status() -> None:
    units = history([an_attempt(seen={"2024-05-01": SUCCESS})])
    assert [(str(dates), past.status) for dates, past in units] == [
        ("2024-05-01", SUCCESS),
        ("2024-05-02..2024-05-05", None),
    ]


def test_what_was_seen_outside_a_call_does_not_count() -> None:
    attempt = an_attempt(1, "2024-05-01", seen={"2024-05-01..2024-05-02": SUCCESS})
    assert history([attempt]).dates.texts() == ("2024-05-01",)


# Attempts spent.


def test_runs_that_ended_are_counted_per_series_and_generation() -> None:
    edited = a_series(params={"1234": {"key": "value"}})
    attempts = [
        an_attempt(1, seen=FAILED),
        an_attempt(2, seen=FAILED, generation=2),
        an_attempt(3, seen=FAILED, series=edited),
        an_attempt(4, seen=STOPPED),
        an_attempt(5, seen=FAILED),
    ]
    assert past_on(0, *attempts).spent == 3
    assert past_on(0, *attempts[:3]).spent == 1
    assert past_on(0, *attempts[:2]).spent == 1


@pytest.mark.parametrize(
    ("status", "spent"),
    [
        (SUCCESS, 1),
        (HOLLOW, 1),
        (FAILED, 1),
        (STOPPED, 1),
        (CREATED, 0),
        (RUNNING, 0),
        (NOT_RUN, 0),
        (None, 0),
    ],
)
def test_only_runs_that_ended_are_spent(status: UnitStatus | None, spent: int) -> None:
    assert past_on(0, an_attempt(seen=status)).spent == spent


@pytest.mark.parametrize("state", NEVER_RAN)
def test_attempts_that_never_ran_are_not_spent(state: AttemptState) -> None:
    assert past_on(0, an_attempt(1, seen=FAILED), an_attempt(2, state=state)).spent == 1


def test_dates_behind_a_failed_one_have_its_count() -> None:
    behind = {"2024-05-01": SUCCESS, "2024-05-02": FAILED, "2024-05-03..2024-05-05": NOT_RUN}
    again = {"2024-05-02": FAILED, "2024-05-03..2024-05-05": NOT_RUN}
    attempts = [an_attempt(1, seen=behind), an_attempt(2, "2024-05-02..2024-05-05", seen=again)]
    assert past_on(1, *attempts).spent == 2
    assert past_on(4, *attempts).spent == 2
    assert past_on(4, attempts[0]).spent == 1


def test_dates_behind_several_failed_ones_have_the_count_of_the_first() -> None:
    before = an_attempt(1, "2024-05-01", seen=FAILED)
    call = an_attempt(2, "2024-05-01..2024-05-03", seen={
        "2024-05-01": FAILED, "2024-05-02": NOT_RUN, "2024-05-03": FAILED,
    })  # fmt: skip
    assert [past.spent for _, past in history([before, call])] == [2, 2, 1]


def test_dates_whose_head_has_run_since_have_their_own_count() -> None:
    behind = {"2024-05-01": FAILED, "2024-05-02..2024-05-05": NOT_RUN}
    head = an_attempt(2, "2024-05-01", seen=SUCCESS, generation=2)
    assert past_on(1, an_attempt(1, seen=behind), head).spent == 0


def test_an_unseen_accepted_unit_is_in_flight() -> None:
    assert past_on(0, an_attempt()).in_flight
    assert past_on(0, an_attempt(seen=RUNNING)).in_flight
    assert not past_on(0, an_attempt(seen=SUCCESS)).in_flight


# Writing an observation into an attempt.


def test_an_observation_replaces_what_was_seen() -> None:
    now = seen(
        an_attempt(seen=RUNNING), {"2024-05-01": SUCCESS, "2024-05-02..2024-05-05": CREATED}
    )
    assert statuses(now) == {
        "2024-05-01": (SUCCESS, False),
        "2024-05-02..2024-05-05": (CREATED, False),
    }


def test_a_failure_repaired_in_the_console_is_seen() -> None:
    failed = an_attempt(seen=FAILED)
    assert statuses(seen(failed, RUNNING)) == {WHEN: (RUNNING, False)}
    assert statuses(seen(failed, SUCCESS)) == {WHEN: (SUCCESS, False)}


def test_dates_of_others_are_not_taken_over() -> None:
    now = seen(an_attempt(1, "2024-05-01"), {"2024-04-30..2024-05-02": SUCCESS})
    assert statuses(now) == {"2024-05-01": (SUCCESS, False)}


def test_a_date_no_longer_shown_keeps_its_last_status() -> None:
    now = seen(an_attempt(seen=SUCCESS), {"2024-05-01": SUCCESS})
    assert statuses(now) == {WHEN: (SUCCESS, False)}


def test_a_run_that_is_gone_keeps_its_last_status_and_is_marked() -> None:
    now = seen(an_attempt(seen={"2024-05-01": SUCCESS, "2024-05-02..2024-05-05": RUNNING}), None,
               gone=True)  # fmt: skip
    assert statuses(now) == {
        "2024-05-01": (SUCCESS, True),
        "2024-05-02..2024-05-05": (RUNNING, True),
    }
    assert now.state is AttemptState.ACCEPTED


def test_a_run_that_is_gone_before_it_was_ever_seen_is_lost_sight_of() -> None:
    now = seen(an_attempt(), None, gone=True)
    assert statuses(now) == {WHEN: (CREATED, True)}
    assert past_on(0, now).gone


def test_a_run_not_shown_yet_is_not_lost_within_the_lag() -> None:
    attempt = an_attempt(1)
    before, after = around_the_lag(attempt)
    assert seen(attempt, None, minutes=before, gone=True) == attempt
    assert statuses(seen(attempt, None, minutes=after, gone=True)) == {WHEN: (CREATED, True)}


def test_dates_of_a_partial_call_stay_unknown_when_it_is_gone() -> None:
    partial = an_attempt(state=AttemptState.PARTIAL, seen={"2024-05-01": SUCCESS})
    assert statuses(seen(partial, None, gone=True)) == {"2024-05-01": (SUCCESS, True)}


def test_what_is_gone_stays_so_until_it_is_shown_again() -> None:
    gone = an_attempt(seen={WHEN: UnitRecord(FAILED, gone=True)})
    now = seen(gone, {"2024-05-01": SUCCESS})
    assert statuses(now) == {
        "2024-05-01": (SUCCESS, False),
        "2024-05-02..2024-05-05": (FAILED, True),
    }


def test_fewer_dates_than_asked_are_partial_only_after_the_lag() -> None:
    attempt = an_attempt(1)
    some = {"2024-05-01..2024-05-04": RUNNING}
    before, after = around_the_lag(attempt)
    assert seen(attempt, some, minutes=before).state is AttemptState.ACCEPTED
    partial = seen(attempt, some, minutes=after)
    assert partial.state is AttemptState.PARTIAL
    assert seen(partial, some, minutes=2).state is AttemptState.PARTIAL
    assert seen(partial, {WHEN: RUNNING}, minutes=99).state is AttemptState.ACCEPTED


def test_a_partial_call_completed_bit_by_bit_is_accepted() -> None:
    partial = seen(an_attempt(), {"2024-05-01..2024-05-04": SUCCESS})
    assert seen(partial, {"2024-05-05": RUNNING}).state is AttemptState.ACCEPTED


@pytest.mark.parametrize("state", [AttemptState.UNKNOWN, AttemptState.REFUSED])
def test_other_states_are_not_for_an_observation_to_change(state: AttemptState) -> None:
    assert seen(an_attempt(state=state), SUCCESS).state is state


def test_hollow_success_stays_hollow_until_it_runs_again() -> None:
    hollow = an_attempt(seen=HOLLOW)
    assert statuses(seen(hollow, SUCCESS)) == {WHEN: (HOLLOW, False)}
    assert statuses(seen(seen(hollow, RUNNING), SUCCESS)) == {WHEN: (SUCCESS, False)}


def test_what_we_stopped_is_no_failure_though_it_may_be_seen_running_for_a_while() -> None:
    stopped = an_attempt(seen=STOPPED)
    assert statuses(seen(stopped, FAILED)) == {WHEN: (STOPPED, False)}
    assert statuses(seen(seen(stopped, RUNNING), FAILED)) == {WHEN: (STOPPED, False)}
    assert statuses(seen(stopped, SUCCESS)) == {WHEN: (SUCCESS, False)}


BEHIND = {"2024-05-01": SUCCESS, "2024-05-02": FAILED, "2024-05-03..2024-05-05": CREATED}


def test_in_a_serial_call_dates_behind_a_failed_one_will_not_run() -> None:
    assert statuses(seen(an_attempt(), BEHIND)) == {
        "2024-05-01": (SUCCESS, False),
        "2024-05-02": (FAILED, False),
        "2024-05-03..2024-05-05": (NOT_RUN, False),
    }


def test_in_a_serial_call_dates_behind_a_stopped_one_are_stopped_with_it() -> None:
    stopped = an_attempt(seen={**BEHIND, "2024-05-02": STOPPED})
    assert statuses(seen(stopped, BEHIND)) == {
        "2024-05-01": (SUCCESS, False),
        "2024-05-02..2024-05-05": (STOPPED, False),
    }


def test_dates_before_the_failed_one_and_started_ones_are_left_alone() -> None:
    mixed = {"2024-05-01": CREATED, "2024-05-02": FAILED, "2024-05-03": RUNNING}
    now = seen(an_attempt(1, "2024-05-01..2024-05-03"), mixed)
    assert [one.status for _, one in now.coverage] == [CREATED, FAILED, RUNNING]


def test_in_a_parallel_call_nothing_is_behind() -> None:
    now = seen(an_attempt(serial=False), BEHIND)
    assert now.coverage.at(day(4)) == UnitRecord(CREATED)


@pytest.mark.parametrize(("recorded", "behind"), [(FAILED, NOT_RUN), (STOPPED, STOPPED)])
def test_of_a_call_that_was_split_dates_are_behind_those_of_its_other_part(
    recorded: UnitStatus, behind: UnitStatus
) -> None:
    part = an_attempt(2, "2024-05-03..2024-05-05")
    head = an_attempt(1, "2024-05-01..2024-05-02", seen={"2024-05-02": recorded})
    assert statuses(seen(part, BEHIND, beside=head.coverage)) == {
        "2024-05-03..2024-05-05": (behind, False)
    }


def test_dates_behind_go_on_once_the_failed_one_is_repaired() -> None:
    failed = seen(an_attempt(), BEHIND)
    again = seen(failed, {**BEHIND, "2024-05-02": RUNNING})
    assert again.coverage.at(day(4)) == UnitRecord(CREATED)


def test_run_ids_and_group_add_to_what_was_known() -> None:
    attempt = an_attempt(run_ids=("1", "2"))
    first = observed_attempt(
        attempt,
        an_observation(attempt, RUNNING, run_ids=("2", "3"), run_group="group-1"),
        now=at(60),
        lag=LAG,
    )
    assert (first.run_ids, first.run_group) == (("1", "2", "3"), "group-1")
    assert seen(first, RUNNING).run_group == "group-1"


# What is worth reading again.
