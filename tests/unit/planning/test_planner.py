from __future__ import annotations

import datetime as dt

import pytest

from reconciler.model.addresses import Address, Kind
from reconciler.model.attempts import Attempt, AttemptState, RecordedState
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.plan import Decision, FieldChange, Plan, Reason, Summary
from reconciler.model.project import Policy
from reconciler.model.resources import OnChange, OnFailure, Resource
from reconciler.model.runs import Discovery, Origin, Tier, UnitStatus
from reconciler.model.series import Tag
from reconciler.planning.planner import build_plan, spec_digest
from reconciler.planning.situation import Situation, dates_to_discover, decide_all
from tests.builders import (
    a_discovery,
    a_found_run,
    a_making,
    a_record,
    a_resource,
    a_series,
    a_situation,
    a_subject,
    an_attempt,
    applied,
    at,
    dates,
    decisions,
    the_action,
)

SUCCESS, FAILED = UnitStatus.SUCCESS, UnitStatus.FAILURE
NOT_RUN, RUNNING = UnitStatus.NOT_RUN, UnitStatus.RUNNING
ORDERS = Address.parse("backfill.orders")
WHEN = "2024-05-01..2024-05-05"
OLD = a_series(params={"1234": {"key": "old"}})
NEW = a_series(params={"1234": {"key": "new"}})


def plan_of(
    *resources: Resource,
    attempts: tuple[Attempt, ...] = (),
    listing: Discovery | None = None,
    policy: Policy | None = None,
    tier: Tier = Tier.S2,
) -> Plan:
    recorded = a_record(*attempts, series=(OLD, NEW))
    discoveries = {one.address: listing for one in resources} if listing else {}
    situation = a_situation(*resources, recorded=recorded, discoveries=discoveries, tier=tier)
    return build_plan(situation, a_making(policy=policy))


def calls_of(plan: Plan) -> list[tuple[str, str, int]]:
    return [(str(call.address), str(call.dates), call.generation) for call in plan.calls]


# A plan as a value.


def test_nothing_declared_and_nothing_recorded_is_an_empty_plan() -> None:
    plan = plan_of()
    assert (plan.actions, plan.calls, plan.adoptions, dict(plan.series)) == ((), (), (), {})
    assert plan.summary == Summary()


def test_a_plan_carries_what_it_was_made_from() -> None:
    recorded = RecordedState(lineage="abc", serial=7)
    making = a_making(policy=Policy(plan_expiry=dt.timedelta(days=2)), reads=5)
    plan = build_plan(a_situation(recorded=recorded), making)
    assert (plan.lineage, plan.serial, plan.summary.reads) == ("abc", 7, 5)
    assert plan.expires_at == plan.created_at + dt.timedelta(days=2)
    assert (plan.id, plan.project, plan.as_of) == ("plan-1", "data-platform", at(120))


def test_a_plan_made_without_a_store_has_no_lineage() -> None:
    assert build_plan(a_situation(recorded=RecordedState()), a_making()).lineage is None


def test_a_new_backfill_is_one_action_and_one_call() -> None:
    plan = plan_of(a_resource())
    (action,) = plan.actions
    assert (action.decision, action.reason, action.tier) == (
        Decision.CREATE,
        Reason.MISSING,
        Tier.S2,
    )
    (call,) = plan.calls
    assert Tag.parse(call.name) == Tag(
        series=a_series().fingerprint, generation=1, call_id=call.id
    )
    assert call.name.endswith(" orders")
    assert call.parameters == {
        "Connection": "prod",
        "RootNodeId": "1234",
        "StartBizDate": "2024-05-01",
        "EndBizDate": "2024-05-05",
        "Name": call.name,
        "Parallelism": "false",
    }
    assert call.serial
    assert plan.series == {a_series().fingerprint: a_series()}


def test_parallel_calls_are_not_serial() -> None:
    (call,) = plan_of(a_resource(parallelism=3)).calls
    assert not call.serial
    assert call.parameters["Parallelism"] == "true"


def test_gaps_and_generations_cut_calls() -> None:
    when = {"2024-05-01..2024-05-02": 1, "2024-05-03": 2, "2024-05-04": 1, "2024-05-06": 1}
    assert calls_of(plan_of(a_resource(when=when))) == [
        ("backfill.orders", "2024-05-01..2024-05-02", 1),
        ("backfill.orders", "2024-05-03", 2),
        ("backfill.orders", "2024-05-04", 1),
        ("backfill.orders", "2024-05-06", 1),
    ]


