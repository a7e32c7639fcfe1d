"""What exists in the simulated cloud: the world, as values.

A world is what a world file says (`world_file` reads one, `checks` refuses impossible ones). It holds
no run: runs are triggered by requests and live in the store.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.simulator.cluster import Cluster

DEFAULT_SECONDS = 60.0


class Schedule(enum.Enum):
    """How often a node runs on one business date."""

    DAILY = "daily"
    HOURLY = "hourly"


class Layout(enum.Enum):
    """How many DAGs one backfill over several dates has."""

    PER_DATE = "per-date"
    SINGLE = "single"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A business date on which a node fails: its first `times` executions, or every one (None)."""

    date: dt.date
    times: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A task. `parents` are node ids; `seconds` is the length of one execution on the work clock."""

    id: int
    name: str = ""
    parents: tuple[int, ...] = ()
    seconds: float = DEFAULT_SECONDS
    failures: tuple[Failure, ...] = ()
    skips: frozenset[dt.date] = frozenset()
    schedule: Schedule = Schedule.DAILY

    @property
    def shown_name(self) -> str:
        """The name in answers; a node without one gets one from its id."""
        return self.name or f"node_{self.id}"

    def failure_on(self, date: dt.date) -> Failure | None:
        """How this node fails on `date`, or None when it does not."""
        return next((failure for failure in self.failures if failure.date == date), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A manual business flow of a workspace (`project`: its English identifier)."""

    project: str
    name: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Calls allowed per second of real time and per day of the gateway clock; 0 means no limit."""

    read_qps: int = 0
    write_qps: int = 0
    daily_calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A DataArts job."""

    name: str
    task: str = ""
    seconds: float = DEFAULT_SECONDS
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that exists.

    In a `strict` world nothing else does; otherwise every node, flow and DAG of OBShell that is asked
    for exists, runs (nodes and flows daily), takes 60 s and succeeds. `listing_lag_seconds` and
    `retention_days` are counted on the work clock.
    """

    strict: bool = False
    nodes: tuple[Node, ...] = ()
    flows: tuple[Flow, ...] = ()
    layout: Layout = Layout.PER_DATE
    listing_lag_seconds: float = 0.0
    retention_days: float = 30.0
    limits: Limits = field(default_factory=Limits)
    cluster: Cluster = field(default_factory=Cluster)
    jobs: tuple[Job, ...] = ()
    _nodes_by_id: Mapping[int, Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        everywhere = (*(node for flow in self.flows for node in flow.nodes), *self.nodes)
        # A frozen value with an index that follows from its fields: no other way to set it.
        object.__setattr__(self, "_nodes_by_id", {node.id: node for node in everywhere})

    def node(self, node_id: int) -> Node | None:
        """The task with this id, wherever it stands; None when the world does not name it."""
        return self._nodes_by_id.get(node_id)

    def flow(self, project: str, name: str) -> Flow | None:
        """The flow of this name in this workspace; None when the world does not name it."""
        return next(
            (flow for flow in self.flows if (flow.project, flow.name) == (project, name)), None
        )

    def has_project(self, project: str) -> bool:
        """Whether a flow of the world names this workspace."""
        return any(flow.project == project for flow in self.flows)
