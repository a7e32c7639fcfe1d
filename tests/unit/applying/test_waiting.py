"""Waiting: polls that grow apart, a deadline that holds, and nothing that is waited for in vain."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from reconciler.applying.polling import FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS
from reconciler.applying.waiting import GIVE_UP_AFTER, GIVE_UP_AFTER_SECONDS, in_flight
from reconciler.model.attempts import AttemptState
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.events import ReadFailed, UnitsChanged
from reconciler.model.outcomes import Unknown
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from tests.builders import LAG, a_resource, dates
from tests.fakes.provider import Script
from tests.fakes.timing import VirtualClock
from tests.unit.applying.rig import Rig, resources

pytestmark = pytest.mark.anyio


async def test_a_clock_that_jumps_wakes_sleepers_in_their_order() -> None:
    clock = VirtualClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("long", 3600))
        group.create_task(sleeper("short", 1, 1, 1000))
        group.create_task(sleeper("middle", 1.5))
    assert woken == [
        ("short", 1),
        ("middle", 1.5),
        ("short", 2),
        ("short", 1002),
        ("long", 3600),
    ]


async def test_with_nothing_in_flight_nothing_is_waited_for(rig: Rig) -> None:
    assert await rig.follow()
    assert rig.clock.monotonic() == 0
    assert rig.provider.log == []


async def test_a_run_is_followed_to_its_end(rig: Rig) -> None:
    await rig.plan_and_apply(a_resource())
    rig.provider.move_later("1", 10, UnitStatus.RUNNING)
    rig.provider.move_later("1", 3600, UnitStatus.SUCCESS)
    assert await rig.follow()
    assert 3600 <= rig.clock.monotonic() <= 3600 + LONGEST_POLL_SECONDS
    (known,) = rig.attempts()
    assert {record.status for _, record in known.coverage} == {UnitStatus.SUCCESS}
    told = [(one.status, one.remaining, one.total) for one in rig.reporter.of(UnitsChanged)]
    assert told == [
        (UnitStatus.CREATED, 5, 5),
        (UnitStatus.RUNNING, 5, 5),
        (UnitStatus.SUCCESS, 0, 5),
    ]


async def test_pauses_grow_while_nothing_changes_and_start_again_when_something_does(
    rig: Rig,
) -> None:
    await rig.plan_and_apply(a_resource())
    rig.provider.move_later("1", 1000, UnitStatus.RUNNING)
    rig.provider.move_later("1", 2000, UnitStatus.SUCCESS)
    await rig.follow()
    times = rig.provider.times("observe")
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    changed = next(index for index, time in enumerate(times) if time >= 1000)
    growing = pauses[: changed - 1]
    assert growing == sorted(growing)
    assert pauses[0] == FIRST_POLL_SECONDS, "the first look saw the run for the first time"
    assert pauses[changed] <= pauses[changed - 1] / 2, "something changed"
    assert len(times) < 30, "not a look a minute"


async def test_each_poll_is_on_record_before_the_next(rig: Rig) -> None:
    await rig.plan_and_apply(a_resource())
    rig.provider.move_later("1", 100, UnitStatus.RUNNING)
    assert not await rig.follow(seconds=200)
    (known,) = rig.attempts()
    assert {record.status for _, record in known.coverage} == {UnitStatus.RUNNING}


async def test_the_deadline_ends_waiting_to_the_second(rig: Rig) -> None:
    await rig.plan_and_apply(a_resource())
    assert not await rig.follow(seconds=1234.5)
    assert rig.clock.monotonic() == 1234.5


async def test_a_stop_is_noticed_within_half_a_second(rig: Rig) -> None:
    await rig.plan_and_apply(a_resource())

    async def ask() -> None:
        await rig.clock.sleep(500.2)
        rig.stop.set()

    asking = asyncio.ensure_future(ask())
    assert not await rig.follow()
    await asking
    assert 500.2 <= rig.clock.monotonic() <= 500.7


async def test_an_address_that_cannot_be_read_keeps_nobody_else_waiting(rig: Rig) -> None:
    await rig.plan_and_apply(*resources(2))
    rig.provider.fail("observe", "1")
    second = rig.attempts("r2")[0].run_ids[0]
    rig.provider.move_later(second, 300, UnitStatus.SUCCESS)
    assert not await rig.follow()
    (known,) = rig.attempts("r2")
    assert {record.status for _, record in known.coverage} == {UnitStatus.SUCCESS}
    failed = rig.reporter.of(ReadFailed)
    assert {one.address.name for one in failed} == {"r1"}
    assert GIVE_UP_AFTER <= len(failed) <= 20
    assert rig.clock.monotonic() >= GIVE_UP_AFTER_SECONDS


async def test_an_address_that_can_be_read_again_is_followed_to_its_end(rig: Rig) -> None:
    await rig.plan_and_apply(a_resource())
    rig.provider.fail("observe", "1234")
    rig.provider.move_later("1", 30, UnitStatus.SUCCESS)

    async def repair() -> None:
        await rig.clock.sleep(10)
        rig.provider.unreadable.clear()

    repairing = asyncio.ensure_future(repair())
    assert await rig.follow()
    await repairing


async def test_dates_that_were_never_shown_are_not_waited_for(rig: Rig) -> None:
    await rig.plan_and_apply(a_resource())
    run = rig.provider.runs["1"]
    run.coverage = RangeMap.constant(dates("2024-05-01..2024-05-03"), UnitStatus.SUCCESS)
    assert await rig.follow()
    (known,) = rig.attempts()
    assert known.state is AttemptState.PARTIAL
    assert known.valid_until is not None
    waited = known.valid_until + LAG - known.created_at
    assert rig.clock.monotonic() <= waited.total_seconds() + LONGEST_POLL_SECONDS


async def test_dates_that_show_late_are_waited_for(rig: Rig) -> None:
    await rig.plan_and_apply(a_resource())
    whole = DateSet((DateRange.parse("2024-05-01..2024-05-05"),))
    run = rig.provider.runs["1"]
    run.coverage = RangeMap.constant(dates("2024-05-01..2024-05-03"), UnitStatus.SUCCESS)
    run.later.append((100.0, RangeMap.constant(whole, UnitStatus.SUCCESS)))
    assert await rig.follow()
    (known,) = rig.attempts()
    assert known.state is AttemptState.ACCEPTED
    assert rig.clock.monotonic() >= 100


async def test_a_run_the_service_forgot_is_not_waited_for(rig: Rig) -> None:
    await rig.plan_and_apply(a_resource())
    rig.provider.move(UnitStatus.RUNNING)
    await rig.plan(a_resource())
    rig.provider.runs["1"].gone = True
    assert await rig.follow()


async def test_an_unclear_call_is_not_waited_for(rig: Rig) -> None:
    rig.provider.script(Script(outcome=Unknown(cause="reset")))
    await rig.plan_and_apply(a_resource())
    assert in_flight(rig.store.snapshot()) == ()
    assert await rig.follow()
    assert rig.clock.monotonic() == 0


async def test_only_what_concerns_us_is_followed(rig: Rig) -> None:
    await rig.plan_and_apply(*resources(2))
    rig.provider.move(UnitStatus.SUCCESS, run_id=rig.attempts("r1")[0].run_ids[0])
    assert await rig.follow(concerns=lambda one: one.address.name == "r1")
    assert {one.address.name for one in rig.reporter.of(UnitsChanged)} == {"r1"}


async def test_a_run_of_a_connection_that_is_gone_is_not_waited_for(rig: Rig) -> None:
    await rig.plan_and_apply(a_resource())
    rig.lines = {"main": rig.lines["prod"]}
    assert not await rig.follow()
    assert rig.clock.monotonic() == 0
