"""Which operators a DAG and a node take in which state (OBShell server source 61ee147)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from reconciler.simulator.cluster import ClusterNode, DagState, Operator
from reconciler.simulator.obshell.courses import Course
from reconciler.simulator.obshell.refusals import not_now

_PERMISSIONS: Mapping[Operator, Callable[[ClusterNode], bool]] = {
    Operator.RETRY: lambda node: node.retryable,
    Operator.ROLLBACK: lambda node: node.rollbackable,
    Operator.CANCEL: lambda node: node.cancellable,
    Operator.PASS: lambda node: node.passable,
}


def dag_operator(course: Course, word: str) -> Operator:
    """What to do to a DAG; the word may have any case.

    Raises:
        GatewayError: There is no such operator for a DAG, or not now.
    """
    operator = _operator("Dag", word, _PERMISSIONS.keys())
    name = operator.value.capitalize()
    if operator is Operator.CANCEL and course.finished:
        raise not_now("Dag", "CancelFinishedDag", word)
    if operator is not Operator.CANCEL and course.state is not DagState.FAILED:
        raise not_now("Dag", f"{name}NotFailedDag", word)
    if not all(map(_PERMISSIONS[operator], _concerned(course, operator))):
        raise not_now("Dag", f"{name}NotAllowed", word)
    return operator


def node_operator(course: Course, index: int, word: str) -> Operator:
    """What to do to a node: PASS and nothing else.

    Raises:
        GatewayError: It is something else, or not now.
    """
    operator = _operator("Node", word, {Operator.PASS})
    node = course.nodes[index]
    if course.state is not DagState.FAILED:
        raise not_now("Node", "PassNotFailedDag", word)
    if node.state is not DagState.FAILED:
        raise not_now("Node", "PassNotFailedNode", word)
    if not node.plan.passable:
        raise not_now("Node", "PassNotAllowed", word)
    return operator


def _operator(what: str, word: str, known: Collection[Operator]) -> Operator:
    for operator in known:
        if operator.value == word.upper():
            return operator
    raise not_now(what, "NotSupport", word)


def _concerned(course: Course, operator: Operator) -> Sequence[ClusterNode]:
    """The nodes that have to allow an operator."""
    plans = [node.plan for node in course.nodes]
    match operator:
        case Operator.RETRY:
            return plans[course.current : course.current + 1]
        case Operator.ROLLBACK:
            return plans[: course.current + 1]
        case _:
            return plans[course.current :]
