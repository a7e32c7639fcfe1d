"""Calls that do something to instances: stop one, repeat one; and those that start and stop schedules."""

from __future__ import annotations

from reconciler.simulator.dataarts import records
from reconciler.simulator.dataarts.call import Call, no_content
from reconciler.simulator.dataarts.instances import Instance, find_instances, known_instance
from reconciler.simulator.dataarts.jobs import job_id, known_job
from reconciler.simulator.dataarts.parameters import Fields, invalid
from reconciler.simulator.dataarts.runs import ENDED, Act, Status, Verb
from reconciler.simulator.errors import ServiceRefusal
from reconciler.simulator.messages import Answer
from reconciler.simulator.world import Job

_WRONG_STATE = "DLF.3051"  # Nobody documents how the service refuses these.
_LOCATIONS = ("firstNode", "errorNode", "specifiedNode")
_LATEST_MS = 10**15


def toggle_schedule(call: Call) -> Answer:
    """Start or stop the schedule of a job: changes nothing, as schedules follow from the world."""
    known_job(call.session.world, call.path["job_name"])
    return no_content()


def stop_instance(call: Call) -> Answer:
    """Stop an instance that is running."""
    one = _named(call)
    if one.status is not Status.RUNNING:
        raise _wrong_state(one)
    _act(call, one, Verb.STOP)
    return no_content()


def restart_instance(call: Call) -> Answer:
    """Repeat an instance that has ended."""
    _restart(call, _named(call))
    return no_content()


def retry_instances(call: Call) -> Answer:
    """Repeat instances that are named by job, plan time and submit time."""
    job, asked = known_job(call.session.world, call.path["job_name"]), call.body()
    if asked.text("retry_location") not in _LOCATIONS:
        raise invalid("retry_location", f"one of {', '.join(_LOCATIONS)} is expected")
    wanted = asked.objects("task_retrys")
    if not wanted:
        raise invalid("task_retrys", "repeating other jobs with this one is not simulated")
    for one in [_retried(call, job, item) for item in wanted]:
        _restart(call, one)
    return no_content()


def _retried(call: Call, job: Job, item: Fields) -> Instance:
    plan_ms = item.integer("plan_time", low=0, high=_LATEST_MS)
    submit_ms = item.integer("submit_time", low=0, high=_LATEST_MS)
    number = item.integer("job_id", low=0, high=_LATEST_MS)
    found = find_instances(call, [job], (plan_ms, plan_ms), workspace=call.workspace)
    for one in found:
        if (one.submit_ms, job_id(one.job.name)) == (submit_ms, number):
            return one
    raise ServiceRefusal("DLF.30137", "The job instance does not exist.")


def _restart(call: Call, one: Instance) -> None:
    if one.status not in ENDED:
        raise _wrong_state(one)
    _act(call, one, Verb.RESTART)


def _named(call: Call) -> Instance:
    job = known_job(call.session.world, call.path["job_name"])
    return known_instance(call, job, missing_code="DLF.0137")


def _act(call: Call, one: Instance, verb: Verb) -> None:
    if one.run is None:
        raise invalid("instance_id", "a scheduled instance only changes with the world here")
    index = one.id - one.run.first_instance
    act = Act(run_id=one.run.id, index=index, verb=verb, at_ms=call.session.work_ms)
    records.add_act(call.session.connection, act)


def _wrong_state(one: Instance) -> ServiceRefusal:
    message = f"This cannot be done to a job instance with status {one.status.value}."
    return ServiceRefusal(_WRONG_STATE, message)
