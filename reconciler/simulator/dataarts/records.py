"""Runs of DataArts, and what people did to them, in the database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reconciler.simulator.dataarts.runs import Act, InstanceType, Run, Verb

_FIRST_INSTANCE = 1_000_000
_COLUMNS = (
    "id, type, project, workspace, name, first_plan_ms, first_instance, created_work_ms,"
    " created_gateway_ms, plan"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs are asked for; None means any. Bounds are inclusive.

    `job` is any job of the run, `first_plan_ms` and `last_plan_ms` a window that holds plan times.
    """

    project: str
    workspace: str | None = None
    type: InstanceType | None = None
    name: str | None = None
    job: str | None = None
    first_plan_ms: int | None = None
    last_plan_ms: int | None = None


def add_run(connection: sqlite3.Connection, draft: Run) -> Run:
    """Store a run; its ids are given here, whatever `draft` says."""
    last = connection.execute(
        "SELECT id, first_instance + instance_count FROM dataarts_runs ORDER BY id DESC LIMIT 1"
    ).fetchone()
    last_id, next_instance = last or (0, _FIRST_INSTANCE)
    run = replace(draft, id=last_id + 1, first_instance=next_instance)
    connection.execute(
        "INSERT INTO dataarts_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.id,
            run.type.value,
            run.project,
            run.workspace,
            run.name,
            run.first_plan_ms,
            run.last_plan_ms,
            run.first_instance,
            run.instance_count,
            run.created_work_ms,
            run.created_gateway_ms,
            _plan_text(run),
        ),
    )
    connection.executemany(
        "INSERT INTO dataarts_run_jobs VALUES (?, ?)", [(job, run.id) for job in run.jobs]
    )
    return run


def find_runs(
    connection: sqlite3.Connection, wanted: RunFilter, *, created_ms: tuple[int, int]
) -> tuple[Run, ...]:
    """Runs that match, ascending by id.

    Args:
        connection: An open transaction.
        wanted: What is asked for.
        created_ms: Created within these moments of the work clock, both inclusive.
    """
    conditions = ["project = ?", "created_work_ms >= ?", "created_work_ms <= ?"]
    values: list[object] = [wanted.project, *created_ms]
    for condition, value in (
        ("workspace = ?", wanted.workspace),
        ("type = ?", wanted.type),
        ("name = ?", wanted.name),
        ("id IN (SELECT run_id FROM dataarts_run_jobs WHERE job = ?)", wanted.job),
        ("last_plan_ms >= ?", wanted.first_plan_ms),
        ("first_plan_ms <= ?", wanted.last_plan_ms),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    query = f"SELECT {_COLUMNS} FROM dataarts_runs WHERE {' AND '.join(conditions)} ORDER BY id"  # noqa: S608 - constant parts
    return tuple(map(_run, connection.execute(query, values)))


def run_with_instance(connection: sqlite3.Connection, number: int) -> Run | None:
    """The run that has this instance."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM dataarts_runs WHERE first_instance <= ?"  # noqa: S608 - constant columns
        " AND ? < first_instance + instance_count ORDER BY first_instance DESC LIMIT 1",
        (number, number),
    ).fetchone()
    return None if row is None else _run(row)


def runs_of_jobs(connection: sqlite3.Connection, jobs: Iterable[str]) -> tuple[Run, ...]:
    """Every run, however old, that has one of these jobs; ascending by id."""
    found: dict[int, Run] = {}
    for job in jobs:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM dataarts_runs"  # noqa: S608 - constant columns
            " WHERE id IN (SELECT run_id FROM dataarts_run_jobs WHERE job = ?)",
            (job,),
        )
        found.update((row[0], _run(row)) for row in rows)
    return tuple(found[key] for key in sorted(found))


def add_act(connection: sqlite3.Connection, act: Act) -> None:
    """Store what a person did."""
    connection.execute(
        "INSERT INTO dataarts_acts (run_id, place, verb, at_ms) VALUES (?, ?, ?, ?)",
        (act.run_id, act.index, act.verb.value, act.at_ms),
    )


def acts_on(connection: sqlite3.Connection, run_ids: Iterable[int]) -> tuple[Act, ...]:
    """What was done to these runs, in the order it was done."""
    rows: list[tuple[int, int, int | None, str, int]] = []
    for run_id in run_ids:
        rows += connection.execute(
            "SELECT seq, run_id, place, verb, at_ms FROM dataarts_acts WHERE run_id = ?", (run_id,)
        ).fetchall()
    rows.sort(key=lambda row: row[0])
    return tuple(
        Act(run_id=run_id, index=place, verb=Verb(verb), at_ms=at_ms)
        for _, run_id, place, verb, at_ms in rows
    )


def _plan_text(run: Run) -> str:
    """What no query looks at, as compact JSON."""
    plan = {
        "jobs": run.jobs,
        "start_ms": run.start_ms,
        "end_ms": run.end_ms,
        "period_ms": run.period_ms,
        "period_count": run.period_count,
        "parallel": run.parallel,
        "newest_first": run.newest_first,
        "stops_on_failure": run.stops_on_failure,
        "run_time": run.run_time,
    }
    return json.dumps(plan, ensure_ascii=False, separators=(",", ":"))


def _run(row: Sequence[object]) -> Run:
    number, kind, project, workspace, name, first_plan_ms, first_instance, *rest = row
    created_work_ms, created_gateway_ms, plan_text = rest
    plan = json.loads(str(plan_text))
    return Run(
        id=_int(number),
        type=InstanceType(_int(kind)),
        project=str(project),
        workspace=str(workspace),
        name=str(name),
        first_plan_ms=_int(first_plan_ms),
        first_instance=_int(first_instance),
        created_work_ms=_int(created_work_ms),
        created_gateway_ms=_int(created_gateway_ms),
        **{**plan, "jobs": tuple(plan["jobs"])},
    )


def _int(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"expected a number in the simulator database, found {value!r}")
    return value