def test_a_manual_flow_has_one_call_per_date() -> None:
    flow = a_series(subject=a_subject(kind=Kind.MANUAL_FLOW, root="close"), include=())
    plan = plan_of(a_resource("close", "2024-05-01..2024-05-03", series=flow), tier=Tier.S3)
    assert [str(call.dates) for call in plan.calls] == ["2024-05-01", "2024-05-02", "2024-05-03"]
    assert len({call.id for call in plan.calls}) == 3
    assert plan.summary.calls == plan.summary.create == plan.summary.node_instances == 3


def test_alike_units_are_one_action_and_differing_ones_are_not() -> None:
    seen = {"2024-05-01": SUCCESS, "2024-05-02": RUNNING, "2024-05-03": FAILED,
            "2024-05-04": SUCCESS, "2024-05-05": UnitStatus.HOLLOW}  # fmt: skip
    plan = plan_of(a_resource(when="2024-05-01..2024-05-06"), attempts=(an_attempt(seen=seen),))
    assert decisions(plan) == {
        "2024-05-01, 2024-05-04": Decision.NONE,
        "2024-05-02": Decision.WAIT,
        "2024-05-03": Decision.HOLD,
        "2024-05-05": Decision.HOLD,
        "2024-05-06": Decision.CREATE,
    }


def test_actions_show_the_runs_they_rest_on_but_satisfied_ones_do_not() -> None:
    seen = {"2024-05-01": SUCCESS, "2024-05-02..2024-05-05": RUNNING}
    plan = plan_of(a_resource(), attempts=(an_attempt(seen=seen),))
    assert the_action(plan, Decision.WAIT).run_ids == ("run-1",)
    assert the_action(plan, Decision.NONE).run_ids == ()


# The summary.


def test_summary_counts_each_unit_once() -> None:
    seen = {"2024-05-01": SUCCESS, "2024-05-02": RUNNING, "2024-05-03": FAILED}
    attempts = (
        an_attempt(1, "2024-05-01..2024-05-03", seen=seen),
        an_attempt(2, "2024-05-04", state=AttemptState.UNKNOWN),
        an_attempt(3, "2024-04-01..2024-04-02", seen=SUCCESS),
    )
    when = {"2024-05-01..2024-05-04": 1, "2024-05-05..2024-05-07": 1}
    listing = a_discovery(a_found_run("2024-05-07", series=a_series()), when="2024-05-01..2024-05-09",
                          minutes=5)  # fmt: skip
    plan = plan_of(
        a_resource("orders", when), a_resource("shared", "2024-05-06"), attempts=attempts,
        listing=listing,
    )  # fmt: skip
    assert plan.summary == Summary(
        create=2, adopt=1, wait=1, hold=1, unknown=1, none=1, released=2, calls=1, node_instances=2
    )


def test_node_instances_count_each_included_node_on_each_started_date() -> None:
    nodes = a_series(include=("1234", "5", "6"))
    plan = plan_of(
        a_resource("a", "2024-05-01..2024-05-04", series=nodes),
        a_resource("b", "2024-06-01..2024-06-02"),
    )
    assert plan.summary.node_instances == 3 * 4 + 1 * 2


# What leaves and enters the desired state.


def test_narrower_dates_start_nothing_and_release_the_rest() -> None:
    plan = plan_of(a_resource(when="2024-05-02..2024-05-03"), attempts=(an_attempt(seen=SUCCESS),))
    assert decisions(plan) == {
        "2024-05-02..2024-05-03": Decision.NONE,
        "2024-05-01, 2024-05-04..2024-05-05": Decision.RELEASED,
    }
    assert plan.calls == ()
    assert not plan.needs_person


def test_wider_dates_start_just_the_new_ones() -> None:
    plan = plan_of(a_resource(when="2024-04-29..2024-05-06"), attempts=(an_attempt(seen=SUCCESS),))
    assert calls_of(plan) == [
        ("backfill.orders", "2024-04-29..2024-04-30", 1),
        ("backfill.orders", "2024-05-06", 1),
    ]


def test_a_deleted_spec_releases_its_units() -> None:
    plan = plan_of(attempts=(an_attempt(seen=RUNNING),))
    (action,) = plan.actions
    assert (action.address, action.decision, action.reason) == (
        ORDERS,
        Decision.RELEASED,
        Reason.RELEASED,
    )
    assert action.tier is Tier.S2
    assert plan.summary == Summary(released=5)


def test_a_deleted_spec_of_a_connection_nobody_has_is_the_worst_tier() -> None:
    situation = Situation(resources=(), recorded=a_record(an_attempt(seen=SUCCESS)), services={})
    (action,) = build_plan(situation, a_making()).actions
    assert action.tier is Tier.S3


