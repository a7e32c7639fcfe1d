"""`requires`, rollouts and freezes: what must wait, and what is said of it."""

from __future__ import annotations

import datetime as dt

import pytest

from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.gates import GateReading, GateStanding
from reconciler.model.plan import Decision, Plan
from reconciler.model.project import Freeze, Policy
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import OnFailure, Order, Resource, Rollout
from reconciler.model.runs import UnitStatus
from reconciler.planning.planner import build_plan
from reconciler.planning.situation import dates_behind_gates
from tests.builders import (
    a_gate,
    a_making,
    a_record,
    a_resource,
    a_series,
    a_situation,
    a_subject,
    an_attempt,
)

RATES = a_series(subject=a_subject(root="7"), include=("7",))
ORDERS = a_series()
WEEK = "2024-05-01..2024-05-07"
BATCHES = Rollout(canary=1, max_active_dates=3)
FREEZE = Freeze(
    start=dt.datetime(2024, 6, 1, tzinfo=dt.UTC),
    end=dt.datetime(2024, 6, 3, tzinfo=dt.UTC),
    reason="sale",
)


def ran(when: str, status: UnitStatus, number: int = 1, *, rates: bool = False) -> Attempt:
    return an_attempt(
        number,
        when,
        series=RATES if rates else ORDERS,
        name="rates" if rates else "orders",
        seen=status,
    )


def plan_of(
    *resources: Resource,
    attempts: tuple[Attempt, ...] = (),
    targets: tuple[str, ...] = (),
    unreadable: tuple[str, ...] = (),
    freeze: Freeze | None = None,
    policy: Policy | None = None,
    gates: tuple[GateStanding, ...] = (),
) -> Plan:
    problem = Diagnostic(
        severity=Severity.ERROR, code="read_unavailable", summary="no answer", hint="wait"
    )
    situation = a_situation(
        *resources,
        recorded=a_record(*attempts, series=(RATES, ORDERS)),
        selected=lambda address: not targets or str(address) in targets,
        unreadable={Address.parse(name): problem for name in unreadable},
        freeze=freeze,
        gates=gates,
    )
    return build_plan(situation, a_making(policy=policy))


def orders(rollout: Rollout | None = None, *requires: str, when: str = WEEK) -> Resource:
    return a_resource("orders", when, series=ORDERS, rollout=rollout, requires=requires)


def rates(when: str = WEEK) -> Resource:
    return a_resource("rates", when, series=RATES)


def blocked(plan: Plan) -> dict[str, tuple[tuple[str, ...], str]]:
    return {
        str(action.dates): (action.blocked_by, action.detail)
        for action in plan.actions
        if action.decision is Decision.BLOCKED
    }


def open_calls(plan: Plan) -> list[str]:
    return [str(call.dates) for call in plan.calls if not call.blocked_by]


# Rollouts.


def test_only_the_canary_starts_and_the_other_batches_are_planned_as_blocked_calls() -> None:
    plan = plan_of(orders(BATCHES))
    assert [(str(one.dates), one.batch, one.blocked_by) for one in plan.calls] == [
        ("2024-05-01", 0, ()),
        ("2024-05-02..2024-05-04", 1, ("rollout",)),
        ("2024-05-05..2024-05-07", 2, ("rollout",)),
    ]
    assert blocked(plan) == {
        "2024-05-02..2024-05-07": (
            ("rollout",),
            "opens when the canary 2024-05-01 has succeeded",
        )
    }
    assert (plan.summary.create, plan.summary.blocked, plan.summary.calls) == (1, 6, 3)


@pytest.mark.parametrize(
    ("history", "starts"),
    [
        ([("2024-05-01", UnitStatus.RUNNING)], []),
        ([("2024-05-01", UnitStatus.FAILURE)], []),
        ([("2024-05-01", UnitStatus.SUCCESS)], ["2024-05-02..2024-05-04"]),
        ([("2024-05-01..2024-05-03", UnitStatus.SUCCESS)], ["2024-05-04"]),
        (
            [("2024-05-01..2024-05-03", UnitStatus.SUCCESS), ("2024-05-04", UnitStatus.RUNNING)],
            [],
        ),
        (
            [("2024-05-01..2024-05-03", UnitStatus.SUCCESS), ("2024-05-04", UnitStatus.FAILURE)],
            [],
        ),
        ([("2024-05-01..2024-05-04", UnitStatus.SUCCESS)], ["2024-05-05..2024-05-07"]),
    ],
)
def test_a_batch_opens_when_the_ones_before_are_through(
    history: list[tuple[str, UnitStatus]], starts: list[str]
) -> None:
    attempts = tuple(ran(when, status, number) for number, (when, status) in enumerate(history, 1))
    assert open_calls(plan_of(orders(BATCHES), attempts=attempts)) == starts


