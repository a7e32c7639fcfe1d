from __future__ import annotations

import asyncio

import pytest

from reconciler.concurrency import each
from reconciler.providers.pacing import (
    LONGEST_REST_SECONDS,
    SLOWEST_PER_SECOND,
    Backoff,
    Pacer,
)
from tests.unit.providers.dataworks.support import FakeClock, NoJitter


@pytest.mark.anyio
async def test_turns_lie_an_interval_apart() -> None:
    clock = FakeClock()
    pacer = Pacer(clock, 5)
    for _ in range(4):
        await pacer.turn()
    assert clock.slept == pytest.approx([0.2, 0.2, 0.2])


@pytest.mark.anyio
async def test_a_turn_after_a_pause_is_free() -> None:
    clock = FakeClock()
    pacer = Pacer(clock, 1)
    await pacer.turn()
    clock.seconds += 10
    await pacer.turn()
    assert clock.slept == []


@pytest.mark.anyio
async def test_no_bound_never_waits() -> None:
    clock = FakeClock()
    pacer = Pacer(clock, 0)
    for _ in range(100):
        await pacer.turn()
    assert clock.slept == []


def test_waits_double_up_to_a_bound() -> None:
    backoff = Backoff(jitter=NoJitter())
    assert [backoff.wait_seconds(n) for n in range(1, 8)] == [1, 2, 4, 8, 16, 20, 20]


@pytest.mark.anyio
async def test_a_throttled_rate_is_halved_and_grows_back_slowly() -> None:
    clock = FakeClock()
    pacer = Pacer(clock, 10)
    pacer.throttled(None)
    pacer.throttled(None)
    assert pacer.per_second == 5, "answers of one moment count once"
    clock.seconds += 1
    pacer.throttled(None)
    assert pacer.per_second == 2.5
    pacer.passed()
    assert pacer.per_second == pytest.approx(2.7)
    for _ in range(100):
        pacer.passed()
    assert pacer.per_second == 10


def test_no_rate_falls_below_the_slowest_or_its_own() -> None:
    clock = FakeClock()
    for full, slowest in ((10.0, SLOWEST_PER_SECOND), (0.05, 0.05)):
        pacer = Pacer(clock, full)
        for _ in range(50):
            clock.seconds += 1
            pacer.throttled(None)
        assert pacer.per_second == slowest


def test_a_service_that_throttles_bounds_a_rate_that_had_none_until_all_is_well_again() -> None:
    pacer = Pacer(FakeClock(), 0)
    pacer.passed()
    assert pacer.per_second == 0
    pacer.throttled(None)
    assert pacer.per_second == 10
    for _ in range(100):
        pacer.passed()
    assert pacer.per_second == 0


@pytest.mark.anyio
async def test_nobody_gets_a_turn_in_the_rest_that_the_service_asks_for() -> None:
    clock = FakeClock()
    pacer = Pacer(clock, 10)
    pacer.throttled(7)
    await pacer.turn()
    assert clock.slept == [7]
    pacer.throttled(3600)
    await pacer.turn()
    assert clock.slept[1] == LONGEST_REST_SECONDS


@pytest.mark.anyio
async def test_results_keep_the_order_and_the_bound_holds() -> None:
    running, most = 0, 0

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (5 - number % 5))
        running -= 1
        return number * 2

    assert await each(range(20), work, at_once=3) == [n * 2 for n in range(20)]
    assert most == 3


@pytest.mark.anyio
async def test_the_first_failure_comes_out_as_it_is() -> None:
    async def work(number: int) -> int:
        if number == 2:
            raise KeyError("two")
        await asyncio.sleep(10)
        return number

    with pytest.raises(KeyError, match="two"):
        await asyncio.wait_for(each(range(4), work), 5)
