"""Lost, late and wrong answers: whatever may have run is not started again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.scenario.sandbox import Sandbox, decisions

CREATE = "RunCycleDagNodes"


@pytest.mark.parametrize("effect", ["execute_then_drop", "reset_mid_body", "garbage"])
def test_a_call_whose_answer_is_lost_is_adopted_and_never_sent_again(
    sandbox: Sandbox, effect: str
) -> None:
    sandbox.backfill()
    sandbox.faults([{"operation": CREATE, "nth": 1, "effect": effect}])

    applied = sandbox.apply()

    assert applied.code == 3, applied.err
    assert "outcome unknown" in applied.out
    assert decisions(sandbox.plan()) == {"adopt found": ["2020-05-20..2020-05-31"]}
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 1
    assert sandbox.plan()["summary"]["none"] == 12


def test_while_a_lost_run_is_not_listed_yet_nothing_is_sent(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="listingLag: 86400")
    sandbox.backfill()
    sandbox.faults([{"operation": CREATE, "nth": 1, "effect": "execute_then_drop"}])
    assert sandbox.apply().code == 3

    assert decisions(sandbox.plan()) == {"unknown outcome_unknown": ["2020-05-20..2020-05-31"]}
    assert sandbox.run("plan", "--detailed-exitcode").code == 3
    assert sandbox.apply().code == 3
    assert sandbox.run("status").code == 3
    assert len(sandbox.ledger()) == 1


@pytest.mark.parametrize("effect", ["delay", "throttle"])
def test_a_call_proved_absent_is_sent_until_it_is_executed_once(
    sandbox: Sandbox, effect: str
) -> None:
    sandbox.backfill("proof", target={"rootNode": 9})
    assert (
        sandbox.apply("--wait").code == 0
    )  # the listing has shown runs of ours in this workspace
    sandbox.backfill(
        "proof", target={"rootNode": 9}, dates={"start": "2020-05-20", "end": "2020-06-05"}
    )
    sandbox.faults([{"operation": CREATE, "nth": 1, "effect": "drop"}])
    assert sandbox.apply().code == 3
    assert decisions(sandbox.plan())["unknown outcome_unknown"] == ["2020-06-01..2020-06-05"]

    sandbox.advance(20 * 60)

    assert decisions(sandbox.plan())["create never_started"] == ["2020-06-01..2020-06-05"]
    sandbox.faults([{"operation": CREATE, "nth": 1, "effect": effect}])
    applied = sandbox.apply()
    assert applied.code == 0, applied.err
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 2
    assert sandbox.plan()["summary"]["none"] == 17


def test_a_lost_manual_run_is_held_for_a_person(sandbox: Sandbox) -> None:
    sandbox.flow()
    sandbox.faults([{"operation": "CreateManualDag", "nth": 1, "effect": "execute_then_drop"}])
    assert sandbox.apply().code == 3
    plan = sandbox.plan()
    assert decisions(plan) == {"unknown outcome_unknown": ["2020-05-31"]}
    assert plan["actions"][0]["tier"] == "S3"
    sandbox.advance(86400)
    assert sandbox.apply().code == 3
    assert len(sandbox.ledger()) == 1


def test_a_throttled_call_is_sent_again_in_the_same_apply(sandbox: Sandbox) -> None:
    sandbox.backfill()
    sandbox.faults([{"operation": CREATE, "nth": 1, "effect": "throttle"}])
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 1


def test_a_refusal_ends_with_an_error_and_the_next_plan_says_why(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="{strict: true, nodes: [{id: 2}]}")
    sandbox.backfill()
    applied = sandbox.apply()
    assert applied.code == 1
    assert "refused" in applied.err
    plan = sandbox.plan()
    assert decisions(plan) == {"create never_started": ["2020-05-20..2020-05-31"]}
    assert plan["actions"][0]["detail"].startswith("refused before: ")
    sandbox.world("{strict: true, nodes: [{id: 1}]}")
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 1


def test_one_refused_call_does_not_stop_another(sandbox_of: Callable[..., Sandbox]) -> None:
    sandbox = sandbox_of(world="{strict: true, nodes: [{id: 2}]}")
    sandbox.backfill("broken")
    sandbox.backfill("sound", target={"rootNode": 2})
    assert sandbox.apply().code == 1
    assert [entry["parameters"]["RootNodeId"] for entry in sandbox.ledger()] == ["2"]


def test_a_lost_store_costs_adoptions_and_no_second_run(sandbox: Sandbox) -> None:
    sandbox.backfill()
    sandbox.flow()
    assert sandbox.apply("--wait").code == 0
    for file in (sandbox.root / ".reconciler").glob("state.db*"):
        file.unlink()

    plan = sandbox.plan()

    assert plan["lineage"] is None
    assert decisions(plan) == {
        "adopt found": ["2020-05-20..2020-05-31"],
        "hold candidate": ["2020-05-31"],
    }
    assert sandbox.apply().code == 0
    assert decisions(sandbox.plan())["none succeeded"] == ["2020-05-20..2020-05-31"]
    assert len(sandbox.ledger()) == 2


def test_someone_elses_backfill_in_flight_is_not_overlapped(
    sandbox_of: Callable[..., Sandbox],
) -> None:
    sandbox = sandbox_of(world="nodes: [{id: 1, seconds: 3600000}]")
    sandbox.backfill("theirs", params={"1": {"k": "v"}})
    assert sandbox.apply().code == 0
    for file in (sandbox.root / ".reconciler").glob("state.db*"):
        file.unlink()
    sandbox.backfill("theirs", variant="mine", params={"1": {"k": "w"}})
    # Without a record or a spec, nobody can tell that the tag found belongs to another variant.
    assert decisions(sandbox.plan()) == {"wait previous_in_flight": ["2020-05-20..2020-05-31"]}


def test_a_lost_run_is_found_where_the_root_is_not_among_the_nodes(sandbox: Sandbox) -> None:
    sandbox.backfill(target={"rootNode": 1, "includeNodes": [2, 3]})
    sandbox.faults([{"operation": CREATE, "nth": 1, "effect": "execute_then_drop"}])
    assert sandbox.apply().code == 3
    assert sandbox.apply("--wait").code == 0
    assert len(sandbox.ledger()) == 1
    assert sandbox.plan()["summary"]["none"] == 12
