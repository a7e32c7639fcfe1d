from __future__ import annotations

import asyncio

import pytest

from reconciler.concurrency import each
from reconciler.providers.pacing import Backoff, Pacer
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
    assert [backoff.wait_seconds(n, None) for n in range(1, 8)] == [1, 2, 4, 8, 16, 20, 20]


def test_the_services_own_wait_is_kept_within_the_bound() -> None:
    class Least:
        def uniform(self, low: float, _high: float, /) -> float:
            return low

    backoff = Backoff(jitter=Least())
    assert backoff.wait_seconds(1, None) == 0
    assert backoff.wait_seconds(1, 3.5) == 3.5
    assert backoff.wait_seconds(1, 3600) == 20


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
