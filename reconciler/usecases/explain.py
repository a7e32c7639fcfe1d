"""Why a unit is where it is: what is desired, every attempt, what the next plan would do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.applying.gates import GateBoard
from reconciler.applying.gathering import Conditions, gather, unreadable_diagnostic
from reconciler.applying.lines import Line
from reconciler.model.addresses import UnitRange
from reconciler.model.attempts import Attempt, RecordedState
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.errors import InputError, ProviderError
from reconciler.model.resources import Resource
from reconciler.model.runs import NodeFailure, UnitStatus
from reconciler.planning.deciding import Verdict
from reconciler.planning.guards import unread_gates
from reconciler.planning.history import attempts_by_subject, history, sent_order
from reconciler.planning.situation import decide_all, explained
from reconciler.specs import Loaded
from reconciler.usecases.plan import connections_in_use, frozen_now, sound_specs
from reconciler.wiring.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is known of some units.

    `resource` is None when no spec declares the address. `attempts` touch the units and are ordered by
    when they were sent. `failures` are nodes that failed, by the id of their attempt; `next` holds what
    the next plan would do, stretch by stretch.
    """

    unit: UnitRange
    resource: Resource | None
    attempts: tuple[Attempt, ...]
    failures: Mapping[str, tuple[NodeFailure, ...]]
    next: tuple[tuple[DateRange, int, Verdict], ...]
    diagnostics: tuple[Diagnostic, ...]


def explain_unit(workspace: Workspace, unit: UnitRange) -> Explanation:
    """Look at record and service for some units; writes nothing.

    Raises:
        InputError: The specs are wrong, or neither they nor the record know the address.
    """
    loaded = sound_specs(workspace)
    resources = loaded.resources
    store = workspace.store_to_read("explain")
    recorded = RecordedState()
    if store is not None:
        recorded = store.snapshot()
        store.close()
    resource = next((one for one in resources if one.address == unit.address), None)
    if resource is None and all(one.address != unit.address for one in recorded.attempts):
        raise InputError([_unknown(unit)])
    return asyncio.run(_explain(workspace, unit, loaded, resource, recorded))


async def _explain(
    workspace: Workspace,
    unit: UnitRange,
    loaded: Loaded,
    resource: Resource | None,
    recorded: RecordedState,
) -> Explanation:
    asked = DateSet((unit.dates,))
    names = connections_in_use(workspace, loaded.resources, recorded, loaded.gates)
    async with workspace.lines(names) as lines:
        gathered = await gather(
            loaded.resources,
            recorded,
            lines,
            clock=workspace.clock,
            selected=lambda address: address == unit.address,
            conditions=Conditions(
                freeze=frozen_now(workspace),
                board=GateBoard(loaded.gates, lines.keepers, workspace.clock),
            ),
        )
        situation = gathered.situation
        subject = resource.series.subject.fingerprint if resource is not None else None
        attempts = [
            one
            for one in situation.recorded.attempts
            if (one.address == unit.address or one.subject == subject)
            and DateSet((one.dates,)) & asked
        ]
        failures, problems = await _failures(attempts, asked, recorded, lines.runs)
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
        failures=failures,
        next=tuple(upcoming),
        diagnostics=(
            *situation.unreadable.values(),
            *unread_gates(situation.gates.values()),
            *problems,
        ),
    )


async def _failures(
    attempts: Sequence[Attempt],
    asked: DateSet,
    recorded: RecordedState,
    lines: Mapping[str, Line],
) -> tuple[dict[str, tuple[NodeFailure, ...]], list[Diagnostic]]:
    """The nodes that failed in the attempts that matter, as far as the service still tells."""
    found: dict[str, tuple[NodeFailure, ...]] = {}
    unreadable: list[Diagnostic] = []
    for attempts_of_subject in attempts_by_subject(
        replace(recorded, attempts=tuple(attempts))
    ).values():
        for attempt_id, dates in _failed(attempts_of_subject, asked).items():
            attempt = next(one for one in attempts_of_subject if one.id == attempt_id)
            if attempt.connection not in lines:
                continue
            provider = lines[attempt.connection].provider
            try:
                series = recorded.series[attempt.series]
                found[attempt_id] = await provider.failures(attempt, series, dates)
            except ProviderError as error:
                unreadable.append(unreadable_diagnostic(attempt.address, error))
    return found, unreadable


def _failed(attempts: Iterable[Attempt], asked: DateSet) -> dict[str, DateSet]:
    """By attempt, the dates asked for that failed in it last and that the service has not forgotten."""
    failed: dict[str, DateSet] = defaultdict(DateSet)
    for piece, past in history(attempts).restricted(asked):
        if past.status is UnitStatus.FAILURE and not past.gone:
            failed[past.attempt] |= DateSet((piece,))
    return failed


def _unknown(unit: UnitRange) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code="unknown_address",
        summary=f"neither the specs nor the record know {unit.address}",
        hint="`reconciler status` lists the addresses of this project",
    )
