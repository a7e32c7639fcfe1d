from __future__ import annotations

import datetime as dt

from reconciler.simulator import parse_world
from reconciler.simulator.runs import (
    DagStatus,
    Intervention,
    Kind,
    PlannedNode,
    Status,
    Trigger,
    Verb,
    dag_status,
)
from reconciler.simulator.transitions import WorldVersion, replay

MINUTE = 60_000
DAY = dt.date(2020, 5, 20)
NOT_RUN, RUNNING, FAILURE, SUCCESS = Status.NOT_RUN, Status.RUNNING, Status.FAILURE, Status.SUCCESS


def a_trigger(
    *nodes: PlannedNode, days: int = 1, concurrent: int = 1, number: int = 1, created_ms: int = 0
) -> Trigger:
    return Trigger(
        id=number,
        kind=Kind.BACKFILL,
        environment="PROD",
        name="x",
        nodes=nodes or (PlannedNode(id=1, name="one"),),
        first_date=DAY,
        last_date=DAY + dt.timedelta(days=days - 1),
        concurrent_dates=concurrent,
        op_seq=number,
        first_dag=number * 100,
        first_instance=number * 1000,
        created_work_ms=created_ms,
        created_gateway_ms=created_ms,
    )


def versions(**document: object) -> tuple[WorldVersion, ...]:
    return (WorldVersion(from_ms=0, world=parse_world(document)),)


def a_node(number: int, *parents: int, excluded: bool = False) -> PlannedNode:
    return PlannedNode(id=number, name=str(number), parents=parents, excluded=excluded)


def statuses(
    trigger: Trigger,
    until_minutes: float,
    *done: Intervention,
    worlds: tuple[WorldVersion, ...] = versions(),
) -> list[Status]:
    states = replay([trigger], done, worlds, round(until_minutes * MINUTE))[trigger.id]
    return [state.status for state in states]


def act(verb: Verb, index: int, at_minutes: float, trigger: int = 1) -> Intervention:
    return Intervention(
        trigger_id=trigger, index=index, verb=verb, at_ms=round(at_minutes * MINUTE)
    )


def test_a_node_runs_at_once_for_its_time_and_succeeds() -> None:
    assert statuses(a_trigger(), 0) == [RUNNING]
    assert statuses(a_trigger(), 0.99) == [RUNNING]
    assert statuses(a_trigger(), 1) == [SUCCESS]


def test_a_trigger_from_the_future_has_not_begun() -> None:
    assert statuses(a_trigger(created_ms=MINUTE), 0.5) == [NOT_RUN]


def test_serial_dates_wait_for_the_one_before() -> None:
    trigger = a_trigger(days=3)
    assert statuses(trigger, 0.5) == [RUNNING, NOT_RUN, NOT_RUN]
    assert statuses(trigger, 1) == [SUCCESS, RUNNING, NOT_RUN]
    assert statuses(trigger, 3) == [SUCCESS, SUCCESS, SUCCESS]


def test_parallel_dates_fill_their_places() -> None:
    trigger = a_trigger(days=5, concurrent=2)
    assert statuses(trigger, 0) == [RUNNING, RUNNING, NOT_RUN, NOT_RUN, NOT_RUN]
    assert statuses(trigger, 1) == [SUCCESS, SUCCESS, RUNNING, RUNNING, NOT_RUN]
    assert statuses(trigger, 3) == [SUCCESS] * 5


def test_a_failed_serial_date_holds_the_later_ones_up() -> None:
    worlds = versions(nodes=[{"id": 1, "fail": ["2020-05-21"]}])
    assert statuses(a_trigger(days=3), 99, worlds=worlds) == [SUCCESS, FAILURE, NOT_RUN]


def test_a_failed_parallel_date_frees_its_place() -> None:
    worlds = versions(nodes=[{"id": 1, "fail": ["2020-05-20", "2020-05-21"]}])
    trigger = a_trigger(days=3, concurrent=2)
    assert statuses(trigger, 99, worlds=worlds) == [FAILURE, FAILURE, SUCCESS]


