"""A backfill on DataArts through the commands, over the simulator: its create protocol is everybody's."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.scenario.backfilled import DATAARTS
from tests.scenario.processes import QUARANTINE_SECONDS
from tests.scenario.sandbox import decisions, executed_dates
from tests.scenario.systems import Systems, world

CREATE = DATAARTS.create
DATES = "2020-05-20..2020-05-31"
DAYS = Counter(f"daily_sales 2020-05-{day}" for day in range(20, 32))


@pytest.fixture
def project(tmp_path: Path) -> Systems:
    systems = Systems(tmp_path / "project")
    systems.job()
    return systems


def test_plan_apply_and_an_empty_second_plan(project: Systems) -> None:
    plan = project.plan()
    assert decisions(plan) == {"create missing": [DATES]}
    (call,) = plan["calls"]
    assert call["operation"] == CREATE
    assert call["parameters"]["start_date"] == "2020-05-20T00:00:00 +08"
    assert call["parameters"]["end_date"] == "2020-05-31T23:59:59 +08"
    assert {action["tier"] for action in plan["actions"]} == {"S1"}

    result = project.apply("--wait")
    assert result.code == 0, result.err
    again = project.run("plan", "--detailed-exitcode", "--json")
    assert (again.code, again.json["summary"]["reads"]) == (0, 0)
    assert Counter(executed_dates(project.patches())) == DAYS
    (entry,) = project.patches()
    # The tag alone, without the spec's name; the call id is drawn by each plan.
    assert entry["name"][:-6] == call["parameters"]["name"][:-6]
    assert entry["name"].startswith("rc1-")


def test_wider_dates_start_the_added_ones_only(project: Systems) -> None:
    project.apply("--wait")
    project.job(dates={"start": "2020-05-18", "end": "2020-06-02"})
    assert project.apply("--wait").code == 0
    assert max(Counter(executed_dates(project.patches())).values()) == 1
    assert len(executed_dates(project.patches())) == 16


def test_a_plan_day_after_the_data_date_is_another_day_on_the_wire(project: Systems) -> None:
    project.job(target={"job": "daily_sales", "planOffsetDays": 1}, dates={"list": ["2020-05-20"]})
    assert project.apply("--wait").code == 0
    assert executed_dates(project.patches()) == ["daily_sales 2020-05-21"]
    assert decisions(project.plan()) == {"none succeeded": ["2020-05-20"]}


@pytest.mark.parametrize("effect", ["execute_then_drop", "reset_mid_body", "garbage", "drop"])
def test_a_create_whose_answer_is_lost_is_executed_once(project: Systems, effect: str) -> None:
    # Until a listing has shown a run of ours, nothing is proved by one that does not show another.
    project.job("other", target={"job": "other"}, dates={"list": ["2020-05-20"]})
    project.apply("--target", "backfill.other", "--wait")
    spoilt = {"operation": CREATE, "nth": 1, "effect": effect, "status": 502}
    if effect == "garbage":
        spoilt |= {"body": "<html>"}
    project.faults_on("hw", spoilt)
    first = project.apply()
    assert first.code in {0, 3}
    project.advance_on("hw", QUARANTINE_SECONDS)
    project.apply("--wait")
    project.advance_on("hw", QUARANTINE_SECONDS)
    last = project.apply("--wait")
    assert last.code == 0, last.err
    assert Counter(executed_dates(project.patches())) == DAYS + Counter(["other 2020-05-20"])
    assert project.run("plan", "--detailed-exitcode").code == 0


def test_a_create_that_is_listed_late_is_not_sent_again_before_it_may_be(tmp_path: Path) -> None:
    systems = Systems(tmp_path / "project", world=world(more=", creationLag: 120"), clock="manual")
    systems.job()
    systems.faults_on("hw", {"operation": CREATE, "nth": 1, "effect": "execute_then_drop"})
    assert systems.apply().code == 3
    assert decisions(systems.plan()) == {"unknown outcome_unknown": [DATES]}
    systems.advance_on("hw", 60)
    assert systems.apply().code == 3
    systems.advance_on("hw", 120)
    assert decisions(systems.plan()) == {"adopt found": [DATES]}
    assert systems.apply().code == 0
    assert len(systems.patches()) == 1


def test_an_accepted_create_that_is_not_listed_yet_is_waited_for(tmp_path: Path) -> None:
    systems = Systems(tmp_path / "project", world=world(more=", creationLag: 120"), clock="manual")
    systems.job()
    assert systems.apply().code == 0
    assert decisions(systems.plan()) == {"wait in_flight": [DATES]}
    systems.advance_on("hw", 150)
    assert decisions(systems.plan()) == {
        "none succeeded": ["2020-05-20..2020-05-21"],
        "wait in_flight": ["2020-05-22..2020-05-31"],
    }
    systems.advance_on("hw", 3600)
    assert decisions(systems.plan()) == {"none succeeded": [DATES]}
    assert len(systems.patches()) == 1


def test_a_lost_store_finds_its_run_again(project: Systems) -> None:
    assert project.apply("--wait").code == 0
    for file in (project.root / ".reconciler").glob("state.db*"):
        file.unlink()
    assert decisions(project.plan()) == {"adopt found": [DATES]}
    assert project.apply("--wait").code == 0
    assert len(project.patches()) == 1
    assert project.run("plan", "--detailed-exitcode").code == 0


def test_two_checkouts_without_a_common_store_start_it_once(
    project: Systems, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(project.root, other)
    assert project.apply().code == 0
    shutil.copytree(
        project.root / ".reconciler" / "simulator", other / ".reconciler" / "simulator"
    )
    twin = Systems.__new__(Systems)
    twin.root, twin.clock = other, project.clock
    assert decisions(twin.plan()) == {"adopt found": [DATES]}


def test_a_failed_date_is_held_and_those_behind_it_go_with_its_rerun(project: Systems) -> None:
    project.world(world(jobs="{name: daily_sales, fail: [{date: 2020-05-25, times: 1}]}"))
    assert project.apply("--wait").code == 3
    assert decisions(project.plan()) == {
        "none succeeded": ["2020-05-20..2020-05-24"],
        "hold failed": ["2020-05-25"],
        "hold behind_failed": ["2020-05-26..2020-05-31"],
    }
    project.job(onFailure="rerun")
    assert project.apply("--wait").code == 0
    days = Counter(executed_dates(project.patches()))
    assert days.pop("daily_sales 2020-05-25") == 2
    assert len(project.patches()) == 2


def test_somebody_elses_patch_data_is_waited_for(tmp_path: Path) -> None:
    systems = Systems(tmp_path / "project", clock="manual")
    systems.job()
    by_hand = systems.patch_by_hand("by-hand", "2020-05-22", "2020-05-23")
    assert by_hand == 200
    assert decisions(systems.plan())["hold foreign_in_flight"] == ["2020-05-22..2020-05-23"]


def test_stopping_stops_the_run_and_stays_stopped(tmp_path: Path) -> None:
    systems = Systems(tmp_path / "project", clock="manual")
    systems.job()
    assert systems.apply().code == 0
    systems.advance_on("hw", 90)
    stopped = systems.run("stop", f"backfill.sales@{DATES}", "--reason", "wrong month")
    assert stopped.code == 0, stopped.err
    systems.advance_on("hw", 3600)
    assert systems.apply().code == 0
    assert len(systems.patches()) == 1
    assert "hold stopped" in decisions(systems.plan())


def test_a_backfill_on_dataworks_may_wait_for_one_on_dataarts(project: Systems) -> None:
    project.backfill("orders", requires=["backfill.sales@date"])
    assert project.apply("--wait").code == 0
    assert project.ranges()[0].startswith("2020-05-20")
    assert Counter(executed_dates(project.patches())) == DAYS
