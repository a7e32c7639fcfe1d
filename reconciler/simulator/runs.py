"""What requests have triggered, and what became of it, as values.

A *trigger* is one executed create call. It is stored as it was asked for, in one row; the states of
its instances are never stored but follow from it (`transitions`). Its DAGs and instances are numbered
without gaps, dates first, so an id tells which trigger, date and node it belongs to.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.simulator.world import Layout


class Kind(enum.Enum):
    """What kind of create call it was."""

    BACKFILL = "backfill"
    MANUAL = "manual"


class Status(enum.Enum):
    """State of an instance. The service knows more; the simulator needs no others."""

    NOT_RUN = "NOT_RUN"
    RUNNING = "RUNNING"
    FAILURE = "FAILURE"
    SUCCESS = "SUCCESS"


class DagStatus(enum.Enum):
    """State of a DAG."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    FAILURE = "FAILURE"
    SUCCESS = "SUCCESS"


class Verb(enum.Enum):
    """What a person can do to an instance."""

    STOP = "stop"
    RESTART = "restart"
    SET_SUCCESS = "set_success"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNode:
    """One node of a trigger, fixed when it was created.

    `parents` are ids of nodes of the same trigger. `hours` are the hours of a business date it runs
    at (ascending, at least one), or None for a daily node. An `excluded` node is a dry run.
    """

    id: int
    name: str
    parents: tuple[int, ...] = ()
    hours: tuple[int, ...] | None = None
    excluded: bool = False

    @property
    def slots(self) -> tuple[int | None, ...]:
        """One entry for each instance on one date: the hour, or None for a daily node."""
        return (None,) if self.hours is None else self.hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One executed create call: what runs, in which order, under which ids.

    `name` is the name of the backfill or of the flow, `project` the workspace's English identifier
    ("" for a backfill). `concurrent_dates` is 1 for a serial call. `dag_params` and `node_params` are
    the parameter texts to echo. Dates run from `first_date` to `last_date`, both inclusive.
    """

    id: int
    kind: Kind
    environment: str
    name: str
    project: str = ""
    nodes: tuple[PlannedNode, ...]
    first_date: dt.date
    last_date: dt.date
    concurrent_dates: int = 1
    layout: Layout = Layout.PER_DATE
    dag_params: str = ""
    node_params: Mapping[int, str] = field(default_factory=dict)
    op_seq: int
    first_dag: int
    first_instance: int
    created_work_ms: int
    created_gateway_ms: int

    @property
    def date_count(self) -> int:
        """How many business dates it covers."""
        return (self.last_date - self.first_date).days + 1

    @property
    def dag_count(self) -> int:
        """How many DAGs it has."""
        return 1 if self.layout is Layout.SINGLE else self.date_count

    @property
    def per_date(self) -> int:
        """How many instances one date has."""
        return sum(len(node.slots) for node in self.nodes)

    @property
    def instance_count(self) -> int:
        """How many instances it has."""
        return self.date_count * self.per_date

    @property
    def dag_ids(self) -> tuple[int, ...]:
        """Its DAG ids, ascending by date."""
        return tuple(range(self.first_dag, self.first_dag + self.dag_count))

    def places(self) -> tuple[tuple[PlannedNode, int | None], ...]:
        """Node and hour of each instance of one date, in the order of the instance ids."""
        return tuple((node, slot) for node in self.nodes for slot in node.slots)

    def date(self, index: int) -> dt.date:
        """The business date number `index`, counted from 0."""
        return self.first_date + dt.timedelta(days=index)

    def dag_of(self, index: int) -> int:
        """The DAG of the instance number `index` (counted from 0)."""
        return (
            self.first_dag
            if self.layout is Layout.SINGLE
            else self.first_dag + index // self.per_date
        )

    def instances_of(self, dag_id: int) -> range:
        """The numbers of the instances of one of its DAGs."""
        if self.layout is Layout.SINGLE:
            return range(self.instance_count)
        start = (dag_id - self.first_dag) * self.per_date
        return range(start, start + self.per_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """Something a person did to the instance `index` of a trigger, at a moment of the work clock."""

    trigger_id: int
    index: int
    verb: Verb
    at_ms: int


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of an instance's code on the work clock; `end_ms` is None while it runs."""

    start_ms: int
    end_ms: int | None = None
    status: Status = Status.RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceState:
    """State of one instance at a moment.

    `dry` says that it succeeded without running. `waiting_ms` is when its turn came and `changed_ms`
    when its state last changed, both on the work clock; None before the first change.
    """

    status: Status = Status.NOT_RUN
    dry: bool = False
    executions: tuple[Execution, ...] = ()
    waiting_ms: int | None = None
    changed_ms: int | None = None

    @property
    def finished_ms(self) -> int | None:
        """When it ended, on the work clock; None unless it has."""
        return self.changed_ms if self.status in {Status.SUCCESS, Status.FAILURE} else None


NOT_STARTED = InstanceState()


def dag_status(states: Sequence[InstanceState]) -> DagStatus:
    """The state of a DAG that has these instances; a failure counts once nothing is active."""
    statuses = {state.status for state in states}
    if Status.RUNNING in statuses:
        return DagStatus.RUNNING
    if Status.FAILURE in statuses:
        return DagStatus.FAILURE
    if statuses == {Status.SUCCESS}:
        return DagStatus.SUCCESS
    return DagStatus.CREATED if statuses == {Status.NOT_RUN} else DagStatus.RUNNING
