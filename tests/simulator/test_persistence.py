from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.model.errors import UnsupportedFormat
from reconciler.simulator import MANUAL, ClockSpec, open_simulator
from tests.simulator.harness import Cloud, backfill_parameters

PROCESS = """
import sys
from pathlib import Path
from tests.simulator.harness import Cloud, FakeTime

cloud = Cloud(db=Path(sys.argv[1]), time=FakeTime())
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    print(*cloud.backfill("2020-05-20", "2020-05-21"), flush=True)
"""


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    db = tmp_path / "simulator.db"
    world = {"nodes": [{"id": 1, "seconds": 120, "fail": [{"date": "2020-05-20", "times": 1}]}]}
    before = Cloud(world, db=db)
    first, _ = before.backfill("2020-05-20", "2020-05-21")
    before.advance(120)
    failed = before.instances()[0]["InstanceId"]
    before.call("RestartInstance", ProjectEnv="PROD", InstanceId=failed)
    before.simulator.put_faults([{"operation": "GetNode", "nth": 2, "effect": "throttle"}])
    before.call("GetNode", ProjectEnv="PROD", NodeId=1)
    used = before.request("ListDags", ProjectEnv="PROD", OpSeq=1)
    before.send(used)
    dag, ledger, requests = (
        before.dag(first),
        before.simulator.ledger(),
        before.simulator.requests(),
    )
    before.simulator.close()

    after = Cloud(db=db, time=before.time)
    assert after.dag(first) == dag
    assert after.simulator.ledger() == ledger
    assert after.simulator.requests()[: len(requests)] == requests
    assert after.send(used).json()["Code"] == "SignatureNonceUsed"
    assert after.refusal("GetNode", ProjectEnv="PROD", NodeId=1)[0] == 429
    after.advance(240)
    assert after.statuses(first) == ["SUCCESS", "SUCCESS"]


def test_a_new_run_after_a_restart_has_new_ids(tmp_path: Path) -> None:
    db = tmp_path / "simulator.db"
    first = Cloud(db=db).backfill("2020-05-20", "2020-05-21")
    second = Cloud(db=db).backfill("2020-05-20")
    assert second == [first[-1] + 1]


def test_the_access_key_is_made_once_and_unlike_any_other(tmp_path: Path) -> None:
    def key(db: Path | None) -> tuple[str, str]:
        simulator = open_simulator(db=db, world=None, clock=MANUAL)
        return simulator.access_key_id, simulator.access_key_secret

    assert key(tmp_path / "a.db") == key(tmp_path / "a.db")
    assert len({key(tmp_path / "a.db"), key(tmp_path / "b.db"), key(None)}) == 3


def test_the_file_is_private(tmp_path: Path) -> None:
    db = tmp_path / "deep" / "simulator.db"
    Cloud(db=db)
    assert stat.S_IMODE(db.stat().st_mode) == 0o600
    assert stat.S_IMODE(db.parent.stat().st_mode) == 0o700


def test_the_clocks_go_on_while_nobody_looks(tmp_path: Path) -> None:
    before = Cloud(db=tmp_path / "s.db", clock=ClockSpec(600))
    (dag_id,) = before.backfill("2020-05-20")
    before.simulator.close()
    before.time.pass_seconds(1)
    after = Cloud(db=tmp_path / "s.db", clock=ClockSpec(600), time=before.time)
    assert after.dag(dag_id)["Status"] == "SUCCESS"


def test_advances_survive_a_restart(tmp_path: Path) -> None:
    before = Cloud(db=tmp_path / "s.db")
    held = before.request("ListDags", ProjectEnv="PROD", OpSeq=1)
    before.time.pass_seconds(1)
    before.advance(3600)
    after = Cloud(db=tmp_path / "s.db", time=before.time)
    assert (
        after.ask("ListDags", ProjectEnv="PROD", OpSeq=1).headers["date"].endswith("03:25:41 GMT")
    )
    assert after.send(held).json()["Code"] == "InvalidTimeStamp.Expired"


def test_another_world_holds_from_the_restart_on(tmp_path: Path) -> None:
    db = tmp_path / "s.db"
    before = Cloud({"nodes": [{"id": 1, "fail": ["2020-05-20"]}]}, db=db)
    (failed,) = before.backfill("2020-05-20")
    before.advance(60)
    unchanged = Cloud(db=db)
    assert unchanged.dag(failed)["Status"] == "FAILURE"
    after = Cloud({}, db=db)
    (repaired,) = after.backfill("2020-05-20")
    after.advance(60)
    assert after.dag(failed)["Status"] == "FAILURE"
    assert after.dag(repaired)["Status"] == "SUCCESS"
    assert before.dag(repaired)["Status"] == "SUCCESS"


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    db = tmp_path / "s.db"
    Cloud(db=db).simulator.close()
    with sqlite3.connect(db) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UnsupportedFormat, match="format 99"):
        Cloud(db=db)


def test_processes_share_a_database(tmp_path: Path) -> None:
    db, each = tmp_path / "s.db", 20
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(db), str(each)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    answers = [worker.communicate("go\n", timeout=60)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    dag_ids = sorted(int(word) for answer in answers for word in answer.split())
    assert len(dag_ids) == len(set(dag_ids)) == 3 * each * 2
    shared = Cloud(db=db)
    ledger = shared.simulator.ledger()
    assert sorted(dag_id for entry in ledger for dag_id in entry["dag_ids"]) == dag_ids
    assert [entry["seq"] for entry in ledger] == list(range(1, 3 * each + 1))


def test_the_ledger_is_written_before_the_answer(tmp_path: Path) -> None:
    cloud = Cloud(db=tmp_path / "s.db")
    cloud.call("RunCycleDagNodes", **backfill_parameters("2020-05-20"))
    onlooker = sqlite3.connect(tmp_path / "s.db")
    rows = onlooker.execute("SELECT operation, dag_ids FROM ledger").fetchall()
    onlooker.close()
    assert [(operation, json.loads(ids)) for operation, ids in rows] == [
        ("RunCycleDagNodes", [20_000_000_000])
    ]
