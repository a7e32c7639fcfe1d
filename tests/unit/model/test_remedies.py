"""Which commands a person is given for units that nobody else can help."""

from __future__ import annotations

import shlex

import pytest

from reconciler.model.addresses import UnitRange
from reconciler.model.plan import Decision, Reason
from reconciler.model.remedies import MOST_RANGES, choices, remedies
from tests.unit.formats.plans import ORDERS, an_action

UNITS = UnitRange.parse("backfill.orders@2020-05-20..2020-05-21")


def words(decision: Decision, reason: Reason, *run_ids: str) -> list[list[str]]:
    return [shlex.split(command)[3:-2] for command in choices(UNITS, decision, reason, run_ids)]


def test_commands_name_the_units_and_leave_the_reason_to_the_person() -> None:
    (command,) = choices(UNITS, Decision.HOLD, Reason.FAILED, ())
    assert command == f"reconciler resolve {UNITS} --rerun --reason TEXT"


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize(
    "decision", [one for one in Decision if one.value not in {"hold", "unknown"}]
)
def test_what_needs_nobody_has_no_commands(decision: Decision, reason: Reason) -> None:
    assert choices(UNITS, decision, reason, ("1",)) == ()
    assert remedies(an_action(ORDERS, decision, reason, "2020-05-20")) == ()


def test_a_run_is_named_where_there_is_just_one() -> None:
    unknown = Decision.UNKNOWN, Reason.OUTCOME_UNKNOWN
    assert words(*unknown, "7000012") == [["--run-id", "7000012"], ["--never-ran"]]
    assert words(*unknown, "7000012", "7000013")[0] == ["--run-id", "ID"]
    assert words(*unknown)[0] == ["--run-id", "ID"]


@pytest.mark.parametrize("run_id", ["$(rm -rf)", "a b", "-x", "`id`", "a;b", "", "é", "a\nb"])
def test_a_run_whose_name_could_do_something_in_a_shell_is_not_named(run_id: str) -> None:
    found = words(Decision.HOLD, Reason.CANDIDATE, run_id)
    assert found == [["--run-id", "ID"], ["--never-ran"]]


def test_what_only_a_spec_can_decide_has_nothing_but_what_shows_more() -> None:
    action = an_action(ORDERS, Decision.HOLD, Reason.CHANGED, "2020-05-20")
    assert remedies(action) == (f"reconciler explain {ORDERS}@2020-05-20",)


def test_not_every_one_of_many_ranges_has_commands() -> None:
    days = ",".join(f"2020-05-{day:02}" for day in range(1, 31, 2))
    months = ",".join(
        day.replace("-05-", f"-{month:02}-") for month in (5, 6) for day in days.split(",")
    )
    action = an_action(ORDERS, Decision.HOLD, Reason.STOPPED, months)
    assert len(action.dates.ranges) > MOST_RANGES
    assert len(remedies(action)) == 2 * MOST_RANGES
