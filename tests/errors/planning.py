"""What a plan is refused for, or warns of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reconciler.model.errors import PolicyError
from reconciler.model.plan import Plan
from reconciler.model.project import Freeze, Policy
from reconciler.model.runs import Origin, UnitStatus
from reconciler.model.series import Realm
from reconciler.planning.absence import OLDEST_PROVABLE
from reconciler.planning.planner import build_plan
from reconciler.rendering.paint import Paint
from reconciler.rendering.plan_text import render_plan
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
    at,
)
from tests.errors.scenes import Told, listed_in_part, scene, told
from tests.scenario.sandbox import Sandbox


def _printed(plan: Plan) -> str:
    return render_plan(plan, paint=Paint(colours=False))


@scene(
    "foreign_finished",
    "schedule_in_flight",
    "freeze_ahead",
    "no_record",
    "overlap",
    "policy_max_calls",
    "policy_max_dates",
)
def first_plans(_: Path) -> Iterator[Told]:
    series = a_series(subject=a_subject(realm=Realm.LIVE), include=("1234", "5678"))
    orders = a_resource(when="2024-05-01..2024-05-05,2024-05-07", series=series)
    rates = a_resource(
        "rates",
        "2024-05-07",
        series=a_series(subject=a_subject(root="5678", realm=Realm.LIVE), include=("5678",)),
    )
    listing = a_discovery(
        a_found_run("2024-05-01..2024-05-02", status=UnitStatus.SUCCESS),
        a_found_run("2024-05-04", origin=Origin.SCHEDULE),
    )
    situation = a_situation(
        orders, rates, recorded=a_record(lineage=None), discoveries={orders.address: listing}
    )
    freeze = Freeze(start=at(180), end=at(24 * 60), reason="the month is closed")
    plan = build_plan(
        situation, a_making(policy=Policy(max_dates=5, max_calls=1, freezes=(freeze,)))
    )
    for code in ("foreign_finished", "schedule_in_flight", "freeze_ahead", "no_record", "overlap"):
        yield code, _printed(plan)
    refused = told(PolicyError(item for item in plan.diagnostics if item.code[:7] == "policy_"))
    yield "policy_max_calls", refused
    yield "policy_max_dates", refused


@scene("forgotten_soon")
def a_plan_of_later(_: Path) -> Iterator[Told]:
    resource, attempt = a_resource(), an_attempt(seen=UnitStatus.RUNNING)
    situation = a_situation(resource, recorded=a_record(attempt))
    late = at(attempt.number) + OLDEST_PROVABLE
    yield (
        "forgotten_soon",
        _printed(build_plan(situation, replace(a_making(), as_of=late, created_at=late))),
    )


@scene("not_listed", "unknown_target", "listing_incomplete", "gate_unreadable")
def commands(root: Path) -> Iterator[Told]:
    sandbox = Sandbox(root / "project")
    project = sandbox.root / "reconciler.yaml"
    whole = project.read_text()
    project.write_text(whole.replace("      projectId: 112345\n", ""))
    sandbox.flow()
    yield "not_listed", sandbox.run("plan").out
    project.write_text(whole)
    yield "unknown_target", sandbox.run("plan", "--target", "backfill.order").err
    with listed_in_part():
        yield "listing_incomplete", sandbox.run("plan").err
    ob = "    ob: {provider: obshell, endpoint: simulator, simulator: {world: world.yaml}}\n"
    project.write_text(whole.replace("  connections:\n", f"  connections:\n{ob}"))
    sandbox.document("quiet.yaml", "Gate", "quiet", {"connection": "ob", "obshell": {"dag": "7"}})
    sandbox.world(
        "strict: true\nflows: [{project: test_project, name: test_flow, nodes: [{id: 5, name: n}]}]"
    )
    sandbox.flow(requires=["gate.quiet"])
    yield "gate_unreadable", sandbox.run("plan").err


@scene("declined", "over_budget")
def applies(root: Path) -> Iterator[Told]:
    endpoint = "endpoint: simulator\n      limits: {dailyCalls: 9}"
    sandbox = Sandbox(root / "project", endpoint=endpoint)
    sandbox.backfill()
    yield "declined", sandbox.run("apply").err
    assert sandbox.apply().code == 0
    sandbox.backfill("second", target={"rootNode": 2})
    sandbox.backfill("third", target={"rootNode": 3})
    yield "over_budget", sandbox.apply().err


SCENES = (first_plans, a_plan_of_later, commands, applies)