@pytest.mark.parametrize(
    "state", [AttemptState.REFUSED, AttemptState.VOID, AttemptState.ABSENT, AttemptState.INTENT]
)
def test_units_that_never_ran_are_not_released(state: AttemptState) -> None:
    assert plan_of(attempts=(an_attempt(state=state),)).actions == ()


def test_an_unknown_outcome_is_shown_after_its_spec_is_gone() -> None:
    partial = an_attempt(state=AttemptState.PARTIAL, seen={"2024-05-01": SUCCESS})
    plan = plan_of(attempts=(partial,))
    assert decisions(plan) == {
        "2024-05-01": Decision.RELEASED,
        "2024-05-02..2024-05-05": Decision.UNKNOWN,
    }
    assert plan.needs_person


def test_a_rename_starts_nothing() -> None:
    plan = plan_of(a_resource("renamed"), attempts=(an_attempt(seen=SUCCESS, name="orders"),))
    (action,) = plan.actions
    assert (str(action.address), action.decision) == ("backfill.renamed", Decision.NONE)
    assert action.detail == ("ran for backfill.orders on 2024-06-01; add `reruns` to run it again")


def test_units_that_several_specs_declare_count_for_the_first_address() -> None:
    plan = plan_of(
        a_resource("b", "2024-05-03..2024-05-07"), a_resource("a", "2024-05-01..2024-05-05")
    )
    assert decisions(plan, "a") == {"2024-05-01..2024-05-05": Decision.CREATE}
    assert decisions(plan, "b") == {
        "2024-05-03..2024-05-05": Decision.SHARED,
        "2024-05-06..2024-05-07": Decision.CREATE,
    }
    assert (
        the_action(plan, Decision.SHARED).detail == "the same units as backfill.a, counted there"
    )
    assert plan.summary == Summary(create=7, calls=2, node_instances=7)


# Edits and requests.


def edited(on_change: OnChange) -> Plan:
    return plan_of(
        a_resource(series=NEW, on_change=on_change, when="2024-05-01..2024-05-07"),
        attempts=(an_attempt(seen=SUCCESS, series=OLD),),
    )


KEY_CHANGED = (FieldChange(path="1234.key", before="old", after="new"),)


def test_an_edited_param_holds_what_ran_with_the_field_diff() -> None:
    plan = edited(OnChange.HOLD)
    hold = the_action(plan, Decision.HOLD)
    assert (str(hold.dates), hold.reason, hold.changes) == (WHEN, Reason.CHANGED, KEY_CHANGED)
    assert calls_of(plan) == [("backfill.orders", "2024-05-06..2024-05-07", 1)]


def test_an_edited_param_reruns_just_the_dates_that_ran() -> None:
    plan = edited(OnChange.RERUN)
    rerun = the_action(plan, Decision.RERUN)
    assert (str(rerun.dates), rerun.reason, rerun.changes) == (WHEN, Reason.CHANGED, KEY_CHANGED)
    assert str(the_action(plan, Decision.CREATE).dates) == "2024-05-06..2024-05-07"
    assert {call.series for call in plan.calls} == {NEW.fingerprint}


def test_an_edited_param_may_keep_what_ran() -> None:
    plan = edited(OnChange.KEEP)
    kept = the_action(plan, Decision.NONE)
    assert (str(kept.dates), kept.changes) == (WHEN, KEY_CHANGED)
    assert calls_of(plan) == [("backfill.orders", "2024-05-06..2024-05-07", 1)]


def test_a_series_nobody_remembers_has_no_diff() -> None:
    stranger = a_series(include=("77",))
    plan = plan_of(a_resource(), attempts=(an_attempt(seen=SUCCESS, series=stranger),))
    assert the_action(plan, Decision.HOLD).changes == ()


def test_reruns_start_just_their_dates_and_once() -> None:
    wanted = a_resource(
        when={"2024-05-01": 1, "2024-05-02..2024-05-03": 2, "2024-05-04..2024-05-05": 1}
    )
    recorded = a_record(an_attempt(seen=SUCCESS))
    plan = build_plan(a_situation(wanted, recorded=recorded), a_making())
    assert calls_of(plan) == [("backfill.orders", "2024-05-02..2024-05-03", 2)]
    assert the_action(plan, Decision.RERUN).reason is Reason.REQUESTED
    after = applied(recorded, plan, status=FAILED)
    assert build_plan(a_situation(wanted, recorded=after), a_making()).calls == ()


