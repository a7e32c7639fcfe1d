"""A process killed at each named point, whatever its request meets: the next apply makes it good.

The points come from the code. Each is tried with every outcome of the first create request that reaches
the service, which is the killed process's own or, where it died before, that of the apply after it; and
with both kinds of store.
"""

from __future__ import annotations

import itertools
import random
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.model.steps import Durable, Exchange, all_points
from tests.crash import outcomes
from tests.crash.outcomes import Outcome
from tests.crash.scenes import DURABLE, WIRE, Scene, recovered, scene_of, secured
from tests.crash.stage import STORES, Stage, in_turn
from tests.crash.tally import Tally
from tests.effort import cases
from tests.scenario.backfilled import SYSTEMS, System
from tests.scenario.processes import Service
from tests.scenario.sandbox import Result

SUITE = "kills at named points"

SEED = 20_200_520

POINTS = tuple(all_points())


@dataclass(frozen=True, slots=True)
class Case:
    """One kill: where, on which system, with which store, and what the first create request meets."""

    point: str
    system: System
    store: str
    outcome: Outcome

    @property
    def chance(self) -> random.Random:
        """What is left to chance in it; the same whenever it is tried."""
        return random.Random(f"{SEED} {self}")  # noqa: S311 - no secret

    def __str__(self) -> str:
        return f"{self.point}, {self.outcome.value}, {self.system.name}, {self.store}"


#: What is particular to a system is how its creates end and how they are found again.
OF_CREATES = tuple(
    f"{step.value}."
    for step in (
        Exchange.CREATE,
        Durable.INTENT,
        Durable.SENT,
        Durable.SETTLE,
        Durable.ADOPT,
        Durable.ABSENT,
    )
)


def cases_at(point: str) -> list[Case]:
    """The cases of a point that are tried: one in `make test`, all in `make soak`.

    Each store meets each outcome, on both systems at the points of creates and on one, by turns, elsewhere:
    so every system is tried with every store, and with every outcome.
    """
    every = []
    for number, outcome in enumerate(Outcome, POINTS.index(point)):
        for store, system in itertools.product(STORES, SYSTEMS):
            if point.startswith(OF_CREATES) or system is in_turn(store, number):
                every.append(Case(point, system, store, outcome))
    random.Random(f"{SEED} {point}").shuffle(every)  # noqa: S311 - no secret
    return every[: cases(1, soak=len(every))]


@dataclass(slots=True)
class Tried:
    """A case on its way."""

    case: Case
    scene: Scene
    stage: Stage
    chance: random.Random
    told: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """The command dies at the point, and nothing else becomes of it."""
        self.stage.a_minute_later()
        outcomes.arrange(
            self.stage,
            self.case.outcome,
            chance=self.chance,
            seconds=self.scene.slow_seconds,
        )
        words = self.scene.command(self.stage)
        hooks = self.scene.hooks(self.case.point, self.chance)
        self.told = [str(self.case), str(hooks.strike)]
        result = self.stage.launch(*words, hooks=hooks).ended()
        self.note(result)
        assert result.code == -signal.SIGKILL, f"it did not die there: {self}"
        self.scene.leaves(self.stage)

    def apply(self) -> int:
        """Apply once the lease of the dead has run out."""
        self.stage.a_minute_later()
        result = recovered(self.stage)
        self.note(result)
        return result.code

    def note(self, result: Result) -> None:
        self.told.append(f"--- exit code {result.code}\n{result.out}{result.err}")

    def __str__(self) -> str:
        return "\n".join(self.told)


def try_all(tried: Sequence[Tried], service: Service, tally: Tally) -> None:
    """Kill and recover; time passes for all of them at once."""
    for one in tried:
        one.chance.choice(one.scene.arranges)(one.stage)
    if any(one.scene.ages for one in tried):
        tried[0].stage.let_signatures_expire()
    left = []
    for one in tried:
        one.kill()
        code = one.apply()
        assert code in {0, 3}, str(one)
        if code:
            left.append(one)
        service.faults()
    if left:
        left[0].stage.let_signatures_expire()
    for one in left:
        assert one.apply() == 0, str(one)
    for one in tried:
        findings = one.stage.judged()
        tally.count(findings)
        assert not findings, f"{findings}\n{one}"
        one.stage.assert_done(one)


@pytest.mark.parametrize("point", POINTS)
def test_whatever_is_killed_there_each_date_starts_once(
    point: str, service: Service, tmp_path: Path, tally: Tally
) -> None:
    scene = scene_of(point)
    with ExitStack() as doors:
        tried = []
        through = doors.enter_context(secured(service, tmp_path)) if scene.secured else None
        for number, case in enumerate(cases_at(point)):
            root = tmp_path / f"project-{number}"
            stage = Stage(root, service, store=case.store, system=case.system)
            if through is not None:
                through(stage)
            tried.append(Tried(case, scene, stage, case.chance))
        try_all(tried, service, tally)


def test_every_point_has_a_scene_and_every_scene_a_point() -> None:
    used = [scene_of(point) for point in POINTS]
    assert len(used) == len(POINTS)
    assert all(any(scene is one for one in used) for scene in (*DURABLE.values(), *WIRE.values()))


def test_the_usual_cases_cover_every_point_with_both_systems_and_stores_and_every_outcome() -> (
    None
):
    usual = [case for point in POINTS for case in cases_at(point)]
    assert len(usual) >= 60
    assert {case.point for case in usual} == set(POINTS)
    for system in SYSTEMS:
        of_it = [case for case in usual if case.system is system]
        assert len(of_it) >= len(POINTS) // 3
        assert {case.store for case in of_it} == set(STORES)
        assert {case.outcome for case in of_it} == set(Outcome)
