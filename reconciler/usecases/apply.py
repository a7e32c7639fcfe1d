"""Apply: from a plan, just made or saved, to calls sent, recorded and followed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.applying.engine import Applied
from reconciler.applying.gates import GateBoard
from reconciler.model.addresses import Kind
from reconciler.model.errors import PlanExpired, PlanForeign, PolicyError, StateMissing
from reconciler.model.plan import Plan
from reconciler.model.project import (
    Connection,
    DataArtsConnection,
    DataWorksConnection,
    OBShellConnection,
    RunConnection,
)
from reconciler.model.report import ApplyReport
from reconciler.model.series import Realm, Subject
from reconciler.specs import Loaded
from reconciler.usecases.agendas import Dates, PlanAgenda, SpecAgenda
from reconciler.usecases.carrying_out import (
    ApplyHooks,
    ApplyOptions,
    Carrying,
    lock_for,
    send_planned,
    tell_unread,
)
from reconciler.usecases.concluding import conclude
from reconciler.usecases.metering import metered
from reconciler.usecases.plan import Planned, connections_in_use, make_plan, sound_specs
from reconciler.usecases.spec_moves import spec_moved
from reconciler.wiring.workspace import Workspace

if TYPE_CHECKING:
    from reconciler.state.store import SqlStore


def apply_project(workspace: Workspace, options: ApplyOptions, hooks: ApplyHooks) -> ApplyReport:
    """Plan, ask, apply.

    Raises:
        InputError, PolicyError, Declined, StateError: Nothing was sent.
    """
    loaded = sound_specs(workspace)
    live = Realm.LIVE in workspace.realms({resource.connection for resource in loaded.resources})
    store = workspace.store_to_write("apply", create=options.create_state or not live)
    try:
        return asyncio.run(_plan_and_apply(workspace, loaded, store, options, hooks))
    finally:
        store.close()


async def _plan_and_apply(
    workspace: Workspace,
    loaded: Loaded,
    store: SqlStore,
    options: ApplyOptions,
    hooks: ApplyHooks,
) -> ApplyReport:
    names = connections_in_use(workspace, loaded.resources, store.snapshot(), loaded.gates)
    async with metered(workspace, store, names) as meter:
        carrying = Carrying(
            workspace=workspace, store=store, meter=meter, options=options, hooks=hooks
        )
        agenda = SpecAgenda(
            workspace=workspace,
            resources=loaded.resources,
            lines=meter.lines,
            board=GateBoard(
                loaded.gates, meter.lines.keepers, workspace.clock, may_ask=meter.may_ask
            ),
            selection=options.planning.selection,
        )
        applied = Applied(hooks.reporter)
        if hooks.asks:
            # Nobody waits for a person's answer under the lock; what moves meanwhile is not sent.
            plan = (await _planned(carrying, agenda)).plan
            tried = agenda.outlook(store.snapshot()).ready
            if plan.calls or plan.adoptions:
                async with lock_for(carrying) as lease:
                    # Somebody may have asked meanwhile for what these calls wait for once more.
                    judged = PlanAgenda(
                        workspace=workspace, plan=plan, lines=meter.lines, board=agenda.board
                    ).judged(store)
                    await send_planned(judged, carrying, lease, applied, board=agenda.board)
        else:
            # Nobody is asked: whoever had the lock before us has finished when we plan.
            async with lock_for(carrying) as lease:
                planned = await _planned(carrying, agenda)
                plan = planned.plan
                tried = agenda.outlook(store.snapshot()).ready
                await send_planned(
                    plan,
                    carrying,
                    lease,
                    applied,
                    listings=planned.listings,
                    board=agenda.board,
                )
        return await conclude(plan, agenda, tried, applied, carrying)


async def _planned(carrying: Carrying, agenda: SpecAgenda) -> Planned:
    planned = await make_plan(
        carrying.workspace,
        agenda.resources,
        carrying.store.snapshot(),
        carrying.meter.lines,
        carrying.options.planning,
        board=agenda.board,
    )
    refuse_broken_policy(planned.plan)
    carrying.hooks.approve(planned.plan)
    carrying.store.observe(planned.gathered.changed, at=planned.gathered.at)
    return planned


def apply_saved(
    workspace: Workspace, plan: Plan, options: ApplyOptions, hooks: ApplyHooks
) -> ApplyReport:
    """Apply a saved plan. Its specs need not be at hand; where they are, they must still ask for it.

    Raises:
        PlanRefused: Expired, of another project, or of another store.
        StateError: The store cannot be used. Nothing was sent.
    """
    _refuse_foreign(workspace, plan)
    refuse_broken_policy(plan)
    store = _store_of_plan(workspace, plan, options)
    try:
        return asyncio.run(_apply_saved(workspace, plan, store, options, hooks))
    finally:
        store.close()


async def _apply_saved(
    workspace: Workspace,
    plan: Plan,
    store: SqlStore,
    options: ApplyOptions,
    hooks: ApplyHooks,
) -> ApplyReport:
    recorded = store.snapshot()
    names = {call.connection for call in plan.calls}
    names |= {adoption.connection for adoption in plan.adoptions}
    names |= {heading.connection for heading in plan.headings}
    names |= {resource.connection for resource in plan.desired}
    names |= {standing.gate.connection for standing in plan.gates}
    names |= {attempt.connection for attempt in recorded.attempts}
    known = frozenset(names & workspace.project.connections.keys())
    async with metered(workspace, store, known) as meter:
        hooks.approve(plan)
        moved = spec_moved(workspace, plan, meter.lines)
        carrying = Carrying(
            workspace=workspace, store=store, meter=meter, options=options, hooks=hooks
        )
        gates = {standing.gate.name: standing.gate for standing in plan.gates}
        board = GateBoard(gates, meter.lines.keepers, workspace.clock, may_ask=meter.may_ask)
        agenda = PlanAgenda(workspace=workspace, plan=plan, lines=meter.lines, board=board)
        applied = Applied(hooks.reporter)
        tried: Dates = {}
        if plan.calls or plan.adoptions:
            async with lock_for(carrying) as lease:
                judged, unread = await agenda.reread(store)
                tell_unread(unread, applied)
                tried = agenda.outlook(store.snapshot()).ready
                await send_planned(judged, carrying, lease, applied, moved, board=board)
        return await conclude(plan, agenda, tried, applied, carrying)


def _refuse_foreign(workspace: Workspace, plan: Plan) -> None:
    if plan.project != workspace.project.name:
        raise PlanForeign(
            f"this plan is for project {plan.project}, not {workspace.project.name}",
            hint="name the folder of that project with -C, or make a new plan here",
        )
    if workspace.clock.now() >= plan.expires_at:
        raise PlanExpired(
            f"this plan expired on {plan.expires_at:%Y-%m-%d %H:%M} UTC", hint="make a new plan"
        )
    named = {call.connection for call in plan.calls}
    named |= {resource.connection for resource in plan.desired}
    named |= {adoption.connection for adoption in plan.adoptions}
    named |= {standing.gate.connection for standing in plan.gates}
    missing = named - workspace.project.connections.keys()
    if missing:
        raise PlanForeign(
            f"this plan uses connections that the project no longer has: {', '.join(sorted(missing))}",
            hint="make a new plan",
        )
    used = {(call.connection, plan.series[call.series].subject) for call in plan.calls}
    used |= {(one.connection, one.series.subject) for one in plan.desired}
    used |= {(one.connection, plan.series[one.series].subject) for one in plan.adoptions}
    for name, subject in sorted(used, key=lambda one: (one[0], one[1].fingerprint)):
        if not _leads_to(workspace.project.connections[name], subject):
            raise PlanForeign(
                f"connection {name} was edited since planning: it no longer leads to workspace "
                f"{subject.workspace} in {subject.region}, {subject.environment} ({subject.realm.value})",
                hint="make a new plan",
            )


def _leads_to(connection: Connection, subject: Subject) -> bool:
    """Whether calls on a subject, planned before, still go where they were planned to go."""
    if isinstance(connection, OBShellConnection):
        return False
    return (
        connection.realm is subject.realm
        and connection.provider == subject.provider
        and connection.region == subject.region
        and _home(connection, subject.kind) == (subject.workspace, subject.environment)
    )


def _home(connection: RunConnection, kind: Kind) -> tuple[str | None, str]:
    """Workspace and environment in which a connection's runs of a kind live."""
    match connection:
        case DataWorksConnection(environment=environment):
            is_backfill = kind is Kind.BACKFILL
            return connection.project_id if is_backfill else connection.project, environment
        case DataArtsConnection(home=workspace):
            return workspace, ""


def _store_of_plan(workspace: Workspace, plan: Plan, options: ApplyOptions) -> SqlStore:
    live = Realm.LIVE in workspace.realms({call.connection for call in plan.calls})
    may_create = plan.lineage is None and (options.create_state or not live)
    try:
        store = workspace.store_to_write("apply", create=may_create, plan_id=plan.id)
    except StateMissing:
        if plan.lineage is None:
            raise
        raise PlanForeign(
            "this plan was made on a state store that is not here", hint="make a new plan"
        ) from None
    lineage = store.snapshot().lineage
    mine = plan.lineage == lineage or (plan.lineage is None and store.created_for() == plan.id)
    if not mine:
        store.close()
        raise PlanForeign(
            "this plan was made on another state store"
            if plan.lineage is not None
            else "this plan was made without a state store, and there is one now",
            hint="make a new plan",
        )
    return store


def refuse_broken_policy(plan: Plan) -> None:
    """Refuse a plan that the project's policy does not allow.

    Raises:
        PolicyError: It holds such an error.
    """
    broken = [item for item in plan.diagnostics if item.code.startswith("policy_")]
    if broken:
        raise PolicyError(broken)
