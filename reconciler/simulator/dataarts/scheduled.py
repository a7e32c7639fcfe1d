"""Scheduled instances: never stored, they follow from the world that holds now.

Every job has one at each plan time up to now on the work clock. It starts at its plan time.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.simulator.dataarts.jobs import job_id
from reconciler.simulator.dataarts.runs import InstanceState, Status
from reconciler.simulator.dataarts.times import HOUR_MS, plan_day, plan_times
from reconciler.simulator.world import Job

# Ids say which hour of which job they belong to. They stay below 2**53, the bound of exact numbers in
# JavaScript, and far above the ids of the runs that are stored.
_FIRST_ID = 2**52
_HOURS = 2**20


def scheduled_states(
    job: Job, window: tuple[int, int], now_ms: int
) -> Iterator[tuple[int, InstanceState]]:
    """Plan time and state of each scheduled instance.

    Args:
        job: The job as the world has it.
        window: Earliest and latest plan time, both inclusive.
        now_ms: Now on the work clock; later plan times have no instance yet.
    """
    if not job.trigger:
        return
    for plan_ms in plan_times(max(0, window[0]), min(now_ms, window[1]), job.schedule):
        day = plan_day(plan_ms)
        if day in job.absent:
            continue
        end_ms = plan_ms + round(job.seconds * 1000)
        if day in job.running or end_ms > now_ms:
            yield (
                plan_ms,
                InstanceState(status=Status.RUNNING, executions=1, start_ms=plan_ms),
            )
            continue
        status = Status.SUCCESS if job.failure_on(day) is None else Status.FAIL
        yield (
            plan_ms,
            InstanceState(status=status, executions=1, start_ms=plan_ms, end_ms=end_ms),
        )


def instance_id(job: Job, plan_ms: int) -> int:
    """The id of the scheduled instance of a job at a plan time."""
    return _base(job) + plan_ms // HOUR_MS


def plan_of(number: int, job: Job) -> int | None:
    """The plan time of a scheduled instance of this job, by its id; None when it is no such id."""
    hours = number - _base(job)
    return hours * HOUR_MS if 0 <= hours < _HOURS else None


def _base(job: Job) -> int:
    return _FIRST_ID + job_id(job.name) % 2**32 * _HOURS
