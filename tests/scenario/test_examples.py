"""The example project in specs/ plans and applies as it stands."""

from __future__ import annotations

import shutil
from pathlib import Path

from reconciler.cli.main import run
from tests.scenario.sandbox import Sandbox, decisions

EXAMPLES = Path(__file__).parents[2] / "specs"


class Examples(Sandbox):
    """A copy of specs/."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(EXAMPLES, root, ignore=shutil.ignore_patterns(".reconciler"))


def test_all_of_it_is_planned_applied_and_then_satisfied(tmp_path: Path) -> None:
    examples = Examples(tmp_path / "specs")
    planned = examples.plan()
    assert {action["address"] for action in planned["actions"]} == {
        "backfill.clicks-night",
        "backfill.ledger-month-end",
        "backfill.orders-currency-fix",
        "backfill.orders-report-rebuild",
        "backfill.sales-by-store",
        "backfill.sales-report",
        "manualflow.month-close",
    }
    assert planned["summary"]["calls"] == 17

    assert examples.apply("--wait").code == 0

    second = examples.plan("--detailed-exitcode")
    assert set(decisions(second)) == {"none succeeded"}
    started = planned["summary"]["create"] + planned["summary"]["blocked"]
    assert second["summary"]["none"] == started == 46
    assert second["summary"]["reads"] == 0


def test_it_is_valid_where_it_lies() -> None:
    assert run(["-C", str(EXAMPLES), "validate"]) == 0
