"""Answers of the agent as values: DAGs, and its status.

Source: OBShell server source 61ee147 (2026-05), and the official SDK 0.0.9.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.providers.http import printable
from reconciler.providers.json_fields import BadAnswer, Fields
from reconciler.providers.obshell.envelopes import moment

#: So many lines of a log's end are kept, and so many characters of each and of a name.
LINES_KEPT = 3
LONGEST_LINE = 160
LONGEST_NAME = 80

#: Colours and cursor moves, as programs write them for terminals.
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")

#: One digit for the scope, and what an IPv6 address, a port and a 64-bit number take at most.
_ID = re.compile(r"\d{1,65}", re.ASCII)

#: Takes our secrets out of a text that will be shown.
Masked = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedNode:
    """A node that failed, and the end of what its failed sub-task printed, ready to be shown."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dag:
    """A DAG. Texts are ready to be shown, other than `maintenance_key`, which is compared.

    `state` and `operator` are in capitals; "?" if not told. `started_at` is None where it has not
    started. `maintenance_type` is None from servers that do not tell (before May 2025).
    """

    id: str
    name: str
    state: str
    operator: str
    stage: int | None
    max_stage: int | None
    started_at: dt.datetime | None
    maintenance_type: int | None
    maintenance_key: str | None
    failed_node: FailedNode | None
    passed_nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What an agent says of itself, without a password, ready to be shown.

    `ob_state`: 0 no process, 1 process, 2 restricted connection, 3 available; None if not told.
    """

    version: str
    identity: str
    ob_state: int | None


def read_dag(body: Fields, masked: Masked) -> Dag:
    """Read one DAG in `data`."""
    return _dag(body.child("data"), masked)


def read_dags(body: Fields, masked: Masked) -> tuple[Dag, ...]:
    """Read `data.contents`: a list, one DAG, or nothing."""
    data = body.child("data")
    if data.raw and not data.has("contents"):
        # Nothing unfinished opens gates, so it has to be said in the agreed way.
        raise BadAnswer(f"{data.where} has no contents")
    return tuple(_dag(item, masked) for item in data.objects("contents"))


def read_status(body: Fields, masked: Masked) -> Status:
    """Read `data` of `/status`."""
    data = body.child("data")
    agent = Fields({}, data.where) if data.get("agent") is None else data.child("agent")
    return Status(
        version=_shown(data.text("version"), masked),
        identity=_shown(agent.text("identity"), masked),
        ob_state=data.integer("obState"),
    )


def _dag(fields: Fields, masked: Masked) -> Dag:
    dag_id = fields.text("id") or ""
    if not _ID.fullmatch(dag_id):
        raise BadAnswer(f"{fields.where} has no id of a task")
    nodes = fields.objects("nodes")
    return Dag(
        id=dag_id,
        name=_shown(fields.text("name"), masked),
        state=_word(fields, "state", masked),
        operator=_word(fields, "operator", masked),
        stage=fields.integer("stage"),
        max_stage=fields.integer("max_stage"),
        started_at=moment(fields, "start_time"),
        maintenance_type=fields.integer("maintenance_type"),
        maintenance_key=fields.text("maintenance_key"),
        failed_node=_failed_node(nodes, masked),
        passed_nodes=tuple(
            _shown(node.text("name"), masked)
            for node in nodes
            if _word(node, "operator", masked) == "PASS"
        ),
    )


def _failed_node(nodes: Iterable[Fields], masked: Masked) -> FailedNode | None:
    failed = next((node for node in nodes if _word(node, "state", masked) == "FAILED"), None)
    if failed is None:
        return None
    logs = (
        _lines(task, masked)
        for task in failed.objects("sub_tasks")
        if _word(task, "state", masked) == "FAILED"
    )
    return FailedNode(name=_shown(failed.text("name"), masked), lines=next(filter(None, logs), ()))


def _lines(task: Fields, masked: Masked) -> tuple[str, ...]:
    logs = task.get("task_logs")
    entries = logs if isinstance(logs, list) else [logs]
    lines = [
        line
        for entry in entries
        if isinstance(entry, str)
        for text in masked(entry).splitlines()
        if (line := printable(_ANSI.sub("", text), limit=LONGEST_LINE))
    ]
    return tuple(lines[-LINES_KEPT:])


def _word(fields: Fields, name: str, masked: Masked) -> str:
    return _shown(fields.text(name), masked).upper()


def _shown(text: str | None, masked: Masked) -> str:
    return printable(masked(text or ""), limit=LONGEST_NAME) or "?"
