"""A store that is lost right after a create, whatever its answer proved: the service tells what runs.

The apply dies, or ends, once what became of its first call is decided; then the whole store goes, with all
that was known of the call. Its run bears our tag, and nothing else says that it was ours.
"""

from __future__ import annotations

import itertools
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.model.steps import Durable, Moment, durable_point
from tests.crash import outcomes
from tests.crash.hooks import Hooks, Strike
from tests.crash.outcomes import Outcome
from tests.crash.scenes import DAYS, one_by_one
from tests.crash.stage import STORES, Stage, in_turn
from tests.crash.tally import Tally
from tests.effort import cases
from tests.scenario.backfilled import DATAARTS, SYSTEMS, System
from tests.scenario.processes import Service, starts

SUITE = "lost stores"

SEED = 20_200_520

#: Where the apply dies; None where it goes on to its end.
ENDS = (None, *(durable_point(Durable.SETTLE, moment) for moment in Moment))


@dataclass(frozen=True, slots=True)
class Case:
    """One loss: what the first create met, where its sender died, and the store that was lost then."""

    system: System
    outcome: Outcome
    end: str | None
    store: str

    def __str__(self) -> str:
        return (
            f"{self.system.name}, {self.outcome.value}, {self.end or 'to its end'}, {self.store}"
        )


def losses() -> Iterator[Case]:
    """Every one; each system has half of those with each store."""
    for number, (outcome, end) in enumerate(itertools.product(Outcome, ENDS)):
        for store in STORES:
            yield Case(in_turn(store, number + number // len(ENDS)), outcome, end, store)


#: The one that is tried first: the call was executed, and nobody was told.
UNTOLD = Case(DATAARTS, Outcome.EXECUTED, None, "sqlite")


LOSSES = sorted(losses(), key=lambda case: case != UNTOLD)


@pytest.mark.parametrize("case", LOSSES[: cases(1, soak=len(LOSSES))], ids=str)
def test_a_store_lost_after_a_create_costs_no_second_execution(
    case: Case, service: Service, tmp_path: Path, tally: Tally
) -> None:
    stage = Stage(tmp_path / "project", service, store=case.store, system=case.system)
    stage.wants(*DAYS)
    chance = random.Random(f"{SEED} {case}")  # noqa: S311 - no secret
    outcomes.arrange(stage, case.outcome, chance=chance)
    hooks = None if case.end is None else Hooks(strike=Strike(point=case.end))
    first = stage.launch(*one_by_one(stage), hooks=hooks).ended()
    assert first.code in ({0, 3} if case.end is None else {-signal.SIGKILL}), first.err
    before = len(stage.ledger())
    stage.lose_store()

    applied = stage.apply_to_the_end()

    assert applied.code == 0, applied.err
    assert ("adopt" in applied.out) == bool(before), applied.out
    root = stage.system.root_of(stage.number)
    assert starts(stage) == {f"{root} {day}": 1 for day in DAYS}
    findings = stage.judged()
    tally.count(findings)
    assert not findings, str(findings)
    stage.assert_done(case)


def test_each_system_loses_each_store_after_each_outcome_and_each_end() -> None:
    assert LOSSES[0] == UNTOLD
    for system in SYSTEMS:
        of_it = [case for case in LOSSES if case.system is system]
        assert {(case.store, case.outcome) for case in of_it} == set(
            itertools.product(STORES, Outcome)
        )
        assert {(case.store, case.end) for case in of_it} == set(itertools.product(STORES, ENDS))
