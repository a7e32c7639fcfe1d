"""The decision table, row by row. Row numbers are those of `docs/planning.md`."""

from __future__ import annotations

import pytest

from reconciler.model.attempts import AttemptState
from reconciler.model.plan import Decision, Reason
from reconciler.model.resources import OnChange, OnFailure
from reconciler.model.runs import Tier, UnitStatus
from reconciler.planning.absence import Absence
from reconciler.planning.deciding import Listed, Rules, decide, starts
from tests.builders import a_candidate, a_past, a_series, rules, unit_facts_of

OLD = a_series(params={"1234": {"key": "before"}})
FOUND = Listed(own=("found-1",))
PROVED = Absence(proved=True)
NOT_YET = Absence(proved=False, why="a late copy may still arrive")
RERUN_FAILED = rules(on_failure=OnFailure.RERUN)
NEVER_RAN = (AttemptState.REFUSED, AttemptState.VOID, AttemptState.ABSENT)
UNRESOLVED = (AttemptState.SENT, AttemptState.UNKNOWN, AttemptState.PARTIAL)


# Row 1: nothing recorded, a run of ours found.


def test_row_1_own_run_of_the_same_series_is_adopted() -> None:
    verdict = decide(unit_facts_of(listed=FOUND), rules())
    assert (verdict.decision, verdict.reason) == (Decision.ADOPT, Reason.FOUND)
    assert verdict.run_ids == ("found-1",)


def test_row_1_own_run_comes_before_everything_else_that_is_listed() -> None:
    listed = Listed(
        own=("found-1",),
        other=("found-2",),
        other_in_flight=True,
        foreign=("theirs",),
        foreign_in_flight=True,
        candidates=(a_candidate("maybe"),),
    )
    assert decide(unit_facts_of(listed=listed), rules(tier=Tier.S3)).decision is Decision.ADOPT


@pytest.mark.parametrize(
    ("on_change", "decision", "reason"),
    [
        (OnChange.HOLD, Decision.HOLD, Reason.CHANGED),
        (OnChange.RERUN, Decision.RERUN, Reason.CHANGED),
        (OnChange.KEEP, Decision.NONE, Reason.SUCCEEDED),
    ],
)
def test_row_1_run_of_another_series_is_judged_by_row_15(
    on_change: OnChange, decision: Decision, reason: Reason
) -> None:
    listed = Listed(other=("found-2",), other_succeeded=True)
    verdict = decide(unit_facts_of(listed=listed), rules(on_change=on_change))
    assert (verdict.decision, verdict.reason) == (decision, reason)
    assert verdict.changed
    assert verdict.run_ids == ("found-2",)


@pytest.mark.parametrize("on_change", OnChange)
def test_row_1_run_of_another_series_in_flight_is_waited_for(on_change: OnChange) -> None:
    listed = Listed(other=("found-2",), other_in_flight=True)
    verdict = decide(unit_facts_of(listed=listed), rules(on_change=on_change))
    assert (verdict.decision, verdict.reason) == (Decision.WAIT, Reason.PREVIOUS_IN_FLIGHT)


def test_row_1_keeping_a_run_that_did_not_succeed_invents_no_success() -> None:
    listed = Listed(other=("found-2",))
    verdict = decide(unit_facts_of(listed=listed), rules(on_change=OnChange.KEEP))
    assert (verdict.decision, verdict.reason) == (Decision.HOLD, Reason.FAILED)


# Row 2: nothing recorded, somebody else is at it.


def test_row_2_foreign_backfill_in_flight_holds() -> None:
    listed = Listed(foreign=("theirs",), foreign_in_flight=True)
    verdict = decide(unit_facts_of(listed=listed), rules())
    assert (verdict.decision, verdict.reason) == (Decision.HOLD, Reason.FOREIGN_IN_FLIGHT)
    assert verdict.run_ids == ("theirs",)


