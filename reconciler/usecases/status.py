"""Coverage: how far every declared unit is, refreshed and recorded."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace

from reconciler.applying.engine import Stop
from reconciler.applying.gates import GateBoard
from reconciler.applying.gathering import Conditions, Discovering, Gathered, Refresh, gather
from reconciler.applying.waiting import Follower, Watch
from reconciler.model.addresses import Address
from reconciler.model.attempts import RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.plan import Decision, Reason
from reconciler.model.remedies import NEEDS_PERSON
from reconciler.planning.deciding import Verdict
from reconciler.planning.guards import unread_gates
from reconciler.planning.history import Past
from reconciler.planning.situation import Decided, decide_all, explained
from reconciler.ports import Reporter, StateStore
from reconciler.specs import Loaded
from reconciler.usecases.metering import metered
from reconciler.usecases.plan import connections_in_use, frozen_now, sound_specs
from reconciler.usecases.selection import Selection
from reconciler.wiring.workspace import Workspace

#: Statuses that are no run's: nothing was started, or must not be yet; nobody knows; or another address
#: counts it.
MISSING, BLOCKED, UNKNOWN, SHARED = "missing", "blocked", "unknown", "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Units of one address that are alike. `status` is a run's, or one of the words above.

    `blocked_by` names what keeps them from starting, and `detail` says what opens it. `needs_person` says
    that only a person can help them.
    """

    dates: DateSet
    status: str
    reason: str
    run_ids: tuple[str, ...]
    blocked_by: tuple[str, ...] = ()
    detail: str = ""
    needs_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceStatus:
    """One resource's coverage, ordered by first date."""

    address: Address
    ranges: tuple[Coverage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectStatus:
    """All resources by address; `needs_person` says that some unit is unknown or held."""

    resources: tuple[ResourceStatus, ...]
    needs_person: bool
    diagnostics: tuple[Diagnostic, ...]


def project_status(workspace: Workspace, selection: Selection) -> ProjectStatus:
    """Read what is unfinished, record it, and say how far everything is.

    Raises:
        InputError: The specs are wrong, or a pattern names nothing.
        StateError: The store cannot be used.
    """
    return _of_gathered(_gathered(workspace, selection))


def watch_project(
    workspace: Workspace, selection: Selection, *, reporter: Reporter, stop: Stop
) -> ProjectStatus:
    """Follow everything in flight to its end, then say how far everything is."""
    gathered = _gathered(workspace, selection)
    recorded = gathered.situation.recorded
    if recorded.lineage is None:
        return _of_gathered(gathered)
    store = workspace.store_to_write("status", create=False)

    async def watching() -> None:
        names = connections_in_use(workspace, (), recorded)
        async with metered(workspace, store, names) as meter:
            watch = Watch(
                store=store,
                lines=meter.lines.runs,
                clock=workspace.clock,
                reporter=reporter,
                stop=stop,
                least_pause=meter.least_pause,
                counted=meter.count,
            )
            await Follower(watch, lambda attempt: selection(attempt.address)).follow()

    try:
        asyncio.run(watching())
    finally:
        store.close()
    return _of_gathered(_gathered(workspace, selection))


def _gathered(workspace: Workspace, selection: Selection) -> Gathered:
    loaded = sound_specs(workspace)
    existing = workspace.store_to_read("status")
    if existing is None:
        return asyncio.run(_unrecorded(workspace, loaded, selection))
    existing.close()
    store = workspace.store_to_write("status", create=False)
    try:
        recorded = store.snapshot()
        selection.ensure_matches(
            [resource.address for resource in loaded.resources]
            + [attempt.address for attempt in recorded.attempts]
        )
        gathered = asyncio.run(_gather(workspace, loaded, selection, store, recorded))
        store.observe(gathered.changed, at=gathered.at)
    finally:
        store.close()
    return gathered


async def _gather(
    workspace: Workspace,
    loaded: Loaded,
    selection: Selection,
    store: StateStore,
    recorded: RecordedState,
) -> Gathered:
    names = connections_in_use(workspace, loaded.resources, recorded, loaded.gates)
    async with metered(workspace, store, names) as meter:
        return await gather(
            loaded.resources,
            recorded,
            meter.lines,
            clock=workspace.clock,
            selected=selection,
            discovering=Discovering.NOTHING,
            conditions=Conditions(
                freeze=frozen_now(workspace),
                board=GateBoard(loaded.gates, meter.lines.keepers, workspace.clock),
            ),
        )


async def _unrecorded(workspace: Workspace, loaded: Loaded, selection: Selection) -> Gathered:
    """The situation of a project that has no store yet: nothing is asked but how gates stand."""
    nothing = RecordedState()
    names = connections_in_use(workspace, loaded.resources, nothing, loaded.gates)
    async with workspace.lines(names) as lines:
        return await gather(
            loaded.resources,
            nothing,
            lines,
            clock=workspace.clock,
            refresh=Refresh.NONE,
            selected=selection,
            discovering=Discovering.NOTHING,
            conditions=Conditions(
                freeze=frozen_now(workspace),
                board=GateBoard(loaded.gates, lines.keepers, workspace.clock),
            ),
        )


def _of_gathered(gathered: Gathered) -> ProjectStatus:
    decided = decide_all(gathered.situation)
    return ProjectStatus(
        resources=tuple(map(_resource_status, decided)),
        needs_person=any(
            item.dates_where(lambda verdict: verdict.decision in NEEDS_PERSON) for item in decided
        ),
        diagnostics=(
            *gathered.situation.unreadable.values(),
            *unread_gates(gathered.situation.gates.values()),
        ),
    )


def _resource_status(decided: Decided) -> ResourceStatus:
    alike: dict[Coverage, DateSet] = defaultdict(DateSet)
    for piece, unit, verdict in explained(decided):
        is_blocked = verdict.decision is Decision.BLOCKED
        like = Coverage(
            dates=DateSet(),
            status=status_word(unit.past, verdict),
            reason=verdict.reason.value,
            run_ids=verdict.run_ids,
            blocked_by=verdict.blocked_by,
            detail=verdict.detail if is_blocked else "",
            needs_person=verdict.decision in NEEDS_PERSON,
        )
        alike[like] |= DateSet((piece,))
    for owner, dates in decided.claim.shared:
        like = Coverage(dates=DateSet(), status=SHARED, reason=f"counted for {owner}", run_ids=())
        alike[like] |= dates
    ranges = (replace(like, dates=dates) for like, dates in alike.items())
    return ResourceStatus(
        address=decided.resource.address,
        ranges=tuple(sorted(ranges, key=lambda one: one.dates.ranges[0])),
    )


def status_word(past: Past | None, verdict: Verdict) -> str:
    """How far a unit is, in one word."""
    if past is None or not past.ran or verdict.reason is Reason.NEVER_STARTED:
        return BLOCKED if verdict.decision is Decision.BLOCKED else MISSING
    if verdict.decision is Decision.UNKNOWN:
        return UNKNOWN
    return past.status.value if past.status is not None else "created"
