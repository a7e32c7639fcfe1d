"""A folder that a pull request made to look like a repository. Threat T6."""

from __future__ import annotations

import subprocess
from pathlib import Path

from reconciler.wiring.system import actor


def test_a_bare_repository_among_the_specs_is_none(tmp_path: Path) -> None:
    subprocess.run(
        ["git", "init", "-q", "--bare", str(tmp_path)],  # noqa: S607 - whichever git there is
        check=True,
    )
    (tmp_path / "refs" / "heads").mkdir(parents=True, exist_ok=True)
    head = (tmp_path / "HEAD").read_text().split()[1]
    (tmp_path / head).write_text("1234567890" * 4 + "\n")
    assert actor("plan", tmp_path).git_commit is None
