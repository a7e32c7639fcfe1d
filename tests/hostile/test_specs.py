"""What a pull request can write into a spec."""

from __future__ import annotations

import pytest

from tests.hostile.conftest import Staged
from tests.hostile.corpus.case import Case
from tests.hostile.corpus.specs import CASES
from tests.hostile.judging import try_out


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hostile_spec_is_refused_with_its_place_and_costs_little(
    case: Case, staged: Staged
) -> None:
    try_out(case, staged(case))
