"""The defaults that the schemas tell editors are those that the code uses."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.schema_files import read_schema
from reconciler.simulator.world_file import read_world
from reconciler.specs import load_project
from tests.unit.specs.spec_files import load

Step = str | int


def _spec(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "a", "annotations": {"owner": "o"}, "labels": {"team": "t"}}
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _project(name: str, connection: dict[str, Any]) -> dict[str, Any]:
    # Connections come first: their place is part of them.
    limits = {"readQps": 7, "writeQps": 2, "dailyCalls": 9}
    full = {**connection, "endpoint": "simulator", "limits": limits, "simulator": {"clock": "x9"}}
    return {
        "apiVersion": "reconciler/v1",
        "kind": "Project",
        "metadata": {"name": "p"},
        "spec": {
            "connections": {name: full},
            "specs": ["other/*.yaml"],
            "state": "sqlite:///other.db",
            "policy": {
                "requireAnnotations": ["owner"],
                "planExpiry": "2d",
                "freezes": [{"from": "2026-11-10T00:00+08:00", "until": "2026-11-12T00:00+08:00"}],
            },
        },
    }


_SHARED = {
    "dates": {"start": "2020-05-20", "end": "2020-05-31", "except": ["2020-05-25"]},
    "reruns": [{"generation": 2, "dates": "all", "reason": "r"}],
    "onFailure": "rerun",
    "maxAttempts": 5,
    "onChange": "keep",
    "requires": ["gate.g"],
    "rollout": {"canary": 1, "stopAfterFailures": 2, "order": "newest"},
}
_TIMES = {"timezone": "Asia/Tokyo", "clockSkew": "30s", "listingLag": "90s"}
_STATIC = {"source": "static", "accessKeyId": "a", "accessKeySecret": "b"}
_NODE = {
    "id": 2,
    "parents": [1],
    "seconds": 5,
    "fail": ["2020-05-21"],
    "skip": ["2020-05-22"],
    "schedule": "hourly",
}

#: Documents in which no field has its default.
FULL: dict[str, list[dict[str, Any]]] = {
    "backfill": [
        _spec(
            "Backfill",
            {
                "connection": "prod",
                "target": {"rootNode": 1, "includeNodes": [1, 2], "excludeNodes": [3]},
                **_SHARED,
                "params": {"2": {"k": "v"}},
                "parallelism": 4,
            },
        ),
        _spec(
            "Backfill",
            {"connection": "hw", "target": {"job": "j", "planOffsetDays": 1}, **_SHARED},
        ),
    ],
    "manualflow": [
        _spec(
            "ManualFlow",
            {
                "connection": "prod",
                "target": {"flow": "f"},
                **_SHARED,
                "params": {"flow": {"k": "v"}, "nodes": {"2": {"k": "v"}}},
            },
        )
    ],
    "gate": [
        _spec(
            "Gate",
            {
                "connection": "hw",
                "dataarts": {"job": "j", "window": {"offsetDays": 2, "days": 3}},
            },
        )
    ],
    "project": [
        _project(
            "prod",
            {
                "provider": "dataworks",
                "region": "cn-shanghai",
                "environment": "DEV",
                "credentials": _STATIC,
                "markers": True,
                **_TIMES,
            },
        ),
        _project(
            "hw",
            {
                "provider": "dataarts",
                "region": "cn-north-4",
                "projectId": "p",
                "credentials": _STATIC,
                **_TIMES,
            },
        ),
        _project("ob", {"provider": "obshell", "user": "u"}),
    ],
    "world": [
        {
            "strict": True,
            "nodes": [{"id": 1}, _NODE],
            "flows": [{"project": "p", "name": "f", "nodes": [{"id": 9}]}],
            "layout": "single",
            "listingLag": 5,
            "retentionDays": 9,
            "limits": {"readQps": 1, "writeQps": 2, "dailyCalls": 3},
            "obshell": {
                "dags": [
                    {
                        "id": "117",
                        "name": "Upgrade",
                        "state": "FAILED",
                        "operator": "ROLLBACK",
                        "nodes": [
                            {
                                "name": "Install",
                                "seconds": 5,
                                "fail": {"times": 1},
                                "retryable": False,
                                "rollbackable": False,
                                "cancellable": False,
                                "passable": False,
                            }
                        ],
                    }
                ],
                "database": "down",
            },
            "dataarts": {
                "creationLag": 5,
                "jobs": [
                    {
                        "name": "j",
                        "task": "937",
                        "operator": "o",
                        "tables": ["t"],
                        "seconds": 5,
                        "fail": ["2020-05-21"],
                        "schedule": "hourly",
                        "trigger": False,
                        "running": ["2020-05-22"],
                        "absent": ["2020-05-23"],
                    }
                ],
            },
        }
    ],
}

#: What annotates a spec changes nothing of what a gate is.
_SAME_ANYHOW = {("gate", ".metadata.annotations"), ("gate", ".metadata.labels")}


def _resolved(schema: Any, root: Any, where: str) -> tuple[Any, str]:
    while "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        schema, where = root["$defs"][name], f"#{name}"
    return schema, where


def _declared(schema: Any, root: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Each field of a schema that has a default, by where the schema declares it, and the default."""
    for name, item in schema.get("properties", {}).items():
        field, _ = _resolved(item, root, where)
        if "default" in field:
            yield f"{where}.{name}", field["default"]
        yield from _declared(item, root, f"{where}.{name}")
    for name, item in schema.get("$defs", {}).items():
        yield from _declared(item, root, f"#{name}")
    if isinstance(items := schema.get("items"), dict):
        yield from _declared(items, root, f"{where}[]")


