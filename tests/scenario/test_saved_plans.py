"""Saved plans: exactly what was reviewed, once, and refused when it no longer holds."""

from __future__ import annotations

import datetime as dt
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.model.steps import Unwatched
from reconciler.usecases.saved_plans import read_plan, save_plan
from reconciler.wiring.system import SystemClock
from tests.scenario.sandbox import Sandbox


@pytest.fixture
def saved(sandbox: Sandbox) -> Path:
    sandbox.backfill()
    path = sandbox.root / "p.json"
    assert sandbox.run("plan", "--out", str(path)).code == 0
    return path


def test_the_file_is_private_and_shows_the_same_plan(sandbox: Sandbox, saved: Path) -> None:
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert sandbox.run("show", str(saved), "--json").out == saved.read_text()
    assert "12 dates to start in 1 call" in sandbox.run("show", str(saved)).out


def test_applied_twice_it_sends_each_call_once(sandbox: Sandbox, saved: Path) -> None:
    assert sandbox.run("apply", str(saved), "--wait").code == 0
    again = sandbox.run("apply", str(saved))
    assert again.code == 0, again.err
    assert "1 sent before" in again.out
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [("2020-05-31 00:00:00", "2020-06-30 00:00:00"), ('"generation": 1', '"generation": 2')],
)
def test_an_edited_plan_is_refused(sandbox: Sandbox, saved: Path, before: str, after: str) -> None:
    text = saved.read_text()
    assert before in text
    saved.write_text(text.replace(before, after))
    result = sandbox.run("apply", str(saved))
    assert result.code == 4
    assert "edited" in result.err
    assert sandbox.ledger() == []


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"format_version": "1.0"}', "\x00", "[" * 9999]
)
def test_what_is_no_plan_is_refused(sandbox: Sandbox, saved: Path, content: str) -> None:
    saved.write_text(content)
    result = sandbox.run("apply", str(saved))
    assert result.code == 4
    assert "Traceback" not in result.err


def test_a_refusal_repeats_little_of_a_foreign_file(sandbox: Sandbox, saved: Path) -> None:
    saved.write_text(json.dumps({"format_version": "x" * 10_000}))
    assert len(sandbox.run("show", str(saved)).err) < 400


def test_a_newer_format_is_refused(sandbox: Sandbox, saved: Path) -> None:
    document = json.loads(saved.read_text())
    document["format_version"] = "2.0"
    saved.write_text(json.dumps(document))
    assert sandbox.run("apply", str(saved)).code == 1


def test_a_plan_of_another_store_is_refused(sandbox: Sandbox, saved: Path) -> None:
    assert sandbox.apply("--wait").code == 0  # this made a store; the plan was made without one
    result = sandbox.run("apply", str(saved))
    assert result.code == 4
    assert len(sandbox.ledger()) == 1


def test_ranges_that_moved_are_named_and_the_others_go_on(sandbox: Sandbox) -> None:
    sandbox.backfill("first")
    assert sandbox.apply("--wait").code == 0
    sandbox.backfill("second", target={"rootNode": 2})
    sandbox.backfill("third", target={"rootNode": 3})
    path = sandbox.root / "p.json"
    assert sandbox.run("plan", "--out", str(path)).code == 0
    assert sandbox.apply("--target", "backfill.second").code == 0

    result = sandbox.run("apply", str(path))

    assert result.code == 4
    assert "backfill.second@2020-05-20..2020-05-31: not sent" in result.err
    roots = [entry["parameters"]["RootNodeId"] for entry in sandbox.ledger()]
    assert roots == ["1", "2", "3"]


def test_an_unrelated_apply_does_not_make_a_plan_stale(sandbox: Sandbox) -> None:
    sandbox.backfill("first")
    assert sandbox.apply("--wait").code == 0
    sandbox.backfill("second", target={"rootNode": 2})
    sandbox.backfill("third", target={"rootNode": 3})
    path = sandbox.root / "p.json"
    assert sandbox.run("plan", "--target", "backfill.third", "--out", str(path)).code == 0
    assert sandbox.apply("--target", "backfill.second", "--wait").code == 0
    assert sandbox.run("apply", str(path), "--wait").code == 0
    assert sandbox.plan()["summary"]["none"] == 36


