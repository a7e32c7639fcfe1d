"""Runs followed to their end, in order and batch by batch: `requires`, rollouts, freezes, reruns."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.formats.planfile import plan_text
from reconciler.schema_files import read_schema
from reconciler.usecases.saved_plans import read_plan
from tests.scenario.processes import (
    QUARANTINE_SECONDS,
    Checkout,
    InProcess,
    RemoteSandbox,
    ended,
    simulate,
    starts,
    until,
)
from tests.scenario.sandbox import Sandbox, decisions, executed_dates

#: 2020-05-22 fails once and 2020-05-29 always.
WORLD = """\
nodes:
  - {id: 1}
  - {id: 2, fail: [{date: 2020-05-22, times: 1}, 2020-05-29]}
"""
FLOW_DATES = {"start": "2020-04-01", "end": "2020-06-30", "rrule": "FREQ=MONTHLY;BYMONTHDAY=-1"}
DAYS = [f"2020-05-{day}" for day in range(20, 32)]

#: What must have been started when all is as the specs say: each date once, what failed once more.
ALL = Counter(
    [
        *(f"1 {day}" for day in DAYS),
        *(f"2 {day}" for day in DAYS[:-1]),
        *("2 2020-05-22", "2 2020-05-29"),
        *(f"test_flow {day}" for day in ("2020-04-30", "2020-05-31", "2020-06-30")),
    ]
)


def declare(project: Sandbox) -> None:
    """Two backfills, the second after the same date of the first and in batches; a month-end flow."""
    project.backfill("rates", target={"rootNode": 1})
    project.backfill(
        "orders",
        target={"rootNode": 2},
        requires=["backfill.rates@date"],
        rollout={"canary": 1, "maxActiveDates": 5},
        parallelism=4,
        onFailure="rerun",
        maxAttempts=2,
    )
    project.flow("close", dates=FLOW_DATES)


def ranges(project: Sandbox, name: str) -> dict[str, str]:
    """The status of each range of one resource."""
    (found,) = [
        one for one in project.run("status", "--json").json["resources"] if name in one["address"]
    ]
    return {dates: one["status"] for one in found["ranges"] for dates in one["dates"]}


@pytest.mark.parametrize("layout", ["per-date", "single"])
def test_everything_is_followed_to_the_end_the_specs_ask_for(tmp_path: Path, layout: str) -> None:
    with simulate(tmp_path, world=f"layout: {layout}\n{WORLD}") as service:
        project = InProcess(tmp_path / "project", service)
        declare(project)
        applied = project.apply("--wait", "--json")
        assert applied.code == 3, applied.err  # 2020-05-29 failed for good, and stops the rollout
        assert starts(project) == ALL
        for event in applied.events:
            Draft202012Validator(dict(read_schema("event"))).validate(event)
        finished = applied.events[-1]
        assert finished["needs_person"] == {"backfill.orders": ["2020-05-29"]}
        assert finished["blocked"] == {"backfill.orders": ["2020-05-31"]}
        assert ranges(project, "orders")["2020-05-31"] == "blocked"
        again = project.apply("--wait")
        assert (again.code, starts(project)) == (3, ALL), again.err

        project.backfill(
            "orders",
            target={"rootNode": 2},
            requires=["backfill.rates@date"],
            rollout={"canary": 1, "maxActiveDates": 5, "stopAfterFailures": 2},
            parallelism=4,
        )
        assert project.apply("--wait").code == 3
        assert starts(project) == ALL + Counter(["2 2020-05-31"])


@pytest.mark.parametrize("after", [5])
def test_a_wait_that_is_killed_and_repeated_comes_to_the_same_end(
    tmp_path: Path, after: int
) -> None:
    with simulate(tmp_path, world=WORLD, clock="x600") as service:
        project = Checkout(tmp_path / "project", service)
        declare(project)
        first = project.start("apply", "--auto-approve", "--wait")
        until(lambda: len(project.ledger()) >= after)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        project.a_minute_later()
        applied = project.run("apply", "--auto-approve", "--wait", "--json")
        if starts(project) != ALL:  # it died with a request on its way that never arrived
            assert "backfill.orders" in applied.events[-1]["unknown"], applied.err
            project.advance(QUARANTINE_SECONDS)
            applied = project.run("apply", "--auto-approve", "--wait", "--json")
        assert applied.code == 3, applied.err + applied.out
        assert starts(project) == ALL


def test_a_look_at_a_thousand_dates_in_flight_is_one_call(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="manual") as service:
        project = InProcess(tmp_path / "project", service)
        project.backfill(dates={"start": "2018-01-01", "end": "2020-09-26"}, parallelism=10)
        assert project.apply().code == 0
        before = len(service.control("GET", "requests"))
        assert project.apply("--wait", "--timeout", "3s").code == 1  # time is up
        asked = Counter(one["operation"] for one in service.control("GET", "requests")[before:])
        # One for the plan, then at 0.5, 1 and 2 seconds; fewer on a slow machine.
        assert asked.keys() == {"ListDags"}
        assert 2 <= asked["ListDags"] <= 4
        assert project.ledger()[0]["parameters"]["EndBizDate"].startswith("2020-09-26")


def test_the_lock_is_free_while_runs_are_followed(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="manual") as service:
        project = RemoteSandbox(tmp_path / "project", service)
        project.backfill()
        waiting = project.start("apply", "--auto-approve", "--wait")
        until(lambda: len(project.ledger()) == 1 and project.holder() is None)
        assert project.run("apply", "--auto-approve").code == 0
        service.control("POST", "clock", {"advance_seconds": 3600})
        assert ended(waiting).code == 0
        assert set(starts(project).values()) == {1}


def test_watching_prints_events_and_the_coverage_at_the_end(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="x60") as service:
        project = InProcess(tmp_path / "project", service)
        project.backfill(dates={"list": ["2020-05-20..2020-05-21"]})
        assert project.apply().code == 0
        watched = project.run("status", "--watch", "--json")
        assert watched.code == 0, watched.err
        for event in watched.events:
            Draft202012Validator(dict(read_schema("event"))).validate(event)
        assert watched.events[0]["type"] == "units_changed"
        assert watched.events[-1]["resources"][0]["ranges"][0]["status"] == "success"


# Plan files.


def saved(project: Sandbox, *words: str) -> Path:
    file = project.root / "plan.json"
    assert project.run("plan", "--out", str(file), *words).code == 0
    return file


def test_a_saved_plan_applied_again_and_again_opens_batch_after_batch(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="manual") as service:
        project = InProcess(tmp_path / "project", service)
        project.backfill(rollout={"canary": 1, "maxActiveDates": 5}, parallelism=5)
        file = saved(project)
        calls = json.loads(file.read_text())["calls"]
        assert [(call["batch"], call["dates"], call["blocked_by"]) for call in calls] == [
            (0, ["2020-05-20"], []),
            (1, ["2020-05-21..2020-05-25"], ["rollout"]),
            (2, ["2020-05-26..2020-05-30"], ["rollout"]),
            (3, ["2020-05-31"], ["rollout"]),
        ]
        (project.root / "specs" / "orders.yaml").unlink()
        for sent in (1, 2, 3, 4):
            applied = project.run("apply", str(file))
            assert applied.code == 0, applied.err
            assert len(project.ledger()) == sent
            assert project.run("apply", str(file)).code == 0
            assert len(project.ledger()) == sent, "the batch is still in flight"
            project.advance(3600)
        assert project.run("apply", str(file)).code == 0
        assert [call["parameters"]["Name"] for call in calls] == [
            entry["parameters"]["Name"] for entry in project.ledger()
        ]


def test_a_saved_plan_is_followed_through_all_its_batches(sandbox: Sandbox) -> None:
    sandbox.backfill("rates", target={"rootNode": 7})
    sandbox.backfill(requires=["backfill.rates"], rollout={"canary": 2, "maxActiveDates": 5})
    applied = sandbox.run("apply", str(saved(sandbox)), "--wait")
    assert applied.code == 0, applied.err
    roots = [str(entry["parameters"]["RootNodeId"]) for entry in sandbox.ledger()]
    assert roots == ["7", "1", "1", "1"]
    assert sandbox.plan()["summary"]["none"] == 24


def test_a_saved_plan_without_conditions_reads_nothing_but_its_own_units(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="manual") as service:
        project = InProcess(tmp_path / "project", service)
        project.backfill("rates", target={"rootNode": 7})
        assert project.apply().code == 0
        project.backfill()
        file = saved(project, "--target", "backfill.orders")
        before = len(service.control("GET", "requests"))
        assert project.run("apply", str(file)).code == 0
        asked = [one["operation"] for one in service.control("GET", "requests")[before:]]
        assert asked == ["ListInstances", "RunCycleDagNodes", "GetDag"]


def test_a_connection_that_a_condition_needs_must_still_be_there(sandbox: Sandbox) -> None:
    sandbox.backfill("rates", target={"rootNode": 7}, connection="other")
    sandbox.backfill(requires=["backfill.rates"])
    project = sandbox.root / "reconciler.yaml"
    text = project.read_text()
    other = text[text.index("    prod:") : text.index("  policy:")].replace("prod:", "other:", 1)
    project.write_text(text.replace("  policy:", f"{other}  policy:"))
    file = saved(sandbox, "--target", "backfill.orders")
    project.write_text(text)
    refused = sandbox.run("apply", str(file))
    assert (refused.code, sandbox.ledger()) == (4, [])
    assert "other" in refused.err


def test_what_closes_after_planning_is_not_sent(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="manual") as service:
        project = InProcess(tmp_path / "project", service)
        project.backfill("rates", target={"rootNode": 7}, parallelism=5)
        assert project.apply().code == 0
        project.advance(3600)
        assert project.run("status").code == 0
        project.backfill(requires=["backfill.rates"])
        file = saved(project)
        assert json.loads(file.read_text())["calls"][0]["blocked_by"] == []
        # Somebody asks for the rates once more, and applies that first.
        again = [{"generation": 2, "dates": "all", "reason": "wrong"}]
        project.backfill("rates", target={"rootNode": 7}, parallelism=5, reruns=again)
        assert project.apply("--target", "backfill.rates").code == 0
        applied = project.run("apply", str(file))
        assert (applied.code, len(project.ledger())) == (0, 2), applied.err
        assert "blocked by backfill.rates" in applied.out


def test_a_saved_plan_asks_its_specs_again_before_each_batch(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="manual") as service:
        project = Checkout(tmp_path / "project", service)
        project.backfill(rollout={"canary": 1}, parallelism=5)
        waiting = project.start("apply", str(saved(project)), "--wait", "--json")
        until(lambda: len(project.ledger()) == 1)
        project.backfill(dates={"list": ["2020-05-20"]})  # narrowed while the canary runs
        project.advance(3600)
        applied = ended(waiting)
        assert (applied.code, len(project.ledger())) == (4, 1), applied.err
        assert [one["why"] for one in events_of(applied, "call_moved")] == [
            "its spec was edited since planning"
        ]


def test_a_saved_plan_sends_nothing_once_it_has_expired(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="manual") as service:
        project = Checkout(tmp_path / "project", service)
        project.backfill(rollout={"canary": 1}, parallelism=5)
        file = saved(project)
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=8)
        file.write_text(plan_text(dataclasses.replace(read_plan(file), expires_at=soon)))
        waiting = project.start("apply", str(file), "--wait", "--json")
        until(lambda: len(project.ledger()) == 1)
        until(lambda: dt.datetime.now(dt.UTC) > soon)
        project.advance(3600)
        applied = ended(waiting)
        assert (applied.code, len(project.ledger())) == (4, 1), applied.err
        assert "the plan expired" in events_of(applied, "call_moved")[0]["why"]


def test_what_a_saved_plan_waits_for_and_cannot_read_is_told(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="manual") as service:
        project = InProcess(tmp_path / "project", service)
        project.backfill("rates", target={"rootNode": 7})
        assert project.apply().code == 0
        project.backfill(requires=["backfill.rates"])
        file = saved(project)
        service.faults(
            {"operation": "ListDags", "effect": "http", "status": 403, "code": "Forbidden"}
        )
        applied = project.run("apply", str(file), "--json")
        assert applied.code == 1, applied.err
        assert [one["address"] for one in events_of(applied, "read_failed")] == ["backfill.rates"]


# Freezes.


def freezing(hours: float, *, of: float = 1.0) -> str:
    """A policy with a freeze that began `of` hours ago and ends in some hours."""
    now = dt.datetime.now(dt.UTC)
    freeze = {
        "from": (now - dt.timedelta(hours=of)).isoformat(timespec="seconds"),
        "until": (now + dt.timedelta(hours=hours)).isoformat(timespec="seconds"),
        "reason": "sale",
    }
    return json.dumps({"freezes": [freeze]})


def test_nothing_starts_in_a_freeze_and_a_saved_plan_goes_on_after_it(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(policy=freezing(1))
    sandbox.backfill()
    plan = sandbox.plan()
    assert decisions(plan) == {"blocked missing": ["2020-05-20..2020-05-31"]}
    assert plan["calls"][0]["blocked_by"] == ["freeze"]
    file = saved(sandbox)
    assert (sandbox.run("apply", str(file)).code, sandbox.ledger()) == (0, [])
    assert (sandbox.apply().code, sandbox.ledger()) == (0, [])
    project = sandbox.root / "reconciler.yaml"
    project.write_text(project.read_text().replace("freezes", "requireAnnotations"))
    policy = project.read_text().split("policy:")[0]
    project.write_text(policy + "policy: {}\n")
    assert sandbox.run("apply", str(file), "--wait").code == 0
    assert max(Counter(executed_dates(sandbox.ledger())).values()) == 1


def test_waiting_lasts_until_a_freeze_ends(sandbox_of: Callable[..., Sandbox]) -> None:
    sandbox = sandbox_of(policy=freezing(2 / 3600))
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 1


def test_a_freeze_that_outlasts_the_timeout_is_an_error_that_started_nothing(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(policy=freezing(1))
    sandbox.backfill()
    assert sandbox.apply("--wait", "--timeout", "1s").code == 1
    assert sandbox.ledger() == []


def test_the_end_of_a_freeze_is_noticed_while_something_else_runs(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="manual") as service:
        project = InProcess(tmp_path / "project", service)
        project.backfill("long", target={"rootNode": 7})
        assert project.apply().code == 0
        project.backfill()
        file = project.root / "reconciler.yaml"
        file.write_text(file.read_text().replace("policy: {}", f"policy: {freezing(2 / 3600)}"))
        assert project.apply("--wait", "--timeout", "8s").code == 1  # long never ends
        assert len(project.ledger()) == 2


# What is on record elsewhere, or nowhere.


def test_runs_on_record_under_an_older_name_are_followed_and_open_batches(tmp_path: Path) -> None:
    with simulate(tmp_path, clock="x600") as service:
        project = InProcess(tmp_path / "project", service)
        dates = {"list": ["2020-05-20..2020-05-23"]}
        project.backfill("old", file="x.yaml", dates=dates, rollout={"canary": 1})
        assert project.apply().code == 0
        project.backfill("new", file="x.yaml", dates=dates, rollout={"canary": 1})
        assert project.apply("--wait").code == 0
        assert starts(project) == Counter(f"1 2020-05-{day}" for day in range(20, 24))


def lose_the_store(sandbox: Sandbox) -> None:
    for file in (sandbox.root / ".reconciler").glob("state.db*"):
        file.unlink()


@pytest.mark.parametrize("onchange", ["keep", "hold"])
def test_with_a_lost_store_also_what_is_blocked_is_found(sandbox: Sandbox, onchange: str) -> None:
    spec: dict[str, Any] = {
        "parallelism": 4,
        "onChange": onchange,
        "rollout": {"canary": 2, "maxActiveDates": 5},
    }
    sandbox.backfill(**spec)
    assert sandbox.apply("--wait").code == 0
    edited: dict[str, Any] = {"params": {"1": {"k": "v"}}} if onchange == "keep" else {}
    sandbox.backfill(**spec, **edited)
    before = len(sandbox.ledger())
    lose_the_store(sandbox)
    for _ in range(3):
        assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == before
    assert sandbox.plan()["summary"]["none"] == 12


def test_in_a_freeze_with_a_lost_store_what_ran_is_adopted_all_the_same(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of()
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    lose_the_store(sandbox)
    file = sandbox.root / "reconciler.yaml"
    file.write_text(file.read_text().replace("policy: {}", f"policy: {freezing(1)}"))
    assert decisions(sandbox.plan()) == {"adopt found": ["2020-05-20..2020-05-31"]}
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 1


def test_a_date_that_may_turn_out_hollow_opens_nothing_yet(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    nodes = "[{id: 1}, {id: 2, parents: [1], skip: [2020-05-20]}, {id: 3}]"
    sandbox = sandbox_of(world=f"nodes: {nodes}")
    dates = {"list": ["2020-05-20..2020-05-22"]}
    target = {"rootNode": 1, "includeNodes": [1, 2]}
    sandbox.backfill("rates", target=target, dates=dates)
    sandbox.backfill(target={"rootNode": 3}, dates=dates, requires=["backfill.rates@date"])
    assert sandbox.apply("--wait").code == 3
    assert sorted(day for day in executed_dates(sandbox.ledger()) if day.startswith("3 ")) == [
        "3 2020-05-21",
        "3 2020-05-22",
    ]


# Failures.


def test_dates_behind_a_failed_one_of_a_serial_call_go_again_with_it(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, fail: [{date: 2020-05-23, times: 2}]}]")
    sandbox.backfill(onFailure="rerun", maxAttempts=3)
    assert sandbox.apply("--wait").code == 0
    assert [
        (wire["StartBizDate"][:10], wire["EndBizDate"][:10])
        for wire in (entry["parameters"] for entry in sandbox.ledger())
    ] == [("2020-05-20", "2020-05-31"), ("2020-05-23", "2020-05-31"), ("2020-05-23", "2020-05-31")]


def test_a_failure_repaired_in_the_console_opens_what_waited_for_it(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, fail: [2020-05-20]}, {id: 2}]")
    sandbox.backfill("rates", dates={"list": ["2020-05-20"]})
    sandbox.backfill(target={"rootNode": 2}, requires=["backfill.rates"])
    assert sandbox.apply("--wait").code == 3
    assert len(sandbox.ledger()) == 1
    resolved = sandbox.run(
        "resolve", "backfill.rates@2020-05-20", "--succeeded", "--reason", "repaired by hand"
    )
    assert resolved.code == 0, resolved.err
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 2


@pytest.mark.parametrize("layout", ["per-date", "single"])
def test_explain_shows_the_node_that_failed_and_the_end_of_its_log(
    sandbox_of: Callable[..., Sandbox], layout: str
) -> None:
    world = "[{id: 1}, {id: 5, name: clean, parents: [1], fail: [2020-05-21]}]"
    sandbox = sandbox_of(world=f"layout: {layout}\nnodes: {world}")
    target = {"rootNode": 1, "includeNodes": [1, 5]}
    sandbox.backfill(target=target, dates={"list": ["2020-05-20..2020-05-22"]}, parallelism=3)
    assert sandbox.apply("--wait").code == 3
    told = sandbox.run("explain", "backfill.orders@2020-05-20..2020-05-22")
    assert told.code == 0, told.err
    assert "2020-05-21: node 5 (clean) failed, instance " in told.out
    assert "| " in told.out.split("2020-05-21: node 5")[1]
    assert "execution 1 ends: FAILURE" in told.out
    assert "failed, instance" not in sandbox.run("explain", "backfill.orders@2020-05-20").out


def test_explain_shows_the_failed_node_of_a_manual_flow(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    nodes = "[{id: 9, name: close_books, fail: [2020-05-31]}]"
    sandbox = sandbox_of(
        world=f"flows: [{{project: test_project, name: test_flow, nodes: {nodes}}}]"
    )
    sandbox.flow()
    assert sandbox.apply("--wait").code == 3
    told = sandbox.run("explain", "manualflow.close@2020-05-31")
    assert "2020-05-31: node close_books failed, instance " in told.out
    assert "execution 1 ends: FAILURE" in told.out


def events_of(applied: Any, kind: str) -> list[dict[str, Any]]:
    return [one for one in applied.events if one["type"] == kind]


def test_what_cannot_be_listed_when_a_batch_opens_is_told_and_not_started(
    sandbox: Sandbox,
) -> None:
    sandbox.backfill(rollout={"canary": 1}, parallelism=5)
    refuse = {"operation": "ListInstances", "effect": "http", "status": 403, "code": "Forbidden"}
    # One listing before the canary, and one of its nodes when it has succeeded.
    sandbox.faults([{**refuse, "nth": number} for number in range(3, 12)])
    applied = sandbox.apply("--wait", "--json")
    assert applied.code == 1, applied.err
    assert [one["address"] for one in events_of(applied, "read_failed")] == ["backfill.orders"]
    assert len(sandbox.ledger()) == 1
    sandbox.faults([])
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 2


def test_somebody_elses_run_that_turns_up_before_a_batch_holds_it(sandbox: Sandbox) -> None:
    sandbox.backfill("rates", target={"rootNode": 7}, dates={"list": ["2020-05-20"]})
    sandbox.flow(requires=["backfill.rates"])
    sandbox.flow_by_hand("2020-05-31")
    applied = sandbox.apply("--wait", "--json")
    assert applied.code == 3, applied.err
    assert applied.events[-1]["needs_person"] == {"manualflow.close": ["2020-05-31"]}
    assert starts(sandbox) == Counter(["7 2020-05-20", "test_flow 2020-05-31"])


@pytest.mark.parametrize("how", ["specs", "saved plan"])
def test_a_call_whose_answer_was_lost_is_found_while_waiting_and_opens_what_waits_for_it(
    sandbox: Sandbox, how: str
) -> None:
    sandbox.backfill("rates", target={"rootNode": 7})
    sandbox.backfill(requires=["backfill.rates"])
    sandbox.faults([{"operation": "RunCycleDagNodes", "nth": 1, "effect": "execute_then_drop"}])
    words = ["--auto-approve"] if how == "specs" else [str(saved(sandbox))]
    applied = sandbox.run("apply", *words, "--wait")
    assert applied.code == 0, applied.err
    assert set(starts(sandbox).values()) == {1}
    assert len(sandbox.ledger()) == 2


@pytest.mark.parametrize("how", ["specs", "saved plan"])
def test_a_call_that_cannot_be_found_yet_ends_the_wait_when_all_else_is_done(
    sandbox: Sandbox, how: str
) -> None:
    sandbox.backfill("rates", target={"rootNode": 7})
    sandbox.backfill(requires=["backfill.rates"])
    sandbox.backfill("others", target={"rootNode": 8})
    sandbox.faults([{"operation": "RunCycleDagNodes", "nth": 1, "effect": "drop"}])
    words = ["--auto-approve", "--parallelism", "1"] if how == "specs" else [str(saved(sandbox))]
    applied = sandbox.run("apply", *words, "--wait", "--json")
    assert applied.code == 3, applied.err
    assert len(applied.events[-1]["unknown"]) == 1
    assert max(starts(sandbox).values()) == 1


def test_refused_dates_are_not_dragged_into_the_calls_of_those_that_open_later(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, seconds: 3600}, {id: 3}]")
    dates = {"list": ["2020-05-20..2020-05-22"]}
    sandbox.backfill("rates", dates=dates)
    sandbox.backfill(target={"rootNode": 3}, dates=dates, requires=["backfill.rates@date"])
    refuse = {
        "operation": "RunCycleDagNodes",
        "effect": "http",
        "status": 403,
        "code": "Forbidden",
    }
    sandbox.faults([{**refuse, "nth": 2}])
    applied = sandbox.apply("--wait", "--json")
    assert applied.code == 1, applied.err
    refused = [day for one in events_of(applied, "call_refused") for day in one["dates"]]
    accepted = [
        day
        for one in events_of(applied, "call_accepted")
        if one["address"] == "backfill.orders"
        for day in one["dates"]
    ]
    assert refused[0].startswith("2020-05-20")
    assert refused[0] not in accepted
    assert set(starts(sandbox).values()) == {1}


def test_a_refused_call_is_not_tried_again_and_again_while_waiting(sandbox: Sandbox) -> None:
    sandbox.backfill("rates", target={"rootNode": 7}, rollout={"maxActiveDates": 3})
    sandbox.backfill(target={"rootNode": 1})
    refuse = {
        "operation": "RunCycleDagNodes",
        "effect": "http",
        "status": 403,
        "code": "Forbidden",
    }
    sandbox.faults([{**refuse, "nth": 1}])
    applied = sandbox.apply("--wait", "--json")
    assert applied.code == 1
    assert len(events_of(applied, "call_refused")) == 1
    assert len(sandbox.ledger()) == 4
