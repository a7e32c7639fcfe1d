"""How PatchData and manual runs move: from what was asked for, done by people and true of the world.

`replay` is a pure discrete-event computation over the work clock, like that of the simulated DataWorks.

The rules:
- Periods begin in their order (ascending, or newest first), at most `parallel` at once; a period is
  over when none of its instances runs.
- A period begins with its job. Jobs that depend on it start once it has succeeded, all at once; if it
  fails they stay waiting.
- An execution takes `seconds` and then succeeds or fails, as the world says that holds when it starts.
  `fail` with `times: n` counts executions of a job on a plan day within a workspace, over all runs.
- A failure does not hold later periods up, unless the run stops on failure: then none begins any more.
- Stopping a run stops all of it that has not ended. Stopping an instance ends that one. A repeated
  instance runs at once.
- A run is RUNNING while anything runs or may still begin. Then it is SUCCESS if everything has
  succeeded, CANCEL if it was stopped or instances were stopped and none failed, and else FAIL.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.simulator.dataarts.runs import (
    ENDED,
    Act,
    InstanceState,
    Progress,
    Run,
    RunStatus,
    Status,
    Verb,
)
from reconciler.simulator.dataarts.times import plan_day
from reconciler.simulator.transitions import WorldVersion, world_at
from reconciler.simulator.world import Job

# At one moment ends come first, then new runs, then what people do: they saw the ends.
_END, _BEGIN, _ACT = range(3)


def replay(
    runs: Sequence[Run], acts: Sequence[Act], worlds: Sequence[WorldVersion], until_ms: int
) -> Mapping[int, Progress]:
    """Work out where runs are at a moment of the work clock.

    Args:
        runs: Runs that share a counted failure have to be replayed together, ascending by id.
        acts: What was done to them, in the order it was done.
        worlds: Every version of the world, ascending by `from_ms`; at least one.
        until_ms: What happens at this very moment has happened.

    Returns:
        The progress of each run, by its id.
    """
    agenda: list[_Entry] = []
    order = itertools.count()
    executed: Counter[tuple[str, str, str, int]] = Counter()

    def add(at_ms: int, rank: int, run_id: int, what: _What) -> None:
        heapq.heappush(agenda, (at_ms, rank, next(order), run_id, what))

    courses = {run.id: _Course(run, worlds=worlds, executed=executed) for run in runs}
    for run in runs:
        add(run.created_work_ms, _BEGIN, run.id, None)
    for act in acts:
        add(act.at_ms, _ACT, act.run_id, act)
    while agenda and agenda[0][0] <= until_ms:
        at_ms, _, _, run_id, what = heapq.heappop(agenda)
        for end_ms, end in courses[run_id].happen(what, at_ms):
            add(end_ms, _END, run_id, end)
    return {run_id: course.progress() for run_id, course in courses.items()}


def counted_jobs(worlds: Sequence[WorldVersion]) -> frozenset[str]:
    """Names of the jobs whose failures are counted in any version of the world."""
    return frozenset(
        job.name
        for version in worlds
        for job in version.world.jobs
        if any(failure.times is not None for failure in job.failures)
    )


@dataclass(frozen=True, slots=True)
class _End:
    """The end of the execution number `execution` (from 1) of an instance."""

    index: int
    execution: int
    status: Status


_What = _End | Act | None
_Entry = tuple[int, int, int, int, _What]


@dataclass(slots=True)
class _Course:
    """One run on its way."""

    run: Run
    worlds: Sequence[WorldVersion]
    executed: Counter[tuple[str, str, str, int]]
    _states: list[InstanceState] = field(init=False)
    _periods: list[int] = field(init=False)
    _running: Counter[int] = field(default_factory=Counter)
    _halted: bool = False
    _cancelled: bool = False
    _ends: list[tuple[int, _End]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._states = [InstanceState()] * self.run.instance_count
        # The next one stands last.
        self._periods = list(range(self.run.period_count))
        if not self.run.newest_first:
            self._periods.reverse()

    def happen(self, what: _What, at_ms: int) -> list[tuple[int, _End]]:
        """Let something happen; the ends of the executions that start with it."""
        self._ends = []
        match what:
            case _End(index=index, execution=execution, status=status):
                state = self._states[index]
                # An execution that was stopped has ended before.
                if state.status is Status.RUNNING and state.executions == execution:
                    self._end(index, status, at_ms)
            case Act():
                self._act(what, at_ms)
            case None:
                pass
        while self._may_begin():
            self._start(self._periods.pop() * len(self.run.jobs), at_ms)
        return self._ends

    def progress(self) -> Progress:
        return Progress(status=self._status(), states=tuple(self._states))

    def _status(self) -> RunStatus:
        statuses = {state.status for state in self._states}
        if self._cancelled:
            return RunStatus.CANCEL
        if Status.RUNNING in statuses or (self._periods and not self._halted):
            return RunStatus.RUNNING
        if statuses == {Status.SUCCESS}:
            return RunStatus.SUCCESS
        stopped = Status.STOPPED in statuses and Status.FAIL not in statuses
        return RunStatus.CANCEL if stopped else RunStatus.FAIL

    def _may_begin(self) -> bool:
        if not self._periods or self._halted or self._cancelled:
            return False
        return len(self._running) < self.run.parallel

    def _start(self, index: int, at_ms: int) -> None:
        name = self.run.job_of(index)
        job = world_at(self.worlds, at_ms).job(name) or Job(name=name)
        executions = self._states[index].executions + 1
        self._states[index] = InstanceState(
            status=Status.RUNNING, executions=executions, start_ms=at_ms
        )
        self._running[index // len(self.run.jobs)] += 1
        end = _End(index, executions, self._verdict(job, index))
        self._ends.append((at_ms + round(job.seconds * 1000), end))

    def _verdict(self, job: Job, index: int) -> Status:
        """How the execution that starts now will end; counts it where executions count."""
        day = plan_day(self.run.plan_ms(index))
        failure = job.failure_on(day)
        if failure is None:
            return Status.SUCCESS
        if failure.times is None:
            return Status.FAIL
        key = (self.run.project, self.run.workspace, job.name, day.toordinal())
        self.executed[key] += 1
        return Status.FAIL if self.executed[key] <= failure.times else Status.SUCCESS

    def _end(self, index: int, status: Status, at_ms: int) -> None:
        self._states[index] = replace(self._states[index], status=status, end_ms=at_ms)
        period, place = divmod(index, len(self.run.jobs))
        self._running[period] -= 1
        if not self._running[period]:
            del self._running[period]
        if status is Status.FAIL and self.run.stops_on_failure:
            self._halted = True
        if status is Status.SUCCESS and place == 0:
            for other in range(index + 1, index + len(self.run.jobs)):
                if self._states[other].status is Status.WAITING:
                    self._start(other, at_ms)

    def _act(self, act: Act, at_ms: int) -> None:
        match act:
            case Act(verb=Verb.STOP_RUN):
                self._stop_all(at_ms)
            case Act(verb=Verb.STOP, index=int(index)):
                if self._states[index].status is Status.RUNNING:
                    self._end(index, Status.STOPPED, at_ms)
            case Act(verb=Verb.RESTART, index=int(index)):
                if self._states[index].status in ENDED:
                    self._start(index, at_ms)
            case _:
                pass  # An act on an instance always names one.

    def _stop_all(self, at_ms: int) -> None:
        self._cancelled = True
        self._running.clear()
        for index, state in enumerate(self._states):
            if state.status not in ENDED:
                ended = replace(state, status=Status.STOPPED, end_ms=at_ms)
                self._states[index] = ended
