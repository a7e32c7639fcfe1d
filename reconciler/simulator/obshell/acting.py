"""What people do to DAGs and nodes."""

from __future__ import annotations

from reconciler.simulator.obshell import records
from reconciler.simulator.obshell.call import Call
from reconciler.simulator.obshell.catalogue import find_dag
from reconciler.simulator.obshell.courses import Operation
from reconciler.simulator.obshell.operators import dag_operator, node_operator
from reconciler.simulator.obshell.reading import seen_node


def operate_dag(call: Call) -> None:
    """RETRY, ROLLBACK, CANCEL or PASS a DAG."""
    word = call.operator()
    dag = find_dag(call.session, call.task_id())
    operator = dag_operator(dag.course, word)
    _store(call, dag.plan.id, Operation(operator=operator, at_ms=call.session.work_ms))


def operate_node(call: Call) -> None:
    """PASS a node."""
    word = call.operator()
    dag, index = seen_node(call)
    operator = node_operator(dag.course, index, word)
    done = Operation(operator=operator, at_ms=call.session.work_ms, node=index)
    _store(call, dag.plan.id, done)


def _store(call: Call, dag_id: str, done: Operation) -> None:
    records.add_operation(call.session.connection, dag_id, done)
