"""Why a unit is where it is: what is desired, every attempt, what the next plan would do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from reconciler.applying.gathering import gather
from reconciler.model.addresses import UnitRange
from reconciler.model.attempts import Attempt, RecordedState
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.errors import InputError
from reconciler.model.resources import Resource
from reconciler.planning.deciding import Verdict
from reconciler.planning.history import sent_order
from reconciler.planning.situation import decide_all, explained
from reconciler.usecases.plan import connections_in_use, frozen_now, sound_specs
from reconciler.wiring.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known of some units.

    `resource` is None when no spec declares the address. `attempts` touch the units and are ordered by
    when they were sent. `next` holds what the next plan would do, stretch by stretch.
    """

    unit: UnitRange
    resource: Resource | None
    attempts: tuple[Attempt, ...]
    next: tuple[tuple[DateRange, int, Verdict], ...]
    diagnostics: tuple[Diagnostic, ...]


def explain_unit(workspace: Workspace, unit: UnitRange) -> Explanation:
    """Look at record and service for some units; writes nothing.

    Raises:
        InputError: The specs are wrong, or neither they nor the record know the address.
    """
    resources = sound_specs(workspace).resources
    store = workspace.store_to_read("explain")
    recorded = RecordedState()
    if store is not None:
        recorded = store.snapshot()
        store.close()
    resource = next((one for one in resources if one.address == unit.address), None)
    if resource is None and all(one.address != unit.address for one in recorded.attempts):
        raise InputError([_unknown(unit)])
    return asyncio.run(_explain(workspace, unit, resources, resource, recorded))


async def _explain(
    workspace: Workspace,
    unit: UnitRange,
    resources: tuple[Resource, ...],
    resource: Resource | None,
    recorded: RecordedState,
) -> Explanation:
    asked = DateSet((unit.dates,))
    async with workspace.lines(connections_in_use(workspace, resources, recorded)) as lines:
        gathered = await gather(
            resources,
            recorded,
            lines,
            clock=workspace.clock,
            selected=lambda address: address == unit.address,
            freeze=frozen_now(workspace),
        )
    situation = gathered.situation
    subject = resource.series.subject.fingerprint if resource is not None else None
    attempts = [
        one
        for one in situation.recorded.attempts
        if (one.address == unit.address or one.subject == subject)
        and DateSet((one.dates,)) & asked
    ]
    upcoming = [
        (inside, facts.generation, verdict)
        for decided in decide_all(situation)
        for piece, facts, verdict in explained(decided)
        if (inside := piece.intersection(unit.dates)) is not None
    ]
    return Explanation(
        unit=unit,
        resource=resource,
        attempts=tuple(sorted(attempts, key=sent_order)),
        next=tuple(upcoming),
        diagnostics=tuple(situation.unreadable.values()),
    )


def _unknown(unit: UnitRange) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code="unknown_address",
        summary=f"neither the specs nor the record know {unit.address}",
        hint="`reconciler status` lists the addresses of this project",
    )
