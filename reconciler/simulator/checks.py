"""Worlds that cannot be: each check names everything it finds, so one reading shows all of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.documents import some_of
from reconciler.simulator.cluster import ClusterDag, DagState, MaintenanceType, Operator
from reconciler.simulator.generic_ids import parse_generic_id
from reconciler.simulator.world import Job, Node, World

Path = tuple[str | int, ...]
"""Where in the world document: keys and list positions from the top."""

_UNDER_WAY = frozenset({Operator.RUN, Operator.ROLLBACK, Operator.CANCEL})
_OPERATORS = {
    DagState.SUCCEED: frozenset({Operator.RUN, Operator.ROLLBACK, Operator.PASS}),
    DagState.FAILED: _UNDER_WAY,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a world cannot be, and where in its document."""

    path: Path
    message: str

    def __str__(self) -> str:
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{''.join(steps).lstrip('.') or 'world'}: {self.message}"


def check_world(world: World) -> tuple[Problem, ...]:
    """Everything that is impossible about a world, in the order of its document."""
    groups: list[tuple[Path, Sequence[Node]]] = [(("nodes",), world.nodes)]
    groups += [(("flows", i, "nodes"), flow.nodes) for i, flow in enumerate(world.flows)]
    return (
        *_repeated_ids(groups),
        *(problem for path, nodes in groups for problem in _parents(path, nodes)),
        *(problem for path, nodes in groups for problem in _cycles(path, nodes)),
        *(problem for path, nodes in groups for problem in _dates(path, nodes)),
        *_repeated(("flows",), "flow", [f"{flow.project}/{flow.name}" for flow in world.flows]),
        *_repeated(("obshell", "dags"), "DAG id", [dag.id for dag in world.cluster.dags]),
        *_cluster_dags(world.cluster.dags),
        *_repeated(("dataarts", "jobs"), "job", [job.name for job in world.jobs]),
        *_job_tasks(world.jobs),
        *_job_days(world.jobs),
    )


def _repeated_ids(groups: Sequence[tuple[Path, Sequence[Node]]]) -> Iterator[Problem]:
    """Node ids are global in the service: the same one twice is the same node twice."""
    seen: set[int] = set()
    for path, nodes in groups:
        for position, node in enumerate(nodes):
            if node.id in seen:
                yield Problem((*path, position, "id"), f"node {node.id} is there twice")
            seen.add(node.id)


def _parents(path: Path, nodes: Sequence[Node]) -> Iterator[Problem]:
    known = {node.id for node in nodes}
    for position, node in enumerate(nodes):
        seen: set[int] = set()
        for place, parent in enumerate(node.parents):
            where = (*path, position, "parents", place)
            if parent not in known:
                yield Problem(where, f"parent {parent} of node {node.id} is not there")
            elif parent in seen:
                yield Problem(where, f"parent {parent} of node {node.id} is there twice")
            seen.add(parent)


def _cycles(path: Path, nodes: Sequence[Node]) -> Iterator[Problem]:
    """Take nodes without waiting parents away until none is left; what remains waits for itself."""
    known = {node.id for node in nodes}
    waiting = {node.id: set(node.parents) & known for node in nodes}
    children: dict[int, list[int]] = defaultdict(list)
    for node_id, parents in waiting.items():
        for parent in parents:
            children[parent].append(node_id)
    free = [node_id for node_id, parents in waiting.items() if not parents]
    while free:
        done = free.pop()
        del waiting[done]
        for child in children[done]:
            waiting[child].discard(done)
            if not waiting[child]:
                free.append(child)
    if waiting:
        names = some_of([str(node_id) for node_id in sorted(waiting)])
        yield Problem(path, f"nodes wait for one another in a circle, among: {names}")


def _dates(path: Path, nodes: Sequence[Node]) -> Iterator[Problem]:
    for position, node in enumerate(nodes):
        counts = Counter(failure.date for failure in node.failures)
        for date, count in counts.items():
            if count > 1:
                where = (*path, position, "fail")
                yield Problem(where, f"node {node.id} says twice how it fails on {date}")
        for date in sorted(counts.keys() & node.skips):
            where = (*path, position, "skip")
            yield Problem(where, f"node {node.id} cannot both fail and be skipped on {date}")


def _repeated(path: Path, what: str, names: Sequence[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name in seen:
            yield Problem((*path, position), f"{what} {name} is there twice")
        seen.add(name)


def _job_tasks(jobs: Sequence[Job]) -> Iterator[Problem]:
    seen: set[str] = set()
    for position, job in enumerate(jobs):
        if job.task and job.task in seen:
            where = ("dataarts", "jobs", position, "task")
            yield Problem(where, f"task {job.task} is there twice")
        seen.add(job.task)


def _job_days(jobs: Sequence[Job]) -> Iterator[Problem]:
    for position, job in enumerate(jobs):
        path: Path = ("dataarts", "jobs", position)
        counts = Counter(failure.date for failure in job.failures)
        for date, count in counts.items():
            if count > 1:
                yield Problem((*path, "fail"), f"job {job.name} says twice how it fails on {date}")
        for date in sorted(job.running & job.absent):
            message = f"the run of job {job.name} on {date} cannot both go on and be absent"
            yield Problem((*path, "absent"), message)


def _cluster_dags(dags: Sequence[ClusterDag]) -> Iterator[Problem]:
    for position, dag in enumerate(dags):
        path: Path = ("obshell", "dags", position)
        if parse_generic_id(dag.id) is None:
            yield Problem((*path, "id"), f"no agent can have a DAG {dag.id}")
        if dag.operator not in _OPERATORS.get(dag.state, _UNDER_WAY):
            what = f"{dag.state.value} with the operator {dag.operator.value}"
            yield Problem((*path, "operator"), f"DAG {dag.id} cannot be {what}")
        if dag.nodes and dag.finish_after_seconds is not None:
            message = f"DAG {dag.id} has nodes: their seconds say when it ends"
            yield Problem((*path, "finishAfter"), message)
        of_tenant = dag.lock.type is MaintenanceType.TENANT
        if of_tenant is not bool(dag.lock.tenant):
            message = f"DAG {dag.id}: a tenant is named where the maintenance is of type tenant"
            yield Problem((*path, "maintenance"), message)
