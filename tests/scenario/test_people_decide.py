"""What people decide: unknown, held and lost units, runs started by hand, stops, locks, forgetting."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.calls import StopReport
from reconciler.providers.dataworks import discovering
from reconciler.providers.dataworks.listing import Listing, list_all
from reconciler.providers.dataworks.provider import DataWorksProvider
from tests.scenario.processes import QUARANTINE_SECONDS
from tests.scenario.sandbox import EMBEDDED, Sandbox, decisions

UNIT = "manualflow.close@2020-05-31"
CREATE = "CreateManualDag"
WHY = ("--reason", "looked at the console")


def lost_flow(sandbox: Sandbox, effect: str) -> None:
    """Start a manual flow, and lose the answer."""
    sandbox.flow()
    sandbox.faults([{"operation": CREATE, "nth": 1, "effect": effect}])
    assert sandbox.apply().code == 3


def run_ids(sandbox: Sandbox) -> list[str]:
    return [str(one) for entry in sandbox.ledger() for one in entry["dag_ids"]]


@pytest.mark.parametrize("effect", ["execute_then_drop", "reset_mid_body", "garbage"])
def test_the_run_of_a_lost_manual_call_is_shown_and_named_by_a_person(
    sandbox: Sandbox, effect: str
) -> None:
    lost_flow(sandbox, effect)
    (run_id,) = run_ids(sandbox)
    shown = sandbox.run("plan")
    assert f"it might be run {run_id}" in shown.told
    assert f"reconciler resolve {UNIT}" in shown.out
    assert sandbox.apply().code == 3

    resolved = sandbox.run("resolve", UNIT, "--run-id", run_id, *WHY)

    assert resolved.code == 0, resolved.err
    assert sandbox.apply("--wait").code == 0
    assert decisions(sandbox.plan()) == {"none succeeded": ["2020-05-31"]}
    assert len(sandbox.ledger()) == 1


def test_a_call_that_never_ran_goes_out_after_a_person_said_so(sandbox: Sandbox) -> None:
    lost_flow(sandbox, "drop")
    early = sandbox.run("resolve", UNIT, "--never-ran", *WHY)
    assert early.code == 1
    assert "may still be executed" in early.err
    assert sandbox.apply().code == 3

    sandbox.advance(QUARANTINE_SECONDS)
    assert sandbox.run("resolve", UNIT, "--never-ran", *WHY).code == 0

    assert decisions(sandbox.plan()) == {"create never_started": ["2020-05-31"]}
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 1


def test_a_run_that_is_named_for_one_date_settles_its_whole_call(sandbox: Sandbox) -> None:
    sandbox.backfill()
    fault = {"operation": "RunCycleDagNodes", "nth": 1, "effect": "execute_then_drop"}
    sandbox.faults([fault])
    assert sandbox.apply().code == 3
    sandbox.backfill(dates={"list": ["2020-06-01"]})
    run_id = run_ids(sandbox)[0]
    said = sandbox.run(
        "resolve", "backfill.orders@2020-05-20", "--run-id", run_id, "--reason", "in the console"
    )
    assert said.code == 0, said.err
    planned = decisions(sandbox.plan())
    assert planned == {
        "released released": ["2020-05-20..2020-05-31"],
        "create missing": ["2020-06-01"],
    }


def test_work_that_is_done_by_a_persons_word_is_not_started(sandbox: Sandbox) -> None:
    lost_flow(sandbox, "drop")
    assert sandbox.run("resolve", UNIT, "--succeeded", *WHY).code == 0
    assert decisions(sandbox.plan("--refresh", "full")) == {"none succeeded": ["2020-05-31"]}
    assert sandbox.apply().code == 0
    assert sandbox.ledger() == []


@pytest.mark.parametrize("effect", ["drop", "execute_then_drop"])
def test_an_unknown_call_is_followed_by_another_only_on_request_and_after_its_time(
    sandbox: Sandbox, effect: str
) -> None:
    lost_flow(sandbox, effect)
    assert "may still be executed" in sandbox.run("resolve", UNIT, "--rerun", *WHY).err
    sandbox.advance(QUARANTINE_SECONDS)
    assert sandbox.run("resolve", UNIT, "--rerun", *WHY).code == 0
    assert decisions(sandbox.plan()) == {"rerun requested": ["2020-05-31"]}
    assert sandbox.apply("--wait").code == 0
    assert decisions(sandbox.plan()) == {"none succeeded": ["2020-05-31"]}
    assert len(sandbox.ledger()) == (2 if effect == "execute_then_drop" else 1)


def test_one_word_at_a_time_and_only_where_it_is_needed(sandbox: Sandbox) -> None:
    sandbox.flow()
    assert sandbox.run("resolve", UNIT, *WHY).code == 1
    assert sandbox.run("resolve", UNIT, "--rerun", "--succeeded", *WHY).code == 1
    assert sandbox.run("resolve", UNIT, "--rerun").code == 1
    assert sandbox.run("resolve", UNIT, "--rerun", "--reason", " ").code == 1
    assert sandbox.apply("--wait").code == 0
    needless = sandbox.run("resolve", UNIT, "--rerun", *WHY)
    assert needless.code == 1
    assert "nothing to decide" in needless.err
    assert "`reruns`" in needless.err
    elsewhere = sandbox.run("resolve", "manualflow.close@2020-06-01", "--rerun", *WHY)
    assert "neither declared" in elsewhere.err
    assert sandbox.apply().code == 0
    assert len(sandbox.ledger()) == 1


def test_a_range_is_decided_whole_or_not_at_all(sandbox_of: Callable[..., Sandbox]) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, fail: [2020-05-22]}]")
    sandbox.backfill(parallelism=10)
    assert sandbox.apply("--wait").code == 3
    whole = sandbox.run("resolve", "backfill.orders@2020-05-21..2020-05-22", "--rerun", *WHY)
    assert whole.code == 1
    assert "2020-05-21: nothing to decide" in whole.err
    assert decisions(sandbox.plan())["hold failed"] == ["2020-05-22"]
    assert sandbox.run("resolve", "backfill.orders@2020-05-22", "--rerun", *WHY).code == 0
    assert decisions(sandbox.plan())["rerun requested"] == ["2020-05-22"]


def test_failed_dates_that_were_done_elsewhere_stay_done(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, fail: [2020-05-22]}]")
    sandbox.backfill(parallelism=10)
    assert sandbox.apply("--wait").code == 3
    assert sandbox.run("resolve", "backfill.orders@2020-05-22", "--succeeded", *WHY).code == 0
    assert sandbox.apply("--wait").code == 0
    assert decisions(sandbox.plan("--refresh", "full")) == {
        "none succeeded": ["2020-05-20..2020-05-31"]
    }
    assert len(sandbox.ledger()) == 1


def test_after_a_lost_store_manual_runs_are_candidates_and_a_person_says_which_is_ours(
    sandbox: Sandbox,
) -> None:
    sandbox.flow()
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    lose_the_store(sandbox)

    assert sandbox.apply("--wait").code == 3

    plan = sandbox.plan()
    assert decisions(plan) == {
        "none succeeded": ["2020-05-20..2020-05-31"],
        "hold candidate": ["2020-05-31"],
    }
    (run_id,) = [one for action in plan["actions"] for one in action.get("run_ids", [])] or (
        run_ids(sandbox)[-1:]
    )
    assert sandbox.run("resolve", UNIT, "--run-id", run_id, *WHY).code == 0
    assert sandbox.apply("--wait").code == 0
    assert decisions(sandbox.plan()).keys() == {"none succeeded"}
    assert len(sandbox.ledger()) == 2


def test_in_realm_live_a_lost_store_is_made_anew_only_on_request_and_fills_itself(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(endpoint=f"{EMBEDDED}\n      realm: live")
    sandbox.flow()
    sandbox.backfill()
    sandbox.backfill("users", target={"rootNode": 2})
    assert sandbox.apply().code == 1
    assert sandbox.apply("--create-state", "--wait").code == 0
    lose_the_store(sandbox)

    refused = sandbox.apply()
    assert refused.code == 1
    assert "there is no state store" in refused.err
    assert sandbox.apply("--create-state", "--wait").code == 3

    assert decisions(sandbox.plan()) == {
        "none succeeded": ["2020-05-20..2020-05-31"] * 2,
        "hold candidate": ["2020-05-31"],
    }
    assert len(sandbox.ledger()) == 3


def test_candidates_that_are_not_ours_do_not_keep_a_flow_from_running(sandbox: Sandbox) -> None:
    sandbox.flow()
    assert sandbox.apply("--wait").code == 0
    lose_the_store(sandbox)
    assert sandbox.apply().code == 0
    assert decisions(sandbox.plan()) == {"hold candidate": ["2020-05-31"]}
    assert sandbox.run("resolve", UNIT, "--never-ran", *WHY).code == 0
    assert decisions(sandbox.plan()) == {"create never_started": ["2020-05-31"]}
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 2


def test_a_run_started_by_hand_counts_once_it_is_adopted(sandbox: Sandbox) -> None:
    sandbox.backfill("by-hand", dates={"start": "2020-05-20", "end": "2020-05-25"})
    assert sandbox.apply().code == 0
    (sandbox.root / "specs" / "by-hand.yaml").unlink()
    lose_the_store(sandbox)
    sandbox.backfill("orders", params={"1": {"k": "v"}})
    # Its name bears the tag of another series, so it is not taken for ours by hand either.
    run_id = run_ids(sandbox)[0]
    refused = sandbox.run("adopt", "backfill.orders", "--run-id", run_id)
    assert refused.code == 1, refused.out


def test_a_foreign_flow_run_is_adopted_by_its_id(sandbox: Sandbox) -> None:
    sandbox.flow()
    assert sandbox.apply("--wait").code == 0
    lose_the_store(sandbox)
    assert sandbox.apply().code == 0
    (run_id,) = run_ids(sandbox)

    adopted = sandbox.run("adopt", "manualflow.close", "--run-id", run_id)

    assert adopted.code == 0, adopted.err
    assert "manualflow.close@2020-05-31" in adopted.out
    assert decisions(sandbox.plan()) == {"none succeeded": ["2020-05-31"]}
    again = sandbox.run("adopt", "manualflow.close", "--run-id", run_id)
    assert "on record already" in again.err
    unknown = sandbox.run("adopt", "manualflow.close", "--run-id", "4242")
    assert unknown.code == 1
    assert "4242" in unknown.err
    other = sandbox.run("adopt", "manualflow.other", "--run-id", run_id)
    assert "no spec declares manualflow.other" in other.err


def test_runs_in_flight_are_stopped_and_stay_stopped(sandbox_of: Callable[..., Sandbox]) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, seconds: 864000}]")
    sandbox.backfill(onFailure="rerun")
    assert sandbox.apply().code == 0
    sandbox.advance(1)

    stopped = sandbox.run("stop", "backfill.orders@2020-05-20..2020-05-31", *WHY)

    assert stopped.code == 0, stopped.err
    assert "2020-05-20..2020-05-31" in stopped.out
    assert decisions(sandbox.plan()) == {"hold stopped": ["2020-05-20..2020-05-31"]}
    assert "nothing of" in sandbox.run("stop", "backfill.orders@2020-05-20", *WHY).err
    events = [one["event"] for one in sandbox.run("history", "--json").json["entries"]]
    assert events[-2:] == ["stopping", "stopped"]
    unit = "backfill.orders@2020-05-20..2020-05-31"
    assert sandbox.run("resolve", unit, "--rerun", *WHY).code == 0
    assert decisions(sandbox.plan()) == {"rerun requested": ["2020-05-20..2020-05-31"]}


def test_where_listings_stay_incomplete_a_person_can_still_stop_and_settle(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost_flow(sandbox, "drop")
    sandbox.backfill(dates={"list": ["2020-05-20"]})
    sandbox.world("nodes: [{id: 1, seconds: 31536000}]")
    assert sandbox.apply().code == 3
    sandbox.backfill(dates={"list": ["2020-05-20", "2020-05-22"]})
    whole = list_all

    async def in_part(*asked: Any) -> Listing:
        return replace(await whole(*asked), complete=False)

    monkeypatch.setattr(discovering, "list_all", in_part)
    assert sandbox.run("resolve", UNIT, "--never-ran", *WHY).code == 1
    settled = sandbox.run("resolve", UNIT, "--succeeded", *WHY)
    assert settled.code == 0, settled.err
    stopped = sandbox.run("stop", "backfill.orders@2020-05-20", *WHY)
    assert stopped.code in {0, 3}, stopped.err
    assert "could not" not in stopped.err
    assert len(sandbox.ledger()) == 1


def test_what_is_seen_while_it_is_being_stopped_does_not_undo_the_stop(
    sandbox_of: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever follows the runs sees them fail, which is what a stop looks like."""
    sandbox = sandbox_of(world="nodes: [{id: 1, seconds: 360000}]")
    sandbox.backfill(onFailure="rerun")
    assert sandbox.apply().code == 0
    sandbox.advance(3600)
    assert sandbox.run("status").code == 0
    stop = DataWorksProvider.stop

    async def stop_beside_a_reader(self: DataWorksProvider, *asked: Any) -> StopReport:
        report = await stop(self, *asked)
        reader = subprocess.run(  # noqa: ASYNC221 - nobody else runs in this loop
            [sys.executable, "-m", "reconciler", "-C", str(sandbox.root), "status"],
            check=False,
            capture_output=True,
        )
        assert b"failed" in reader.stdout
        return report

    monkeypatch.setattr(DataWorksProvider, "stop", stop_beside_a_reader)
    assert sandbox.run("stop", "backfill.orders@2020-05-20..2020-05-31", *WHY).code == 0

    assert decisions(sandbox.plan()) == {"hold stopped": ["2020-05-20..2020-05-31"]}
    sandbox.apply()
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize("broken", ["orders.yaml", "colleague.yaml"])
def test_a_broken_spec_keeps_nothing_from_being_stopped(
    sandbox_of: Callable[..., Sandbox], broken: str
) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, seconds: 864000}]")
    sandbox.backfill()
    assert sandbox.apply().code == 0
    sandbox.advance(1)
    sandbox.spec(broken, "kind: [")
    stopped = sandbox.run("stop", "backfill.orders@2020-05-20..2020-05-31", *WHY)
    assert stopped.code == 0, stopped.err


