"""The create call, spelled: plan days, zones, what the service cannot do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateRange
from reconciler.model.errors import InvalidRequest
from reconciler.model.resources import Tuning
from tests.unit.providers.dataarts.support import (
    CREATE,
    Service,
    a_connection,
    a_provider,
    a_series,
)


def spelled(
    dates: str,
    *,
    offset: int = 0,
    zone: str = "Asia/Shanghai",
    parallelism: int = 1,
    kind: Kind = Kind.BACKFILL,
) -> Mapping[str, str]:
    provider = a_provider(Service(), connection=a_connection(timezone=zone))
    series = a_series(offset=offset, kind=kind)
    call = provider.wire_call(series, DateRange.parse(dates), "n", Tuning(parallelism=parallelism))
    assert call.operation == CREATE
    return call.parameters


def test_a_serial_call_stops_at_its_first_failure() -> None:
    assert spelled("2024-05-01..2024-05-31") == {
        "name": "n",
        "job_name": "daily_sales",
        "start_date": "2024-05-01T00:00:00 +08",
        "end_date": "2024-05-31T23:59:59 +08",
        "parallel": "1",
        "is_stop_when_fail": "true",
        "reverse_order": "0",
        "force": "true",
    }


def test_a_parallel_call_goes_on() -> None:
    parameters = spelled("2024-05-01", parallelism=5)
    assert (parameters["parallel"], parameters["is_stop_when_fail"]) == ("5", "false")


def test_plan_days_may_lie_a_day_later() -> None:
    parameters = spelled("2024-12-31", offset=1)
    assert parameters["start_date"] == "2025-01-01T00:00:00 +08"
    assert parameters["end_date"] == "2025-01-01T23:59:59 +08"


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("UTC", "+00"),
        ("America/Sao_Paulo", "-03"),
        ("America/New_York", "-04"),
        ("Asia/Tokyo", "+09"),
    ],
)
def test_offsets_of_whole_hours(zone: str, offset: str) -> None:
    assert spelled("2024-05-01", zone=zone)["start_date"].endswith(f" {offset}")


def test_each_end_of_a_range_has_the_offset_of_its_own_day() -> None:
    parameters = spelled("2024-03-30..2024-04-02", zone="Europe/Berlin")
    assert parameters["start_date"] == "2024-03-30T00:00:00 +01"
    assert parameters["end_date"] == "2024-04-02T23:59:59 +02"


def test_a_zone_between_whole_hours_cannot_be_written() -> None:
    with pytest.raises(InvalidRequest, match="not whole hours"):
        spelled("2024-05-01", zone="Asia/Kolkata")


def test_what_the_service_does_not_have() -> None:
    with pytest.raises(InvalidRequest, match="at most 5"):
        spelled("2024-05-01", parallelism=6)
    with pytest.raises(InvalidRequest, match="backfills only"):
        spelled("2024-05-01", kind=Kind.MANUAL_FLOW)