def test_a_lowered_generation_starts_nothing() -> None:
    plan = plan_of(a_resource(), attempts=(an_attempt(seen=SUCCESS, generation=3),))
    assert decisions(plan) == {WHEN: Decision.NONE}


# Failures.


def test_a_failed_date_and_those_behind_it_go_again_in_one_call() -> None:
    seen = {"2024-05-01": SUCCESS, "2024-05-02": FAILED, "2024-05-03..2024-05-05": NOT_RUN}
    plan = plan_of(a_resource(on_failure=OnFailure.RERUN), attempts=(an_attempt(seen=seen),))
    assert calls_of(plan) == [("backfill.orders", "2024-05-02..2024-05-05", 1)]
    assert [(str(one.dates), one.reason) for one in plan.actions] == [
        ("2024-05-01", Reason.SUCCEEDED),
        ("2024-05-02", Reason.FAILED),
        ("2024-05-03..2024-05-05", Reason.BEHIND_FAILED),
    ]


def test_reruns_of_failures_end_with_the_last_attempt() -> None:
    wanted = a_resource(on_failure=OnFailure.RERUN, max_attempts=3)
    recorded = a_record()
    rounds = 0
    while (plan := build_plan(a_situation(wanted, recorded=recorded), a_making())).calls:
        recorded = applied(recorded, plan, status=FAILED)
        rounds += 1
    assert rounds == 3
    assert decisions(plan) == {WHEN: Decision.HOLD}


def test_nothing_is_started_beside_an_unknown_call() -> None:
    attempts = (an_attempt(1, seen=FAILED), an_attempt(2, state=AttemptState.UNKNOWN))
    wanted = a_resource(series=NEW, when={WHEN: 3}, on_failure=OnFailure.RERUN,
                        on_change=OnChange.RERUN)  # fmt: skip
    plan = plan_of(wanted, attempts=attempts)
    assert decisions(plan) == {WHEN: Decision.UNKNOWN}
    assert plan.calls == ()


# What discovery shows.


def test_found_runs_are_adopted_with_their_own_generation() -> None:
    mine = a_found_run("2024-05-01..2024-05-03", series=a_series(), run_ids=("2",), generation=4)
    also = a_found_run("2024-05-04", series=a_series(), run_ids=("1",), call_id="secnd")
    theirs = a_found_run("2024-05-05", status=SUCCESS)
    plan = plan_of(a_resource(), listing=a_discovery(mine, also, theirs))
    assert [(one.call_id, one.generation, one.run) for one in plan.adoptions] == [
        ("secnd", 1, also),
        ("foundy", 4, mine),
    ]
    assert the_action(plan, Decision.ADOPT).run_ids == ("2", "1")
    assert calls_of(plan) == [("backfill.orders", "2024-05-05", 1)]
    assert set(plan.series) == {a_series().fingerprint}


def test_runs_found_outside_what_is_decided_as_adopt_are_not_adopted() -> None:
    listing = a_discovery(
        a_found_run("2024-05-01", series=a_series()),
        a_found_run("2024-05-09", series=a_series(), run_ids=("far",)),
        when="2024-05-01..2024-05-09",
    )
    plan = plan_of(a_resource(), listing=listing)
    assert [one.run.run_ids for one in plan.adoptions] == [("found-1",)]


def test_an_unknown_call_found_after_an_edit_is_adopted_as_what_it_was() -> None:
    sent = an_attempt(1, state=AttemptState.UNKNOWN, series=OLD)
    run = a_found_run(series=OLD, call_id=sent.call_id)
    wanted = a_resource(series=NEW, on_change=OnChange.RERUN)
    plan = plan_of(wanted, attempts=(sent,), listing=a_discovery(run))
    assert decisions(plan) == {WHEN: Decision.ADOPT}
    (adoption,) = plan.adoptions
    assert (adoption.series, adoption.run) == (OLD.fingerprint, run)
    assert plan.calls == ()
    assert plan.series[OLD.fingerprint] == OLD


def test_warnings_name_the_dates_somebody_else_is_at() -> None:
    listing = a_discovery(
        a_found_run("2024-05-01..2024-05-02", status=SUCCESS),
        a_found_run("2024-05-04", origin=Origin.SCHEDULE),
    )
    plan = plan_of(a_resource(), listing=listing)
    assert [(one.code, one.severity, one.summary) for one in plan.diagnostics] == [
        (
            "foreign_finished",
            Severity.WARNING,
            "someone else already backfilled 2024-05-01..2024-05-02",
        ),
        (
            "schedule_in_flight",
            Severity.WARNING,
            "the daily schedule runs the same node, and has not ended, for 2024-05-04",
        ),
    ]
    assert calls_of(plan) == [("backfill.orders", WHEN, 1)]