def test_what_the_service_cannot_stop_is_named(sandbox_of: Callable[..., Sandbox]) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, seconds: 864000}]")
    sandbox.backfill()
    assert sandbox.apply().code == 0
    sandbox.advance(1)
    stopped = sandbox.run("stop", "backfill.orders@2020-05-30", *WHY)
    assert stopped.code == 3
    assert "goes on: instance" in stopped.err
    assert "has not begun" in stopped.err
    assert decisions(sandbox.plan()) == {"wait in_flight": ["2020-05-20..2020-05-31"]}


def test_a_lock_left_behind_is_ended_by_its_id(sandbox: Sandbox) -> None:
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    with sqlite3.connect(sandbox.root / ".reconciler" / "state.db") as store:
        store.execute(
            "UPDATE stack SET holder = 'ann@runner', lease_id = 'k3v5q7', held_since = 0,"
            " lease_until = 9999999999999"
        )
    sandbox.backfill("more", target={"rootNode": 2})
    locked = sandbox.apply()
    assert locked.code == 5
    assert "reconciler unlock k3v5q7" in locked.err
    assert sandbox.run("unlock", "other").code == 1
    assert sandbox.run("unlock", "k3v5q7", *WHY).code == 0
    assert sandbox.apply().code == 0
    last = next(
        one
        for one in sandbox.run("history", "--json").json["entries"]
        if one["event"] == "unlocked"
    )
    assert last["data"]["holder"] == "ann@runner"
    assert last["data"]["reason"] == WHY[1]


