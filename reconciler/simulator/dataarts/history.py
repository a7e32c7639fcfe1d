"""What of the stored runs can be seen now, and where each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.simulator.dataarts import records
from reconciler.simulator.dataarts.call import Call
from reconciler.simulator.dataarts.records import RunFilter
from reconciler.simulator.dataarts.runs import InstanceType, Progress, Run
from reconciler.simulator.dataarts.transitions import counted_jobs, replay
from reconciler.simulator.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A run, and where it is now."""

    run: Run
    progress: Progress


def listed_runs(session: Session, wanted: RunFilter) -> tuple[Run, ...]:
    """Runs that a listing may show: neither gone nor too young, ascending by id."""
    found = remembered_runs(session, wanted)
    return tuple(run for run in found if _is_listed(session, run))


def remembered_runs(session: Session, wanted: RunFilter) -> tuple[Run, ...]:
    """Runs that are not gone, whether a listing shows them yet or not; ascending by id."""
    return records.find_runs(
        session.connection, wanted, created_ms=(session.oldest_work_ms, session.work_ms)
    )


def is_created(session: Session, run: Run) -> bool:
    """Whether an accepted run is there by now: a PatchData is created some time after the answer."""
    lag = session.world.creation_lag_seconds if run.type is InstanceType.PATCH_DATA else 0.0
    return run.created_work_ms + round(lag * 1000) <= session.work_ms


def run_of_instance(call: Call, number: int) -> Seen | None:
    """The run in the call's workspace that has this instance, while it is remembered."""
    session = call.session
    run = records.run_with_instance(session.connection, number)
    if run is None or (run.project, run.workspace) != (call.project, call.workspace):
        return None
    if run.created_work_ms < session.oldest_work_ms or not is_created(session, run):
        return None
    return progress_of(session, (run,))[0]


def progress_of(session: Session, runs: Sequence[Run]) -> tuple[Seen, ...]:
    """Replay each run alone, but those that share counted failures together."""
    counted = counted_jobs(session.worlds)
    shared = [run for run in runs if not counted.isdisjoint(run.jobs)]
    groups: list[Sequence[Run]] = [(run,) for run in runs if counted.isdisjoint(run.jobs)]
    if shared:
        groups.append(records.runs_of_jobs(session.connection, counted))
    states: dict[int, Progress] = {}
    for group in groups:
        acts = records.acts_on(session.connection, [run.id for run in group])
        states.update(replay(group, acts, session.worlds, session.work_ms))
    return tuple(Seen(run=run, progress=states[run.id]) for run in runs)


def _is_listed(session: Session, run: Run) -> bool:
    lag = session.world.listing_lag_seconds
    if run.type is InstanceType.PATCH_DATA:
        lag += session.world.creation_lag_seconds
    return run.created_work_ms + round(lag * 1000) <= session.work_ms
