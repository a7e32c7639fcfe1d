"""The paths of the agent below `/api/v1`, and the operation behind each.

Operations are named as the methods of the official SDK 0.0.9 where it has one.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.simulator.messages import Request
from reconciler.simulator.obshell import acting, agent, reading
from reconciler.simulator.obshell.call import Route

PREFIX = "/api/v1"

_STATUS = Route(operation="get_status", run=agent.get_status, is_open=True)
_FIXED: Mapping[tuple[str, str], Route] = {
    ("GET", "/time"): Route(operation="get_time", run=agent.get_time, is_open=True),
    ("GET", "/info"): Route(operation="get_info", run=agent.get_info, is_open=True),
    ("GET", "/git-info"): Route(operation="get_git_info", run=agent.get_git_info, is_open=True),
    ("GET", "/secret"): Route(operation="get_secret", run=agent.get_secret, is_open=True),
    ("GET", "/status"): _STATUS,
    ("POST", "/status"): _STATUS,
    ("GET", "/task/dags/ob"): Route(operation="get_cluster_dags", run=reading.get_cluster_dags),
    ("GET", "/task/dags/agent"): Route(operation="get_agent_dags", run=reading.get_agent_dags),
    ("GET", "/task/dag/unfinish"): Route(
        operation="get_unfinished_dags", run=reading.get_unfinished_dags
    ),
    ("GET", "/task/dag/ob/unfinish"): Route(
        operation="get_cluster_unfinished_dag", run=reading.get_cluster_unfinished_dags
    ),
    ("GET", "/task/dag/agent/unfinish"): Route(
        operation="get_agent_unfinished_dag", run=reading.get_agent_unfinished_dags
    ),
    ("GET", "/task/dag/maintain/ob"): Route(
        operation="get_ob_last_maintenance_dag", run=reading.get_cluster_maintenance_dag
    ),
    ("GET", "/task/dag/maintain/agent"): Route(
        operation="get_agent_last_maintenance_dag", run=reading.get_agent_maintenance_dag
    ),
    ("GET", "/task/dag/maintain/agents"): Route(
        operation="get_all_agent_last_maintenance_dag", run=reading.get_agents_maintenance_dags
    ),
    ("GET", "/task/dag/agent/main_dags"): Route(
        operation="get_agent_main_dags", run=reading.get_main_dags
    ),
}
_OF_TASK: Mapping[tuple[str, str, str], Route] = {
    ("GET", "dag", ""): Route(operation="get_dag", run=reading.get_dag),
    ("POST", "dag", ""): Route(operation="operate_dag", run=acting.operate_dag, writes=True),
    ("GET", "node", ""): Route(operation="get_node", run=reading.get_node),
    ("POST", "node", ""): Route(operation="operate_node", run=acting.operate_node, writes=True),
    ("GET", "sub_task", ""): Route(operation="get_sub_task", run=reading.get_sub_task),
    ("GET", "sub_task", "logs"): Route(
        operation="get_sub_task_logs", run=reading.get_sub_task_logs
    ),
}


def route_of(request: Request) -> tuple[Route, str] | None:
    """The route of a request, and the id of the task in its path; None when nothing is served there."""
    path = request.path.removeprefix(PREFIX)
    if found := _FIXED.get((request.method, path)):
        return found, ""
    match path.split("/"):
        case ["", "task", kind, task] if task:
            return _with(_OF_TASK.get((request.method, kind, "")), task)
        case ["", "task", kind, task, part] if task and part:
            return _with(_OF_TASK.get((request.method, kind, part)), task)
        case _:
            return None


def _with(route: Route | None, task: str) -> tuple[Route, str] | None:
    return None if route is None else (route, task)