def test_forgotten_units_are_looked_for_anew(sandbox: Sandbox) -> None:
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    sandbox.advance(QUARANTINE_SECONDS)
    assert sandbox.run("state", "forget", "backfill.orders@2020-05-20..2020-05-31").code == 0
    assert decisions(sandbox.plan()) == {"adopt found": ["2020-05-20..2020-05-31"]}
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 1
    assert sandbox.run("history", "--verify").code == 0


def test_what_may_not_be_listed_yet_cannot_be_forgotten(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="listingLag: 86400")  # by the accelerated clock: 24 s
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    refused = sandbox.run("state", "forget", "backfill.orders@2020-05-20..2020-05-31")
    assert refused.code == 1
    assert "its run may not be listed yet" in refused.err
    sandbox.apply()
    assert len(sandbox.ledger()) == 1


def test_a_part_of_a_call_that_was_forgotten_is_found_again(sandbox: Sandbox) -> None:
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    part = "backfill.orders@2020-05-22..2020-05-23"
    sandbox.advance(QUARANTINE_SECONDS)
    assert sandbox.run("state", "forget", part).code == 0
    assert decisions(sandbox.plan()) == {
        "none succeeded": ["2020-05-20..2020-05-21", "2020-05-24..2020-05-31"],
        "adopt found": ["2020-05-22..2020-05-23"],
    }
    assert sandbox.apply("--wait").code == 0
    assert decisions(sandbox.plan()).keys() == {"none succeeded"}
    assert len(sandbox.ledger()) == 1
    assert sandbox.run("history", "--verify").code == 0


