"""The example of a workflow that `init` writes, as a linter of workflows sees it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_zizmor_finds_nothing_in_the_example_for_github(tmp_path: Path) -> None:
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    shutil.copy(ROOT / "reconciler" / "templates" / "ci" / "github.yaml", workflows / "ci.yaml")
    linted = subprocess.run(
        [Path(sys.executable).with_name("zizmor"), "--offline", "--no-progress", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout
    assert "No findings to report" in linted.stdout + linted.stderr
