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

from tests.crash.mortal import At
from tests.crash.tally import Tally
from tests.crash.usecases.checks import LEASE_SECONDS
from tests.crash.usecases.machine import UseCases
from tests.effort import FACTOR, cases
from tests.scenario.processes import QUARANTINE_SECONDS

SUITE = "use cases (Hypothesis)"

#: A run in `make test` is the same each time; `make soak` looks where nobody has looked before.
SETTINGS = settings(
    max_examples=cases(10, soak=150),
    stateful_step_count=cases(25, soak=50),
    derandomize=FACTOR == 1,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)

#: What has to come about, or the rules are not what they are for.
REACHED = {
    *("adopted", "resolved", "stopped", "forgotten"),
    *(f"{command} killed" for command in ("adopt", "apply", "plan", "resolve", "state")),
    *(f"{command} killed" for command in ("status", "stop", "unlock")),
}

#: What comes about once or twice in a soak, if at all: the tour of the rules comes to it in any case.
RARE = {"adopt killed", "unlock killed"}


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
    # In fewer histories than those of a soak, chance decides what comes about; so it does for what is rare.
    assert FACTOR == 1 or not REACHED - RARE - happened.keys(), happened


def test_the_rules_come_to_what_they_are_for(folder: Path, tally: Tally) -> None:
    happened: Counter[str] = Counter()
    tour = UseCases(folder / "project", tally, happened)
    tour.begin("per-date", 0, False, 9, {"close": frozenset({0}), "users": frozenset({1, 2, 3})})
    try:
        tour.save(At("plan_file.written"))
        tour.apply_and_die(At("sent.begin"), True, False)
        tour.unlock(True, At("unlock.written"))
        tour.unlock(True, None)
        tour.lose_a_flow_and_resolve("drop", 0, At("ruling.written"))
        tour.later(LEASE_SECONDS)
        tour.resolve(0, 0, None)
        tour.write("extra", frozenset({4, 5}))
        tour.stop_what_began(1, 20, At("ruling.begin"))
        tour.later(QUARANTINE_SECONDS)
        tour.ask_again(1, frozenset({4, 5}))
        tour.stop_what_began(1, 20, None)
        tour.status(At("count.begin"))
        tour.write("orders", frozenset({7}))
        tour.start_and_adopt(0)
        tour.adopt(0, At("acquire.durable"))
        tour.later(QUARANTINE_SECONDS)
        tour.forget(1, frozenset({4}), At("ruling.begin"))
        tour.later(LEASE_SECONDS)
        tour.forget(1, frozenset({4}), None)
        tour.the_ledger_agrees()
    finally:
        tour.teardown()
    assert not REACHED - happened.keys(), happened
