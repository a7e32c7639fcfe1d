"""The jobs of the simulated workspaces: those of the world, and in an open world any other."""

from __future__ import annotations

import zlib

from reconciler.simulator.errors import ServiceRefusal
from reconciler.simulator.world import Job, World

_FIRST_JOB_ID = 10_000_000_000


def known_job(world: World, name: str) -> Job:
    """The job of this name.

    Raises:
        ServiceRefusal: The world is strict and does not name it: DLF.0100.
    """
    job = world.job(name)
    if job is None and world.strict:
        raise ServiceRefusal("DLF.0100", f"The job {name} does not exist.")
    return job or Job(name=name)


def job_id(name: str) -> int:
    """The number of a job: follows from its name, so that nothing needs to be kept."""
    return _FIRST_JOB_ID + zlib.crc32(name.encode())


def task_id(job: Job) -> str:
    """The task under which the catalog shows a job."""
    return job.task or str(job_id(job.name))


def job_of_task(world: World, task: str, operator: str) -> Job | None:
    """The job that the catalog shows under a task id; None when there is none.

    In an open world a task that nobody names is that of the job `operator`.
    """
    named = next((job for job in world.jobs if task_id(job) == task), None)
    if named is not None:
        return named if named.shown_operator == operator else None
    if world.strict or world.job(operator) is not None:
        return None
    return Job(name=operator, task=task)