def test_what_the_service_forgot_too_is_missing_once_it_is_forgotten(sandbox: Sandbox) -> None:
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    sandbox.advance(40 * 86400)
    assert decisions(sandbox.plan("--refresh", "full")).keys() == {"none succeeded"}
    assert sandbox.run("state", "forget", "backfill.orders@2020-05-20..2020-05-31").code == 0
    assert decisions(sandbox.plan())["create missing"] == ["2020-05-20..2020-05-31"]


@pytest.mark.parametrize("fault", [[], [{"operation": CREATE, "nth": 1, "effect": "drop"}]])
def test_what_may_still_run_cannot_be_forgotten(
    sandbox_of: Callable[..., Sandbox], fault: list[dict[str, object]]
) -> None:
    sandbox = sandbox_of(
        world="flows: [{project: test_project, name: test_flow, nodes: [{id: 7, seconds: 864000}]}]"
    )
    sandbox.flow()
    sandbox.faults(fault)
    sandbox.apply()
    refused = sandbox.run("state", "forget", UNIT)
    assert refused.code == 1
    assert ("outcome is unknown" if fault else "in flight") in refused.err
    assert "nothing is on record" in sandbox.run("state", "forget", "backfill.x@2020-05-31").err


def test_a_users_name_that_is_no_text_is_told_by_its_bytes(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", os.fsdecode(b"caf\xe9"))
    sandbox.flow()
    assert sandbox.apply().code == 0
    entries = sandbox.run("history", "--json").json["entries"]
    assert entries[-1]["who"].startswith("caf\\xe9@")


def test_the_journal_tells_who_why_and_with_which_commit(sandbox: Sandbox) -> None:
    lost_flow(sandbox, "drop")
    sandbox.run("resolve", UNIT, "--succeeded", *WHY)
    entries = sandbox.run("history", "--json").json["entries"]
    resolved = entries[-1]
    assert resolved["event"] == "resolved"
    assert resolved["data"]["word"] == "succeeded"
    assert resolved["data"]["units"] == [UNIT]
    assert resolved["data"]["reason"] == WHY[1]
    assert resolved["who"]
    assert resolved["command"] == "resolve"
    assert [one["event"] for one in entries] == [
        "created",
        "intent",
        "sent",
        "unknown",
        "resolved",
    ]
    assert UNIT in sandbox.run("history", "manualflow.close").out
    assert sandbox.run("history", "backfill.none").code == 1
    assert "the record agrees with it" in sandbox.run("history", "--verify").err


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("UPDATE journal SET who = 'bob' WHERE seq = 2", "entry 2 (intent) was edited"),
        ("DELETE FROM journal WHERE seq = 3", "entries 3 to 3 are missing"),
        ("UPDATE attempt SET state = 'refused'", "the journal last says unknown"),
        ("UPDATE attempt SET end_date = '2020-06-09'", "the journal last says unknown"),
        ("DELETE FROM attempt", "gone from the record"),
        (
            "UPDATE attempt SET attempt_id = 'x'",
            "is on record, and the journal knows nothing of it",
        ),
    ],
)
def test_whoever_edits_the_store_is_found_out(sandbox: Sandbox, edit: str, said: str) -> None:
    lost_flow(sandbox, "drop")
    with sqlite3.connect(sandbox.root / ".reconciler" / "state.db") as store:
        store.execute(edit)
    verified = sandbox.run("history", "--verify")
    assert verified.code == 1
    assert said in verified.err


