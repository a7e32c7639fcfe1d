"""A state file that was torn, cut, altered or replaced: it works or is refused, and is never wrong."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.crash.damage.damages import (
    Case,
    bit_flips,
    other_files,
    pages,
    truncations,
    write_ahead_logs,
)
from tests.crash.damage.project import LivedIn
from tests.crash.damage.verdicts import examine
from tests.crash.tally import Tally
from tests.effort import cases

SUITE = "damage"

Damage = Callable[[LivedIn, random.Random, int], Iterable[Case]]

DAMAGES: dict[str, tuple[Damage, int]] = {
    "bit flips": (bit_flips, cases(20, soak=1500)),
    "truncation": (truncations, cases(8, soak=200)),
    "pages": (pages, cases(10, soak=500)),
    "write-ahead log": (write_ahead_logs, cases(8, soak=300)),
    "other files": (lambda project, _dice, _number: other_files(project), 5),
}


@pytest.fixture
def project(tmp_path: Path) -> LivedIn:
    return LivedIn(tmp_path / "project")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_works_or_is_refused_and_is_never_wrong(
    project: LivedIn, tally: Tally, damage: str
) -> None:
    make, number = DAMAGES[damage]
    dice = random.Random(f"{damage} 1")  # noqa: S311 - damage is no secret
    between = itertools.cycle(["history", "status"])
    for case in make(project, dice, number):
        found = examine(project, case, also=next(between))
        tally.count(found)
        assert not found, f"{case.name}: {found}"
