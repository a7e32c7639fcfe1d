"""What a person decides by hand and is refused: whole commands against the simulator."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.errors.scenes import Told, listed_in_part, scene
from tests.scenario.processes import QUARANTINE_SECONDS
from tests.scenario.sandbox import Sandbox

WHY = ("--reason", "seen in the console")
CLOSE = "manualflow.close@2020-05-31"
ORDERS = "backfill.orders@2020-05-20..2020-05-31"
LOST = {"operation": "RunCycleDagNodes", "nth": 1, "effect": "drop"}


@scene("still_valid", "unknown_outcome", "unknown_unit", "unknown_address", "other_call")
def a_lost_answer(root: Path) -> Iterator[Told]:
    sandbox = Sandbox(root / "project")
    sandbox.backfill()
    sandbox.faults([LOST])
    assert sandbox.apply().code == 3
    yield "still_valid", sandbox.run("resolve", ORDERS, "--never-ran", *WHY).err
    yield "unknown_outcome", sandbox.run("stop", ORDERS, *WHY).err
    yield "unknown_unit", sandbox.run("resolve", "backfill.orders@2020-06-01", "--rerun", *WHY).err
    yield "unknown_address", sandbox.run("explain", "backfill.order@2020-05-20").err
    # The same spec, applied with another store: its run is of another call.
    store = sandbox.root / ".reconciler" / "state.db"
    shutil.move(store, root / "ours.db")
    sandbox.faults([])
    assert sandbox.apply().code == 0
    shutil.move(root / "ours.db", store)
    (run_id,) = _run_ids(sandbox)
    with listed_in_part():
        yield "other_call", sandbox.run("resolve", ORDERS, "--run-id", run_id, *WHY).err


@scene(
    "not_listed_yet",
    "needs_nobody",
    "nothing_in_flight",
    "on_record",
    "unknown_run",
    "not_on_record",
    "other_dates",
    "other_series",
    "succeeded",
)
def work_that_is_done(root: Path) -> Iterator[Told]:
    sandbox = Sandbox(root / "project")
    sandbox.backfill(parallelism=10)
    assert sandbox.apply("--wait").code == 0
    yield "not_listed_yet", sandbox.run("state", "forget", ORDERS).err
    yield "needs_nobody", sandbox.run("resolve", ORDERS, "--rerun", *WHY).err
    yield "nothing_in_flight", sandbox.run("stop", ORDERS, *WHY).err
    (run_id,) = _run_ids(sandbox)
    adopt = ("adopt", "backfill.orders", "--run-id")
    yield "on_record", sandbox.run(*adopt, run_id).err
    yield "unknown_run", sandbox.run(*adopt, "4242").err
    yield "not_on_record", sandbox.run("state", "forget", "backfill.order@2020-05-20").err
    foreign = _by_hand(sandbox, "2020-06-01")
    yield "other_dates", sandbox.run(*adopt, foreign).err
    foreign = _by_hand(sandbox, "2020-05-20")
    yield "succeeded", sandbox.run(*adopt, foreign).err
    sandbox.advance(QUARANTINE_SECONDS)
    assert sandbox.run("state", "forget", ORDERS).code == 0
    sandbox.backfill(params={"1": {"rate": "new"}})
    yield "other_series", sandbox.run(*adopt, run_id).err


@scene("in_flight", "ran")
def work_that_goes_on_or_failed(root: Path) -> Iterator[Told]:
    sandbox = Sandbox(
        root / "project", world="nodes: [{id: 1, seconds: 864000}, {id: 2, fail: [2020-05-20]}]"
    )
    sandbox.backfill()
    sandbox.backfill("second", target={"rootNode": 2}, dates={"list": ["2020-05-20"]})
    assert sandbox.apply().code == 0
    yield "in_flight", sandbox.run("state", "forget", ORDERS).err
    sandbox.advance(3600)
    yield "ran", sandbox.run("resolve", "backfill.second@2020-05-20", "--never-ran", *WHY).err


def _run_ids(sandbox: Sandbox) -> list[str]:
    return [str(run) for entry in sandbox.ledger() for run in entry["dag_ids"]][-1:]


def _by_hand(sandbox: Sandbox, date: str) -> str:
    """Somebody else's run of the same node."""
    sandbox.call(
        "RunCycleDagNodes",
        ProjectEnv="PROD",
        StartBizDate=f"{date} 00:00:00",
        EndBizDate=f"{date} 00:00:00",
        Name="by hand",
        RootNodeId=1,
        IncludeNodeIds="1",
        Parallelism="false",
    )
    return _run_ids(sandbox)[0]


SCENES = (a_lost_answer, work_that_is_done, work_that_goes_on_or_failed)