def test_parents_come_first_on_each_date() -> None:
    trigger = a_trigger(a_node(1), a_node(2, 1), a_node(3, 1), a_node(4, 2, 3))
    assert statuses(trigger, 0) == [RUNNING, NOT_RUN, NOT_RUN, NOT_RUN]
    assert statuses(trigger, 1) == [SUCCESS, RUNNING, RUNNING, NOT_RUN]
    assert statuses(trigger, 2) == [SUCCESS, SUCCESS, SUCCESS, RUNNING]


def test_a_failed_parent_leaves_its_dependants_not_run() -> None:
    worlds = versions(nodes=[{"id": 1, "fail": ["2020-05-20"]}])
    trigger = a_trigger(a_node(1), a_node(2, 1))
    assert statuses(trigger, 99, worlds=worlds) == [FAILURE, NOT_RUN]


def test_an_excluded_node_succeeds_without_running_when_its_turn_comes() -> None:
    trigger = a_trigger(a_node(1, excluded=True), a_node(2, 1))
    states = replay([trigger], [], versions(), 0)[1]
    assert [state.status for state in states] == [SUCCESS, RUNNING]
    assert states[0].dry
    assert states[0].executions == ()


def test_a_skipped_date_is_dry_and_lets_the_next_date_begin_at_once() -> None:
    worlds = versions(nodes=[{"id": 1, "skip": ["2020-05-20"]}])
    states = replay([a_trigger(days=2)], [], worlds, 0)[1]
    assert [(state.status, state.dry) for state in states] == [
        (SUCCESS, True),
        (RUNNING, False),
    ]


def test_years_of_skipped_dates_are_no_deep_recursion() -> None:
    trigger = a_trigger(a_node(1, excluded=True), days=5000)
    assert set(statuses(trigger, 0)) == {SUCCESS}


def test_hourly_nodes_have_an_instance_for_each_hour_and_run_together() -> None:
    hourly = PlannedNode(id=1, name="h", hours=(0, 1, 2))
    assert statuses(a_trigger(hourly), 0) == [RUNNING, RUNNING, RUNNING]


def test_two_hourly_nodes_wait_hour_for_hour() -> None:
    worlds = versions(nodes=[{"id": 1, "fail": [{"date": "2020-05-20", "times": 1}]}])
    parent = PlannedNode(id=1, name="p", hours=(0, 1))
    child = PlannedNode(id=2, name="c", parents=(1,), hours=(0, 1))
    assert statuses(a_trigger(parent, child), 1, worlds=worlds) == [
        FAILURE,
        SUCCESS,
        NOT_RUN,
        RUNNING,
    ]


def test_a_daily_node_waits_for_every_hour_of_its_parent() -> None:
    parent = PlannedNode(id=1, name="p", hours=(0, 1))
    trigger = a_trigger(parent, a_node(2, 1))
    assert statuses(trigger, 0.5, act(Verb.STOP, 0, 0.5)) == [FAILURE, RUNNING, NOT_RUN]
    assert statuses(trigger, 9, act(Verb.STOP, 0, 0.5)) == [FAILURE, SUCCESS, NOT_RUN]
    assert statuses(trigger, 1) == [SUCCESS, SUCCESS, RUNNING]


def test_a_stopped_instance_fails_and_stays_failed() -> None:
    stop = act(Verb.STOP, 0, 0.5)
    assert statuses(a_trigger(days=2), 0.5, stop) == [FAILURE, NOT_RUN]
    assert statuses(a_trigger(days=2), 9, stop) == [FAILURE, NOT_RUN]


def test_a_restart_after_a_stop_runs_its_full_time() -> None:
    done = (act(Verb.STOP, 0, 0.5), act(Verb.RESTART, 0, 0.75))
    assert statuses(a_trigger(), 1.5, *done) == [RUNNING]
    assert statuses(a_trigger(), 1.75, *done) == [SUCCESS]