def test_row_2_any_run_of_the_flow_is_a_candidate_at_tier_s3() -> None:
    verdict = decide(
        unit_facts_of(listed=Listed(candidates=(a_candidate("maybe"),))), rules(tier=Tier.S3)
    )
    assert (verdict.decision, verdict.reason) == (Decision.HOLD, Reason.CANDIDATE)
    assert verdict.run_ids == ("maybe",)


# Row 3: nothing recorded, nothing in the way.


@pytest.mark.parametrize(
    "listed",
    [
        None,
        Listed(),
        Listed(foreign=("theirs",)),
        Listed(schedule_in_flight=True),
    ],
    ids=["not asked", "nothing", "foreign finished", "daily run"],
)
def test_row_3_missing_units_are_created(listed: Listed | None) -> None:
    verdict = decide(unit_facts_of(listed=listed), rules(tier=Tier.S2))
    assert (verdict.decision, verdict.reason) == (Decision.CREATE, Reason.MISSING)


# Row 4: it was tried, and it is proved that nothing ran.


@pytest.mark.parametrize("state", [*NEVER_RAN, AttemptState.INTENT])
def test_row_4_what_never_ran_is_created(state: AttemptState) -> None:
    verdict = decide(unit_facts_of(a_past(state=state)), rules())
    assert (verdict.decision, verdict.reason) == (Decision.CREATE, Reason.NEVER_STARTED)
    assert verdict.detail == ""


def test_row_4_a_permanent_refusal_is_shown() -> None:
    past = a_past(state=AttemptState.REFUSED, code="Forbidden", message="no right")
    assert decide(unit_facts_of(past), rules()).detail == "refused before: Forbidden: no right"


def test_row_4_a_passing_refusal_is_not_shown() -> None:
    past = a_past(state=AttemptState.REFUSED, code="Throttling", message="later", transient=True)
    assert decide(unit_facts_of(past), rules()).detail == ""


def test_row_4_only_a_refusal_is_called_one() -> None:
    past = a_past(state=AttemptState.ABSENT, code="InternalError", message="it broke")
    assert decide(unit_facts_of(past), rules()).detail == ""


@pytest.mark.parametrize("state", [*NEVER_RAN, AttemptState.INTENT])
def test_row_4_a_run_found_after_all_is_adopted(state: AttemptState) -> None:
    verdict = decide(unit_facts_of(a_past(state=state), listed=FOUND), rules())
    assert (verdict.decision, verdict.run_ids) == (Decision.ADOPT, ("found-1",))


@pytest.mark.parametrize("on_change", OnChange)
def test_row_4_comes_before_an_edit(on_change: OnChange) -> None:
    past = a_past(state=AttemptState.REFUSED, series=OLD)
    verdict = decide(unit_facts_of(past), rules(on_change=on_change))
    assert (verdict.decision, verdict.reason) == (Decision.CREATE, Reason.NEVER_STARTED)


# Row 5: nobody knows yet.


@pytest.mark.parametrize("state", UNRESOLVED)
def test_row_5_unknown_and_found_is_adopted(state: AttemptState) -> None:
    verdict = decide(unit_facts_of(a_past(state=state), listed=FOUND, absence=NOT_YET), rules())
    assert (verdict.decision, verdict.reason) == (Decision.ADOPT, Reason.FOUND)


@pytest.mark.parametrize("state", UNRESOLVED)
def test_row_5_unknown_and_proved_absent_is_created(state: AttemptState) -> None:
    verdict = decide(unit_facts_of(a_past(state=state), listed=Listed(), absence=PROVED), rules())
    assert (verdict.decision, verdict.reason) == (Decision.CREATE, Reason.NEVER_STARTED)


