"""Triggers and interventions in the database."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.simulator.runs import Intervention, Kind, PlannedNode, Trigger, Verb
from reconciler.simulator.world import Layout

# Ids of different things never look alike, and none fits into 32 bits.
_FIRST_OP_SEQ = 5_000_000_000
_FIRST_DAG = 20_000_000_000
_FIRST_INSTANCE = 300_000_000_000

_COLUMNS = (
    "id, kind, environment, name, first_date, last_date, first_dag, first_instance,"
    " created_work_ms, created_gateway_ms, plan"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFilter:
    """Which triggers are asked for; None means any. Dates are inclusive on both sides."""

    environment: str
    node_id: int | None = None
    dag_id: int | None = None
    flow: str | None = None
    first_date: dt.date | None = None
    last_date: dt.date | None = None


def add_trigger(connection: sqlite3.Connection, draft: Trigger) -> Trigger:
    """Store a trigger; its ids are given here, whatever `draft` says."""
    last = connection.execute(
        "SELECT id, first_dag + dag_count, first_instance + instance_count"
        " FROM triggers ORDER BY id DESC LIMIT 1"
    ).fetchone()
    last_id, next_dag, next_instance = last or (0, _FIRST_DAG, _FIRST_INSTANCE)
    trigger = replace(
        draft,
        id=last_id + 1,
        op_seq=_FIRST_OP_SEQ + last_id + 1,
        first_dag=next_dag,
        first_instance=next_instance,
    )
    connection.execute(
        "INSERT INTO triggers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            trigger.id,
            trigger.kind.value,
            trigger.environment,
            trigger.name,
            trigger.first_date.toordinal(),
            trigger.last_date.toordinal(),
            trigger.first_dag,
            trigger.dag_count,
            trigger.first_instance,
            trigger.instance_count,
            trigger.created_work_ms,
            trigger.created_gateway_ms,
            _plan_text(trigger),
        ),
    )
    connection.executemany(
        "INSERT INTO trigger_nodes VALUES (?, ?)",
        [(node.id, trigger.id) for node in trigger.nodes],
    )
    return trigger


def trigger_of_dag(connection: sqlite3.Connection, dag_id: int) -> Trigger | None:
    """The trigger that has this DAG."""
    return _covering(connection, "first_dag", "dag_count", dag_id)


def trigger_of_instance(connection: sqlite3.Connection, instance_id: int) -> Trigger | None:
    """The trigger that has this instance."""
    return _covering(connection, "first_instance", "instance_count", instance_id)


def trigger_of_op_seq(connection: sqlite3.Connection, op_seq: int) -> Trigger | None:
    """The trigger with this operation sequence number."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM triggers WHERE id = ?",  # noqa: S608 - constant columns
        (op_seq - _FIRST_OP_SEQ,),
    ).fetchone()
    return None if row is None else _trigger(row)


def find_triggers(
    connection: sqlite3.Connection, wanted: TriggerFilter, *, created_ms: tuple[int, int]
) -> tuple[Trigger, ...]:
    """Triggers that may hold matching instances, ascending by id.

    Args:
        connection: An open transaction.
        wanted: What is asked for.
        created_ms: Created within these moments of the work clock, both inclusive.
    """
    conditions = ["environment = ?", "created_work_ms >= ?", "created_work_ms <= ?"]
    values: list[object] = [wanted.environment, *created_ms]
    if wanted.node_id is not None:
        conditions.append("id IN (SELECT trigger_id FROM trigger_nodes WHERE node_id = ?)")
        values.append(wanted.node_id)
    if wanted.dag_id is not None:
        # The last trigger that begins at or before this DAG; the caller looks closer.
        conditions.append("id = (SELECT max(id) FROM triggers WHERE first_dag <= ?)")
        values.append(wanted.dag_id)
    if wanted.flow is not None:
        conditions.append("kind = 'manual' AND name = ?")
        values.append(wanted.flow)
    if wanted.first_date is not None:
        conditions.append("last_date >= ?")
        values.append(wanted.first_date.toordinal())
    if wanted.last_date is not None:
        conditions.append("first_date <= ?")
        values.append(wanted.last_date.toordinal())
    query = f"SELECT {_COLUMNS} FROM triggers WHERE {' AND '.join(conditions)} ORDER BY id"  # noqa: S608 - constant parts
    return tuple(map(_trigger, connection.execute(query, values)))