def test_a_counted_failure_goes_away_after_its_executions() -> None:
    worlds = versions(nodes=[{"id": 1, "fail": [{"date": "2020-05-20", "times": 2}]}])
    trigger = a_trigger(days=2)
    once = act(Verb.RESTART, 0, 2)
    twice = act(Verb.RESTART, 0, 4)
    assert statuses(trigger, 3, once, worlds=worlds) == [FAILURE, NOT_RUN]
    assert statuses(trigger, 5, once, twice, worlds=worlds) == [SUCCESS, RUNNING]


def test_counted_failures_count_over_triggers() -> None:
    worlds = versions(nodes=[{"id": 1, "fail": [{"date": "2020-05-20", "times": 1}]}])
    first, second = a_trigger(), a_trigger(number=2, created_ms=5 * MINUTE)
    found = replay([first, second], [], worlds, 9 * MINUTE)
    assert found[1][0].status is FAILURE
    assert found[2][0].status is SUCCESS


def test_an_uncounted_failure_comes_back_at_every_restart() -> None:
    worlds = versions(nodes=[{"id": 1, "fail": ["2020-05-20"]}])
    assert statuses(a_trigger(), 9, act(Verb.RESTART, 0, 2), worlds=worlds) == [FAILURE]


def test_setting_success_lets_dependants_and_later_dates_go_on() -> None:
    worlds = versions(nodes=[{"id": 1, "fail": ["2020-05-20"]}])
    trigger = a_trigger(a_node(1), a_node(2, 1), days=2)
    repaired = act(Verb.SET_SUCCESS, 0, 5)
    assert statuses(trigger, 5, repaired, worlds=worlds) == [SUCCESS, RUNNING, NOT_RUN, NOT_RUN]
    assert statuses(trigger, 6, repaired, worlds=worlds) == [SUCCESS, SUCCESS, RUNNING, NOT_RUN]


def test_restarting_a_success_runs_it_again_without_undoing_its_dependants() -> None:
    trigger = a_trigger(a_node(1), a_node(2, 1))
    again = act(Verb.RESTART, 0, 5)
    assert statuses(trigger, 5.5, again) == [RUNNING, SUCCESS]
    assert statuses(trigger, 6, again) == [SUCCESS, SUCCESS]


def test_what_is_not_possible_in_a_state_changes_nothing() -> None:
    assert statuses(a_trigger(), 9, act(Verb.STOP, 0, 5)) == [SUCCESS]
    assert statuses(a_trigger(), 0.6, act(Verb.SET_SUCCESS, 0, 0.5)) == [RUNNING]
    assert statuses(a_trigger(days=2), 0.6, act(Verb.RESTART, 1, 0.5)) == [RUNNING, NOT_RUN]


def test_an_execution_follows_the_world_it_started_in() -> None:
    worlds = (
        *versions(nodes=[{"id": 1, "seconds": 120, "fail": ["2020-05-20"]}]),
        WorldVersion(from_ms=MINUTE, world=parse_world({})),
    )
    assert statuses(a_trigger(), 2, worlds=worlds) == [FAILURE]
    assert statuses(a_trigger(), 6, act(Verb.RESTART, 0, 5), worlds=worlds) == [SUCCESS]


def test_a_dag_with_a_failure_is_running_while_anything_is_active() -> None:
    worlds = versions(nodes=[{"id": 1, "fail": ["2020-05-20"]}, {"id": 2, "seconds": 120}])
    trigger = a_trigger(a_node(1), a_node(2))
    early, late = (replay([trigger], [], worlds, minutes * MINUTE)[1] for minutes in (1, 2))
    assert dag_status(early) is DagStatus.RUNNING
    assert dag_status(late) is DagStatus.FAILURE


def test_a_dag_status_follows_from_its_instances() -> None:
    states = replay([a_trigger(days=2)], [], versions(), MINUTE)[1]
    assert dag_status(states[:1]) is DagStatus.SUCCESS
    assert dag_status(states[1:]) is DagStatus.RUNNING
    assert dag_status(replay([a_trigger(days=2)], [], versions(), 0)[1][1:]) is DagStatus.CREATED
