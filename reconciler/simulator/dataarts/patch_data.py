"""PatchData: the backfills of Factory v2, created, listed and stopped."""

from __future__ import annotations

import json
from dataclasses import replace

from reconciler.simulator.dataarts import records
from reconciler.simulator.dataarts.call import USER, Call
from reconciler.simulator.dataarts.creating import create
from reconciler.simulator.dataarts.history import (
    Seen,
    is_created,
    listed_runs,
    progress_of,
    remembered_runs,
)
from reconciler.simulator.dataarts.jobs import known_job
from reconciler.simulator.dataarts.parameters import Fields, invalid
from reconciler.simulator.dataarts.records import RunFilter
from reconciler.simulator.dataarts.runs import Act, InstanceType, Run, RunStatus, Verb
from reconciler.simulator.dataarts.times import empty_range, period_ms, plan_times, range_end
from reconciler.simulator.errors import ServiceRefusal
from reconciler.simulator.messages import Answer, json_answer

_MOST_PERIODS_AT_ONCE = 5
_MOST_INSTANCES = 20_000  # A guard for the simulator's own sake; the service's bound is not known.
_LARGEST_PAGE = 1000

# Nobody documents how the service refuses these: the first code is made up.
_STILL_RUNNING = "DLF.30119"
_NOT_RUNNING = "DLF.3051"

_STATUSES = ("SUCCESS", "RUNNING", "FAIL", "CANCEL")
_SPELLINGS = {"CANCLE": "CANCEL"}  # The SDK's documentation spells it so.


def create_patch_data(call: Call) -> Answer:
    """Accept a PatchData; it can be found by its name once `creationLag` has passed."""
    asked = call.body()
    name, job = asked.text("name"), known_job(call.session.world, asked.text("job_name"))
    dependents = _dependents(call, asked, job.name)
    if not job.trigger:
        raise ServiceRefusal("DLF.30111", f"The job {job.name} has no trigger.")
    start_ms, end_ms = (range_end(asked.text(field)) for field in ("start_date", "end_date"))
    times = plan_times(start_ms, end_ms, job.schedule)
    if not times:
        raise empty_range()
    if len(times) * (1 + len(dependents)) > _MOST_INSTANCES:
        raise ServiceRefusal("DLF.0101", f"More than {_MOST_INSTANCES} instances are too many.")
    draft = Run(
        id=0,
        first_instance=0,
        type=InstanceType.PATCH_DATA,
        project=call.project,
        workspace=call.workspace,
        name=name,
        jobs=(job.name, *dependents),
        start_ms=start_ms,
        end_ms=end_ms,
        first_plan_ms=times[0],
        period_ms=period_ms(job.schedule),
        period_count=len(times),
        parallel=asked.integer("parallel", low=1, high=_MOST_PERIODS_AT_ONCE),
        newest_first=bool(asked.integer("reverse_order", low=0, high=1, default=0)),
        stops_on_failure=asked.flag("is_stop_when_fail"),
        run_time=_run_time(asked),
        created_work_ms=call.session.work_ms,
        created_gateway_ms=call.session.gateway_ms,
    )
    _check_free(call, draft, force=asked.text_flag("force"))
    create(call, draft)
    return _accepted()


def list_patch_data(call: Call) -> Answer:
    """A page of PatchData rows, newest first."""
    asked = call.query()
    page = asked.number("page", default=0)
    size = asked.number("size", default=10, low=1, high=_LARGEST_PAGE)
    oldest_first = asked.choice("sort", ("desc", "asc")) == "asc"
    status = asked.choice("status", (*_STATUSES, *_SPELLINGS))
    wanted = RunFilter(
        project=call.project,
        workspace=call.workspace,
        type=InstanceType.PATCH_DATA,
        name=asked.optional("name"),
    )
    earliest = asked.number("start_date", default=0)
    latest = asked.number("end_date", default=10**15)
    runs = [
        run
        for run in listed_runs(call.session, wanted)
        if run.start_ms >= earliest
        and run.end_ms <= latest
        and asked.optional("user_name") in {None, USER}
    ]
    if not oldest_first:
        runs.reverse()
    if status is not None:
        word = _SPELLINGS.get(status, status)
        seen = progress_of(call.session, runs)
        runs = [one.run for one in seen if one.progress.status.value == word]
    shown = progress_of(call.session, runs[page * size : (page + 1) * size])
    rows = list(map(_row, shown))
    return json_answer(200, {"msg": "success", "success": True, "total": len(runs), "rows": rows})


def stop_patch_data(call: Call) -> Answer:
    """Stop a PatchData that is running."""
    session, name = call.session, call.path["instance_name"]
    wanted = RunFilter(
        project=call.project,
        workspace=call.workspace,
        type=InstanceType.PATCH_DATA,
        name=name,
    )
    found = [run for run in remembered_runs(session, wanted) if is_created(session, run)]
    if not found:
        raise ServiceRefusal("DLF.0113", f"The PatchData instance {name} does not exist.")
    (seen,) = progress_of(session, found[-1:])
    if seen.progress.status is not RunStatus.RUNNING:
        raise ServiceRefusal(_NOT_RUNNING, f"The PatchData instance {name} is not running.")
    act = Act(run_id=seen.run.id, index=None, verb=Verb.STOP_RUN, at_ms=session.work_ms)
    records.add_act(session.connection, act)
    return _accepted()


def _accepted() -> Answer:
    """No body: the request id is in its header."""
    return Answer(status=200, content_type="application/json", body=b"")


def _check_free(call: Call, draft: Run, *, force: bool) -> None:
    """Refuse a name that is used, and a second PatchData of a job unless it is forced."""
    session = call.session
    anywhere = RunFilter(
        project=draft.project, workspace=draft.workspace, type=InstanceType.PATCH_DATA
    )
    if remembered_runs(session, replace(anywhere, name=draft.name)):
        raise ServiceRefusal("DLF.0102", f"The name {draft.name} is used already.")
    if force:
        return
    of_the_job = remembered_runs(session, replace(anywhere, job=draft.job))
    for seen in progress_of(session, [run for run in of_the_job if run.job == draft.job]):
        if seen.progress.status is RunStatus.RUNNING:
            raise ServiceRefusal(
                _STILL_RUNNING, f"The PatchData instance {seen.run.name} of the job is running."
            )


def _dependents(call: Call, asked: Fields, job: str) -> tuple[str, ...]:
    """The jobs that run after the job, each once; their workspace is taken to be the same."""
    names = [item.text("job_name") for item in asked.objects("depend_jobs")]
    for name in names:
        known_job(call.session.world, name)
    return tuple(name for name in dict.fromkeys(names) if name != job)


def _run_time(asked: Fields) -> str:
    """The hours in which the PatchData may run: echoed, and otherwise left alone."""
    asked.flag("is_day_granularity")
    if asked.values.get("supplement_data_instance_time") is not None:
        raise invalid("supplement_data_instance_time", "it is not simulated")
    value = asked.values.get("supplement_data_run_time")
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _row(seen: Seen) -> dict[str, object]:
    run = seen.run
    return {
        "name": run.name,
        "job_list": list(run.jobs),
        "status": seen.progress.status.value,
        "parallel": run.parallel,
        "type": 0,
        "user_name": USER,
        "start_date": run.start_ms,
        "end_date": run.end_ms,
        "submitted_date": run.created_gateway_ms,
        "supplement_data_run_time": json.loads(run.run_time) if run.run_time else None,
        "supplement_data_instance_time": None,
    }