def test_the_service_is_asked_about_what_may_start_or_is_unknown() -> None:
    attempts = (
        an_attempt(1, "2024-05-01", seen=SUCCESS),
        an_attempt(2, "2024-05-02", seen=FAILED),
        an_attempt(3, "2024-05-03", state=AttemptState.UNKNOWN),
    )
    situation = a_situation(a_resource(), recorded=a_record(*attempts))
    (decided,) = decide_all(situation)
    assert dates_to_discover(decided) == dates("2024-05-03..2024-05-05")


# What a plan is about.


def test_only_selected_addresses_are_planned() -> None:
    resources = (a_resource("a", "2024-05-01"), a_resource("b", "2024-05-01..2024-05-02"))
    gone = an_attempt(1, "2024-05-09", seen=SUCCESS, name="gone")
    situation = a_situation(
        *resources, recorded=a_record(gone), selected=lambda one: one.name == "b"
    )
    plan = build_plan(situation, a_making())
    assert {action.address.name for action in plan.actions} == {"b"}
    assert calls_of(plan) == [("backfill.b", "2024-05-02", 1)]


def test_what_could_not_be_read_is_left_undecided() -> None:
    problem = Diagnostic(
        severity=Severity.ERROR, code="read_unavailable", summary="no answer", hint="wait"
    )
    situation = a_situation(
        a_resource("a"),
        a_resource("b", series=a_series(subject=a_subject(root="9"), include=("9",))),
    )
    situation = Situation(
        resources=situation.resources,
        recorded=a_record(an_attempt(seen=RUNNING)),
        services=situation.services,
        unreadable={Address.parse("backfill.a"): problem},
    )
    plan = build_plan(situation, a_making())
    assert {action.address.name for action in plan.actions} == {"b"}
    assert plan.diagnostics == (problem,)


# Policy.


@pytest.mark.parametrize(
    ("policy", "codes"),
    [
        (Policy(), []),
        (Policy(max_dates=6, max_calls=2), []),
        (Policy(max_dates=5, max_calls=2), ["policy_max_dates"]),
        (Policy(max_dates=6, max_calls=1), ["policy_max_calls"]),
        (Policy(max_dates=0, max_calls=0), ["policy_max_calls", "policy_max_dates"]),
    ],
)
def test_a_plan_beyond_policy_is_an_error_and_never_cut(policy: Policy, codes: list[str]) -> None:
    plan = plan_of(a_resource(when="2024-05-01..2024-05-05,2024-05-07"), policy=policy)
    assert [one.code for one in plan.diagnostics] == codes
    assert all(one.severity is Severity.ERROR for one in plan.diagnostics)
    assert plan.summary.create == 6
    assert len(plan.calls) == 2


def test_policy_errors_say_by_how_much() -> None:
    (error,) = plan_of(a_resource(), policy=Policy(max_dates=4)).diagnostics
    assert error.summary == "the plan would start 5 data dates; policy.maxDates allows 4"


# What a call is bound to.


def test_spec_digest_is_of_what_is_asked_for_on_those_dates() -> None:
    plain = a_resource()
    when = dates("2024-05-01..2024-05-02")
    same = (
        a_resource(when="2024-05-01..2024-05-02"),
        a_resource(when={"2024-05-01..2024-05-02": 1, "2024-05-05": 2}),
        a_resource(parallelism=5, on_failure=OnFailure.RERUN, line=9, labels={"a": "b"}),
    )
    assert {spec_digest(one, when) for one in same} == {spec_digest(plain, when)}
    moved = (
        a_resource("renamed"),
        a_resource(series=NEW),
        a_resource(when={"2024-05-01": 2, "2024-05-02": 1}),
        a_resource(when="2024-05-01"),
    )
    assert spec_digest(plain, when) not in {spec_digest(one, when) for one in moved}


def test_calls_are_bound_to_their_own_facts_only() -> None:
    wanted = a_resource(when="2024-05-01..2024-05-02,2024-05-04..2024-05-05")
    before = plan_of(wanted)
    after = plan_of(wanted, attempts=(an_attempt(1, "2024-05-05", state=AttemptState.REFUSED),))
    assert before.calls[0].facts_digest == after.calls[0].facts_digest
    assert before.calls[1].facts_digest != after.calls[1].facts_digest
    assert before.calls[1].spec_digest == after.calls[1].spec_digest
