"""What requests have started in DataArts, and what became of it, as values.

A *run* is one executed create call: a PatchData (a backfill) or a manual run. It has one instance for
each job and period; the job itself comes first in each period, then the jobs that depend on it.
Instances are numbered without gaps, periods first and ascending. All moments are milliseconds; plan
times are absolute, the others are the work clock's unless they say otherwise.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class InstanceType(enum.IntEnum):
    """How an instance came to be; the numbers are the service's."""

    SCHEDULED = 0
    MANUAL = 2
    PATCH_DATA = 5


class Status(enum.Enum):
    """State of an instance. The service knows more words; the simulator needs no others."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCESS = "success"
    FAIL = "fail"
    STOPPED = "manual-stop"


ENDED = frozenset({Status.SUCCESS, Status.FAIL, Status.STOPPED})


class RunStatus(enum.Enum):
    """State of a whole run; PatchData rows have these words."""

    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    CANCEL = "CANCEL"


class Verb(enum.Enum):
    """What a person can do: stop a whole run, stop an instance, repeat an instance."""

    STOP_RUN = "stop_run"
    STOP = "stop"
    RESTART = "restart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One executed create call.

    `jobs` has the job and then those that depend on it. Plan times are `first_plan_ms` and every
    `period_ms` after it, `period_count` in all. `parallel` periods run at once. `start_ms` and
    `end_ms` are the range that was asked for; `run_time` is the JSON text to echo, or "".
    """

    id: int
    type: InstanceType
    project: str
    workspace: str
    name: str
    jobs: tuple[str, ...]
    start_ms: int
    end_ms: int
    first_plan_ms: int
    period_ms: int
    period_count: int
    parallel: int = 1
    newest_first: bool = False
    stops_on_failure: bool = False
    run_time: str = ""
    first_instance: int
    created_work_ms: int
    created_gateway_ms: int

    @property
    def job(self) -> str:
        """The job that was asked for."""
        return self.jobs[0]

    @property
    def instance_count(self) -> int:
        """How many instances it has."""
        return self.period_count * len(self.jobs)

    @property
    def instance_ids(self) -> range:
        """Its instance ids, periods ascending."""
        return range(self.first_instance, self.first_instance + self.instance_count)

    @property
    def last_plan_ms(self) -> int:
        """The latest plan time."""
        return self.plan_ms((self.period_count - 1) * len(self.jobs))

    def plan_ms(self, index: int) -> int:
        """The plan time of the instance number `index`, counted from 0."""
        return self.first_plan_ms + index // len(self.jobs) * self.period_ms

    def job_of(self, index: int) -> str:
        """The job of the instance number `index`."""
        return self.jobs[index % len(self.jobs)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something a person did to the instance `index` of a run, or to all of it (None)."""

    run_id: int
    index: int | None
    verb: Verb
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceState:
    """State of one instance; of its last execution when there were several."""

    status: Status = Status.WAITING
    executions: int = 0
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run is: its own state, and those of its instances by number."""

    status: RunStatus
    states: tuple[InstanceState, ...]
