"""What a plan file can hold that we never wrote."""

from __future__ import annotations

import pytest

from tests.hostile.conftest import Staged
from tests.hostile.corpus.case import Case
from tests.hostile.corpus.plans import CASES
from tests.hostile.judging import try_out


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hostile_plan_file_starts_nothing_that_is_not_declared(
    case: Case, staged: Staged
) -> None:
    try_out(case, staged(case))
