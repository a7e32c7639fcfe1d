"""Which DAGs there are, and where each is now.

A DAG of the world begins when the world begins to name it as it does; a world that changes an entry
lets that DAG begin anew, and one that leaves it as it is changes nothing. In a world that is not
strict, any other DAG begins when it is first asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.simulator.cluster import ClusterDag, DagState, MaintenanceType
from reconciler.simulator.generic_ids import GenericId, parse_generic_id
from reconciler.simulator.obshell import records
from reconciler.simulator.obshell.courses import Course, replay
from reconciler.simulator.obshell.refusals import no_task
from reconciler.simulator.session import Session
from reconciler.simulator.world import DEFAULT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDag:
    """A DAG, and where it is now."""

    id: GenericId
    plan: ClusterDag
    began_ms: int
    course: Course

    @property
    def is_maintenance(self) -> bool:
        """Whether it keeps others away while it is unfinished."""
        return self.plan.lock.type is not MaintenanceType.NONE

    @property
    def is_unfinished(self) -> bool:
        """Whether it is listed as unfinished: a failed one is while its maintenance goes on."""
        failed = self.course.state is DagState.FAILED
        return not self.course.finished or (failed and self.is_maintenance)


def find_dag(session: Session, dag_id: GenericId) -> SeenDag:
    """The DAG with this id; it begins now if the world leaves that open.

    Raises:
        GatewayError: There is none, or the OceanBase database, which keeps it, is down.
    """
    text, world = str(dag_id), session.world
    if dag_id.of_cluster and not world.cluster.database_available:
        raise no_task(f"{text}: the database does not answer")
    plan = world.cluster.dag(text)
    if plan is not None:
        return _seen(session, plan, dag_id, _named_since(session, plan))
    if world.strict or not dag_id.number:
        raise no_task(text)
    began_ms = records.open_dag(session.connection, text, session.work_ms)
    return _seen(session, _open(text), dag_id, began_ms)


def every_dag(session: Session) -> tuple[SeenDag, ...]:
    """Every DAG there is, in the order they began."""
    world = session.world
    began = [(plan, _named_since(session, plan)) for plan in world.cluster.dags]
    if not world.strict:
        began += [
            (_open(text), began_ms)
            for text, began_ms in records.opened_dags(session.connection)
            if world.cluster.dag(text) is None
        ]
    seen = [
        _seen(session, plan, dag_id, began_ms)
        for plan, began_ms in began
        # Older databases may have a world with other ids: nobody can ask for those.
        if (dag_id := parse_generic_id(plan.id)) is not None
    ]
    return tuple(sorted(seen, key=lambda dag: dag.began_ms))


def _seen(session: Session, plan: ClusterDag, dag_id: GenericId, began_ms: int) -> SeenDag:
    done = records.operations_on(session.connection, plan.id, began_ms)
    course = replay(plan, began_ms, done, session.work_ms)
    return SeenDag(id=dag_id, plan=plan, began_ms=began_ms, course=course)


def _open(text: str) -> ClusterDag:
    """A DAG that no world names."""
    return ClusterDag(id=text, finish_after_seconds=DEFAULT_SECONDS)


def _named_since(session: Session, plan: ClusterDag) -> int:
    """Since when the world has this very entry."""
    since_ms = session.worlds[-1].from_ms
    for version in reversed(session.worlds):
        if version.world.cluster.dag(plan.id) != plan:
            break
        since_ms = version.from_ms
    return since_ms
