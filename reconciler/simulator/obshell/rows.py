"""DAGs, nodes and sub-tasks as JSON, members in the order of the server (OBShell server source 61ee147)."""

from __future__ import annotations

from typing import Any

from reconciler.simulator.cluster import DagState, MaintenanceType, Operator
from reconciler.simulator.obshell.catalogue import SeenDag
from reconciler.simulator.obshell.courses import NodeCourse
from reconciler.simulator.obshell.envelope import moment

_MAINTENANCE_NUMBERS = {
    MaintenanceType.NONE: 1,
    MaintenanceType.GLOBAL: 2,
    MaintenanceType.TENANT: 3,
    MaintenanceType.PROXY: 4,
}
_WITH_LOGS = frozenset({DagState.RUNNING, DagState.SUCCEED, DagState.FAILED})


def dag_row(dag: SeenDag, *, details: bool) -> dict[str, Any]:
    """A DagDetailDTO; without details `additional_data` and `nodes` are null."""
    course, lock = dag.course, dag.plan.lock
    several = len(course.nodes) > 1
    return {
        "id": str(dag.id),
        "dag_id": dag.id.number,
        "name": dag.plan.shown_name,
        "stage": course.current + 1,
        "max_stage": len(course.nodes),
        "maintenance_type": _MAINTENANCE_NUMBERS[lock.type],
        "maintenance_key": lock.tenant,
        **_status(course.state, course.operator, course.start_ms, course.end_ms),
        "additional_data": {} if details and several else None,
        "nodes": [node_row(dag, index) for index in range(len(course.nodes))] if details else None,
    }


def node_row(dag: SeenDag, index: int) -> dict[str, Any]:
    """A NodeDetailDTO, details included."""
    node, node_id = dag.course.nodes[index], dag.id.node(index)
    return {
        "id": str(node_id),
        "node_id": node_id.number,
        "name": node.plan.name,
        **_node_status(node),
        "additional_data": None,
        "sub_tasks": [sub_task_row(dag, index)],
    }


def sub_task_row(dag: SeenDag, index: int) -> dict[str, Any]:
    """A TaskDetailDTO: the one sub-task of a node."""
    node, task_id = dag.course.nodes[index], dag.id.node(index)
    return {
        "id": str(task_id),
        "task_id": task_id.number,
        "name": node.plan.name,
        **_node_status(node),
        "additional_data": None,
        "execute_times": node.executions,
        "execute_agent": {"ip": dag.id.agent.ip, "port": dag.id.agent.port},
        "task_logs": list(node.logs) if node.state in _WITH_LOGS else None,
    }


def log_rows(dag: SeenDag, index: int) -> list[dict[str, Any]]:
    """The rows of a sub-task's log; what they have beside the text is a guess."""
    node, task_id = dag.course.nodes[index], dag.id.node(index)
    return [
        {"task_id": task_id.number, "execute_times": node.executions, "log_content": line}
        for line in (node.logs if node.state in _WITH_LOGS else ())
    ]


def _node_status(node: NodeCourse) -> dict[str, Any]:
    return _status(node.state, node.operator, node.start_ms, node.end_ms)


def _status(
    state: DagState, operator: Operator, start_ms: int | None, end_ms: int | None
) -> dict[str, Any]:
    return {
        "state": state.value,
        "operator": operator.value,
        "start_time": moment(start_ms),
        "end_time": moment(end_ms),
    }
