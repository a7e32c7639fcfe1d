"""What the agent tells about DAGs, nodes and sub-tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reconciler.simulator.generic_ids import Agent
from reconciler.simulator.obshell.call import Call
from reconciler.simulator.obshell.catalogue import SeenDag, every_dag, find_dag
from reconciler.simulator.obshell.refusals import database_down, no_task, unexpected
from reconciler.simulator.obshell.rows import dag_row, log_rows, node_row, sub_task_row


def get_dag(call: Call) -> object:
    """One DAG."""
    details = call.wants_details()
    return dag_row(find_dag(call.session, call.task_id()), details=details)


def get_node(call: Call) -> object:
    """One node; the server cannot show one without its details."""
    if not call.wants_details():
        raise unexpected("a node is not shown without its details")
    return node_row(*seen_node(call))


def get_sub_task(call: Call) -> object:
    """One sub-task."""
    return sub_task_row(*seen_node(call))


def get_sub_task_logs(call: Call) -> object:
    """The log of one sub-task."""
    return {"contents": log_rows(*seen_node(call))}


def get_cluster_dags(call: Call) -> object:
    """Every DAG of the cluster."""
    return _list(call, _of_cluster(call))


def get_agent_dags(call: Call) -> object:
    """Every DAG of an agent."""
    return _list(call, _of_agents(call))


def get_unfinished_dags(call: Call) -> object:
    """Every unfinished DAG."""
    dags = [*_of_cluster(call), *_of_agents(call)]
    return _list(call, [dag for dag in dags if dag.is_unfinished])


def get_cluster_unfinished_dags(call: Call) -> object:
    """Every unfinished DAG of the cluster."""
    return _list(call, [dag for dag in _of_cluster(call) if dag.is_unfinished])


def get_agent_unfinished_dags(call: Call) -> object:
    """Every unfinished DAG of an agent."""
    return _list(call, [dag for dag in _of_agents(call) if dag.is_unfinished])


def get_cluster_maintenance_dag(call: Call) -> object:
    """The last maintenance DAG of the cluster."""
    if not call.session.world.cluster.database_available:
        raise no_task("the database does not answer")
    return _last_maintenance(call, _of_cluster)


def get_agent_maintenance_dag(call: Call) -> object:
    """The last maintenance DAG of an agent."""
    return _last_maintenance(call, _of_agents)


def get_agents_maintenance_dags(call: Call) -> object:
    """The last maintenance DAG of each agent."""
    last: dict[Agent, SeenDag] = {
        dag.id.agent: dag for dag in _of_agents(call) if dag.is_maintenance
    }
    return _list(call, last.values())


def get_main_dags(call: Call) -> object:
    """The DAGs whose parts run at this agent: none, as DAGs here have no parts elsewhere."""
    return _list(call, ())


def seen_node(call: Call) -> tuple[SeenDag, int]:
    """The DAG and the index of the node, or sub-task, in the path.

    Raises:
        GatewayError: It is malformed, or there is none.
    """
    dag_id, index = call.task_id().as_node()
    dag = find_dag(call.session, dag_id)
    if index >= len(dag.course.nodes):
        raise no_task(call.task)
    return dag, index


def _of_cluster(call: Call) -> list[SeenDag]:
    if not call.session.world.cluster.database_available:
        raise database_down()
    return [dag for dag in every_dag(call.session) if dag.id.of_cluster]


def _of_agents(call: Call) -> list[SeenDag]:
    return [dag for dag in every_dag(call.session) if not dag.id.of_cluster]


def _last_maintenance(call: Call, dags: Callable[[Call], list[SeenDag]]) -> object:
    details = call.wants_details()
    found = [dag for dag in dags(call) if dag.is_maintenance]
    if not found:
        raise no_task("there was no maintenance")
    return dag_row(found[-1], details=details)


def _list(call: Call, dags: Iterable[SeenDag]) -> object:
    details = call.wants_details()
    return {"contents": [dag_row(dag, details=details) for dag in dags]}
