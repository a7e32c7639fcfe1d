"""Calls of Factory v1 and v2 that list jobs and instances, or show one."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.simulator.dataarts.call import USER, Call
from reconciler.simulator.dataarts.history import remembered_runs
from reconciler.simulator.dataarts.instances import Instance, find_instances, known_instance
from reconciler.simulator.dataarts.jobs import job_id, known_job
from reconciler.simulator.dataarts.parameters import Query, invalid
from reconciler.simulator.dataarts.records import RunFilter
from reconciler.simulator.dataarts.rows import instance_detail_v1, instance_row, instance_row_v1
from reconciler.simulator.dataarts.times import DAY_MS, day_start
from reconciler.simulator.messages import Answer, json_answer
from reconciler.simulator.world import Job

_LARGEST_PAGE = 1000
_MONTH_MS, _WEEK_MS = 31 * DAY_MS, 7 * DAY_MS
_TYPES = ("0", "2", "5", "6", "7")
_STATUSES = (
    "waiting",
    "running",
    "success",
    "fail",
    "running-exception",
    "pause",
    "manual-stop",
    "skip-by-depend",
    "freeze",
)
_STATUSES_V1 = (*_STATUSES, "forceSuccess", "ignoreSuccess", "waiting-confirm")


def list_instances(call: Call) -> Answer:
    """A page of the instances of one job."""
    asked = call.query()
    job = known_job(call.session.world, call.path["job_name"])
    window = _window(
        call, asked, ("min_plan_time", "max_plan_time"), longest_ms=_MONTH_MS, longest="a month"
    )
    status = asked.choice("status", _STATUSES)
    # The simulator never forces or ignores anything.
    none_matches = asked.flag("force_success") or asked.flag("ignore_success")
    kind = asked.choice("instance_type", _TYPES)
    found = find_instances(call, [job], window, workspace=call.workspace)
    matching = [] if none_matches else _matching(found, status, kind)
    rows = [instance_row(one) for one in matching[_page(asked)]]
    return json_answer(200, {"total": len(matching), "instances": rows})


def list_instances_v1(call: Call) -> Answer:
    """A page of the instances of one job, or of all."""
    asked = call.query()
    window = _window(
        call, asked, ("minPlanTime", "maxPlanTime"), longest_ms=_WEEK_MS, longest="7 days"
    )
    status = asked.choice("status", _STATUSES_V1)
    kind = asked.choice("instanceType", _TYPES)
    jobs = _jobs(call, asked.optional("jobName"), precise=asked.flag("preciseQuery"))
    found = find_instances(call, jobs, window, workspace=call.workspace)
    matching = _matching(found, status, kind)
    rows = [instance_row_v1(one) for one in matching[_page(asked)]]
    return json_answer(200, {"total": len(matching), "instances": rows})


def show_instance_v1(call: Call) -> Answer:
    """One instance with its nodes."""
    job = known_job(call.session.world, call.path["job_name"])
    return json_answer(200, instance_detail_v1(known_instance(call, job, missing_code="DLF.0137")))


def list_jobs(call: Call) -> Answer:
    """A page of jobs in Factory v2."""
    asked = call.query()
    jobs = _listed_jobs(call, asked, name="job_name", kind="job_type")
    status = asked.optional("status")
    ids = set((asked.optional("job_id") or "").split(",")) - {""}
    rows = [
        {
            "name": job.name,
            "job_type": "BATCH",
            "status": _status(job),
            "create_user": USER,
            "owner": USER,
            "last_update_user": USER,
            "priority": 0,
            "path": "/",
            "single_node_job_flag": True,
            "alarms": [],
        }
        for job in jobs
        if (status is None or _status(job) in status.split(","))
        and (not ids or str(job_id(job.name)) in ids)
    ]
    return json_answer(200, {"total": len(rows), "jobs": rows[_page(asked)]})


def list_jobs_v1(call: Call) -> Answer:
    """A page of jobs in Factory v1."""
    asked = call.query()
    rows = [
        {
            "name": job.name,
            "jobType": "BATCH",
            "status": _status(job),
            "createUser": USER,
            "owner": USER,
            "lastUpdateUser": USER,
            "priority": 0,
            "path": "/",
            "singleNodeJobFlag": True,
        }
        for job in _listed_jobs(call, asked, name="jobName", kind="jobType")
    ]
    return json_answer(200, {"total": len(rows), "jobs": rows[_page(asked)]})


def _window(
    call: Call, asked: Query, names: tuple[str, str], *, longest_ms: int, longest: str
) -> tuple[int, int]:
    """The plan times that are asked for: by default those of today until now."""
    now = call.session.work_ms
    first = asked.number(names[0], default=day_start(now))
    last = asked.number(names[1], default=max(now, first))
    if last - first > longest_ms:
        raise invalid(names[1], f"the window is longer than {longest}")
    return first, last


def _matching(found: Iterable[Instance], status: str | None, kind: str | None) -> list[Instance]:
    return [
        one
        for one in found
        if (status is None or one.status.value == status)
        and (kind is None or str(one.type.value) == kind)
    ]


def _page(asked: Query) -> slice:
    """The page that is asked for; `offset` is its number, from 0."""
    page = asked.number("offset", default=0)
    size = asked.number("limit", default=10, low=1, high=_LARGEST_PAGE)
    return slice(page * size, (page + 1) * size)


def _listed_jobs(call: Call, asked: Query, *, name: str, kind: str) -> list[Job]:
    """Jobs that a listing shows; real-time jobs are not simulated."""
    if asked.choice(kind, ("BATCH", "REAL_TIME")) == "REAL_TIME":
        return []
    return _jobs(call, asked.optional(name), precise=True)


def _jobs(call: Call, name: str | None, *, precise: bool) -> list[Job]:
    """Jobs by name: those of the world and, where it is open, those that ran and the one asked for."""
    world = call.session.world
    names = [job.name for job in world.jobs]
    if not world.strict:
        wanted = RunFilter(project=call.project, workspace=call.workspace)
        for run in remembered_runs(call.session, wanted):
            names += run.jobs
        names += [] if name is None else [name]
    return [
        world.job(one) or Job(name=one)
        for one in dict.fromkeys(names)
        if name is None or (one == name if precise else name in one)
    ]


def _status(job: Job) -> str:
    return "SCHEDULING" if job.trigger else "STOPPED"
