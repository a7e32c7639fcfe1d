"""What a service can answer with, and whoever may name things there."""

from __future__ import annotations

import pytest

from tests.effort import cases
from tests.hostile.conftest import Staged
from tests.hostile.corpus.case import Case
from tests.hostile.corpus.replies import CASES
from tests.hostile.judging import try_out


@pytest.mark.parametrize(
    "case", [one for one in CASES if cases(0, soak=1) or not one.is_rare], ids=str
)
def test_a_hostile_answer_does_no_harm(case: Case, staged: Staged) -> None:
    try_out(case, staged(case))
