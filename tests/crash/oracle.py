"""The judge: the service's own ledger, held against what our store says. It asks nobody else.

The ledger is written by the simulator before it answers, in a process or a file that is not ours.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.model.attempts import Attempt, AttemptState, RecordedState
from reconciler.model.series import Series
from reconciler.state.store import SqlStore
from reconciler.wiring.workspace import open_workspace
from tests.scenario.backfilled import Work
from tests.scenario.sandbox import executed_dates, given_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is wrong, one line for each; all empty when the promise was kept."""

    duplicates: tuple[str, ...] = ()
    """Work that the service was made to start more often than it was asked for."""
    lost: tuple[str, ...] = ()
    """Work that runs, or ran, and of which our store knows nothing, not even that it is unknown."""
    invented: tuple[str, ...] = ()
    """Work that our store says was accepted, or under a run id, that the service never gave out."""

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.duplicates or self.lost or self.invented)

    def __str__(self) -> str:
        told = (
            *(f"duplicate: {one}" for one in self.duplicates),
            *(f"lost: {one}" for one in self.lost),
            *(f"invented: {one}" for one in self.invented),
        )
        return "\n".join(told)


def once(work: Work) -> int:
    """Nothing may start more than once."""
    del work
    return 1


def judge(
    ledger: Sequence[Mapping[str, Any]],
    recorded: RecordedState,
    *,
    allowed: Callable[[Work], int] = once,
) -> Findings:
    """Hold a ledger against a record.

    Args:
        ledger: Every create call that the service executed.
        recorded: What our store says.
        allowed: How often some work may have started at most.
    """
    started = Counter(executed_dates(ledger))
    runs = {run for entry in ledger for run in given_out(entry)}
    runs_of = {work: set(given_out(entry)) for entry in ledger for work in executed_dates([entry])}
    known, claimed = _known(recorded), _claimed(recorded)
    return Findings(
        duplicates=tuple(
            f"{work} started {times} times, {allowed(work)} asked for"
            for work, times in sorted(started.items())
            if times > allowed(work)
        ),
        lost=tuple(f"{work} (runs {runs_of[work]})" for work in sorted(started.keys() - known)),
        invented=(
            *(f"{work}, on record as accepted" for work in sorted(claimed - started.keys())),
            *(
                f"run {run} of attempt {attempt.id}"
                for attempt in recorded.attempts
                for run in attempt.run_ids
                if run not in runs
            ),
        ),
    )


def _known(recorded: RecordedState) -> set[Work]:
    """Work of which the store knows that it ran or may have run."""
    return {
        work
        for attempt in recorded.attempts
        if not attempt.state.never_ran and attempt.state is not AttemptState.REQUESTED
        for work in work_of(attempt, recorded.series[attempt.series])
    }


def _claimed(recorded: RecordedState) -> set[Work]:
    """Work of which the store claims to know that it ran."""
    return {
        work
        for attempt in recorded.attempts
        if attempt.state is AttemptState.ACCEPTED
        for work in work_of(attempt, recorded.series[attempt.series])
    }


def work_of(attempt: Attempt, series: Series) -> Iterator[Work]:
    """What an attempt is about."""
    return (f"{series.subject.root} {day}" for day in attempt.dates.days())


@contextmanager
def store_of(root: Path, environ: Mapping[str, str] | None = None) -> Iterator[SqlStore | None]:
    """The store of a project, to read from; None when there is none.

    Raises:
        StateError: It cannot be read.
    """
    workspace = open_workspace(root, {**os.environ, **(environ or {})})
    store = workspace.store_to_read("judge")
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def record_of(root: Path, environ: Mapping[str, str] | None = None) -> RecordedState:
    """What the store of a project says; an empty record when there is none.

    Raises:
        StateError: It cannot be read.
    """
    with store_of(root, environ) as store:
        return RecordedState() if store is None else store.snapshot()