@pytest.mark.parametrize("absence", [None, NOT_YET])
@pytest.mark.parametrize("state", UNRESOLVED)
def test_row_5_unknown_stays_unknown_without_proof(
    state: AttemptState, absence: Absence | None
) -> None:
    verdict = decide(unit_facts_of(a_past(state=state), absence=absence), rules())
    assert (verdict.decision, verdict.reason) == (Decision.UNKNOWN, Reason.OUTCOME_UNKNOWN)
    assert verdict.detail.startswith("outcome unknown since 2024-06-01 12:01 UTC (S2)")
    assert verdict.detail.endswith("may still arrive") == (absence is NOT_YET)


def test_row_5_shows_the_candidates_a_person_must_choose_from() -> None:
    facts = unit_facts_of(
        a_past(state=AttemptState.UNKNOWN, run_ids=()),
        listed=Listed(candidates=(a_candidate("maybe"),)),
    )
    verdict = decide(facts, rules(tier=Tier.S3))
    assert (verdict.decision, verdict.run_ids) == (Decision.UNKNOWN, ("maybe",))


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("on_change", OnChange)
def test_row_5_comes_before_edits_and_requests(on_change: OnChange, generation: int) -> None:
    past = a_past(state=AttemptState.UNKNOWN, series=OLD)
    verdict = decide(
        unit_facts_of(past, generation=generation, absence=NOT_YET), rules(on_change=on_change)
    )
    assert verdict.decision is Decision.UNKNOWN


def test_row_5_an_unknown_call_found_under_the_name_of_before_an_edit_is_adopted() -> None:
    past = a_past(state=AttemptState.UNKNOWN, series=OLD, call_id="before")
    listed = Listed(other=("found-2",), other_calls=("before",), other_in_flight=True)
    verdict = decide(unit_facts_of(past, listed=listed, absence=PROVED), rules())
    assert (verdict.decision, verdict.run_ids) == (Decision.ADOPT, ("found-2",))


def test_row_5_what_was_seen_of_a_partial_call_is_judged_by_what_was_seen() -> None:
    past = a_past(state=AttemptState.PARTIAL, status=UnitStatus.SUCCESS)
    assert decide(unit_facts_of(past), rules()).decision is Decision.NONE


# Rows 6 to 13: the same series, at the desired generation or a higher one.


@pytest.mark.parametrize("ran", [1, 2])
@pytest.mark.parametrize("status", [None, UnitStatus.CREATED, UnitStatus.RUNNING])
def test_row_6_runs_in_flight_are_waited_for(status: UnitStatus | None, ran: int) -> None:
    verdict = decide(unit_facts_of(a_past(status=status, generation=ran)), RERUN_FAILED)
    assert (verdict.decision, verdict.reason) == (Decision.WAIT, Reason.IN_FLIGHT)


@pytest.mark.parametrize("ran", [1, 2])
def test_row_7_success_needs_nothing(ran: int) -> None:
    past = a_past(status=UnitStatus.SUCCESS, generation=ran, spent=9)
    verdict = decide(unit_facts_of(past), RERUN_FAILED)
    assert (verdict.decision, verdict.reason) == (Decision.NONE, Reason.SUCCEEDED)


@pytest.mark.parametrize("gone", [False, True])
def test_row_8_success_with_a_skipped_node_holds(gone: bool) -> None:
    past = a_past(status=UnitStatus.HOLLOW, gone=gone)
    verdict = decide(unit_facts_of(past), RERUN_FAILED)
    assert (verdict.decision, verdict.reason) == (Decision.HOLD, Reason.HOLLOW)


@pytest.mark.parametrize("gone", [False, True])
def test_row_9_failure_is_rerun_while_attempts_are_left(gone: bool) -> None:
    past = a_past(status=UnitStatus.FAILURE, spent=2, gone=gone)
    verdict = decide(unit_facts_of(past), RERUN_FAILED)
    assert (verdict.decision, verdict.reason) == (Decision.RERUN, Reason.FAILED)
    assert verdict.detail == "attempt 3 of 3"