def test_a_rollout_goes_on_past_fewer_failures_than_stop_it() -> None:
    rollout = Rollout(max_active_dates=2, stop_after_failures=2)
    done = ran("2024-05-01", UnitStatus.SUCCESS)
    one = (done, ran("2024-05-02", UnitStatus.FAILURE, 2))
    assert open_calls(plan_of(orders(rollout), attempts=one)) == ["2024-05-03..2024-05-04"]
    two = (
        *one,
        ran("2024-05-03", UnitStatus.FAILURE, 3),
        ran("2024-05-04", UnitStatus.SUCCESS, 4),
    )
    plan = plan_of(orders(rollout), attempts=two)
    assert open_calls(plan) == []
    assert blocked(plan) == {
        "2024-05-05..2024-05-07": (
            ("rollout",),
            "the rollout stopped: 2024-05-02..2024-05-03 failed; repair or resolve what failed",
        )
    }


def test_a_failure_that_is_to_be_rerun_keeps_the_next_batch_closed() -> None:
    resource = a_resource(
        "orders",
        WEEK,
        series=ORDERS,
        rollout=Rollout(max_active_dates=2, stop_after_failures=5),
        on_failure=OnFailure.RERUN,
    )
    attempts = (ran("2024-05-01", UnitStatus.SUCCESS), ran("2024-05-02", UnitStatus.FAILURE, 2))
    plan = plan_of(resource, attempts=attempts)
    assert open_calls(plan) == ["2024-05-02"]
    assert blocked(plan)["2024-05-03..2024-05-07"][1] == (
        "opens when the batch before is through: 2024-05-02 left"
    )


def test_the_newest_batch_is_sent_first() -> None:
    rollout = Rollout(max_active_dates=3, max_dates_per_call=2, order=Order.NEWEST)
    plan = plan_of(orders(rollout))
    assert [(str(one.dates), one.batch) for one in plan.calls] == [
        ("2024-05-06..2024-05-07", 0),
        ("2024-05-05", 0),
        ("2024-05-03..2024-05-04", 1),
        ("2024-05-02", 1),
        ("2024-05-01", 2),
    ]


def test_batches_do_not_move_when_part_of_them_is_done_or_asked_for_again() -> None:
    done = ran(WEEK, UnitStatus.SUCCESS)
    again = a_resource(
        "orders",
        {"2024-05-01..2024-05-03": 1, "2024-05-04..2024-05-05": 2, "2024-05-06..2024-05-07": 1},
        series=ORDERS,
        rollout=BATCHES,
    )
    plan = plan_of(again, attempts=(done,))
    assert [(str(one.dates), one.batch, one.blocked_by) for one in plan.calls] == [
        ("2024-05-04", 1, ()),
        ("2024-05-05", 2, ("rollout",)),
    ]


def test_calls_hold_no_more_dates_than_allowed_and_start_together() -> None:
    plan = plan_of(orders(Rollout(max_dates_per_call=3)))
    assert open_calls(plan) == [
        "2024-05-01..2024-05-03",
        "2024-05-04..2024-05-06",
        "2024-05-07",
    ]


def test_what_another_address_owns_counts_in_a_rollout_all_the_same() -> None:
    first = a_resource("a", "2024-05-01", series=ORDERS)
    plan = plan_of(first, orders(BATCHES))
    assert open_calls(plan) == ["2024-05-01"]
    assert "orders" in str(plan.calls[1].address)
    done = plan_of(first, orders(BATCHES), attempts=(ran("2024-05-01", UnitStatus.SUCCESS),))
    assert open_calls(done) == ["2024-05-02..2024-05-04"]


# Requirements.


def test_units_wait_for_a_whole_resource_and_are_told_how_much_is_left() -> None:
    attempts = (
        ran("2024-05-01..2024-05-05", UnitStatus.SUCCESS, rates=True),
        ran("2024-05-06", UnitStatus.FAILURE, 2, rates=True),
    )
    plan = plan_of(orders(None, "backfill.rates"), rates(), attempts=attempts)
    assert blocked(plan) == {
        WEEK: (
            ("backfill.rates",),
            "opens when backfill.rates is done: 2 of 7 dates left, 1 of them failed",
        )
    }


def test_units_start_once_what_they_require_is_done() -> None:
    done = ran(WEEK, UnitStatus.SUCCESS, rates=True)
    plan = plan_of(orders(None, "backfill.rates"), rates(), attempts=(done,))
    assert open_calls(plan) == [WEEK]
    assert blocked(plan) == {}