# What reviewers found ────────────────────────────────────────────────────────────────────────────────


def save_the_store(sandbox: Sandbox) -> dict[Path, bytes]:
    folder = sandbox.root / ".reconciler"
    return {file: file.read_bytes() for file in folder.glob("state.db*")}


def restore_the_store(sandbox: Sandbox, kept: dict[Path, bytes]) -> None:
    lose_the_store(sandbox)
    for file, data in kept.items():
        file.write_bytes(data)
        file.chmod(0o600)


def test_a_named_run_hides_no_date_that_nobody_recorded(sandbox: Sandbox) -> None:
    """One id of a call must not put the call's other dates out of sight."""
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    sandbox.advance(QUARANTINE_SECONDS)
    assert sandbox.run("state", "forget", "backfill.orders@2020-05-20..2020-05-31").code == 0
    first = run_ids(sandbox)[0]
    adopted = sandbox.run("adopt", "backfill.orders", "--run-id", first)
    assert adopted.code == 0, adopted.err
    assert "2020-05-20..2020-05-31" in adopted.out
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize("run_id", ["", "0", "abc", "-1", "07000000"])
def test_only_ids_of_runs_are_taken(sandbox: Sandbox, run_id: str) -> None:
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    refused = sandbox.run("adopt", "backfill.orders", "--run-id", run_id)
    assert refused.code == 1
    assert "is not the id of a run" in refused.err