def test_specs_need_not_be_there_but_an_edited_spec_is_noticed(
    sandbox: Sandbox, saved: Path
) -> None:
    sandbox.backfill(params={"1": {"k": "v"}})
    result = sandbox.run("apply", str(saved))
    assert result.code == 4
    assert "edited since planning" in result.err
    assert sandbox.ledger() == []


def test_without_specs_a_plan_applies(sandbox: Sandbox, saved: Path) -> None:
    (sandbox.root / "specs" / "orders.yaml").unlink()
    assert sandbox.run("apply", str(saved), "--wait").code == 0
    assert len(sandbox.ledger()) == 1


def test_an_expired_plan_is_refused(sandbox: Sandbox, saved: Path) -> None:
    plan = read_plan(saved)
    save_plan(replace(plan, expires_at=plan.created_at), saved, Unwatched())
    result = sandbox.run("apply", str(saved))
    assert result.code == 4
    assert "expired" in result.err
    assert sandbox.ledger() == []


def test_a_plan_with_errors_is_not_saved(sandbox: Sandbox) -> None:
    project = sandbox.root / "reconciler.yaml"
    project.write_text(project.read_text().replace("policy: {}", "policy: {maxDates: 3}"))
    sandbox.backfill()
    result = sandbox.run("plan", "--out", str(sandbox.root / "p.json"))
    assert result.code == 1
    assert "maxDates allows 3" in result.err
    assert not (sandbox.root / "p.json").exists()
    assert sandbox.apply().code == 1
    assert sandbox.ledger() == []


@pytest.mark.parametrize(
    ("before", "after"),
    [("region: cn-shanghai", "region: cn-beijing"), ("projectId: 112345", "projectId: 5")],
)
def test_a_plan_goes_nowhere_else_when_its_connection_was_edited(
    sandbox: Sandbox, saved: Path, before: str, after: str
) -> None:
    project = sandbox.root / "reconciler.yaml"
    assert before in project.read_text()
    project.write_text(project.read_text().replace(before, after))
    result = sandbox.run("apply", str(saved))
    assert result.code == 4
    assert "no longer leads to workspace 112345 in cn-shanghai" in result.err
    assert sandbox.ledger() == []


def test_with_a_broken_spec_beside_it_no_saved_plan_is_carried_out(
    sandbox: Sandbox, saved: Path
) -> None:
    (sandbox.root / "specs" / "other.yaml").write_text("kind: Typo\n")
    applied = sandbox.run("apply", str(saved))
    assert applied.code == 4
    assert "the specs at hand have errors" in applied.err
    assert sandbox.ledger() == []


def test_a_rollout_that_was_added_after_planning_holds_the_plan(
    sandbox: Sandbox, saved: Path
) -> None:
    sandbox.backfill(rollout={"canary": 1})
    applied = sandbox.run("apply", str(saved))
    assert applied.code == 4
    assert "its rollout was edited since planning" in applied.err
    assert sandbox.ledger() == []


def test_dates_that_count_from_today_are_those_of_the_day_of_the_plan(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.backfill(dates={"last": 5})
    path = sandbox.root / "p.json"
    assert sandbox.run("plan", "--out", str(path)).code == 0
    tomorrow = SystemClock().now() + dt.timedelta(days=1)
    monkeypatch.setattr(SystemClock, "now", lambda _: tomorrow)
    applied = sandbox.run("apply", str(path))
    assert applied.code == 0, applied.err
    assert len(sandbox.ledger()) == 1


def test_where_specs_hold_no_resource_any_more_a_plan_has_moved(
    sandbox: Sandbox, saved: Path
) -> None:
    (sandbox.root / "specs" / "orders.yaml").write_text("# nothing is wanted any more\n")
    applied = sandbox.run("apply", str(saved))
    assert applied.code == 4
    assert "its spec is gone" in applied.err
    assert sandbox.ledger() == []
