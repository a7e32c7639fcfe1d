"""A store put back from a backup knows less than what has run since."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from reconciler.wiring.system import SystemClock
from tests.scenario.processes import QUARANTINE_SECONDS
from tests.scenario.sandbox import Sandbox, decisions

_real_now = SystemClock.now


def back_up(sandbox: Sandbox) -> Path:
    """Copy the store as it is; nobody has it open."""
    return Path(shutil.copy(sandbox.root / ".reconciler" / "state.db", sandbox.root / "backup.db"))


def restore(sandbox: Sandbox, backup: Path) -> None:
    for file in (sandbox.root / ".reconciler").glob("state.db*"):
        file.unlink()
    shutil.copy(backup, sandbox.root / ".reconciler" / "state.db")


@contextlib.contextmanager
def our_clock(ahead: float) -> Iterator[None]:
    """This machine's clock is so many seconds ahead of everybody's."""

    def now(clock: SystemClock) -> dt.datetime:
        return _real_now(clock) + dt.timedelta(seconds=ahead)

    with mock.patch.object(SystemClock, "now", now):
        yield


@pytest.mark.parametrize("ahead", [0, 120, 600, -120])
def test_a_manual_run_made_since_the_backup_is_held_whatever_our_clock_says(
    sandbox: Sandbox, ahead: float
) -> None:
    sandbox.flow()

    with our_clock(ahead):
        sandbox.faults(
            [{"operation": "CreateManualDag", "nth": 1, "effect": "http", "status": 403}]
        )
        assert sandbox.apply().code == 1
        backup = back_up(sandbox)
        assert sandbox.apply().code == 0

        restore(sandbox, backup)

        assert decisions(sandbox.plan()) == {"hold candidate": ["2020-05-31"]}
        sandbox.apply()
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize("ahead", [0, 600, 86400])
def test_a_manual_run_made_since_a_persons_word_is_held_whatever_our_clock_says(
    sandbox: Sandbox, ahead: float
) -> None:
    sandbox.flow()
    sandbox.faults([{"operation": "CreateManualDag", "nth": 1, "effect": "drop"}])
    with our_clock(ahead):
        assert sandbox.apply().code == 3
        sandbox.advance(2 * QUARANTINE_SECONDS)
        said = sandbox.run(
            "resolve", "manualflow.close@2020-05-31", "--never-ran", "--reason", "I looked"
        )
        assert said.code == 0, said.err
        backup = back_up(sandbox)
        assert sandbox.apply().code == 0

        restore(sandbox, backup)

        assert decisions(sandbox.plan()) == {"hold candidate": ["2020-05-31"]}
        sandbox.apply()
    assert len(sandbox.ledger()) == 1


def test_a_run_that_a_person_dismissed_holds_no_later_generation(sandbox: Sandbox) -> None:
    sandbox.flow()
    assert sandbox.apply("--wait").code == 0
    backup = back_up(sandbox)
    sandbox.flow(reruns=[{"generation": 2, "dates": "all", "reason": "late data"}])
    assert sandbox.apply("--wait").code == 0
    restore(sandbox, backup)
    assert decisions(sandbox.plan()) == {"hold candidate": ["2020-05-31"]}

    why = ("--reason", "that one was somebody else's")
    said = sandbox.run("resolve", "manualflow.close@2020-05-31", "--never-ran", *why)

    assert said.code == 0, said.err
    assert decisions(sandbox.plan()) == {"rerun requested": ["2020-05-31"]}
    assert sandbox.apply("--wait").code == 0
    assert sandbox.plan()["summary"]["none"] == 1


def test_where_runs_cannot_be_listed_the_plan_says_that_only_the_record_knows(
    sandbox: Sandbox,
) -> None:
    project = sandbox.root / "reconciler.yaml"
    project.write_text(project.read_text().replace("      projectId: 112345\n", ""))
    sandbox.flow()

    planned = sandbox.plan()

    (warning,) = planned["diagnostics"]
    assert (warning["severity"], warning["code"]) == ("warning", "not_listed")
    assert "2020-05-31" in warning["summary"]
    assert sandbox.apply().code == 0
    assert sandbox.plan()["diagnostics"] == []
