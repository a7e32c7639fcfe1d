"""What exists in the simulated OceanBase cluster: the DAGs that its OBShell agent shows, as values."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class DagState(enum.Enum):
    """The states of a DAG, a node and a sub-task."""

    PENDING = "PENDING"
    READY = "READY"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    SUCCEED = "SUCCEED"


class Operator(enum.Enum):
    """What is being done, or was done last, to a DAG, a node or a sub-task."""

    RUN = "RUN"
    RETRY = "RETRY"
    ROLLBACK = "ROLLBACK"
    CANCEL = "CANCEL"
    PASS = "PASS"  # noqa: S105 - the verb


class MaintenanceType(enum.Enum):
    """What a DAG keeps others away from while it is unfinished."""

    NONE = "none"
    GLOBAL = "global"
    TENANT = "tenant"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """The maintenance lock of a DAG; `tenant` is the name of the tenant of a tenant's lock."""

    type: MaintenanceType
    tenant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNode:
    """One stage of a DAG, with one sub-task.

    `seconds` is the length of one execution on the work clock; None goes on for ever. The first
    `fail_times` executions fail, or every one (None). `logs` is what the sub-task printed; None makes
    a line for each begin and end.
    """

    name: str
    seconds: float | None
    fail_times: int | None = 0
    logs: tuple[str, ...] | None = None
    retryable: bool = True
    rollbackable: bool = True
    cancellable: bool = True
    passable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDag:
    """A DAG of OBShell, and the state and operator it begins in.

    Without `nodes` it has a single one of its own name, and `finish_after_seconds` is the length of
    that: None goes on for ever where the DAG begins unfinished.
    """

    id: str
    name: str = ""
    state: DagState = DagState.RUNNING
    operator: Operator = Operator.RUN
    maintenance: Maintenance | None = None
    finish_after_seconds: float | None = None
    nodes: tuple[ClusterNode, ...] = ()

    @property
    def shown_name(self) -> str:
        """The name in answers; a DAG without one gets one from its id."""
        return self.name or f"dag_{self.id}"

    @property
    def lock(self) -> Maintenance:
        """Its maintenance lock: global for a cluster's DAG, none for an agent's, unless the world says."""
        by_scope = {
            "1": MaintenanceType.GLOBAL,
            "4": MaintenanceType.PROXY,
            "5": MaintenanceType.PROXY,
        }
        return self.maintenance or Maintenance(type=by_scope.get(self.id[0], MaintenanceType.NONE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The cluster: its DAGs, and whether the OceanBase database answers."""

    dags: tuple[ClusterDag, ...] = ()
    database_available: bool = True

    def dag(self, dag_id: str) -> ClusterDag | None:
        """The DAG with this id; None when the world does not name it."""
        return next((dag for dag in self.dags if dag.id == dag_id), None)