@pytest.mark.parametrize("gone", [False, True])
def test_row_9_failure_is_held_once_attempts_are_spent(gone: bool) -> None:
    past = a_past(status=UnitStatus.FAILURE, spent=3, gone=gone)
    verdict = decide(unit_facts_of(past), RERUN_FAILED)
    assert (verdict.decision, verdict.reason) == (Decision.HOLD, Reason.FAILED)
    assert verdict.detail == "failed 3 of 3 times"


def test_row_9_failure_is_held_by_default() -> None:
    verdict = decide(unit_facts_of(a_past(status=UnitStatus.FAILURE, spent=1)), rules())
    assert (verdict.decision, verdict.reason) == (Decision.HOLD, Reason.FAILED)
    assert "reruns" in verdict.detail


def test_row_9_a_rerun_found_after_all_is_adopted() -> None:
    past = a_past(status=UnitStatus.FAILURE, spent=1)
    assert decide(unit_facts_of(past, listed=FOUND), RERUN_FAILED).decision is Decision.ADOPT


def test_row_10_dates_behind_a_failed_one_go_again_with_it() -> None:
    past = a_past(status=UnitStatus.NOT_RUN, spent=2)
    verdict = decide(unit_facts_of(past), RERUN_FAILED)
    assert (verdict.decision, verdict.reason) == (Decision.RERUN, Reason.BEHIND_FAILED)
    assert decide(unit_facts_of(past, listed=FOUND), RERUN_FAILED).decision is Decision.ADOPT


@pytest.mark.parametrize("how", [rules(), rules(on_failure=OnFailure.RERUN, max_attempts=2)])
def test_row_10_dates_behind_a_held_one_are_held(how: Rules) -> None:
    verdict = decide(unit_facts_of(a_past(status=UnitStatus.NOT_RUN, spent=2)), how)
    assert (verdict.decision, verdict.reason) == (Decision.HOLD, Reason.BEHIND_FAILED)


@pytest.mark.parametrize("gone", [False, True])
def test_row_11_what_we_stopped_is_held(gone: bool) -> None:
    past = a_past(status=UnitStatus.STOPPED, gone=gone)
    verdict = decide(unit_facts_of(past), RERUN_FAILED)
    assert (verdict.decision, verdict.reason) == (Decision.HOLD, Reason.STOPPED)


@pytest.mark.parametrize("status", [UnitStatus.CREATED, UnitStatus.RUNNING])
def test_row_12_what_was_forgotten_before_it_ended_is_held(status: UnitStatus) -> None:
    verdict = decide(unit_facts_of(a_past(status=status, gone=True)), RERUN_FAILED)
    assert (verdict.decision, verdict.reason) == (Decision.HOLD, Reason.LOST_SIGHT)


def test_row_13_success_outlives_the_service_memory() -> None:
    verdict = decide(unit_facts_of(a_past(status=UnitStatus.SUCCESS, gone=True)), RERUN_FAILED)
    assert (verdict.decision, verdict.reason) == (Decision.NONE, Reason.SUCCEEDED)


# Row 14: asked for again.


@pytest.mark.parametrize("status", [None, UnitStatus.CREATED, UnitStatus.RUNNING])
def test_row_14_a_newer_generation_waits_for_the_older(status: UnitStatus | None) -> None:
    verdict = decide(unit_facts_of(a_past(status=status), generation=2), rules())
    assert (verdict.decision, verdict.reason) == (Decision.WAIT, Reason.PREVIOUS_IN_FLIGHT)


@pytest.mark.parametrize("status", [one for one in UnitStatus if not one.in_flight])
def test_row_14_a_newer_generation_runs_once_the_older_ended(status: UnitStatus) -> None:
    past = a_past(status=status, spent=99)
    verdict = decide(unit_facts_of(past, generation=2), rules())
    assert (verdict.decision, verdict.reason) == (Decision.RERUN, Reason.REQUESTED)