def test_a_success_is_not_replaced_by_a_run_that_somebody_names(sandbox: Sandbox) -> None:
    sandbox.flow()
    assert sandbox.apply("--wait").code == 0
    kept = save_the_store(sandbox)
    lose_the_store(sandbox)
    assert sandbox.apply().code == 0
    assert sandbox.run("resolve", UNIT, "--never-ran", *WHY).code == 0
    assert sandbox.apply("--wait").code == 0
    restore_the_store(sandbox, kept)
    refused = sandbox.run("adopt", "manualflow.close", "--run-id", run_ids(sandbox)[1])
    assert refused.code == 1
    assert "it has succeeded already" in refused.err


def test_an_older_backup_holds_flows_that_have_run_since(sandbox: Sandbox) -> None:
    sandbox.flow()
    sandbox.faults([{"operation": CREATE, "nth": 1, "effect": "http", "status": 403,
                     "code": "Forbidden.Access"}])  # fmt: skip
    assert sandbox.apply().code in {1, 3}
    kept = save_the_store(sandbox)
    sandbox.faults([])
    assert sandbox.apply("--wait").code in {0, 3}
    executed = len(sandbox.ledger())
    restore_the_store(sandbox, kept)
    sandbox.apply("--wait")
    assert len(sandbox.ledger()) == executed


def test_a_wish_to_run_again_can_be_taken_back(sandbox_of: Callable[..., Sandbox]) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, fail: [2020-05-22]}]")
    sandbox.backfill(parallelism=10)
    assert sandbox.apply("--wait").code == 3
    assert sandbox.run("resolve", "backfill.orders@2020-05-22", "--rerun", *WHY).code == 0
    assert decisions(sandbox.plan())["rerun requested"] == ["2020-05-22"]
    assert sandbox.run("resolve", "backfill.orders@2020-05-22", "--succeeded", *WHY).code == 0
    assert decisions(sandbox.plan()).keys() == {"none succeeded"}


def lose_the_store(sandbox: Sandbox) -> None:
    for file in (sandbox.root / ".reconciler").glob("state.db*"):
        file.unlink()