def test_by_date_just_the_dates_that_are_done_start_in_one_call_per_open_range() -> None:
    attempts = (
        ran("2024-05-01..2024-05-02", UnitStatus.SUCCESS, rates=True),
        ran("2024-05-03", UnitStatus.RUNNING, 2, rates=True),
        ran("2024-05-04", UnitStatus.FAILURE, 3, rates=True),
        ran("2024-05-05..2024-05-07", UnitStatus.SUCCESS, 4, rates=True),
    )
    plan = plan_of(orders(None, "backfill.rates@date"), rates(), attempts=attempts)
    assert open_calls(plan) == ["2024-05-01..2024-05-02", "2024-05-05..2024-05-07"]
    assert blocked(plan) == {
        "2024-05-03": (
            ("backfill.rates",),
            "opens when the same date of backfill.rates is done",
        ),
        "2024-05-04": (
            ("backfill.rates",),
            "opens when the same date of backfill.rates is done, which needs a person first",
        ),
    }


def test_calls_are_sent_in_the_order_of_what_they_require() -> None:
    first = a_resource("z", WEEK, series=RATES)
    second = orders(None, "backfill.z")
    plan = plan_of(second, first)
    assert [str(call.address) for call in plan.calls] == ["backfill.z", "backfill.orders"]


def test_what_is_required_is_judged_also_when_it_is_not_selected() -> None:
    only = ("backfill.orders",)
    waiting = plan_of(orders(None, "backfill.rates"), rates(), targets=only)
    assert open_calls(waiting) == []
    assert {str(action.address) for action in waiting.actions} == {"backfill.orders"}
    done = ran(WEEK, UnitStatus.SUCCESS, rates=True)
    opened = plan_of(orders(None, "backfill.rates"), rates(), targets=only, attempts=(done,))
    assert open_calls(opened) == [WEEK]


def test_what_cannot_be_read_keeps_closed_what_requires_it() -> None:
    plan = plan_of(
        orders(None, "backfill.rates"),
        rates(),
        attempts=(ran(WEEK, UnitStatus.SUCCESS, rates=True),),
        unreadable=("backfill.rates",),
    )
    assert open_calls(plan) == []
    assert blocked(plan)[WEEK][1] == "opens when backfill.rates is done, which cannot be told now"


def test_all_that_blocks_a_unit_is_named() -> None:
    plan = plan_of(orders(BATCHES, "backfill.rates"), rates(), freeze=FREEZE)
    assert {names for names, _ in blocked(plan).values()} == {
        ("freeze",),
        ("freeze", "backfill.rates"),
        ("freeze", "backfill.rates", "rollout"),
    }


# Freezes, and what a plan says of all this.


def test_nothing_starts_in_a_freeze_and_its_end_is_told() -> None:
    plan = plan_of(orders(), freeze=FREEZE)
    assert blocked(plan) == {WEEK: (("freeze",), "frozen until 2024-06-03 00:00 +0000 (sale)")}
    assert [(str(one.dates), one.blocked_by) for one in plan.calls] == [(WEEK, ("freeze",))]


def test_blocked_units_count_against_what_the_policy_allows() -> None:
    plan = plan_of(orders(BATCHES), policy=Policy(max_dates=6, max_calls=2))
    assert [item.code for item in plan.diagnostics] == ["policy_max_calls", "policy_max_dates"]


def test_a_plan_carries_what_is_needed_to_judge_its_calls_again() -> None:
    plan = plan_of(orders(BATCHES, "backfill.rates"), rates())
    assert [str(one.address) for one in plan.desired] == ["backfill.orders", "backfill.rates"]
    assert {one.series.fingerprint for one in plan.desired} <= set(plan.series)
    assert plan_of(orders(), rates()).desired == ()
    done = ran(WEEK, UnitStatus.SUCCESS)
    assert plan_of(orders(BATCHES), attempts=(done,)).desired == ()


# Gates.


def standing(
    closed: dict[str, str] | None = None,
    *,
    name: str = "quiet",
    dates: str = WEEK,
    problem: str = "",
) -> GateStanding:
    """A gate that was looked at for some dates, and why it is closed on which."""
    reading = GateReading(
        dates=DateSet.parse((dates,)),
        closed=RangeMap.of((DateRange.parse(key), why) for key, why in (closed or {}).items()),
        problem=problem or None,
    )
    return GateStanding(gate=a_gate(name), reading=reading)


