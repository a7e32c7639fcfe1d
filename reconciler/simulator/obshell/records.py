"""DAGs and operations in the database: stored as rows, read back as values."""

from __future__ import annotations

import sqlite3

from reconciler.simulator.cluster import Operator
from reconciler.simulator.obshell.courses import Operation


def open_dag(connection: sqlite3.Connection, dag_id: str, at_ms: int) -> int:
    """Let a DAG that no world names begin now, unless it did before; when it began."""
    connection.execute("INSERT OR IGNORE INTO cluster_dags VALUES (?, ?)", (dag_id, at_ms))
    row = connection.execute("SELECT began_ms FROM cluster_dags WHERE id = ?", (dag_id,))
    return int(row.fetchone()[0])


def opened_dags(connection: sqlite3.Connection) -> tuple[tuple[str, int], ...]:
    """Id and beginning of every DAG that began because someone asked for it."""
    rows = connection.execute("SELECT id, began_ms FROM cluster_dags ORDER BY began_ms, id")
    return tuple(rows.fetchall())


def add_operation(connection: sqlite3.Connection, dag_id: str, done: Operation) -> None:
    """Store what someone did to a DAG or its node."""
    connection.execute(
        "INSERT INTO cluster_operations (dag_id, node, operator, at_ms) VALUES (?, ?, ?, ?)",
        (dag_id, done.node, done.operator.value, done.at_ms),
    )


def operations_on(
    connection: sqlite3.Connection, dag_id: str, since_ms: int
) -> tuple[Operation, ...]:
    """What was done to a DAG since it began, in the order it was done."""
    rows = connection.execute(
        "SELECT operator, at_ms, node FROM cluster_operations"
        " WHERE dag_id = ? AND at_ms >= ? ORDER BY seq",
        (dag_id, since_ms),
    )
    return tuple(
        Operation(operator=Operator(operator), at_ms=at_ms, node=node)
        for operator, at_ms, node in rows
    )
