"""How a DAG moves: from what the world says it is and what people did to it, to where it is now.

`replay` has no memory: the same DAG, operations and moment always give the same course, so nothing
that follows is stored. The rules (OBShell server source 61ee147, and our reading of it):

- The nodes of a DAG are its stages, strictly one after another. A failed node ends the DAG.
- A scheduler picks a READY DAG up at its next tick, one second later, and again after RETRY, ROLLBACK,
  CANCEL or a passed node. The work clock counts.
- RETRY runs the current node again; the DAG's operator is RUN again, only the node says RETRY.
- ROLLBACK goes back from the current node to the first, each for as long as it runs.
- CANCEL ends as FAILED one tick after it was picked up. PASS ends at once.
- A passed node lets its DAG go on with the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reconciler.simulator.cluster import ClusterDag, ClusterNode, DagState, Operator
from reconciler.simulator.logs import iso
from reconciler.simulator.world import DEFAULT_SECONDS

TICK_MS = 1000
_UNFINISHED = frozenset({DagState.PENDING, DagState.READY, DagState.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What someone did to a DAG, or to its node number `node`, at a moment of the work clock."""

    operator: Operator
    at_ms: int
    node: int | None = None


@dataclass(slots=True, kw_only=True)
class NodeCourse:
    """Where a node is, and its one sub-task with it. Moments are None until they come."""

    plan: ClusterNode
    state: DagState = DagState.PENDING
    operator: Operator = Operator.RUN
    start_ms: int | None = None
    end_ms: int | None = None
    executions: int = 0
    printed: list[str] = field(default_factory=list)

    @property
    def logs(self) -> Sequence[str]:
        """What its executions printed."""
        return self.printed if self.plan.logs is None else self.plan.logs

    @property
    def fails(self) -> bool:
        """Whether the latest execution is one that fails."""
        return self.plan.fail_times is None or self.executions <= self.plan.fail_times

    def begin(self, at_ms: int) -> None:
        """Begin an execution, or to roll one back."""
        self.state, self.start_ms, self.end_ms = DagState.RUNNING, at_ms, None
        if self.operator in {Operator.RUN, Operator.RETRY}:
            self.executions += 1
        self._print(at_ms, "begins")

    def end(self, state: DagState, at_ms: int) -> None:
        """End as succeeded or failed; one that never began did so now."""
        self.start_ms = at_ms if self.start_ms is None else self.start_ms
        self.state, self.end_ms = state, at_ms
        self._print(at_ms, f"ends: {state.value}")

    def wait(self, operator: Operator) -> None:
        """Wait for the scheduler, as if never begun."""
        self.state, self.operator = DagState.PENDING, operator
        self.start_ms = self.end_ms = None

    def _print(self, at_ms: int, what: str) -> None:
        count = f" {self.executions}" if self.executions else ""
        self.printed.append(
            f"{iso(at_ms)} {self.operator.value}{count} of {self.plan.name} {what}"
        )


