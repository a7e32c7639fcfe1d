"""Drift: read every run on record and list around every declared unit; write nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from reconciler.applying.gathering import Discovering, Refresh, gather
from reconciler.model.attempts import RecordedState
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.drift import Drift
from reconciler.model.resources import Resource
from reconciler.planning.drifting import drift_of
from reconciler.planning.situation import decide_all
from reconciler.usecases.plan import connections_in_use, sound_specs
from reconciler.wiring.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What changed outside, in how many API calls, and what could not be read."""

    drifts: tuple[Drift, ...]
    reads: int
    diagnostics: tuple[Diagnostic, ...]


def find_drift(workspace: Workspace) -> DriftReport:
    """Compare the record with the service.

    Raises:
        InputError: The specs are wrong.
        StateError: The store cannot be read.
    """
    resources = sound_specs(workspace).resources
    store = workspace.store_to_read("drift")
    recorded = RecordedState()
    if store is not None:
        recorded = store.snapshot()
        store.close()
    return asyncio.run(_find(workspace, resources, recorded))


async def _find(
    workspace: Workspace, resources: tuple[Resource, ...], recorded: RecordedState
) -> DriftReport:
    async with workspace.lines(connections_in_use(workspace, resources, recorded)) as lines:
        gathered = await gather(
            resources,
            recorded,
            lines,
            clock=workspace.clock,
            refresh=Refresh.FULL,
            discovering=Discovering.EVERYTHING,
        )
        reads = lines.calls_made
    situation = gathered.situation
    return DriftReport(
        drifts=drift_of(recorded.attempts, gathered.changed, decide_all(situation)),
        reads=reads,
        diagnostics=tuple(situation.unreadable.values()),
    )
