"""Validate, plan, apply, and a second plan that is empty: the main job and the edits people make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.scenario.sandbox import Sandbox, decisions, executed_dates

LAYOUTS = ("per-date", "single")

#: Three nodes in a chain, the last hourly; one date fails once, one always.
WORLD = """\
strict: true
layout: {layout}
nodes:
  - {{id: 1, name: root}}
  - {{id: 2, name: middle, parents: [1], seconds: 120}}
  - {{id: 3, name: hourly, parents: [2], schedule: hourly, seconds: 30}}
  - {{id: 7, name: fragile, fail: [2020-05-23, {{date: 2020-05-26, times: 1}}]}}
flows:
  - {{project: test_project, name: test_flow, nodes: [{{id: 103180025, name: n}}]}}
"""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_second_plan_is_empty_and_no_date_ran_twice(
    sandbox_of: Callable[..., Sandbox], layout: str
) -> None:
    sandbox = sandbox_of(world=WORLD.format(layout=layout))
    sandbox.backfill(target={"rootNode": 1, "includeNodes": [1, 2, 3]}, parallelism=3)
    sandbox.flow()
    assert sandbox.run("validate").code == 0
    planned = sandbox.plan()

    applied = sandbox.apply("--wait")

    assert applied.code == 0, applied.err
    ledger = sandbox.ledger()
    assert len(ledger) == len(planned["calls"]) == planned["summary"]["calls"]
    assert max(Counter(executed_dates(ledger)).values()) == 1
    second = sandbox.run("plan", "--json", "--detailed-exitcode")
    assert second.code == 0
    assert second.json["summary"]["none"] == 13
    assert second.json["summary"]["reads"] == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_runs_is_what_the_plan_listed(
    sandbox_of: Callable[..., Sandbox], layout: str
) -> None:
    sandbox = sandbox_of(world=WORLD.format(layout=layout))
    sandbox.backfill(
        target={"rootNode": 1, "includeNodes": [1, 2]},
        dates={"start": "2020-05-01", "end": "2020-05-31", "except": ["2020-05-10"]},
        params={"2": {"key1": "val1", "key2": "${bizdate}"}},
    )
    sandbox.flow(params={"flow": {"k": "v"}, "nodes": {"103180025": {"t": "${yyyy-mm-dd}"}}})
    path = sandbox.root / "p.json"
    assert sandbox.run("plan", "--out", str(path)).code == 0
    planned = sandbox.run("show", str(path), "--json").json

    assert sandbox.run("apply", str(path), "--wait").code == 0

    sent = [(entry["operation"], entry["parameters"]) for entry in sandbox.ledger()]
    listed = [(call["operation"], call["parameters"]) for call in planned["calls"]]
    assert sorted(sent, key=str) == sorted(listed, key=str)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_failed_dates_are_rerun_with_those_behind_them(
    sandbox_of: Callable[..., Sandbox], layout: str
) -> None:
    sandbox = sandbox_of(world=WORLD.format(layout=layout))
    sandbox.backfill(
        target={"rootNode": 7},
        dates={"start": "2020-05-25", "end": "2020-05-28"},
        onFailure="rerun",
    )
    assert sandbox.apply().code == 0
    sandbox.run("status", "--watch")  # the first of the two runs of the 26th fails
    again = sandbox.plan()
    assert decisions(again) == {
        "none succeeded": ["2020-05-25"],
        "rerun failed": ["2020-05-26"],
        "rerun behind_failed": ["2020-05-27..2020-05-28"],
    }
    assert [call["dates"] for call in again["calls"]] == [["2020-05-26..2020-05-28"]]

    assert sandbox.apply("--wait").code == 0

    assert decisions(sandbox.plan()) == {"none succeeded": ["2020-05-25..2020-05-28"]}


def test_attempts_are_spent_and_then_a_person_is_needed(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world=WORLD.format(layout="per-date"))
    sandbox.backfill(
        target={"rootNode": 7},
        dates={"start": "2020-05-22", "end": "2020-05-24"},
        onFailure="rerun",
        maxAttempts=2,
    )
    assert [sandbox.apply("--wait").code for _ in range(3)] == [3, 3, 3]
    assert decisions(sandbox.plan()) == {
        "none succeeded": ["2020-05-22"],
        "hold failed": ["2020-05-23"],
        "hold behind_failed": ["2020-05-24"],
    }
    assert Counter(executed_dates(sandbox.ledger()))["7 2020-05-23"] == 2
    assert sandbox.run("plan", "--detailed-exitcode").code == 3


@pytest.mark.parametrize("layout", LAYOUTS)
def test_widening_runs_only_the_added_dates_and_narrowing_nothing(
    sandbox_of: Callable[..., Sandbox], layout: str
) -> None:
    sandbox = sandbox_of(world=WORLD.format(layout=layout))
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0

    sandbox.backfill(dates={"start": "2020-05-18", "end": "2020-06-02"})
    wider = sandbox.plan()
    assert decisions(wider)["create missing"] == [
        "2020-05-18..2020-05-19",
        "2020-06-01..2020-06-02",
    ]
    assert sandbox.apply("--wait").code == 0

    sandbox.backfill(dates={"start": "2020-05-22", "end": "2020-05-23"})
    narrow = sandbox.plan()
    assert narrow["summary"]["calls"] == 0
    assert narrow["summary"]["released"] == 14
    assert sandbox.apply("--wait").code == 0

    sandbox.backfill(dates={"start": "2020-05-18", "end": "2020-06-02"})
    assert sandbox.plan()["summary"]["calls"] == 0
    assert max(Counter(executed_dates(sandbox.ledger())).values()) == 1


def test_renaming_a_spec_or_moving_its_file_runs_nothing(sandbox: Sandbox) -> None:
    sandbox.backfill("orders")
    assert sandbox.apply("--wait").code == 0
    (sandbox.root / "specs" / "orders.yaml").unlink()

    sandbox.backfill("orders-v2", file="elsewhere.yaml")
    plan = sandbox.plan()

    assert plan["summary"]["none"] == 12
    assert plan["summary"]["calls"] == 0
    assert "ran for backfill.orders on" in plan["actions"][0]["detail"]


def test_an_edited_param_is_held_with_its_diff(sandbox: Sandbox) -> None:
    sandbox.backfill(params={"1": {"rate": "old", "gone": "x"}})
    assert sandbox.apply("--wait").code == 0

    sandbox.backfill(params={"1": {"rate": "new", "added": "y"}})
    plan = sandbox.plan()

    assert decisions(plan) == {"hold changed": ["2020-05-20..2020-05-31"]}
    assert plan["actions"][0]["changes"] == [
        {"path": "1.added", "before": None, "after": "y"},
        {"path": "1.gone", "before": "x", "after": None},
        {"path": "1.rate", "before": "old", "after": "new"},
    ]
    assert sandbox.run("plan", "--detailed-exitcode").code == 3
    assert sandbox.apply().code == 0  # nothing to send; nobody was asked to wait
    assert len(sandbox.ledger()) == 1


def test_on_change_rerun_runs_just_the_dates_that_ran(sandbox: Sandbox) -> None:
    sandbox.backfill(dates={"start": "2020-05-20", "end": "2020-05-21"}, params={"1": {"k": "a"}})
    assert sandbox.apply("--wait").code == 0

    sandbox.backfill(
        dates={"start": "2020-05-20", "end": "2020-05-22"},
        params={"1": {"k": "b"}},
        onChange="rerun",
    )
    plan = sandbox.plan()

    assert decisions(plan) == {
        "rerun changed": ["2020-05-20..2020-05-21"],
        "create missing": ["2020-05-22"],
    }
    assert sandbox.apply("--wait").code == 0
    assert sandbox.plan()["summary"]["none"] == 3
    assert Counter(executed_dates(sandbox.ledger())) == {
        "1 2020-05-20": 2,
        "1 2020-05-21": 2,
        "1 2020-05-22": 1,
    }


def test_on_change_keep_leaves_what_ran(sandbox: Sandbox) -> None:
    sandbox.backfill(params={"1": {"k": "a"}})
    assert sandbox.apply("--wait").code == 0
    sandbox.backfill(params={"1": {"k": "b"}}, onChange="keep")
    plan = sandbox.plan()
    assert decisions(plan) == {"none succeeded": ["2020-05-20..2020-05-31"]}
    assert plan["actions"][0]["changes"]


def test_a_reruns_entry_runs_its_dates_once(sandbox: Sandbox) -> None:
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    sandbox.backfill(
        reruns=[{"generation": 2, "dates": ["2020-05-21"], "reason": "upstream repaired"}]
    )
    assert decisions(sandbox.plan())["rerun requested"] == ["2020-05-21"]

    assert sandbox.apply("--wait").code == 0
    assert sandbox.apply("--wait").code == 0

    assert Counter(executed_dates(sandbox.ledger()))["1 2020-05-21"] == 2
    assert len(sandbox.ledger()) == 2


def test_runs_in_flight_are_waited_for_and_not_started_again(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, seconds: 3600000}]")
    sandbox.backfill()
    assert sandbox.apply().code == 0
    plan = sandbox.plan()
    assert decisions(plan) == {"wait in_flight": ["2020-05-20..2020-05-31"]}
    assert sandbox.apply("--wait", "--timeout", "1s").code == 1
    assert len(sandbox.ledger()) == 1


def test_a_date_with_a_skipped_included_node_is_held_as_hollow(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1}, {id: 2, parents: [1], skip: [2020-05-21]}]")
    sandbox.backfill(
        target={"rootNode": 1, "includeNodes": [1, 2]},
        dates={"start": "2020-05-20", "end": "2020-05-22"},
    )
    assert sandbox.apply("--wait").code == 3
    assert decisions(sandbox.plan()) == {
        "none succeeded": ["2020-05-20", "2020-05-22"],
        "hold hollow": ["2020-05-21"],
    }


def test_excluded_nodes_do_not_make_a_date_hollow(sandbox: Sandbox) -> None:
    sandbox.backfill(target={"rootNode": 1, "includeNodes": [1, 2], "excludeNodes": [3]})
    assert sandbox.apply("--wait").code == 0
    assert sandbox.plan()["summary"]["none"] == 12


def test_the_same_unit_in_two_specs_runs_once_for_the_first(sandbox: Sandbox) -> None:
    sandbox.backfill("b-orders", dates={"start": "2020-05-20", "end": "2020-05-25"})
    sandbox.backfill("a-orders", dates={"start": "2020-05-24", "end": "2020-05-31"})
    plan = sandbox.plan()
    assert plan["summary"]["create"] == 12
    assert decisions(plan)["shared shared"] == ["2020-05-24..2020-05-25"]
    assert sandbox.apply("--wait").code == 0
    assert max(Counter(executed_dates(sandbox.ledger())).values()) == 1


@pytest.mark.parametrize("at_once", ["1", "4"])
def test_variants_on_one_root_start_in_one_apply(sandbox: Sandbox, at_once: str) -> None:
    sandbox.backfill("a", target={"rootNode": 1, "includeNodes": [1, 2]})
    sandbox.backfill("b", target={"rootNode": 1, "includeNodes": [1, 3]}, variant="b")
    sandbox.flow("c")
    sandbox.flow("d", variant="d", params={"flow": {"k": "v"}})
    applied = sandbox.apply("--wait", "--parallelism", at_once)
    assert applied.code == 0, applied.err
    assert len(sandbox.ledger()) == 4
    assert sandbox.plan()["summary"]["none"] == 26


def test_what_is_held_for_one_resource_is_told_beside_what_failed_for_another(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1}, {id: 2, fail: [2020-05-31]}]")
    sandbox.flow("held")
    assert sandbox.apply("--wait").code == 0
    sandbox.flow("held", params={"flow": {"k": "edited"}})
    sandbox.backfill("failing", target={"rootNode": 2}, dates={"list": ["2020-05-31"]})
    told = sandbox.apply("--wait")
    assert told.code == 3
    assert "failed: backfill.failing@2020-05-31" in told.out
    assert "held: manualflow.held@2020-05-31" in told.out