def _written(
    schema: Any, value: Any, root: Any, where: str = "", path: tuple[Step, ...] = ()
) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """Each field that a document writes, by where the schema declares it, and its path."""
    schema, where = _resolved(schema, root, where)
    for case in schema.get("allOf", ()):
        if all(value.get(key) == item["const"] for key, item in case["if"]["properties"].items()):
            yield from _written(case["then"], value, root, where, path)
    if isinstance(value, dict):
        for name, inner in value.items():
            field = schema.get("properties", {}).get(name)
            if field is not None:
                yield f"{where}.{name}", (*path, name)
                yield from _written(field, inner, root, f"{where}.{name}", (*path, name))
            elif isinstance(schema.get("additionalProperties"), dict):
                other = schema["additionalProperties"]
                yield from _written(other, inner, root, f"{where}.*", (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _written(schema.get("items", {}), inner, root, f"{where}[]", (*path, index))


def _cases() -> Iterator[tuple[str, str, Any, dict[str, Any], tuple[Step, ...]]]:
    for kind, documents in FULL.items():
        schema = dict(read_schema(kind))
        places: dict[str, tuple[dict[str, Any], tuple[Step, ...]]] = {}
        for document in documents:
            for where, path in _written(schema, document, schema):
                places[where] = (document, path)
        for where, default in _declared(schema, schema):
            assert where in places, f"no document of {kind} writes {where}"
            yield kind, where, default, *places[where]


def _changed(
    document: dict[str, Any], path: tuple[Step, ...], act: Callable[[Any, Any], None]
) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    inner: Any = changed
    for step in path[:-1]:
        inner = inner[step]
    act(inner, path[-1])
    return changed


def _meaning(kind: str, document: dict[str, Any], root: Path) -> object:
    text = json.dumps(document)
    if kind == "world":
        return read_world(text.encode(), "world.json")
    if kind == "project":
        root.mkdir(exist_ok=True)
        (root / "reconciler.yaml").write_text(text)
        return load_project(root, {})
    gate = json.dumps(
        {
            "apiVersion": "reconciler/v1",
            "kind": "Gate",
            "metadata": {"name": "g"},
            "spec": {"connection": "ob", "obshell": {"noUnfinished": "cluster"}},
        }
    )
    loaded = load(root, spec=text, gate=gate)
    assert not [item for item in loaded.diagnostics if item.severity.value == "error"]
    return loaded.resources, dict(loaded.gates)


@pytest.mark.parametrize(
    ("kind", "where", "default", "document", "path"),
    list(_cases()),
    ids=[f"{kind}{where}" for kind, where, *_ in _cases()],
)
def test_a_field_left_out_means_its_default(
    tmp_path: Path,
    kind: str,
    where: str,
    default: Any,
    document: dict[str, Any],
    path: tuple[Step, ...],
) -> None:
    def leave_out(inner: Any, key: Step) -> None:
        del inner[key]

    def write(inner: Any, key: Step) -> None:
        inner[key] = default

    absent = _meaning(kind, _changed(document, path, leave_out), tmp_path)
    written = _meaning(kind, _changed(document, path, write), tmp_path)
    assert absent == written
    if (kind, where) not in _SAME_ANYHOW:
        assert _meaning(kind, document, tmp_path) != absent
