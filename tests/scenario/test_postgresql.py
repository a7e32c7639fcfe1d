"""The main job with its state on a PostgreSQL server."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from tests.postgres import new_database
from tests.scenario.processes import Checkout, ended, simulate, starts
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


def test_a_server_that_may_lose_commits_is_refused(sandbox: Sandbox) -> None:
    url = new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
    project = sandbox.root / "reconciler.yaml"
    project.write_text(project.read_text().replace("spec:\n", f'spec:\n  state: "{url}"\n', 1))
    sandbox.backfill()
    refused = sandbox.apply()
    assert refused.code == 1
    assert "synchronous_commit is off" in refused.err
    assert sandbox.ledger() == []


def test_of_four_checkouts_that_apply_at_once_each_date_starts_once(tmp_path: Path) -> None:
    with simulate(tmp_path) as service:
        url = new_database()
        checkouts = [
            Checkout(tmp_path / f"checkout-{number}", service, state=url) for number in range(4)
        ]
        for checkout in checkouts:
            for name, root in (("orders", 1), ("users", 2), ("rates", 3)):
                checkout.backfill(name, target={"rootNode": root})
        patient, hasty = checkouts[:4], checkouts[4:]
        waiting = [
            one.start("apply", "--auto-approve", "--lock-timeout", "60s") for one in patient
        ]
        losing = [one.start("apply", "--auto-approve") for one in hasty]

        assert [ended(one).code for one in waiting] == [0] * 4
        assert {ended(one).code for one in losing} <= {0, 5}
        started = starts(checkouts[0])
        assert set(started.values()) == {1}
        assert len(started) == 3 * 12
        assert len(checkouts[0].ledger()) == 3
        assert checkouts[0].apply("--wait").code == 0
        assert checkouts[0].plan()["summary"]["none"] == 36