@dataclass(slots=True, kw_only=True)
class Course:
    """Where a DAG is: its own state, its nodes, and which of them (`current`) is or was at work."""

    state: DagState
    operator: Operator
    nodes: list[NodeCourse]
    current: int = 0
    start_ms: int | None = None
    end_ms: int | None = None
    _due_ms: int | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing goes on any more."""
        return self.state not in _UNFINISHED

    def go_on(self, until_ms: int) -> None:
        """Let everything happen until a moment, that moment included."""
        while self._due_ms is not None and self._due_ms <= until_ms:
            at_ms, self._due_ms = self._due_ms, None
            if self.state is DagState.RUNNING:
                self._node_ends(at_ms)
            else:
                self._picked_up(at_ms)

    def operate(self, done: Operation) -> None:
        """Do to the DAG what is allowed (see `operators`)."""
        node = self.nodes[self.current]
        match done.operator:
            case Operator.PASS if done.node is None:
                self._pass_all(done.at_ms)
            case Operator.PASS:
                node.operator = Operator.PASS
                node.end(DagState.SUCCEED, done.at_ms)
                self.current = min(self.current + 1, len(self.nodes) - 1)
                self._queue(Operator.RUN, done.at_ms)
            case Operator.RETRY:
                node.wait(Operator.RETRY)
                self.start_ms = None
                self._queue(Operator.RUN, done.at_ms)
            case _:
                node.operator = done.operator
                self._queue(done.operator, done.at_ms)

    def begin(self, at_ms: int) -> None:
        """Begin in the state and with the operator that the world gives."""
        node = self.nodes[self.current]
        match self.state:
            case DagState.PENDING | DagState.READY:
                # One that would never end waits for ever.
                self._due_ms = None if node.plan.seconds is None else at_ms + TICK_MS
            case DagState.RUNNING:
                self.start_ms = at_ms
                self._node_begins(at_ms)
            case DagState.FAILED:
                node.end(DagState.FAILED, at_ms)
                self._finish(DagState.FAILED, at_ms)
            case DagState.SUCCEED:
                for each in self.nodes:
                    each.operator = self.operator
                    each.end(DagState.SUCCEED, at_ms)
                self._finish(DagState.SUCCEED, at_ms)

    def _picked_up(self, at_ms: int) -> None:
        self.state = DagState.RUNNING
        self.start_ms = at_ms if self.start_ms is None else self.start_ms
        node = self.nodes[self.current]
        if self.operator is Operator.RUN and node.state is DagState.SUCCEED:
            self._finish(DagState.SUCCEED, at_ms)  # Its last node was passed.
        elif self.operator is Operator.CANCEL:
            self._due_ms = at_ms + TICK_MS
        else:
            self._node_begins(at_ms)

    def _node_begins(self, at_ms: int) -> None:
        node = self.nodes[self.current]
        node.begin(at_ms)
        seconds = node.plan.seconds
        self._due_ms = None if seconds is None else at_ms + round(seconds * 1000)

    def _node_ends(self, at_ms: int) -> None:
        node = self.nodes[self.current]
        failed = self.operator is Operator.CANCEL or (self.operator is Operator.RUN and node.fails)
        node.end(DagState.FAILED if failed else DagState.SUCCEED, at_ms)
        back = self.operator is Operator.ROLLBACK
        if failed:
            self._finish(DagState.FAILED, at_ms)
        elif self.current == (0 if back else len(self.nodes) - 1):
            self._finish(DagState.SUCCEED, at_ms)
        else:
            self.current += -1 if back else 1
            if back:
                self.nodes[self.current].operator = Operator.ROLLBACK
            self._node_begins(at_ms)

    def _pass_all(self, at_ms: int) -> None:
        for node in self.nodes[self.current :]:
            node.operator = Operator.PASS
            node.end(DagState.SUCCEED, at_ms)
        self.current, self.operator = len(self.nodes) - 1, Operator.PASS
        self._finish(DagState.SUCCEED, at_ms)

    def _queue(self, operator: Operator, at_ms: int) -> None:
        self.state, self.operator, self.end_ms = DagState.READY, operator, None
        self._due_ms = at_ms + TICK_MS

    def _finish(self, state: DagState, at_ms: int) -> None:
        self.start_ms = at_ms if self.start_ms is None else self.start_ms
        self.state, self.end_ms = state, at_ms


def replay(dag: ClusterDag, began_ms: int, done: Sequence[Operation], until_ms: int) -> Course:
    """Work out where a DAG is at a moment of the work clock.

    Args:
        dag: What the world says of it.
        began_ms: Since when it says so.
        done: What was done to it since, in its order; all of it was allowed.
        until_ms: What happens at this very moment has happened.
    """
    course = _at_first(dag)
    course.begin(began_ms)
    for operation in done:
        course.go_on(operation.at_ms)
        course.operate(operation)
    course.go_on(until_ms)
    return course


def _at_first(dag: ClusterDag) -> Course:
    """A course before it begins: where it is, and what lies behind it."""
    nodes = [NodeCourse(plan=plan) for plan in _plans(dag)]
    course = Course(state=dag.state, operator=dag.operator, nodes=nodes)
    unfinished = dag.state in _UNFINISHED
    if dag.state is DagState.SUCCEED:
        course.current = 0 if dag.operator is Operator.ROLLBACK else len(nodes) - 1
    elif dag.operator is not Operator.RUN or not unfinished:
        course.current = _failing(nodes)
        nodes[course.current].operator = dag.operator
    if dag.operator is not Operator.PASS and not (unfinished and dag.operator is Operator.RUN):
        for node in nodes[: course.current + 1]:
            node.executions = 1
    for node in nodes[: course.current]:
        node.state = DagState.SUCCEED
    return course


def _failing(nodes: Sequence[NodeCourse]) -> int:
    """The node that a DAG failed in: the first that fails, or else the last."""
    for index, node in enumerate(nodes):
        if node.plan.fail_times != 0:
            return index
    return len(nodes) - 1


def _plans(dag: ClusterDag) -> Sequence[ClusterNode]:
    seconds = dag.finish_after_seconds
    if seconds is None and dag.state not in _UNFINISHED:
        seconds = DEFAULT_SECONDS
    return dag.nodes or (ClusterNode(name=dag.shown_name, seconds=seconds),)