def triggers_with_counted_failures(
    connection: sqlite3.Connection, limited: Mapping[int, tuple[int, int]]
) -> tuple[Trigger, ...]:
    """Every trigger that may execute a node on a date on which executions are counted.

    Args:
        connection: An open transaction.
        limited: Node id → first and last counted date, as ordinals.
    """
    found: dict[int, Trigger] = {}
    query = (
        f"SELECT {_COLUMNS} FROM triggers WHERE last_date >= ? AND first_date <= ?"  # noqa: S608 - constant columns
        " AND id IN (SELECT trigger_id FROM trigger_nodes WHERE node_id = ?)"
    )
    for node_id, (first, last) in limited.items():
        for row in connection.execute(query, (first, last, node_id)):
            found[row[0]] = _trigger(row)
    return tuple(found[key] for key in sorted(found))


def add_intervention(connection: sqlite3.Connection, done: Intervention) -> None:
    """Store what a person did."""
    connection.execute(
        "INSERT INTO interventions (trigger_id, place, verb, at_ms) VALUES (?, ?, ?, ?)",
        (done.trigger_id, done.index, done.verb.value, done.at_ms),
    )


def interventions_of(
    connection: sqlite3.Connection, trigger_ids: Iterable[int]
) -> tuple[Intervention, ...]:
    """What was done to these triggers, in the order it was done."""
    rows: list[tuple[int, int, int, str, int]] = []
    for trigger_id in trigger_ids:
        rows += connection.execute(
            "SELECT seq, trigger_id, place, verb, at_ms FROM interventions WHERE trigger_id = ?",
            (trigger_id,),
        ).fetchall()
    return tuple(
        Intervention(trigger_id=trigger_id, index=place, verb=Verb(verb), at_ms=at_ms)
        for _, trigger_id, place, verb, at_ms in sorted(rows)
    )


def _covering(
    connection: sqlite3.Connection, first: str, count: str, wanted: int
) -> Trigger | None:
    row = connection.execute(
        f"SELECT {_COLUMNS}, {first} + {count} FROM triggers"  # noqa: S608 - constant columns
        f" WHERE {first} <= ? ORDER BY {first} DESC LIMIT 1",
        (wanted,),
    ).fetchone()
    return None if row is None or wanted >= row[-1] else _trigger(row[:-1])


def _plan_text(trigger: Trigger) -> str:
    """What no query looks at, as compact JSON."""
    plan = {
        "project": trigger.project,
        "concurrent": trigger.concurrent_dates,
        "layout": trigger.layout.value,
        "dag_params": trigger.dag_params,
        "node_params": {str(key): text for key, text in trigger.node_params.items()},
        "nodes": [[n.id, n.name, n.parents, n.hours, n.excluded] for n in trigger.nodes],
    }
    return json.dumps(plan, ensure_ascii=False, separators=(",", ":"))


def _trigger(row: Sequence[object]) -> Trigger:
    (number, kind, environment, name, first_date, last_date, first_dag, first_instance, *rest) = (
        row
    )
    created_work_ms, created_gateway_ms, plan_text = rest
    plan = json.loads(str(plan_text))
    return Trigger(
        id=_int(number),
        kind=Kind(kind),
        environment=str(environment),
        name=str(name),
        project=plan["project"],
        nodes=tuple(
            PlannedNode(
                id=node_id,
                name=node_name,
                parents=tuple(parents),
                hours=None if hours is None else tuple(hours),
                excluded=excluded,
            )
            for node_id, node_name, parents, hours, excluded in plan["nodes"]
        ),
        first_date=dt.date.fromordinal(_int(first_date)),
        last_date=dt.date.fromordinal(_int(last_date)),
        concurrent_dates=plan["concurrent"],
        layout=Layout(plan["layout"]),
        dag_params=plan["dag_params"],
        node_params={int(key): text for key, text in plan["node_params"].items()},
        op_seq=_FIRST_OP_SEQ + _int(number),
        first_dag=_int(first_dag),
        first_instance=_int(first_instance),
        created_work_ms=_int(created_work_ms),
        created_gateway_ms=_int(created_gateway_ms),
    )


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"expected a number in the simulator database, found {value!r}")
    return value
