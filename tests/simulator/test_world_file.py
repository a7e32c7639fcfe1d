from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.documents import read_documents
from reconciler.model.errors import InputError
from reconciler.schema_files import read_schema
from reconciler.simulator import World, load_world, parse_world
from reconciler.simulator.world import Failure, Job, Layout, Relay, Schedule
from reconciler.simulator.world_file import build_world, world_document

EVERYTHING = """
strict: true
nodes:
  - {id: 1234, name: orders_root}
  - id: 74324
    parents: [1234]
    seconds: 120
    fail: [2020-05-21, {date: 2020-05-23, times: 1}]
    skip: [2020-05-22]
  - {id: 74325, schedule: hourly}
flows: [{project: test_project, name: test_flow, nodes: [{id: 103180025, name: test_node}]}]
layout: single
listingLag: 1.5
retentionDays: 7
limits: {readQps: 50, writeQps: 20, dailyCalls: 3}
obshell: {dags: [{id: "22130706433028869", name: Cluster scale out, state: RUNNING, finishAfter: 300}]}
dataarts:
  creationLag: 5
  jobs:
    - {name: etl-dli2dws, task: "937987", seconds: 60, fail: [2020-05-21]}
    - name: hourly
      operator: ETL_hourly
      tables: [guid-1]
      schedule: hourly
      trigger: false
      running: [2020-05-22]
      absent: [2020-05-23]
      relay: {status: 500, msg: boom}
"""


def a_file(folder: Path, text: str) -> Path:
    path = folder / "world.yaml"
    path.write_text(text)
    return path


def test_a_file_with_everything(tmp_path: Path) -> None:
    world = load_world(a_file(tmp_path, EVERYTHING))
    assert world.strict
    assert world.layout is Layout.SINGLE
    assert (world.listing_lag_seconds, world.retention_days) == (1.5, 7)
    assert world.limits.daily_calls == 3
    child = world.node(74324)
    assert child is not None
    assert child.parents == (1234,)
    assert child.failures == (
        Failure(date=dt.date(2020, 5, 21)),
        Failure(date=dt.date(2020, 5, 23), times=1),
    )
    assert child.skips == {dt.date(2020, 5, 22)}
    hourly, inside = world.node(74325), world.node(103180025)
    assert hourly is not None
    assert hourly.schedule is Schedule.HOURLY
    assert inside is not None
    assert inside.name == "test_node"
    assert world.cluster.dags[0].finish_after_seconds == 300
    assert world.jobs[0].task == "937987"
    assert world.creation_lag_seconds == 5
    assert world.job("hourly") == Job(
        name="hourly",
        operator="ETL_hourly",
        tables=("guid-1",),
        schedule=Schedule.HOURLY,
        trigger=False,
        running=frozenset({dt.date(2020, 5, 22)}),
        absent=frozenset({dt.date(2020, 5, 23)}),
        relay=Relay(status=500, message="boom"),
    )


def test_an_empty_file_is_an_open_world(tmp_path: Path) -> None:
    assert load_world(a_file(tmp_path, "# nothing\n")) == World()
    assert parse_world({}) == World()


def test_a_document_gives_the_world_back(tmp_path: Path) -> None:
    world = load_world(a_file(tmp_path, EVERYTHING))
    assert build_world(world_document(world)) == world
    assert parse_world(world_document(world)) == world


