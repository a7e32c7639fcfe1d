"""What a pull request can put where a file should be, and in a file's name."""

from __future__ import annotations

import pytest

from tests.hostile.conftest import Staged
from tests.hostile.corpus.case import Case
from tests.hostile.corpus.paths import CASES
from tests.hostile.judging import try_out


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_no_plain_file_of_the_project_is_refused(case: Case, staged: Staged) -> None:
    try_out(case, staged(case))
