"""The catalog: which tasks write a table, and the runs of a task, relayed from an inner service."""

from __future__ import annotations

import json

from reconciler.simulator.dataarts.call import DEFAULT_WORKSPACE, Call
from reconciler.simulator.dataarts.instances import find_instances
from reconciler.simulator.dataarts.jobs import job_of_task, task_id
from reconciler.simulator.dataarts.parameters import invalid
from reconciler.simulator.dataarts.rows import catalog_row
from reconciler.simulator.dataarts.times import DAY_MS
from reconciler.simulator.messages import JSON_TYPE, Answer, json_answer

_LONGEST_MS = 31 * DAY_MS
_LARGEST_PAGE = 1000


def show_nodes(call: Call) -> Answer:
    """The tasks that write a table, as a bare array."""
    guid = call.path["guid"]
    return json_answer(
        200,
        [
            {
                "task_id": task_id(job),
                "job_name": job.shown_operator,
                "workspace_id": DEFAULT_WORKSPACE,
            }
            for job in call.session.world.jobs
            if not job.tables or guid in job.tables
        ],
    )


def show_instance_infos(call: Call) -> Answer:
    """Runs of a task by plan time; `offset` counts records here."""
    asked = call.query()
    operator = asked.required("job_name")
    for name in ("start_time", "end_time", "offset", "limit"):
        asked.required(name)
    window = (asked.number("start_time", default=0), asked.number("end_time", default=0))
    offset = asked.number("offset", default=0)
    limit = asked.number("limit", default=0, low=1, high=_LARGEST_PAGE)
    if window[1] - window[0] > _LONGEST_MS:
        raise invalid("end_time", "the window is longer than a month")
    job = job_of_task(call.session.world, call.path["task_id"], operator)
    if job is not None and job.relay is not None:
        return _relayed(job.relay.status, msg=job.relay.message, success=False, total=0, rows=[])
    workspace = asked.optional("workspace_id")
    found = [] if job is None else find_instances(call, [job], window, workspace=workspace)
    rows = [catalog_row(one, call.project) for one in found[offset : offset + limit]]
    return _relayed(200, msg="success", success=True, total=len(found), rows=rows)


def _relayed(status: int, **inner: object) -> Answer:
    """The inner service's answer within ours: its body is JSON in a text."""
    body = json.dumps(inner, ensure_ascii=False)
    return json_answer(
        200, {"status_code": status, "body": body, "header_map": {"Content-Type": JSON_TYPE}}
    )
