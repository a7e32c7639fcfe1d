"""Histories drawn from seeds, played in one process on a clock that nobody waits for.

A seed that breaks the promise tells its shortest history as a script. To play a seed again:
`python -m tests.crash.simulation SEED`; a script can be pasted into a test as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from reconciler.planning import facts
from reconciler.planning.absence import Absence
from tests.crash.simulation.generating import script_of
from tests.crash.simulation.history import Broken
from tests.crash.simulation.playing import fault_of, played, shortest, telling
from tests.crash.simulation.script import (
    Command,
    Declare,
    Episode,
    Hitch,
    Process,
    Script,
    Trouble,
    Wait,
)
from tests.crash.tally import Tally
from tests.effort import cases

SUITE = "seeded simulation"
ROOT = Path(__file__).parents[2]

SEEDS = cases(100, soak=2000)

#: So many tests share the seeds, so that all processors have something to do.
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_every_history_keeps_the_promise(part: int, tally: Tally) -> None:
    for seed in range(part, SEEDS, PARTS):
        script = script_of(seed)
        try:
            played(script)
        except Broken as broken:
            tally.count(broken.findings)
            pytest.fail(f"seed {seed}: {broken}\n\n{telling(script)}", pytrace=False)
        tally.count()


def test_a_seed_tells_the_same_history_again() -> None:
    """Also in another process, in which sets are in another order."""
    told = []
    for number in ("1", "2"):
        replay = subprocess.run(
            [sys.executable, "-m", "tests.crash.simulation", "3"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": number},
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(replay.stdout)
    assert told[0].count("begins") > 10
    assert told[0] == told[1]


@contextmanager
def absence_believed_at_once() -> Iterator[None]:
    """Without the quarantine, and without looking at all."""
    with mock.patch.object(facts, "judge_absence", return_value=Absence(proved=True)):
        yield


#: Much happens in it, and one request arrives long after it was given up.
BUSY = Script(
    (
        Declare("orders", frozenset({11, 12})),
        Declare("close", frozenset({12})),
        Episode(
            2,
            (Process(Command.APPLY), Process(Command.APPLY, starts=0.3)),
            hitches=(Hitch(1, Trouble.LATE_REQUEST, 200.0), Hitch(2, Trouble.THROTTLE)),
        ),
        Wait(5.0),
        Episode(3, (Process(Command.APPLY),)),
    ),
    listing_lag=5,
)


def test_a_missing_guard_is_found_and_told_by_a_short_script() -> None:
    assert fault_of(BUSY) is None
    with absence_believed_at_once():
        with pytest.raises(Broken, match="started 2 times"):
            played(BUSY)
        short = shortest(BUSY)
        told = telling(short)
    assert fault_of(short) is None, "the guard is what it takes"
    assert [type(act) for act in short.acts] == [Declare, Episode, Episode]
    assert sum(len(act.processes) for act in short.acts if isinstance(act, Episode)) == 2
    assert repr(short) in told
    assert told.startswith("duplicate: 1 2020-05-1")
    assert "the network: late_request for create 1, 1 2020-05-1" in told
    assert told.count("the service executes 1 2020-05-1") == 2
