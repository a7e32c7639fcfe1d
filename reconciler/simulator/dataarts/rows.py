"""Instances as Factory v2, Factory v1 and the catalog write them.

Moments that have not come are left out in the Factory APIs and 0 in the catalog.
"""

from __future__ import annotations

import json

from reconciler.simulator.dataarts.call import USER
from reconciler.simulator.dataarts.instances import Instance
from reconciler.simulator.dataarts.jobs import job_id, task_id
from reconciler.simulator.dataarts.runs import Status
from reconciler.simulator.dataarts.times import stamp

_UNKNOWN = -1


def instance_row(one: Instance) -> dict[str, object]:
    """One instance in Factory v2."""
    return {
        "job_name": one.job.name,
        "job_id": job_id(one.job.name),
        "instance_id": one.id,
        "job_instance_name": one.name,
        "instance_type": one.type.value,
        "status": one.status.value,
        "plan_time": one.plan_ms,
        "submit_time": one.submit_ms,
        **_moments(one, "start_time", "end_time"),
        "execute_time": one.elapsed_ms,
        "version": 1,
        "force_success": False,
        "ignore_success": False,
    }


def instance_row_v1(one: Instance) -> dict[str, object]:
    """One instance in Factory v1: the same in camelCase, with an error message."""
    row = {_camel(name): value for name, value in instance_row(one).items()}
    return row | {"errorMessage": error_message(one)}


def instance_detail_v1(one: Instance) -> dict[str, object]:
    """One instance with its nodes; a job has a single one here."""
    times = _moments(one, "startTime", "endTime")
    node = {
        "nodeName": one.job.shown_operator,
        "status": one.status.value,
        "type": "Dummy",
        "planTime": one.plan_ms,
        **times,
        "retryTimes": one.retries,
        "instanceId": one.id,
        "inputRowCount": 0,
        "speed": 0.0,
        "logPath": log_path(one, ""),
    }
    return {
        "jobName": one.job.name,
        "instanceId": one.id,
        "instanceType": one.type.value,
        "status": one.status.value,
        "planTime": one.plan_ms,
        **times,
        "executeTime": one.elapsed_ms,
        "forceSuccess": False,
        "ignoreSuccess": False,
        "total": 1,
        "nodes": [node],
    }


def catalog_row(one: Instance, project: str) -> dict[str, object]:
    """One run in the catalog. `taskName` has the job's name and `jobName` the operator's (sic)."""
    task = task_id(one.job)
    return {
        "taskId": int(task) if task.isascii() and task.isdigit() else job_id(one.job.name),
        "taskName": one.job.name,
        "jobName": one.job.shown_operator,
        "jobId": job_id(one.job.name),
        "taskRunningLogId": one.id,
        "status": one.status.value,
        "type": "ETLJob",
        "planTime": one.plan_ms,
        "submitTime": one.submit_ms,
        "startTime": one.start_ms or 0,
        "endTime": one.end_ms or 0,
        "runningTime": one.elapsed_ms if one.end_ms is not None else 0,
        "failCount": _UNKNOWN,
        "inputRowCount": _UNKNOWN,
        "outputRowCount": _UNKNOWN,
        "retryTimes": one.retries,
        "forceSuccess": 0,
        "speed": 0.0,
        "owner": USER,
        "workspaceId": one.workspace,
        "workspaceName": one.workspace,
        "executionLogPath": log_path(one, project),
        "runningData": json.dumps({"jobInstanceName": one.name}, ensure_ascii=False),
        "runningParam": json.dumps({"instanceType": one.type.value}),
    }


def error_message(one: Instance) -> str:
    """Why an instance failed; empty when it did not."""
    return "The world says that it fails." if one.status is Status.FAIL else ""


def log_path(one: Instance, project: str) -> str:
    """Where the service would keep the log."""
    moment, operator = stamp(one.submit_ms), one.job.shown_operator
    bucket = f"obs://dlf-log-{project}/{one.workspace}"
    return f"{bucket}/{one.job.name}/{moment}/{operator}/{operator}.job"


def _moments(one: Instance, start: str, end: str) -> dict[str, int]:
    moments = {start: one.start_ms, end: one.end_ms}
    return {name: moment for name, moment in moments.items() if moment is not None}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
