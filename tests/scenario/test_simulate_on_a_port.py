"""Everything in processes of its own, over a real port: the command line here, `simulate` there."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.processes import CREATE, RemoteSandbox, ended, simulate, until
from tests.scenario.sandbox import decisions, executed_dates

WORLD = """\
nodes:
  - {id: 1}
  - {id: 2, fail: [{date: 2020-05-22, times: 1}]}
  - {id: 3, schedule: hourly}
"""


def wire_of(calls: Sequence[Mapping[str, Any]]) -> list[str]:
    """The parameters of calls, in an order of their own."""
    return sorted(json.dumps(call["parameters"], sort_keys=True) for call in calls)


def test_the_main_job_over_a_port(tmp_path: Path) -> None:
    with simulate(tmp_path, world=WORLD) as service:
        project = RemoteSandbox(tmp_path / "project", service)
        project.backfill("daily", target={"rootNode": 1})
        project.backfill(
            "failing",
            target={"rootNode": 2},
            dates={"start": "2020-05-20", "end": "2020-05-24"},
            onFailure="rerun",
        )
        project.backfill(
            "hourly",
            target={"rootNode": 3},
            dates={"list": ["2020-05-20", "2020-05-22..2020-05-23"]},
            hours={"begin": "00:00:00", "end": "01:00:00"},
        )
        project.flow("close")

        assert project.run("validate").code == 0
        first = project.plan()
        saved = project.root / "plan.json"
        assert project.run("plan", "--out", str(saved)).code == 0
        calls = json.loads(saved.read_text())["calls"]
        assert len(calls) == len(first["calls"]) == 5
        applied = project.run("apply", str(saved), "--wait")
        assert applied.code == 3, applied.err + applied.out  # a date failed, and is to run again
        assert wire_of(project.ledger()) == wire_of(calls)
        assert max(Counter(executed_dates(project.ledger())).values()) == 1

        again = project.plan()
        assert decisions(again)["rerun failed"] == ["2020-05-22"]
        assert project.apply("--wait").code == 0
        assert executed_dates(project.ledger())[len(executed_dates(project.ledger())) - 3 :] == [
            "2 2020-05-22",
            "2 2020-05-23",
            "2 2020-05-24",
        ]
        last = project.run("plan", "--json", "--detailed-exitcode")
        assert last.code == 0, last.out
        assert last.json["summary"]["none"] == 12 + 5 + 3 + 1
        assert len(project.ledger()) == 6


def test_the_key_is_read_from_the_environment_and_shown_nowhere(tmp_path: Path) -> None:
    with simulate(tmp_path) as service:
        project = RemoteSandbox(tmp_path / "project", service)
        project.backfill()
        applied = project.run("-v", "apply", "--auto-approve", "--wait")
        assert applied.code == 0, applied.err
        secret = service.keys["SIM_SECRET"]
        assert secret not in applied.out + applied.err
        for file in project.root.rglob("*"):
            assert not file.is_file() or secret.encode() not in file.read_bytes(), file
        service.keys["SIM_SECRET"] = "wrong-secret"
        refused = project.run("plan", "--refresh", "full")
        assert refused.code == 1
        assert "wrong-secret" not in refused.out + refused.err


def test_what_the_service_did_survives_its_restart(tmp_path: Path) -> None:
    db = str(tmp_path / "served.db")
    with simulate(tmp_path, "--db", db) as service:
        project = RemoteSandbox(tmp_path / "project", service)
        project.backfill()
        assert project.apply("--wait").code == 0
        before = project.ledger()
    with simulate(tmp_path, "--db", db) as service:
        project.connect(service)
        assert project.ledger() == before
        assert project.run("plan", "--detailed-exitcode", "--refresh", "full").code == 0
        assert project.apply().code == 0
        assert project.ledger() == before


def test_of_four_applies_at_once_each_date_starts_once(tmp_path: Path) -> None:
    with simulate(tmp_path) as service:
        project = RemoteSandbox(tmp_path / "project", service)
        for name, root in (("orders", 1), ("users", 2), ("rates", 3)):
            project.backfill(name, target={"rootNode": root})
        project.flow()
        rivals = [
            project.start("apply", "--auto-approve", "--lock-timeout", "60s") for _ in range(4)
        ]
        results = [ended(rival) for rival in rivals]

        started = Counter(executed_dates(project.ledger()))
        assert set(started.values()) == {1}
        assert len(started) == 3 * 12 + 1
        # Each plans once it has the lock, so that those who waited find nothing left to do.
        assert [result.code for result in results] == [0] * 4, [one.err for one in results]
        assert project.holder() is None
        assert project.apply("--wait").code == 0
        assert project.plan()["summary"]["none"] == 37
        assert len(project.ledger()) == 4


def test_an_apply_that_does_not_wait_for_the_lock_exits_with_its_own_code(tmp_path: Path) -> None:
    with simulate(tmp_path) as service:
        project = RemoteSandbox(tmp_path / "project", service)
        project.backfill()
        service.faults({"operation": CREATE, "nth": 1, "effect": "delay", "seconds": 300})
        first = project.start("apply", "--auto-approve")
        until(lambda: len(project.ledger()) == 1)
        second = project.apply()
        first.send_signal(signal.SIGKILL)
        first.communicate()
        assert second.code == 5
        assert "the state is locked by" in second.err


def test_a_killed_apply_is_continued_and_its_call_not_repeated(tmp_path: Path) -> None:
    with simulate(tmp_path) as service:
        project = RemoteSandbox(tmp_path / "project", service)
        project.backfill()
        service.faults({"operation": CREATE, "nth": 1, "effect": "delay", "seconds": 300})
        killed = project.start("apply", "--auto-approve")
        until(lambda: len(project.ledger()) == 1)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        assert project.state("SELECT state FROM attempt") == [("sent",)]
        assert project.holder() is not None
        assert project.apply().code == 5, "the lease is still running"

        project.state("UPDATE stack SET lease_until = 1")  # as a minute later
        continued = project.apply("--wait")
        assert continued.code == 0, continued.err + continued.out
        assert len(project.ledger()) == 1
        assert project.state("SELECT state FROM attempt") == [("accepted",)]
        assert project.run("plan", "--detailed-exitcode").code == 0


def test_an_apply_killed_before_its_request_left_sends_it_then(tmp_path: Path) -> None:
    with simulate(tmp_path) as service:
        project = RemoteSandbox(tmp_path / "project", service)
        project.backfill()
        service.faults({"operation": "ListInstances", "effect": "delay", "seconds": 300})
        killed = project.start("apply", "--auto-approve")
        until(
            lambda: any(
                one["operation"] == "ListInstances" for one in service.control("GET", "requests")
            )
        )
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        service.faults()
        project.state("UPDATE stack SET lease_until = 1")  # as a minute later
        assert project.apply("--wait").code == 0
        assert len(project.ledger()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting_and_leaves_no_lock(
    tmp_path: Path, number: signal.Signals
) -> None:
    with simulate(tmp_path, clock="manual") as service:  # nothing ever ends by itself
        project = RemoteSandbox(tmp_path / "project", service)
        project.backfill()
        waiting = project.start("apply", "--auto-approve", "--wait", "--json")
        assert waiting.stdout is not None
        read: list[dict[str, Any]] = []
        while not read or read[-1]["type"] != "units_changed":
            read.append(json.loads(waiting.stdout.readline()))
        waiting.send_signal(number)
        result = ended(waiting)
        assert result.code == 130, result.err
        finished = json.loads(result.out.splitlines()[-1])
        assert (finished["type"], finished["interrupted"], finished["exit_code"]) == (
            "finished",
            True,
            130,
        )
        assert project.holder() is None
        assert project.apply().code == 0
        assert len(project.ledger()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_request_is_out_waits_for_its_answer(
    tmp_path: Path, number: signal.Signals
) -> None:
    with simulate(tmp_path) as service:
        project = RemoteSandbox(tmp_path / "project", service)
        for name, root in (("orders", 1), ("users", 2)):
            project.backfill(name, target={"rootNode": root})
        service.faults({"operation": CREATE, "nth": 1, "effect": "delay", "seconds": 3})
        sending = project.start("apply", "--auto-approve", "--parallelism", "1")
        until(lambda: len(project.ledger()) == 1)
        sending.send_signal(number)
        assert ended(sending).code == 130
        assert project.state("SELECT state FROM attempt") == [("accepted",)]
        assert project.holder() is None
        assert len(project.ledger()) == 1
        assert project.apply("--wait").code == 0
        assert len(project.ledger()) == 2


def test_a_second_signal_leaves_at_once_and_the_record_is_true(tmp_path: Path) -> None:
    with simulate(tmp_path) as service:
        project = RemoteSandbox(tmp_path / "project", service)
        project.backfill()
        service.faults({"operation": CREATE, "nth": 1, "effect": "delay", "seconds": 300})
        sending = project.start("apply", "--auto-approve")
        until(lambda: len(project.ledger()) == 1)
        sending.send_signal(signal.SIGINT)
        assert sending.stderr is not None
        for line in sending.stderr:
            if "stopping" in line:
                break
        sending.send_signal(signal.SIGINT)
        assert ended(sending).code == 130
        assert project.state("SELECT state FROM attempt") == [("sent",)]
