"""The create protocol in every order of events: never a duplicate, but one once a guard is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import reconciler
from tests.crash.model.explore import explore
from tests.crash.model.guards import Assumption, Guard, Setting
from tests.crash.model.promises import DUPLICATE
from tests.crash.model.variants import (
    ALONE,
    ASSUMED,
    COVERED_BY_THE_LOCK,
    TOGETHER,
    Together,
    without,
)
from tests.crash.tally import Tally
from tests.effort import cases

SUITE = "model of the protocol"

_PLAIN = Setting(applies=cases(3, soak=4), crashes=cases(2, soak=3))
_MORE = Setting(applies=cases(2, soak=3), crashes=cases(1, soak=2), attended=cases(1, soak=0) == 1)
_FILED = replace(_MORE, copies=1, plan_files=1)
_RESOLVED = replace(_MORE, people=1)
_RESTORED = replace(_MORE, backups=1, restores=1)

#: The protocol as it is, in as many settings as make sense; `soak` has more applies and crashes.
SOUND = {
    "S2": _PLAIN,
    "S3": replace(_PLAIN, tier="S3"),
    "S2, names altered": replace(_MORE, named=False),
    "S2, tried again": Setting(
        applies=2, crashes=cases(0, soak=1), tries=1, copies=cases(1, soak=2), attended=False
    ),
    "S2, a plan file": _FILED,
    "S3, a plan file": replace(_FILED, tier="S3"),
    "S2, resolved": _RESOLVED,
    "S3, resolved": replace(_RESOLVED, tier="S3"),
    "S2, restored": replace(_RESTORED, copies=1),
    "S3, restored": replace(_RESTORED, copies=1, tier="S3"),
    "S3, restored and resolved": Setting(
        tier="S3",
        applies=2,
        crashes=cases(0, soak=1),
        people=1,
        backups=1,
        restores=1,
        copies=1,
        attended=False,
    ),
    "S2, two units": Setting(
        applies=cases(1, soak=2), crashes=1, units=2, copies=1, attended=False
    ),
}


@pytest.mark.parametrize("setting", SOUND.values(), ids=SOUND)
def test_nothing_is_executed_twice_invented_or_lost(setting: Setting, tally: Tally) -> None:
    explored = explore(setting)
    assert explored.fault is None, str(explored)
    tally.count(cases=explored.states)


@pytest.mark.parametrize("guard", ALONE, ids=lambda guard: guard.name)
def test_without_a_guard_a_create_is_executed_twice(guard: Guard) -> None:
    explored = explore(without(ALONE[guard], guard), looking_for=DUPLICATE)
    assert explored.fault == DUPLICATE
    assert explored.trace


@pytest.mark.parametrize("together", TOGETHER.values(), ids=TOGETHER)
def test_of_guards_that_cover_for_each_other_any_one_is_enough(together: Together) -> None:
    explored = explore(without(together.setting, *together.guards), looking_for=DUPLICATE)
    assert explored.fault == DUPLICATE
    for kept in together.guards:
        others = [guard for guard in together.guards if guard is not kept]
        explored = explore(without(together.setting, *others), looking_for=DUPLICATE)
        assert explored.fault is None, f"{kept.name} is left\n{explored}"


def test_under_the_lock_a_plan_needs_no_second_look() -> None:
    explored = explore(COVERED_BY_THE_LOCK)
    assert explored.fault is None, str(explored)


@pytest.mark.parametrize("assumption", ASSUMED, ids=lambda assumption: assumption.name)
def test_what_is_assumed_is_needed(assumption: Assumption) -> None:
    setting = replace(ASSUMED[assumption], broken=frozenset({assumption}))
    explored = explore(setting, looking_for=DUPLICATE)
    assert explored.fault == DUPLICATE
    assert explored.trace


def test_every_guard_and_assumption_is_tried() -> None:
    paired = {guard for together in TOGETHER.values() for guard in together.guards}
    assert ALONE.keys() | paired == set(Guard)
    assert ASSUMED.keys() == set(Assumption)


@pytest.mark.parametrize("guard", Guard, ids=lambda guard: guard.name)
def test_each_guard_stands_where_the_model_says(guard: Guard) -> None:
    for place in guard.where:
        path, text = place.split(":", 1)
        assert text in (Path(reconciler.__file__).parent / path).read_text("utf-8")


def test_a_trace_reads_like_a_story() -> None:
    explored = explore(without(ALONE[Guard.SENT_ONCE], Guard.SENT_ONCE), looking_for=DUPLICATE)
    assert list(explored.trace) == [
        "process 1 takes the lock",
        "process 1 plans a create",
        "process 1 looks again and finds things as planned",
        "process 1 records an intent and signs its request",
        "process 1 marks the attempt as sent",
        "process 1 sends its request",
        "process 1 has no answer in time and sends again",
        "the service executes the create; its answer is lost",
        "the service executes the create",
    ]
