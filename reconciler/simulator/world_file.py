"""World documents: plain data to a `World` and back, and world files.

The format is the one of `schemas/world.schema.json`, which is where each field is described.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from reconciler.documents import (
    ListNode,
    MapNode,
    Problems,
    ScalarNode,
    check_schema,
    plain,
    read_documents,
)
from reconciler.documents import Node as DocumentNode
from reconciler.model.errors import InputError
from reconciler.simulator.checks import check_world
from reconciler.simulator.cluster_file import build_cluster, cluster_document
from reconciler.simulator.world import (
    DEFAULT_SECONDS,
    Failure,
    Flow,
    Job,
    Layout,
    Limits,
    Node,
    Relay,
    Schedule,
    World,
)

#: After so many impossible things the rest is left for the next time.
PROBLEM_LIMIT = 100

_DATE_FIELDS = frozenset({"fail", "skip", "date", "running", "absent"})


def parse_world(value: Mapping[str, Any], name: str = "world") -> World:
    """Read a world document.

    Args:
        value: Plain data, as JSON has it.
        name: What messages call the document.

    Raises:
        InputError: It does not fit the schema, or describes a world that cannot be.
    """
    return read_world(json.dumps(value, ensure_ascii=False).encode(), name)


def load_world(path: Path) -> World:
    """Read a world file.

    Raises:
        InputError: It is no YAML, or no world; says everything that is wrong, and where.
        OSError: It cannot be read.
    """
    return read_world(path.read_bytes(), str(path))


def read_world(data: bytes, file: str) -> World:
    """Read a world from YAML or JSON text; nothing at all is a world that leaves everything open.

    Raises:
        InputError: As `load_world`.
    """
    read = read_documents(data, file)
    problems = Problems(read.source)
    problems.found.extend(read.diagnostics)
    if not read.documents and not read.diagnostics:
        return World()
    for document in read.documents[1:]:
        problems.error(
            document.root, "second_document", "a world is one document", hint="join the two"
        )
    world = World()
    if not problems.found and check_schema(read.documents[0], "world", problems):
        world = _world(read.documents[0].root, problems)
    if problems.found:
        raise InputError(problems.found)
    return world


def _world(root: DocumentNode, problems: Problems) -> World:
    """The world of a document that fits the schema; what cannot be is noted."""
    _check_dates(root, problems)
    if problems.found:
        return World()
    world = build_world(cast("Mapping[str, Any]", plain(root)))
    for problem in check_world(world)[:PROBLEM_LIMIT]:
        problems.error(
            _at(root, problem.path),
            "impossible_world",
            str(problem),
            hint="change it: no service could be so; `reconciler schema world` describes each field",
        )
    return world


def _check_dates(node: DocumentNode, problems: Problems, *, dates: bool = False) -> None:
    """Note texts that stand where a date has to, look like one, and are none."""
    match node:
        case MapNode():
            for key, item in node.entries.items():
                _check_dates(item, problems, dates=key in _DATE_FIELDS)
        case ListNode():
            for item in node.items:
                _check_dates(item, problems, dates=dates)
        case ScalarNode():
            # A node of a cluster's DAG fails whatever the date: `fail: true`.
            if dates and isinstance(node.value, str) and not _is_date(node.value):
                problems.error(
                    node, "no_date", f"there is no date {node.text}", hint="write it as 2020-05-20"
                )


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _at(node: DocumentNode, path: Sequence[str | int]) -> DocumentNode:
    """The node at a path."""
    for step in path:
        if isinstance(node, MapNode):
            node = node.entries[str(step)]
        elif isinstance(node, ListNode):
            node = node.items[int(step)]
    return node


def build_world(value: Mapping[str, Any]) -> World:
    """The world of a document that fits the schema."""
    return World(
        strict=value.get("strict", False),
        nodes=tuple(map(_node, value.get("nodes", ()))),
        flows=tuple(
            Flow(
                project=item["project"], name=item["name"], nodes=tuple(map(_node, item["nodes"]))
            )
            for item in value.get("flows", ())
        ),
        layout=Layout(value.get("layout", Layout.PER_DATE.value)),
        listing_lag_seconds=value.get("listingLag", 0),
        retention_days=value.get("retentionDays", 30),
        limits=_limits(value.get("limits", {})),
        cluster=build_cluster(value.get("obshell", {})),
        jobs=tuple(map(_job, value.get("dataarts", {}).get("jobs", ()))),
        creation_lag_seconds=value.get("dataarts", {}).get("creationLag", 0),
    )


def world_document(world: World) -> dict[str, Any]:
    """The document of a world, with every field; `build_world` reads it back."""
    return {
        "strict": world.strict,
        "nodes": list(map(_node_document, world.nodes)),
        "flows": [
            {"project": f.project, "name": f.name, "nodes": list(map(_node_document, f.nodes))}
            for f in world.flows
        ],
        "layout": world.layout.value,
        "listingLag": world.listing_lag_seconds,
        "retentionDays": world.retention_days,
        "limits": {
            "readQps": world.limits.read_qps,
            "writeQps": world.limits.write_qps,
            "dailyCalls": world.limits.daily_calls,
        },
        "obshell": cluster_document(world.cluster),
        "dataarts": {
            "jobs": list(map(_job_document, world.jobs)),
            "creationLag": world.creation_lag_seconds,
        },
    }


def _node(item: Mapping[str, Any]) -> Node:
    return Node(
        id=item["id"],
        name=item.get("name", ""),
        parents=tuple(item.get("parents", ())),
        seconds=item.get("seconds", DEFAULT_SECONDS),
        failures=_failures(item),
        skips=frozenset(map(dt.date.fromisoformat, item.get("skip", ()))),
        schedule=Schedule(item.get("schedule", Schedule.DAILY.value)),
    )


def _node_document(node: Node) -> dict[str, Any]:
    return {
        "id": node.id,
        **({"name": node.name} if node.name else {}),
        "parents": list(node.parents),
        "seconds": node.seconds,
        "fail": _failures_document(node.failures),
        "skip": sorted(map(str, node.skips)),
        "schedule": node.schedule.value,
    }


def _failures(item: Mapping[str, Any]) -> tuple[Failure, ...]:
    entries: list[Mapping[str, Any]] = [
        {"date": entry} if isinstance(entry, str) else entry for entry in item.get("fail", ())
    ]
    return tuple(
        Failure(date=dt.date.fromisoformat(entry["date"]), times=entry.get("times"))
        for entry in entries
    )


def _failures_document(failures: Sequence[Failure]) -> list[str | dict[str, Any]]:
    return [
        str(failure.date)
        if failure.times is None
        else {"date": str(failure.date), "times": failure.times}
        for failure in failures
    ]


def _limits(item: Mapping[str, Any]) -> Limits:
    return Limits(
        read_qps=item.get("readQps", 0),
        write_qps=item.get("writeQps", 0),
        daily_calls=item.get("dailyCalls", 0),
    )


def _job(item: Mapping[str, Any]) -> Job:
    relay = item.get("relay")
    return Job(
        name=item["name"],
        task=item.get("task", ""),
        operator=item.get("operator", ""),
        tables=tuple(item.get("tables", ())),
        seconds=item.get("seconds", DEFAULT_SECONDS),
        failures=_failures(item),
        schedule=Schedule(item.get("schedule", Schedule.DAILY.value)),
        trigger=item.get("trigger", True),
        running=frozenset(map(dt.date.fromisoformat, item.get("running", ()))),
        absent=frozenset(map(dt.date.fromisoformat, item.get("absent", ()))),
        relay=None if relay is None else Relay(status=relay["status"], message=relay["msg"]),
    )


def _job_document(job: Job) -> dict[str, Any]:
    relay = job.relay
    return {
        "name": job.name,
        "task": job.task,
        "operator": job.operator,
        "tables": list(job.tables),
        "seconds": job.seconds,
        "fail": _failures_document(job.failures),
        "schedule": job.schedule.value,
        "trigger": job.trigger,
        "running": sorted(map(str, job.running)),
        "absent": sorted(map(str, job.absent)),
        **({} if relay is None else {"relay": {"status": relay.status, "msg": relay.message}}),
    }
