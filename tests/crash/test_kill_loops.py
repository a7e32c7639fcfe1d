"""Applies that are killed at any moment, again and again: each date still starts once."""

from __future__ import annotations

import datetime as dt
import json
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.crash import outcomes
from tests.crash.outcomes import Outcome
from tests.crash.stage import APPLY, STORES, Launcher, in_turn
from tests.crash.tally import Tally
from tests.effort import cases
from tests.scenario.backfilled import instant_world
from tests.scenario.processes import HUNG_SECONDS, Service, simulate, starts

SUITE = "kills at random times"

ROOTS = range(1, 5)

#: Runs end as they begin, so that what the next apply reads does not grow from kill to kill.
WORLD = json.dumps(instant_world(*ROOTS))

#: In one loop; more loops and not longer ones make more kills, as what is declared grows with each.
KILLS = 20
SEEDS = range(20_200_520, 20_200_520 + cases(1, soak=10))

FIRST = dt.date(2020, 1, 1)

#: By how much each apply is asked for more than the one before. Every third date is left out, so that
#: there are many calls, and a call that was not sent grows with the dates.
DAYS_MORE = 4


def wanted_days(days: int) -> list[dt.date]:
    return [FIRST + dt.timedelta(n) for n in range(days) if n % 3 != 2]


def declare(project: Launcher, days: int) -> None:
    """A backfill of each target over so many days."""
    left_out = [str(FIRST + dt.timedelta(n)) for n in range(2, days, 3)]
    end = FIRST + dt.timedelta(days - 1)
    dates = {"start": str(FIRST), "end": str(end), "except": left_out}
    for root in ROOTS:
        target = project.system.target_of(root)
        project.backfill(f"backfill-{root}", target=target, dates=dates)


@dataclass(slots=True)
class Loop:
    """Applies, each asked for more than the one before, until so many were killed.

    `lasts` is how long the last apply took that got through, in seconds: it bounds the next moments.
    """

    project: Launcher
    chance: random.Random
    lasts: float = HUNG_SECONDS
    moments: list[float] = field(default_factory=list)
    kills: int = 0

    def run(self) -> None:
        """Kill; where too many get through, it is left at fewer kills."""
        self.apply(HUNG_SECONDS)
        while self.kills < KILLS and len(self.moments) < 2 * KILLS:
            outcome = self.chance.choice(list(Outcome))
            outcomes.arrange(self.project, outcome, chance=self.chance)
            self.apply(self.lasts * self.chance.uniform(0.05, 0.95))
        self.project.service.faults()

    def apply(self, moment: float) -> None:
        """One apply with more to do, killed after so many seconds unless it has ended."""
        self.moments.append(moment)
        declare(self.project, self.days)
        self.project.a_minute_later()
        began = time.monotonic()
        victim = self.project.launch(*APPLY)
        result = victim.wait(moment)
        if result is None:
            victim.send(signal.SIGKILL)
            result = victim.ended()
        # One that got through may have met dates whose call is of unknown outcome.
        assert result.code in {0, 3, -signal.SIGKILL}, f"{self}: {result.err}"
        if result.code == -signal.SIGKILL:
            self.kills += 1
        else:
            self.lasts = time.monotonic() - began

    @property
    def days(self) -> int:
        """How many days are declared by now."""
        return len(self.moments) * DAYS_MORE

    def __str__(self) -> str:
        return f"killed after {[round(moment, 3) for moment in self.moments]} s"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with simulate(tmp_path, world=WORLD, clock="real") as served:
        yield served


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("store", STORES)
def test_after_twenty_killed_applies_each_date_has_started_once(
    store: str, seed: int, service: Service, tmp_path: Path, tally: Tally
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    system = in_turn(store, seed)
    project = Launcher(tmp_path / "project", service, store=store, system=system)
    loop = Loop(project, chance)

    loop.run()
    applied = project.apply_to_the_end()

    told = f"seed {seed}, {system.name}, {loop}"
    assert applied.code == 0, f"{told}: {applied.err}{applied.out}"
    findings = project.judged()
    tally.count(findings, cases=loop.kills)
    assert not findings, f"{told}: {findings}"
    days = wanted_days(loop.days)
    roots = [system.root_of(root) for root in ROOTS]
    assert starts(project) == {f"{root} {day}": 1 for root in roots for day in days}, told
    project.assert_done(told)
