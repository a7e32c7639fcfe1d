"""Dates stay the dates that were asked for, whatever zone the connection names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.scenario.sandbox import EMBEDDED, Sandbox, decisions, executed_dates


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Europe/Berlin", "Pacific/Auckland"])
def test_failed_dates_are_the_ones_that_failed(
    sandbox_of: Callable[..., Sandbox], zone: str
) -> None:
    sandbox = sandbox_of(
        endpoint=f"{EMBEDDED}\n      timezone: {zone}",
        world="nodes: [{id: 1, fail: [{date: 2026-03-08, times: 1}]}]",
    )
    sandbox.backfill(
        dates={"start": "2026-03-06", "end": "2026-03-10"}, parallelism=2, onFailure="rerun"
    )
    assert sandbox.apply().code == 0
    sandbox.run("status", "--watch")
    assert decisions(sandbox.plan())["rerun failed"] == ["2026-03-08"]
    assert sandbox.apply("--wait", "--timeout", "60s").code == 0
    for file in (sandbox.root / ".reconciler").glob("state.db*"):
        file.unlink()
    assert set(decisions(sandbox.plan())) == {"adopt found"}
    assert sandbox.apply("--wait", "--timeout", "60s").code == 0
    assert Counter(executed_dates(sandbox.ledger())) == {
        **{f"1 2026-03-{day:02}": 1 for day in (6, 7, 9, 10)},
        "1 2026-03-08": 2,
    }
