"""Words that stand in commands."""

from __future__ import annotations

import pytest

from reconciler.rendering.words import argument


@pytest.mark.parametrize(
    ("path", "pasted"),
    [
        ("plan.json", "plan.json"),
        ("plan-x;$(id>pwned).json", "'plan-x;$(id>pwned).json'"),
        ("--auto-approve", "./--auto-approve"),
        ("it's", """'it'"'"'s'"""),
    ],
)
def test_a_path_is_one_argument_and_no_option(path: str, pasted: str) -> None:
    assert argument(path) == pasted
