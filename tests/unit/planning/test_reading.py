"""Which runs on record are read again."""

from __future__ import annotations

import pytest

from reconciler.model.attempts import Attempt, AttemptState, RecordedState, UnitRecord
from reconciler.model.runs import UnitStatus
from reconciler.planning.reading import attempts_to_read, unsettled
from tests.builders import a_resource, an_attempt

WHEN = "2024-05-01..2024-05-05"
CREATED = UnitStatus.CREATED
RUNNING, FAILED, NOT_RUN = UnitStatus.RUNNING, UnitStatus.FAILURE, UnitStatus.NOT_RUN
STOPPED, SUCCESS, HOLLOW = UnitStatus.STOPPED, UnitStatus.SUCCESS, UnitStatus.HOLLOW


def unfinished(attempt: Attempt, *, full: bool) -> bool:
    """Whether the only attempt of a subject is read again."""
    return list(unsettled([attempt], lambda *_: True, full=full)) == [attempt]


@pytest.mark.parametrize(
    ("status", "normal", "full"),
    [
        (None, True, True),
        (CREATED, True, True),
        (RUNNING, True, True),
        (FAILED, True, True),
        (NOT_RUN, True, True),
        (STOPPED, True, True),
        (SUCCESS, False, True),
        (HOLLOW, False, True),
    ],
)
def test_everything_but_success_is_read_again(
    status: UnitStatus | None, normal: bool, full: bool
) -> None:
    attempt = an_attempt(seen=status)
    assert unfinished(attempt, full=False) is normal
    assert unfinished(attempt, full=True) is full


def test_one_date_left_is_enough_to_read_a_call_again() -> None:
    attempt = an_attempt(seen={"2024-05-01..2024-05-04": SUCCESS})
    assert unfinished(attempt, full=False)


@pytest.mark.parametrize("status", [SUCCESS, FAILED, RUNNING])
def test_what_is_gone_is_not_asked_for(status: UnitStatus) -> None:
    attempt = an_attempt(seen={WHEN: UnitRecord(status, gone=True)})
    assert not unfinished(attempt, full=True)


@pytest.mark.parametrize(
    "state", [one for one in AttemptState if one is not AttemptState.ACCEPTED]
)
def test_only_runs_with_ids_can_be_read(state: AttemptState) -> None:
    ids = ("run-1",)
    attempt = an_attempt(state=state, run_ids=ids)
    assert unfinished(attempt, full=False) == (state is AttemptState.PARTIAL)
    assert not unfinished(an_attempt(run_ids=()), full=True)


def test_a_failure_that_a_later_run_replaced_is_not_read_again() -> None:
    failed = an_attempt(1, seen=FAILED)
    repaired = an_attempt(2, seen=SUCCESS)
    assert list(unsettled([failed, repaired], lambda *_: True, full=False)) == []


def on_record(*attempts: Attempt) -> RecordedState:
    return RecordedState(lineage="a", attempts=attempts)


@pytest.mark.parametrize(
    ("declared", "status", "read"),
    [(True, FAILED, True), (True, SUCCESS, False), (False, FAILED, False), (False, RUNNING, True)],
)
def test_units_nobody_declares_are_only_followed_to_their_end(
    declared: bool, status: UnitStatus, read: bool
) -> None:
    attempt = an_attempt(seen=status)
    resources = [a_resource()] if declared else []
    asked = attempts_to_read(resources, on_record(attempt), selected=lambda _: True, full=False)
    assert list(asked) == ([attempt] if read else [])


def test_what_is_not_selected_is_not_read() -> None:
    attempt = an_attempt(seen=RUNNING)
    asked = attempts_to_read(
        [a_resource()], on_record(attempt), selected=lambda _: False, full=True
    )
    assert list(asked) == []
