"""Plan files that are refused, or cannot be written or read."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reconciler.formats.planfile import parse_plan, plan_text
from reconciler.usecases.saved_plans import ensure_writable, read_plan
from tests.errors.scenes import Told, refusal, scene
from tests.scenario.sandbox import Sandbox
from tests.unit.formats.plans import a_plan


@scene("not_a_plan", "plan_edited", "not_overwritten", "not_written")
def files(root: Path) -> Iterator[Told]:
    plan = root / "first.plan.json"
    plan.write_text("{}")
    yield "not_a_plan", refusal(lambda: read_plan(plan))
    document = json.loads(plan_text(a_plan()))
    document["project"] = "another"
    plan.write_text(json.dumps(document))
    yield "plan_edited", refusal(lambda: read_plan(plan))
    notes = root / "notes.txt"
    notes.write_text("of last week")
    yield "not_overwritten", refusal(lambda: ensure_writable(notes))
    yield "not_written", refusal(lambda: ensure_writable(root / "plans" / "first.plan.json"))


@scene("plan_foreign", "plan_expired")
def saved_plans(root: Path) -> Iterator[Told]:
    sandbox = Sandbox(root / "project")
    sandbox.backfill()
    path = sandbox.root / "first.plan.json"
    assert sandbox.run("plan", "--out", path.name).code == 0
    plan = parse_plan(path.read_text())
    path.write_text(plan_text(replace(plan, project="warehouse")))
    yield "plan_foreign", sandbox.apply(path.name).err
    path.write_text(
        plan_text(replace(plan, expires_at=dt.datetime(2024, 5, 20, 12, tzinfo=dt.UTC)))
    )
    yield "plan_expired", sandbox.apply(path.name).err


SCENES = (files, saved_plans)
