from __future__ import annotations

import pytest

from reconciler.cli.progress import BarReporter, rate_text
from reconciler.model.addresses import Address
from reconciler.model.events import UnitsChanged, UnitsOpened
from reconciler.model.runs import UnitStatus
from tests.builders import dates, span

ORDERS = Address.parse("backfill.orders")


@pytest.mark.parametrize(
    ("per_second", "told"),
    [
        (None, ""),
        (0.0, ""),
        (12.0, "12.0 dates/s"),
        (0.5, "30.0 dates/min"),
        (1 / 600, "6.0 dates/h"),
        (1 / 36000, "0.1 dates/h"),
    ],
)
def test_a_rate_is_told_in_a_time_that_a_person_can_picture(
    per_second: float | None, told: str
) -> None:
    assert rate_text(per_second) == told


def test_bars_move_and_other_events_stand_above_them(capsys: pytest.CaptureFixture[str]) -> None:
    bars = BarReporter()
    try:
        bars.report(UnitsOpened(address=ORDERS, dates=dates("2024-05-01..2024-05-04")))
        for left in (3, 1, 0):
            bars.report(
                UnitsChanged(
                    address=ORDERS,
                    dates=span(0, 0),
                    status=UnitStatus.SUCCESS,
                    remaining=left,
                    total=4,
                )
            )
    finally:
        bars.close()
    shown = capsys.readouterr().err
    assert "backfill.orders@2024-05-01..2024-05-04: may start now (4 dates)" in shown
    assert "4/4" in shown
