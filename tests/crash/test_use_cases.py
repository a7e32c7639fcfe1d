"""Every command in any order, with accidents, edits and people between them: each unit still runs once.

Hypothesis makes up the histories and shortens those that fail. The service's ledger is the judge.
"""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.crash.tally import Tally
from tests.crash.usecases.machine import UseCases
from tests.effort import FACTOR, cases

SUITE = "use cases (Hypothesis)"

#: A run in `make test` is the same each time; `make soak` looks where nobody has looked before.
SETTINGS = settings(
    max_examples=cases(30, soak=300),
    stateful_step_count=cases(25, soak=50),
    derandomize=FACTOR == 1,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)

#: What must have come about, or the histories are not what they are for; the rest takes a soak to be sure.
REACHED = {"adopted", "apply killed"}
REACHED_IN_TIME = {
    *("resolved", "stopped", "forgotten"),
    *(
        f"{one} killed"
        for one in ("plan", "status", "resolve", "adopt", "stop", "state", "unlock")
    ),
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where that can be had: thousands of commands write durably here."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


def test_whatever_people_and_accidents_do_each_unit_runs_once(folder: Path, tally: Tally) -> None:
    roots = (folder / f"project-{number}" for number in itertools.count())
    happened: Counter[str] = Counter()

    class Here(UseCases):
        def __init__(self) -> None:
            super().__init__(next(roots), tally, happened)

    run_state_machine_as_test(Here, settings=SETTINGS)
    expected = REACHED if FACTOR == 1 else REACHED | REACHED_IN_TIME
    assert not expected - happened.keys(), happened