def test_row_14_a_request_helps_what_was_lost_sight_of() -> None:
    past = a_past(status=UnitStatus.RUNNING, gone=True)
    assert decide(unit_facts_of(past, generation=2), rules()).reason is Reason.REQUESTED


def test_row_14_a_newer_generation_found_after_all_is_adopted() -> None:
    facts = unit_facts_of(a_past(status=UnitStatus.SUCCESS), generation=2, listed=FOUND)
    assert decide(facts, rules()).decision is Decision.ADOPT


# Row 15: edited after it ran.


@pytest.mark.parametrize("on_change", OnChange)
@pytest.mark.parametrize("status", [None, UnitStatus.CREATED, UnitStatus.RUNNING])
def test_row_15_edits_wait_for_what_is_in_flight(
    status: UnitStatus | None, on_change: OnChange
) -> None:
    verdict = decide(unit_facts_of(a_past(status=status, series=OLD)), rules(on_change=on_change))
    assert (verdict.decision, verdict.reason) == (Decision.WAIT, Reason.PREVIOUS_IN_FLIGHT)
    assert verdict.changed


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("status", [one for one in UnitStatus if not one.in_flight])
def test_row_15_edited_units_are_held_by_default(status: UnitStatus, generation: int) -> None:
    facts = unit_facts_of(a_past(status=status, series=OLD), generation=generation)
    verdict = decide(facts, rules())
    assert (verdict.decision, verdict.reason) == (Decision.HOLD, Reason.CHANGED)
    assert verdict.changed


@pytest.mark.parametrize("status", [one for one in UnitStatus if not one.in_flight])
def test_row_15_edited_units_are_rerun_on_demand(status: UnitStatus) -> None:
    facts = unit_facts_of(a_past(status=status, series=OLD, spent=99))
    verdict = decide(facts, rules(on_change=OnChange.RERUN))
    assert (verdict.decision, verdict.reason) == (Decision.RERUN, Reason.CHANGED)
    assert verdict.changed


def test_row_15_a_rerun_found_after_all_is_adopted() -> None:
    facts = unit_facts_of(a_past(status=UnitStatus.SUCCESS, series=OLD), listed=FOUND)
    assert decide(facts, rules(on_change=OnChange.RERUN)).decision is Decision.ADOPT


@pytest.mark.parametrize("on_failure", OnFailure)
@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("status", [one for one in UnitStatus if not one.in_flight])
def test_row_15_kept_units_are_judged_by_rows_6_to_13(
    status: UnitStatus, gone: bool, on_failure: OnFailure
) -> None:
    kept = decide(
        unit_facts_of(a_past(status=status, series=OLD, gone=gone, spent=1)),
        rules(on_change=OnChange.KEEP, on_failure=on_failure),
    )
    plain = decide(
        unit_facts_of(a_past(status=status, gone=gone, spent=1)), rules(on_failure=on_failure)
    )
    assert (kept.decision, kept.reason) == (plain.decision, plain.reason)
    assert kept.changed
    assert not plain.changed


@pytest.mark.parametrize("on_change", [OnChange.HOLD, OnChange.KEEP])
def test_row_15_an_edit_of_what_was_lost_sight_of_is_held(on_change: OnChange) -> None:
    facts = unit_facts_of(a_past(status=UnitStatus.RUNNING, series=OLD, gone=True))
    assert decide(facts, rules(on_change=on_change)).decision is Decision.HOLD


def test_only_create_and_rerun_send_a_call() -> None:
    sends = {
        decide(facts, rules()).decision
        for facts in (
            unit_facts_of(),
            unit_facts_of(a_past(status=UnitStatus.SUCCESS)),
            unit_facts_of(a_past(status=UnitStatus.SUCCESS), generation=2),
            unit_facts_of(a_past(state=AttemptState.UNKNOWN)),
            unit_facts_of(listed=FOUND),
        )
        if starts(decide(facts, rules()))
    }
    assert sends == {Decision.CREATE, Decision.RERUN}
