"""The main job with its state on a PostgreSQL server."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.postgres import new_database
from tests.scenario.sandbox import Sandbox


@pytest.fixture
def shared(sandbox: Sandbox) -> Sandbox:
    """A sandbox whose state is in a new database."""
    project = sandbox.root / "reconciler.yaml"
    text = project.read_text().replace("spec:\n", f'spec:\n  state: "{new_database()}"\n', 1)
    project.write_text(text)
    return sandbox


def test_what_one_checkout_applied_another_finds_done(shared: Sandbox, tmp_path: Path) -> None:
    shared.backfill()
    assert shared.apply("--wait").code == 0
    other = tmp_path / "elsewhere"
    shutil.copytree(shared.root, other)
    shared.root = other
    second = shared.plan("--detailed-exitcode")
    assert second["summary"]["none"] == 12
    assert second["summary"]["reads"] == 0
    assert second["lineage"] is not None
    assert not (other / ".reconciler" / "state.db").exists()


def test_offline_the_server_is_not_asked(shared: Sandbox) -> None:
    shared.backfill()
    assert shared.apply("--wait").code == 0
    assert shared.plan("--offline")["lineage"] is None


def test_a_server_that_is_not_there_is_a_clear_error(sandbox: Sandbox) -> None:
    project = sandbox.root / "reconciler.yaml"
    url = "postgresql://ann:s3cr3t@127.0.0.1:1/state"
    project.write_text(project.read_text().replace("spec:\n", f'spec:\n  state: "{url}"\n', 1))
    sandbox.backfill()
    result = sandbox.apply()
    assert result.code == 1
    assert "the state database" in result.err
    assert "s3cr3t" not in result.err
    assert sandbox.ledger() == []
