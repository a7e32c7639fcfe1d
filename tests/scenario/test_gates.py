"""A backfill behind gates on two other systems, through the commands, over their simulators."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.scenario.processes import until
from tests.scenario.sandbox import decisions, executed_dates
from tests.scenario.systems import LANDING, Systems, world

UPGRADE = '{id: "11", name: Upgrade}'
UPGRADE_FAILS = (
    '{id: "11", name: Upgrade, '
    "nodes: [{name: Install, seconds: 1, fail: true, logs: [no space left]}]}"
)
#: The source of 2020-05-22 and 2020-05-23, planned on the day after, has not landed.
LATE = '{name: etl-dli2dws, task: "937987", absent: [2020-05-23, 2020-05-24]}'
WEEKS = "2020-05-20..2020-05-31"


@pytest.fixture
def project(tmp_path: Path) -> Systems:
    systems = Systems(tmp_path / "project", world=world(jobs=LANDING))
    systems.quiet_gate()
    systems.landed_gate()
    systems.backfill(requires=["gate.quiet", "gate.landed"])
    return systems


def gates_of(project: Systems) -> dict[str, tuple[str, dict[str, str]]]:
    return {gate["address"]: (gate["state"], gate["closed"]) for gate in project.plan()["gates"]}


def test_only_the_dates_whose_gates_are_open_start_and_the_rest_follow(project: Systems) -> None:
    project.world(world(dags=UPGRADE, jobs=LATE))
    plan = project.plan()
    assert decisions(plan) == {
        "blocked missing": [
            "2020-05-20..2020-05-21",
            "2020-05-24..2020-05-31",
            "2020-05-22..2020-05-23",
        ]
    }
    assert plan["summary"]["calls"] == 3
    result = project.apply()
    assert (result.code, project.ledger()) == (0, [])

    # The upgrade is over; two dates have not landed yet.
    project.world(world(jobs=LATE))
    assert project.apply("--wait", "--timeout", "3s").code in {0, 1}
    assert sorted(project.ranges()) == ["2020-05-20..2020-05-21", "2020-05-24..2020-05-31"]

    project.world(world(jobs=LANDING))
    assert project.apply("--wait").code == 0
    assert project.ranges()[2:] == ["2020-05-22..2020-05-23"]
    assert max(Counter(executed_dates(project.ledger())).values()) == 1
    assert project.run("plan", "--detailed-exitcode").code == 0


def test_a_plan_says_how_each_gate_stands_and_why(project: Systems) -> None:
    project.world(world(dags=UPGRADE_FAILS, jobs=LATE))
    project.advance_on("ob", 60)
    text = project.run("plan").out
    assert "gate.quiet   ob · no unfinished task (cluster)" in text
    assert "Install" in text
    assert "no space left" in text
    assert "closed for 2020-05-22..2020-05-23" in text
    assert "open for 2020-05-20..2020-05-21, 2020-05-24..2020-05-31" in text
    state, closed = gates_of(project)["gate.landed"]
    assert (state, list(closed)) == ("closed", ["2020-05-22..2020-05-23"])


def test_a_gate_that_closes_between_plan_and_apply_keeps_everything_back(
    project: Systems, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    assert project.run("plan", "--out", str(file)).code == 0
    project.world(world(dags=UPGRADE, jobs=LANDING))
    closed = project.run("apply", str(file))
    assert (closed.code, project.ledger()) == (0, [])
    assert "gate.quiet" in closed.out + closed.err

    project.world(world(jobs=LANDING))
    assert project.run("apply", str(file), "--wait").code == 0
    assert project.ranges() == [WEEKS]
    assert project.run("apply", str(file)).code == 0
    assert len(project.ledger()) == 1


def test_a_gate_that_opens_while_apply_waits_lets_the_rest_go(project: Systems) -> None:
    project.world(world(dags='{id: "11", name: Upgrade, finishAfter: 9000}', jobs=LANDING))
    result = project.apply("--wait", "--json")
    assert result.code == 0, result.err
    assert project.ranges() == [WEEKS]
    changes = [event for event in result.events if event["type"] == "gate_changed"]
    assert [(one["gate"], one["dates"]) for one in changes] == [
        ("gate.quiet", [WEEKS]),
        ("gate.quiet", []),
    ]


def test_waiting_ends_where_only_a_person_can_open_a_gate(project: Systems) -> None:
    project.world(world(dags=UPGRADE_FAILS, jobs=LANDING))
    project.advance_on("ob", 60)
    result = project.apply("--wait", "--timeout", "60s")
    assert (result.code, project.ledger()) == (0, [])


def test_a_gate_that_cannot_be_read_is_closed_and_an_error(project: Systems) -> None:
    project.faults_on(
        "ob",
        {"operation": "obshell.get_cluster_unfinished_dag", "effect": "http", "status": 400},
    )
    result = project.run("plan")
    assert result.code == 1
    assert "gate.quiet could not be read, so it is closed" in result.out + result.err
    assert project.apply().code == 1
    assert project.ledger() == []


def test_offline_gates_are_shown_as_not_evaluated(project: Systems) -> None:
    result = project.run("plan", "--offline")
    assert result.code == 0
    assert result.out.count("      not evaluated\n") == 2
    assert "blocked by gate.quiet, gate.landed" in " ".join(result.out.split())
    assert project.asked("ob") == project.asked("hw") == Counter()


def test_each_gate_is_read_once_for_all_dates_and_all_who_require_it(project: Systems) -> None:
    project.backfill("other", target={"rootNode": 2}, requires=["gate.quiet", "gate.landed"])
    plan = project.plan()
    assert project.asked("hw") == Counter(ShowInstanceInfos=1)
    assert project.asked("ob")["obshell.get_cluster_unfinished_dag"] == 1
    assert plan["summary"]["reads"] == sum(
        sum(project.asked(name).values()) for name in ("ob", "hw")
    ) + len(project.requests())


def test_gates_of_what_is_done_are_not_read(project: Systems) -> None:
    assert project.apply("--wait").code == 0
    before = project.asked("hw"), project.asked("ob")
    assert project.run("plan", "--detailed-exitcode").code == 0
    assert (project.asked("hw"), project.asked("ob")) == before


def test_status_and_explain_name_the_gate_that_keeps_a_date(project: Systems) -> None:
    project.world(world(jobs=LATE))
    assert project.apply("--wait", "--timeout", "2s").code in {0, 1}
    status = project.run("status").out
    assert "gate.landed" in status
    explained = project.run("explain", "backfill.orders@2020-05-22").out
    assert "gate.landed is closed" in explained


@pytest.mark.parametrize("edit", ["another condition", "another gate"])
def test_a_saved_plan_is_not_applied_past_gates_that_were_edited_since(
    project: Systems, tmp_path: Path, edit: str
) -> None:
    file = tmp_path / "plan.json"
    assert project.run("plan", "--out", str(file)).code == 0
    if edit == "another condition":
        project.gate("quiet", connection="ob", obshell={"noUnfinished": "all"})
    else:
        project.gate("scaled", connection="ob", obshell={"dag": "12"})
        project.backfill(requires=["gate.quiet", "gate.landed", "gate.scaled"])
    result = project.run("apply", str(file))
    assert (result.code, project.ledger()) == (4, [])
    assert "was edited, or was not required at planning" in result.out + result.err


def test_a_saved_plan_goes_on_where_a_gate_is_required_no_more(
    project: Systems, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    assert project.run("plan", "--out", str(file)).code == 0
    project.backfill(requires=["gate.quiet"])
    assert project.run("apply", str(file)).code == 0
    assert project.ranges() == [WEEKS]


def test_status_looks_at_gates_where_nothing_was_ever_applied(project: Systems) -> None:
    project.world(world(dags=UPGRADE, jobs=LANDING))
    status = project.run("status")
    assert status.code == 0
    assert "gate.quiet is closed: DAG 11" in status.told
    assert not (project.root / ".reconciler" / "state.db").exists()


def test_a_repaired_gate_is_noticed_while_something_else_is_waited_for(tmp_path: Path) -> None:
    # Without a maintenance lock, a failed DAG is not among the unfinished ones.
    failed = '{id: "12", name: Scale, state: FAILED, maintenance: {type: none}}'
    systems = Systems(tmp_path / "project", world=world(dags=f"{UPGRADE}, {failed}"))
    systems.quiet_gate()
    systems.gate("scaled", connection="ob", obshell={"dag": "12"})
    # The one may open by itself; for the other one somebody has to do something.
    systems.backfill("orders", requires=["gate.quiet"])
    systems.backfill("rates", target={"rootNode": 2}, requires=["gate.scaled"])
    words = ("apply", "--auto-approve", "--wait", "--json", "--timeout", "60s")
    waiting = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "-C", str(systems.root), *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    until(lambda: systems.asked("ob")["obshell.get_dag"] > 0)
    systems.world(world(dags='{id: "12", name: Scale, state: SUCCEED}'))
    systems.advance_on("ob", 0)  # whoever opens it brings its world
    until(lambda: len(systems.ledger()) == 2)
    out, _ = waiting.communicate()
    events = [json.loads(line) for line in out.splitlines()]
    told = [event["gate"] for event in events if event["type"] == "gate_changed"]
    assert sorted(told) == ["gate.quiet", "gate.quiet", "gate.scaled", "gate.scaled"]
    assert waiting.returncode == 0


def test_units_behind_a_gate_that_needs_a_person_do_not_prolong_the_wait(project: Systems) -> None:
    # Every date waits for the failed task, and one of them for its source as well.
    late = '{name: etl-dli2dws, task: "937987", absent: [2020-05-23]}'
    project.world(world(dags=UPGRADE_FAILS, jobs=late))
    project.advance_on("ob", 60)
    result = project.apply("--wait", "--timeout", "120s")
    assert (result.code, project.ledger()) == (0, [])
    assert "cut short" not in result.out + result.err
