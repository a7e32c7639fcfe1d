"""What ran is timed by the service, and the next plan says how long more of it would run."""

from __future__ import annotations

import json
from typing import Any

from tests.scenario.sandbox import Sandbox

WORLD = "nodes: [{{id: 1, seconds: {seconds}}}]"


def wide(sandbox: Sandbox, last: int, **spec: Any) -> None:
    sandbox.backfill(dates={"start": "2020-05-20", "end": f"2020-05-{last}"}, **spec)


def ran(sandbox: Sandbox, last: int, *, seconds: int) -> None:
    """Run the dates up to that one, while each takes so long."""
    sandbox.world(WORLD.format(seconds=seconds))
    wide(sandbox, last)
    assert sandbox.apply("--wait").code == 0


def test_a_wider_spec_is_estimated_by_what_the_dates_before_took(sandbox: Sandbox) -> None:
    wide(sandbox, 22)
    first = sandbox.run("plan")
    assert "runs for" not in first.out, "nothing is invented"
    assert "would run" not in first.out
    ran(sandbox, 22, seconds=60)
    ran(sandbox, 24, seconds=180)

    wide(sandbox, 31)
    sandbox.flow()
    path = sandbox.root / "p.json"
    text = sandbox.run("plan", "--out", str(path)).out
    told = " ".join(text.split())
    assert (
        "runs for about 13 min (7 to 21 min), one date after another, as 5 dates on record" in told
    )
    assert "would run for about 7 to 21 min" in text
    assert "not in it: 1 date like which none was timed" in told
    took = {
        "dates": 5,
        "least_seconds": 60,
        "average_seconds": 108,
        "most_seconds": 180,
        "total_seconds": 540,
    }
    on_record = json.loads(sandbox.run("state", "pull").out)["attempts"]
    last_sent = max(one["signed_at"] for one in on_record)[:10]
    assert f"on record took 60 s to 3 min each, last sent {last_sent}" in told
    (estimate,) = json.loads(path.read_text())["estimates"]
    assert estimate == {
        "address": "backfill.orders",
        "dates": 7,
        "in_turn": 7,
        "least_seconds": 420,
        "average_seconds": 756,
        "most_seconds": 1260,
        "basis": "series",
        "took": took,
        "last_sent": last_sent,
        "ran_for": ["backfill.orders"],
        "ran_for_count": 1,
    }
    assert sandbox.run("show", str(path)).out == text

    assert [one["took"]["total_seconds"] for one in on_record] == [180, 360]
    assert "3 dates took 60 s each" in sandbox.run("state", "show", "backfill.orders").out
    assert "2 dates took 3 min each" in sandbox.run("explain", "backfill.orders@2020-05-24").out


def test_with_other_params_the_basis_is_what_ran_in_the_same_place(sandbox: Sandbox) -> None:
    ran(sandbox, 22, seconds=60)
    wide(sandbox, 22, params={"1": {"key": "val"}}, onChange="rerun", parallelism=2)
    (estimate,) = sandbox.plan()["estimates"]
    assert (estimate["basis"], estimate["in_turn"], estimate["most_seconds"]) == (
        "subject",
        2,
        120,
    )
    assert "on record with other nodes or params took 60 s each" in " ".join(
        sandbox.run("plan").out.split()
    )


def test_dates_of_which_a_part_was_skipped_are_no_basis(sandbox: Sandbox) -> None:
    sandbox.world("nodes: [{id: 1, seconds: 0}, {id: 2, parents: [1], skip: [2020-05-21]}]")
    wide(sandbox, 22, target={"rootNode": 1, "includeNodes": [1, 2]})
    assert sandbox.apply("--wait").code == 3
    wide(sandbox, 23, target={"rootNode": 1, "includeNodes": [1, 2]})
    (estimate,) = sandbox.plan()["estimates"]
    assert (estimate["took"]["dates"], estimate["took"]["least_seconds"]) == (2, 60)
