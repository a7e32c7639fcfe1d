"""Make a plan: specs, store and service in; a plan out. Writes nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler import __version__
from reconciler.applying.checking import Listings
from reconciler.applying.gates import GateBoard
from reconciler.applying.gathering import Conditions, Gathered, Refresh, gather
from reconciler.applying.lines import Lines
from reconciler.model.addresses import Address
from reconciler.model.attempts import RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic, has_errors
from reconciler.model.errors import InputError
from reconciler.model.gates import Gate
from reconciler.model.plan import Plan
from reconciler.model.project import Freeze
from reconciler.model.resources import Resource
from reconciler.planning.planner import Making, build_plan
from reconciler.specs import Loaded
from reconciler.usecases.selection import Selection
from reconciler.wiring.workspace import Workspace

#: Length of a plan id, in base32 characters.
PLAN_ID_LENGTH = 16

_MILLISECOND = dt.timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What `plan` was asked for; what is only shown, and never applied, may be blind."""

    refresh: Refresh = Refresh.NORMAL
    selection: Selection = field(default_factory=Selection)
    only_shown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan with what it was made from, so that an apply can go on from there.

    What was gathered is younger than `taken_at`, on the clock's monotonic time.
    """

    plan: Plan
    gathered: Gathered
    taken_at: float

    @property
    def listings(self) -> Listings:
        """The listings it was made from."""
        return Listings(by_address=self.gathered.situation.discoveries, taken_at=self.taken_at)


def plan_project(
    workspace: Workspace, options: PlanOptions
) -> tuple[Plan, tuple[Diagnostic, ...]]:
    """Plan a whole project.

    Returns:
        The plan, and the warnings about its specs.

    Raises:
        InputError: The specs are wrong, or a target names nothing.
        StateError: The store cannot be read.
    """
    loaded = sound_specs(workspace)
    offline = options.refresh is Refresh.OFFLINE
    store = workspace.store_to_read("plan", offline=offline)
    recorded = RecordedState()
    if store is not None:
        recorded = store.snapshot()
        store.close()
    planned = asyncio.run(_plan(workspace, loaded, recorded, options))
    return planned.plan, loaded.diagnostics


def sound_specs(workspace: Workspace) -> Loaded:
    """Load the specs.

    Raises:
        InputError: They hold an error; all problems are in it.
    """
    loaded = workspace.load_specs()
    if has_errors(loaded.diagnostics):
        raise InputError(loaded.diagnostics)
    return loaded


def frozen_now(workspace: Workspace) -> Freeze | None:
    """The freeze in force by our clock, or None."""
    return workspace.project.policy.frozen(workspace.clock.now())


def connections_in_use(
    workspace: Workspace,
    resources: Iterable[Resource],
    recorded: RecordedState,
    gates: Mapping[str, Gate] = MappingProxyType({}),
) -> frozenset[str]:
    """The connections that resources, their gates and the record name, as far as the project has them."""
    named = set()
    for resource in resources:
        named.add(resource.connection)
        named.update(gates[ref.name].connection for ref in resource.gates if ref.name in gates)
    named.update(attempt.connection for attempt in recorded.attempts)
    return frozenset(named & workspace.project.connections.keys())


async def _plan(
    workspace: Workspace,
    loaded: Loaded,
    recorded: RecordedState,
    options: PlanOptions,
) -> Planned:
    names = connections_in_use(workspace, loaded.resources, recorded, loaded.gates)
    offline = options.refresh is Refresh.OFFLINE
    async with workspace.lines(names, offline=offline) as lines:
        board = GateBoard(loaded.gates, lines.keepers, workspace.clock)
        return await make_plan(workspace, loaded.resources, recorded, lines, options, board=board)


async def make_plan(
    workspace: Workspace,
    resources: tuple[Resource, ...],
    recorded: RecordedState,
    lines: Lines,
    options: PlanOptions,
    *,
    board: GateBoard,
    only: Mapping[Address, DateSet] | None = None,
) -> Planned:
    """Gather what the plan needs to know, and build it; with `only`, its calls are for these units.

    `board` is where the gates of the resources are looked at.
    """
    options.selection.ensure_matches(
        [resource.address for resource in resources]
        + [attempt.address for attempt in recorded.attempts]
    )
    as_of = workspace.clock.now()
    before, taken_at = lines.calls_made, workspace.clock.monotonic()
    gathered = await gather(
        resources,
        recorded,
        lines,
        clock=workspace.clock,
        refresh=options.refresh,
        selected=options.selection,
        conditions=Conditions(freeze=frozen_now(workspace), board=board),
    )
    created_at = workspace.clock.now()
    making = Making(
        plan_id=workspace.ids.token(PLAN_ID_LENGTH),
        project=workspace.project.name,
        tool_version=__version__,
        as_of=_to_millisecond(as_of),
        created_at=_to_millisecond(created_at),
        policy=workspace.project.policy,
        reads=lines.calls_made - before,
        only=only,
        blind=options.only_shown
        and options.refresh is Refresh.OFFLINE
        and recorded.lineage is None,
        token=workspace.ids.token,
        run_name=lambda name, tag, spec: lines.runs[name].provider.run_name(tag, spec),
        wire=lambda name, series, dates, run, tuning: lines.runs[name].provider.wire_call(
            series, dates, run, tuning
        ),
    )
    plan = build_plan(gathered.situation, making)
    return Planned(plan=plan, gathered=gathered, taken_at=taken_at)


def _to_millisecond(moment: dt.datetime) -> dt.datetime:
    # Plan files hold milliseconds; a plan in memory must not differ from itself read back.
    return moment - dt.timedelta(
        microseconds=moment.microsecond % (_MILLISECOND // dt.timedelta(microseconds=1))
    )
