"""The part `obshell` of a world document: plain data to a `Cluster` and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.simulator.cluster import (
    Cluster,
    ClusterDag,
    ClusterNode,
    DagState,
    Maintenance,
    MaintenanceType,
    Operator,
)
from reconciler.simulator.world import DEFAULT_SECONDS

_AVAILABLE, _DOWN = "available", "down"
_PERMISSIONS = ("retryable", "rollbackable", "cancellable", "passable")


def build_cluster(value: Mapping[str, Any]) -> Cluster:
    """The cluster of a document that fits the schema."""
    return Cluster(
        dags=tuple(map(_dag, value.get("dags", ()))),
        database_available=value.get("database", _AVAILABLE) == _AVAILABLE,
    )


def cluster_document(cluster: Cluster) -> dict[str, Any]:
    """The document of a cluster; `build_cluster` reads it back."""
    return {
        "dags": list(map(_dag_document, cluster.dags)),
        "database": _AVAILABLE if cluster.database_available else _DOWN,
    }


def _dag(item: Mapping[str, Any]) -> ClusterDag:
    lock = item.get("maintenance")
    return ClusterDag(
        id=item["id"],
        name=item.get("name", ""),
        state=DagState(item.get("state", DagState.RUNNING.value)),
        operator=Operator(item.get("operator", Operator.RUN.value)),
        maintenance=None if lock is None else _maintenance(lock),
        finish_after_seconds=item.get("finishAfter"),
        nodes=tuple(map(_node, item.get("nodes", ()))),
    )


def _dag_document(dag: ClusterDag) -> dict[str, Any]:
    lock, end = dag.maintenance, dag.finish_after_seconds
    return {
        "id": dag.id,
        "name": dag.name,
        "state": dag.state.value,
        "operator": dag.operator.value,
        **({} if lock is None else {"maintenance": _maintenance_document(lock)}),
        **({} if end is None else {"finishAfter": end}),
        **({"nodes": list(map(_node_document, dag.nodes))} if dag.nodes else {}),
    }


def _maintenance(item: Mapping[str, Any]) -> Maintenance:
    return Maintenance(type=MaintenanceType(item["type"]), tenant=item.get("tenant", ""))


def _maintenance_document(lock: Maintenance) -> dict[str, Any]:
    return {"type": lock.type.value, **({"tenant": lock.tenant} if lock.tenant else {})}


def _node(item: Mapping[str, Any]) -> ClusterNode:
    fail = item.get("fail", False)
    logs = item.get("logs")
    return ClusterNode(
        name=item["name"],
        seconds=item.get("seconds", DEFAULT_SECONDS),
        fail_times=(None if fail else 0) if isinstance(fail, bool) else fail["times"],
        logs=None if logs is None else tuple(logs),
        **{name: item.get(name, True) for name in _PERMISSIONS},
    )


def _node_document(node: ClusterNode) -> dict[str, Any]:
    fail = {"times": node.fail_times} if node.fail_times else node.fail_times is None
    return {
        "name": node.name,
        "seconds": node.seconds,
        "fail": fail,
        **({} if node.logs is None else {"logs": list(node.logs)}),
        **{name: getattr(node, name) for name in _PERMISSIONS},
    }
