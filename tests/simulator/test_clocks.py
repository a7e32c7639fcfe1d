from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from reconciler.simulator import MANUAL, REAL, ClockSpec
from reconciler.simulator.clocks import Advance, Clocks, counts_as_signed_at, wait_for_advance
from tests.simulator.harness import Cloud, signed_request

QUARTER = 15 * 60


@pytest.mark.parametrize(
    ("text", "spec"), [("real", REAL), ("manual", MANUAL), ("x1", REAL), ("x600", ClockSpec(600))]
)
def test_clock_specs(text: str, spec: ClockSpec) -> None:
    assert ClockSpec.parse(text) == spec


def test_a_spec_is_written_as_it_is_read() -> None:
    for text in ("real", "manual", "x600"):
        assert str(ClockSpec.parse(text)) == text


@pytest.mark.parametrize("text", ["", "x0", "x-1", "x1.5", "x9999999", "fast", "X5"])
def test_no_clock_specs(text: str) -> None:
    with pytest.raises(ValueError, match="real, xN"):
        ClockSpec.parse(text)


def test_the_work_clock_runs_at_its_rate_and_the_gateway_clock_does_not() -> None:
    clocks = Clocks.start(ClockSpec(600), 1000)
    assert clocks.work_ms(2000) == 1000 + 600_000
    assert clocks.gateway_ms(2000) == 2000


def test_the_manual_clock_stands_still() -> None:
    assert Clocks.start(MANUAL, 1000).work_ms(999_999) == 1000


def test_an_advance_moves_both_clocks_by_the_same() -> None:
    clocks = Clocks.start(ClockSpec(10), 1000).advance(5000, 2000)
    assert clocks.work_ms(2000) == 1000 + 10_000 + 5000
    assert clocks.gateway_ms(2000) == 7000


def test_the_work_clock_goes_on_from_where_it_was_at_another_rate() -> None:
    clocks = Clocks.start(ClockSpec(600), 0).run_as(MANUAL, 1000)
    assert clocks.work_ms(5000) == 600_000


def test_real_time_that_goes_back_does_not_take_work_back() -> None:
    assert Clocks.start(ClockSpec(600), 1000).work_ms(0) == 1000


def test_a_signature_ages_by_later_advances_only() -> None:
    clocks = Clocks.start(MANUAL, 0).advance(60_000, 10_000).advance(30_000, 20_000)
    advances = (Advance(at_real_ms=10_000, by_ms=60_000), Advance(at_real_ms=20_000, by_ms=30_000))
    assert counts_as_signed_at(9_000, clocks, advances) == 9_000
    assert counts_as_signed_at(10_000, clocks, advances) == 70_000
    assert counts_as_signed_at(19_000, clocks, advances) == 79_000
    assert counts_as_signed_at(20_000, clocks, advances) == 110_000


def test_a_fresh_request_is_fresh_after_any_advance() -> None:
    cloud = Cloud()
    for seconds in (1, 3600, 86_400, 40 * 86_400):
        cloud.advance(seconds)
        cloud.call("ListDags", ProjectEnv="PROD", OpSeq=1)
        cloud.time.pass_seconds(0.4)


def test_a_request_signed_before_an_advance_has_aged_by_it() -> None:
    cloud = Cloud()
    held, too_old = (cloud.request("ListDags", ProjectEnv="PROD", OpSeq=1) for _ in range(2))
    cloud.time.pass_seconds(1)
    cloud.advance(QUARTER - 1)
    assert cloud.send(held).json()["Success"] is True
    cloud.advance(1)
    assert cloud.send(too_old).json()["Code"] == "InvalidTimeStamp.Expired"


def test_a_request_may_be_signed_with_the_gateways_own_time_after_an_advance() -> None:
    cloud = Cloud()
    cloud.advance(2 * QUARTER)
    told = parsedate_to_datetime(cloud.ask("ListDags", ProjectEnv="PROD", OpSeq=1).headers["date"])
    parameters = {"ProjectEnv": "PROD", "OpSeq": 1}
    fresh, too_old = (
        signed_request("ListDags", parameters, date=told.strftime("%Y-%m-%dT%H:%M:%SZ"))
        for _ in range(2)
    )
    assert cloud.send(fresh).json()["Success"] is True
    cloud.advance(QUARTER + 1)
    assert cloud.send(too_old).json()["Code"] == "InvalidTimeStamp.Expired"


def test_the_gateway_clock_runs_with_real_time_on_a_manual_work_clock() -> None:
    cloud = Cloud()
    held = cloud.request("ListDags", ProjectEnv="PROD", OpSeq=1)
    cloud.time.pass_seconds(QUARTER + 1)
    assert cloud.send(held).json()["Code"] == "InvalidTimeStamp.Expired"


def test_answers_carry_the_gateways_date() -> None:
    cloud = Cloud(clock=ClockSpec(600))
    cloud.advance(3600)
    cloud.time.pass_seconds(10)
    response = cloud.ask("ListDags", ProjectEnv="PROD", OpSeq=1)
    assert response.headers["date"] == "Sat, 21 Nov 2026 03:25:50 GMT"


def test_long_advances_wait_for_the_next_second_and_short_ones_do_not() -> None:
    assert wait_for_advance(60, 1234) == 0
    assert wait_for_advance(900, 1234) == pytest.approx(0.766)


def test_times_in_answers_are_work_time_since_the_creation_by_the_gateway() -> None:
    cloud = Cloud()
    cloud.advance(3600)
    (dag_id,) = cloud.backfill("2020-05-20")
    cloud.time.pass_seconds(7)
    cloud.advance(60)
    dag = cloud.dag(dag_id)
    created = cloud.time.ms - 7000 + 3_600_000
    assert (dag["CreateTime"], dag["StartTime"]) == (created, created)
    assert dag["FinishTime"] == created + 60_000


def test_on_an_accelerated_clock_a_run_takes_its_share_of_real_time() -> None:
    cloud = Cloud(clock=ClockSpec(600))
    (dag_id,) = cloud.backfill("2020-05-20")
    cloud.time.pass_seconds(0.099)
    assert cloud.dag(dag_id)["Status"] == "RUNNING"
    cloud.time.pass_seconds(0.001)
    assert cloud.dag(dag_id)["Status"] == "SUCCESS"