def test_an_open_world_is_unlimited() -> None:
    limits = World().limits
    assert (limits.read_qps, limits.write_qps, limits.daily_calls) == (0, 0, 0)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("nodes: [{id: 1}, {id: 1}]", "1:23", "node 1 is there twice"),
        ("nodes: [{id: 1, parents: [2]}]", "1:27", "parent 2 of node 1 is not there"),
        (
            "nodes:\n- {id: 1, parents: [2]}\n- {id: 2, parents: [1]}\n- {id: 3, parents: [2]}",
            "2:1",
            "nodes wait for one another in a circle, among: 1, 2 and 3",
        ),
        ("nodes: [{id: 1, parents: [1]}]", "1:8", "nodes wait for one another in a circle"),
        (
            "nodes: [{id: 1}, {id: 2, parents: [1, 1]}]",
            "1:39",
            "parent 1 of node 2 is there twice",
        ),
        ("nodes: [{id: 1, fail: [2020-05-20, 2020-05-20]}]", "1:23", "says twice how it fails"),
        (
            "nodes: [{id: 1, fail: [2020-05-20], skip: [2020-05-20]}]",
            "1:43",
            "both fail and be skipped",
        ),
        (
            "flows:\n- {project: p, name: f, nodes: [{id: 1}]}\n- {project: p, name: f, nodes: [{id: 2}]}",
            "3:3",
            "flow p/f is there twice",
        ),
        (
            "nodes: [{id: 7}]\nflows: [{project: p, name: f, nodes: [{id: 7}]}]",
            "2:44",
            "node 7 is there twice",
        ),
        ("obshell: {dags: [{id: '11'}, {id: '11'}]}", "1:30", "DAG id 11 is there twice"),
        ("dataarts: {jobs: [{name: a}, {name: a}]}", "1:30", "job a is there twice"),
        (
            "dataarts: {jobs: [{name: a, task: t}, {name: b, task: t}]}",
            "1:55",
            "task t is there twice",
        ),
        (
            "dataarts: {jobs: [{name: a, fail: [2020-05-20, 2020-05-20]}]}",
            "1:35",
            "job a says twice how it fails",
        ),
        (
            "dataarts: {jobs: [{name: a, running: [2020-05-20], absent: [2020-05-20]}]}",
            "1:60",
            "cannot both go on and be absent",
        ),
        ("dataarts: {jobs: [{name: a, running: [2020-02-30]}]}", "1:39", "there is no date"),
        ("dataarts: {jobs: [{name: a, relay: {status: 500}}]}", "1:29", "msg"),
        ("nodes: [{id: 1, fail: [2020-13-41]}]", "1:24", "there is no date 2020-13-41"),
        ("nodes: [{id: 1, skip: [2020-02-30]}]", "1:24", "there is no date 2020-02-30"),
        ("layuot: single", "1:1", "layuot"),
        ("strict: maybe", "1:9", "strict"),
        ("nodes: [{name: x}]", "1:9", "id"),
        ("retentionDays: 0", "1:16", "retentionDays"),
        ("strict: true\n---\nstrict: false", "3:1", "a world is one document"),
        ("nodes: ]", "1:8", "YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, text: str, place: str, message: str
) -> None:
    path = a_file(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_world(path)
    found = [f"{item.place} {item.summary}" for item in caught.value.diagnostics]
    assert any(one.startswith(f"{path}:{place}") and message in one for one in found), found


def test_several_problems_are_found_in_one_reading(tmp_path: Path) -> None:
    path = a_file(tmp_path, "nodes: [{id: 1, parents: [2]}, {id: 1}]")
    with pytest.raises(InputError) as caught:
        load_world(path)
    assert len(caught.value.diagnostics) == 2


def test_of_very_many_problems_the_first_hundred_are_told(tmp_path: Path) -> None:
    path = a_file(tmp_path, f"nodes: [{', '.join(['{id: 1}'] * 500)}]")
    with pytest.raises(InputError) as caught:
        load_world(path)
    assert len(caught.value.diagnostics) == 100


def test_the_schema_agrees_with_the_reader() -> None:
    schema = dict(read_schema("world"))
    jsonschema.Draft202012Validator.check_schema(schema)
    read = read_documents(EVERYTHING.encode(), "world.yaml")
    assert not read.diagnostics
    jsonschema.Draft202012Validator(schema).validate(world_document(parse_world({"strict": True})))


def test_every_field_of_the_schema_is_described() -> None:
    def fields(part: Any, path: str = "") -> list[str]:
        if not isinstance(part, dict):
            return []
        missing = []
        for name, field in part.get("properties", {}).items():
            if "$ref" not in field and not {"title", "description", "examples"} <= field.keys():
                missing.append(f"{path}/{name}")
            missing += fields(field, f"{path}/{name}")
        for name, field in part.get("$defs", {}).items():
            missing += fields({"properties": {name: field}}, "$defs")
        return missing

    assert fields(dict(read_schema("world"))) == []
