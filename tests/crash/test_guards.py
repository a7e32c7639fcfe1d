"""Guards that mutants take out stand where their texts say."""

from __future__ import annotations

import pytest

from tests.crash.guards import GUARDS, Guard
from tests.crash.mutants import ROOT
from tests.hostile.guards import HOSTILE_GUARDS


@pytest.mark.parametrize("guard", [*GUARDS, *HOSTILE_GUARDS], ids=lambda guard: guard.name)
def test_a_guard_stands_once_where_its_mutant_looks_for_it(guard: Guard) -> None:
    source = (ROOT / guard.file).read_text(encoding="utf-8")
    assert source.count(guard.text) == 1
    assert all((ROOT / test).exists() for test in guard.tests)