def guarded(*gates: str, rollout: Rollout | None = None) -> Resource:
    return a_resource("orders", WEEK, series=ORDERS, gates=gates, rollout=rollout)


def test_units_behind_an_open_gate_start() -> None:
    plan = plan_of(guarded("quiet"), gates=(standing(),))
    assert open_calls(plan) == [WEEK]
    assert plan.gates == (standing(),)


def test_units_behind_a_closed_gate_are_blocked_with_the_reason() -> None:
    plan = plan_of(guarded("quiet"), gates=(standing({WEEK: "an upgrade is running"}),))
    assert blocked(plan) == {
        WEEK: (("gate.quiet",), "gate.quiet is closed: an upgrade is running")
    }
    assert [(one.blocked_by, str(one.dates)) for one in plan.calls] == [(("gate.quiet",), WEEK)]


def test_a_gate_that_is_closed_for_some_dates_splits_the_call() -> None:
    closed = {"2024-05-03": "no run planned yet", "2024-05-06": "a run failed"}
    plan = plan_of(guarded("landed"), gates=(standing(closed, name="landed"),))
    assert [(str(one.dates), one.blocked_by) for one in plan.calls] == [
        ("2024-05-01..2024-05-02", ()),
        ("2024-05-03", ("gate.landed",)),
        ("2024-05-04..2024-05-05", ()),
        ("2024-05-06", ("gate.landed",)),
        ("2024-05-07", ()),
    ]


def test_closed_dates_with_different_reasons_go_in_one_call() -> None:
    closed = {"2024-05-01..2024-05-03": "no run planned yet", "2024-05-04..2024-05-07": "failed"}
    plan = plan_of(guarded("landed"), gates=(standing(closed, name="landed"),))
    assert [str(one.dates) for one in plan.calls] == [WEEK]


def test_a_gate_that_was_not_looked_at_is_closed() -> None:
    unseen = GateStanding(gate=a_gate())
    plan = plan_of(guarded("quiet"), gates=(unseen,))
    assert blocked(plan) == {WEEK: (("gate.quiet",), "gate.quiet was not evaluated")}
    assert plan.gates == (unseen,)


def test_dates_for_which_a_gate_was_not_looked_at_are_closed() -> None:
    plan = plan_of(guarded("quiet"), gates=(standing(dates="2024-05-01..2024-05-05"),))
    assert open_calls(plan) == ["2024-05-01..2024-05-05"]
    assert blocked(plan)["2024-05-06..2024-05-07"][1] == "gate.quiet was not evaluated"


def test_a_gate_that_could_not_be_read_is_an_error_of_the_plan() -> None:
    unread = standing({WEEK: "could not be read: no answer"}, problem="no answer")
    plan = plan_of(guarded("quiet"), gates=(unread,))
    assert [(item.code, item.address) for item in plan.diagnostics] == [
        ("gate_unreadable", "gate.quiet")
    ]
    assert not open_calls(plan)


def test_every_gate_and_everything_else_must_be_open() -> None:
    plan = plan_of(
        guarded("quiet", "landed", rollout=BATCHES),
        gates=(standing(), standing({"2024-05-02": "no run planned yet"}, name="landed")),
    )
    assert open_calls(plan) == ["2024-05-01"]
    assert {str(one.dates): one.blocked_by for one in plan.calls if one.blocked_by} == {
        "2024-05-02": ("gate.landed", "rollout"),
        "2024-05-03..2024-05-04": ("rollout",),
        "2024-05-05..2024-05-07": ("rollout",),
    }


def test_a_gate_keeps_nothing_that_need_not_start() -> None:
    done = (ran(WEEK, UnitStatus.SUCCESS),)
    plan = plan_of(guarded("quiet"), attempts=done, gates=(standing({WEEK: "closed"}),))
    assert blocked(plan) == {}
    assert plan.gates == ()


def test_only_dates_that_may_start_are_asked_for() -> None:
    situation = a_situation(
        guarded("quiet", "landed"),
        a_resource("other", "2024-05-09", series=RATES),
        recorded=a_record(
            ran("2024-05-01..2024-05-02", UnitStatus.SUCCESS), series=(RATES, ORDERS)
        ),
    )
    asked = DateSet.parse(("2024-05-03..2024-05-07",))
    assert dates_behind_gates(situation) == {"quiet": asked, "landed": asked}


def test_an_apply_is_expected_to_ask_each_gate_once_more() -> None:
    plan = plan_of(guarded("quiet"), gates=(standing(),))
    assert plan.expected_calls() == 4
    assert plan.expected_calls("ob") == 1
    assert plan.expected_calls("prod") == 3
