"""Instances of jobs, whatever started them, and how to find them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.simulator.dataarts import scheduled
from reconciler.simulator.dataarts.call import Call
from reconciler.simulator.dataarts.history import (
    Seen,
    listed_runs,
    progress_of,
    run_of_instance,
)
from reconciler.simulator.dataarts.records import RunFilter
from reconciler.simulator.dataarts.runs import InstanceType, Run, Status
from reconciler.simulator.errors import ServiceRefusal
from reconciler.simulator.world import Job

_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance as answers show it; `run` is None for a scheduled one. Moments in epoch ms."""

    id: int
    job: Job
    type: InstanceType
    workspace: str
    status: Status
    plan_ms: int
    submit_ms: int
    start_ms: int | None
    end_ms: int | None
    elapsed_ms: int
    retries: int = 0
    run: Run | None = None

    @property
    def name(self) -> str:
        """The name of the instance in logs; a PatchData's own name is not part of it (field report)."""
        prefix = "P_" if self.type is InstanceType.PATCH_DATA else ""
        return f"{prefix}{self.job.name}_{self.submit_ms}"


def find_instances(
    call: Call, jobs: Iterable[Job], window: tuple[int, int], *, workspace: str | None
) -> list[Instance]:
    """Every listed instance of some jobs with a plan time in the window, newest plan time first.

    Args:
        call: The call that asks.
        jobs: Each once.
        window: Earliest and latest plan time, both inclusive.
        workspace: Where; None is every workspace of the project.
    """
    found: list[Instance] = []
    for job in jobs:
        wanted = RunFilter(
            project=call.project,
            workspace=workspace,
            job=job.name,
            first_plan_ms=window[0],
            last_plan_ms=window[1],
        )
        found += _scheduled(call, job, window, workspace or call.workspace)
        for seen in progress_of(call.session, listed_runs(call.session, wanted)):
            found += [
                one
                for one in instances_of(call, seen)
                if one.job.name == job.name and window[0] <= one.plan_ms <= window[1]
            ]
    return sorted(found, key=lambda one: (one.plan_ms, one.submit_ms, one.id), reverse=True)


def instances_of(call: Call, seen: Seen) -> list[Instance]:
    """The instances of a run, by number."""
    world, run = call.session.world, seen.run
    jobs = {name: world.job(name) or Job(name=name) for name in run.jobs}
    found = []
    for index, state in enumerate(seen.progress.states):
        start, end = state.start_ms, state.end_ms
        until = call.session.work_ms if end is None else end
        found.append(
            Instance(
                id=run.first_instance + index,
                job=jobs[run.job_of(index)],
                type=run.type,
                workspace=run.workspace,
                status=state.status,
                plan_ms=run.plan_ms(index),
                submit_ms=run.created_gateway_ms,
                start_ms=None if start is None else _shown_ms(run, start),
                end_ms=None if end is None else _shown_ms(run, end),
                elapsed_ms=0 if start is None else until - start,
                retries=max(0, state.executions - 1),
                run=run,
            )
        )
    return found


def known_instance(call: Call, job: Job, *, missing_code: str) -> Instance:
    """The instance of a job that the path names; a fresh one too, which no listing shows yet.

    Raises:
        ServiceRefusal: There is none, or no longer: `missing_code`.
    """
    text = call.path["instance_id"]
    found = _numbered(call, job, int(text)) if _NUMBER.fullmatch(text) else None
    if found is None:
        raise ServiceRefusal(missing_code, f"The job instance {text} does not exist.")
    return found


def _numbered(call: Call, job: Job, number: int) -> Instance | None:
    plan_ms = scheduled.plan_of(number, job)
    if plan_ms is not None:
        window = (plan_ms, plan_ms)
        return next(iter(_scheduled(call, job, window, call.workspace)), None)
    seen = run_of_instance(call, number)
    if seen is None:
        return None
    one = instances_of(call, seen)[number - seen.run.first_instance]
    return one if one.job.name == job.name else None


def _scheduled(
    call: Call, job: Job, window: tuple[int, int], workspace: str
) -> Iterable[Instance]:
    now = call.session.work_ms
    for plan_ms, state in scheduled.scheduled_states(job, window, now):
        start, end = state.start_ms or plan_ms, state.end_ms
        yield Instance(
            id=scheduled.instance_id(job, plan_ms),
            job=job,
            type=InstanceType.SCHEDULED,
            workspace=workspace,
            status=state.status,
            plan_ms=plan_ms,
            submit_ms=plan_ms,
            start_ms=start,
            end_ms=end,
            elapsed_ms=(now if end is None else end) - start,
        )


def _shown_ms(run: Run, work_ms: int) -> int:
    """A moment of the work clock as answers show it: the creation is the gateway clock's."""
    return run.created_gateway_ms + work_ms - run.created_work_ms
