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
class Relay:
    """A failure of the inner service that the outer one relays inside an answer with HTTP status 200."""

    status: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A DataArts job. Days are its plan days, in +08:00.

    `task` and `operator` are the id and the name under which the catalog shows its runs, and `tables`
    the tables it writes (none: every one). A job without a `trigger` cannot be backfilled. Its
    scheduled run of a day in `running` goes on for ever, and of one in `absent` there is none. `relay`
    is what the catalog answers instead of its runs.
    """

    name: str
    task: str = ""
    operator: str = ""
    tables: tuple[str, ...] = ()
    seconds: float = DEFAULT_SECONDS
    failures: tuple[Failure, ...] = ()
    schedule: Schedule = Schedule.DAILY
    trigger: bool = True
    running: frozenset[dt.date] = frozenset()
    absent: frozenset[dt.date] = frozenset()
    relay: Relay | None = None

    @property
    def shown_operator(self) -> str:
        """The name in the catalog; that of the job when the world gives it no other."""
        return self.operator or self.name

    def failure_on(self, date: dt.date) -> Failure | None:
        """How this job fails on the plan day `date`, or None when it does not."""
        return next((failure for failure in self.failures if failure.date == date), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that exists.

    In a `strict` world nothing else does; otherwise every node, flow, job and DAG of OBShell that is
    asked for exists, runs (all but DAGs daily), takes 60 s and succeeds. `listing_lag_seconds`,
    `retention_days` and `creation_lag_seconds` (of DataArts) are counted on the work clock.
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
    creation_lag_seconds: float = 0.0
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

    def job(self, name: str) -> Job | None:
        """The DataArts job of this name; None when the world does not name it."""
        return next((job for job in self.jobs if job.name == name), None)
