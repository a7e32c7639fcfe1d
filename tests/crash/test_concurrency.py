"""Appliers at once, and no lock between them: each believes that it alone holds it.

Whoever comes takes the lock, whoever has it, so that they overtake one another all the time. What is left
is the fence in each write, and what the protocol asks of the record before a request leaves.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from itertools import pairwise
from pathlib import Path

import pytest

from tests.crash.hooks import Hooks
from tests.crash.stage import APPLY, STORES, Launcher, in_turn
from tests.crash.tally import Tally
from tests.effort import cases
from tests.scenario.backfilled import instant_world
from tests.scenario.processes import simulate, starts

SUITE = "appliers without a lock"

SEED = 20_200_520

APPLIERS = 8

#: Every other one, so that each is a call of its own.
DAYS = tuple(str(dt.date(2020, 1, 1) + dt.timedelta(2 * n)) for n in range(cases(40, soak=200)))

#: How often each applies, and how long it rests at most in between.
ROUNDS, REST_SECONDS = cases(4, soak=16), 0.3

#: What they all start, on a system of which the other store meets the other one first.
NUMBER = 1
TURNS = range(1, 1 + cases(1, soak=2))


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("store", STORES)
def test_of_appliers_that_all_hold_the_lock_none_starts_a_date_again(
    store: str, turn: int, tmp_path: Path, tally: Tally
) -> None:
    system = in_turn(store, turn)
    chance = random.Random(f"{SEED} {store} {system.name}")  # noqa: S311 - no secret
    with simulate(tmp_path, world=json.dumps(instant_world(NUMBER)), clock="real") as service:
        project = Launcher(tmp_path / "project", service, store=store, system=system)
        project.backfill(target=system.target_of(NUMBER), dates={"list": DAYS})
        rivals = [
            project.launch(
                *APPLY,
                hooks=Hooks(unlocked=True, drowsy=chance.getrandbits(32)),
                pauses=tuple(chance.uniform(0, REST_SECONDS) for _ in range(ROUNDS - 1)),
            )
            for _ in range(APPLIERS)
        ]
        ends = [rival.ended() for rival in rivals]

        assert {end.code for end in ends} <= {0, 1, 3, 5}
        assert any("took over the state lock" in end.err for end in ends)
        applied = project.apply_to_the_end()
        assert applied.code == 0, applied.err
        findings = project.judged()
        tally.count(findings, cases=len(DAYS))
        assert not findings, str(findings)
        assert starts(project) == {f"{system.root_of(NUMBER)} {day}": 1 for day in DAYS}
        fences = [fence for (fence,) in project.state("SELECT fence FROM journal ORDER BY seq")]
        assert all(before <= after for before, after in pairwise(fences))
        assert fences[-1] > APPLIERS
        project.assert_done(store)
