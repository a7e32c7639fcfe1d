"""Gates: looked at together and seldom, and once more right before what they guard leaves."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.applying.gates import GATE_VALID_SECONDS, GateBoard
from reconciler.model.dates import DateSet
from reconciler.model.errors import Forbidden, ProviderError, Unauthenticated, Unavailable
from reconciler.model.events import CallAccepted, CallBlocked, GateUnreadable
from reconciler.model.gates import Condition, Gate, GateReading, RunsSucceeded
from reconciler.model.resources import Resource
from tests.builders import a_gate, a_resource
from tests.fakes.keeper import FakeKeeper
from tests.fakes.provider import unavailable
from tests.fakes.timing import VirtualClock
from tests.unit.applying.rig import Rig

pytestmark = pytest.mark.anyio

WEEK = "2024-05-01..2024-05-07"


def days(*texts: str) -> DateSet:
    return DateSet.parse(texts)


def landed(name: str = "landed") -> Gate:
    return Gate(name=name, connection="hw", condition=RunsSucceeded(job="j"))


class Hut:
    """A board with two systems that keep gates."""

    def __init__(self, *gates: Gate) -> None:
        self.clock = VirtualClock()
        self.ob, self.hw = FakeKeeper(), FakeKeeper()
        self.board = GateBoard(
            {gate.name: gate for gate in gates}, {"ob": self.ob, "hw": self.hw}, self.clock
        )

    async def look(self, max_age: float = 0.0, **wanted: str) -> dict[str, GateReading]:
        return await self.board.look(
            {name: days(dates) for name, dates in wanted.items()}, max_age=max_age
        )


async def test_gates_that_ask_the_same_are_asked_once_for_all_dates() -> None:
    hut = Hut(landed("one"), landed("two"), a_gate("quiet"))
    readings = await hut.look(one="2024-05-01", two="2024-05-03..2024-05-04", quiet="2024-05-01")
    assert hut.hw.asked == [(RunsSucceeded(job="j"), "2024-05-01, 2024-05-03..2024-05-04")]
    assert len(hut.ob.asked) == 1
    assert sorted(readings) == ["one", "quiet", "two"]


async def test_a_fresh_look_serves_again_and_an_old_one_does_not() -> None:
    hut = Hut(a_gate("quiet"))
    await hut.look(quiet=WEEK)
    await hut.look(max_age=2, quiet="2024-05-02")
    assert len(hut.ob.asked) == 1
    await hut.clock.sleep(2.5)
    await hut.look(max_age=2, quiet="2024-05-02")
    assert len(hut.ob.asked) == 2


async def test_a_fresh_look_does_not_serve_for_dates_it_did_not_hold() -> None:
    hut = Hut(landed())
    await hut.look(landed="2024-05-02")
    await hut.look(max_age=60, landed="2024-05-01..2024-05-03")
    assert [dates for _, dates in hut.hw.asked] == ["2024-05-02", "2024-05-01..2024-05-03"]


async def test_what_a_look_showed_of_other_dates_is_remembered() -> None:
    hut = Hut(landed())
    hut.hw.closed = {"2024-05-01": "no run yet", "2024-05-05": "no run yet"}
    await hut.look(landed=WEEK)
    hut.hw.closed = {"2024-05-05": "no run yet"}
    await hut.look(landed="2024-05-01..2024-05-02")
    reading = hut.board.standings["landed"].reading
    assert reading is not None
    assert str(reading.closed.dates) == "2024-05-05"
    assert reading.dates == days(WEEK)


async def test_several_who_look_at_once_share_one_look() -> None:
    hut = Hut(a_gate("quiet"))
    await asyncio.gather(*(hut.look(max_age=2, quiet=WEEK) for _ in range(8)))
    assert len(hut.ob.asked) == 1


async def test_a_gate_that_cannot_be_read_is_closed() -> None:
    hut = Hut(a_gate("quiet"))
    hut.ob.problem = unavailable("get_unfinished_dags")
    reading = (await hut.look(quiet=WEEK))["quiet"]
    assert reading.closed.dates == days(WEEK)
    assert reading.problem == hut.ob.problem.summary


async def test_a_gate_whose_connection_is_not_open_is_closed() -> None:
    hut = Hut(a_gate("quiet", connection="gone"))
    reading = (await hut.look(quiet=WEEK))["quiet"]
    assert reading.problem == "the connection gone cannot be asked"


async def test_gates_that_nobody_declares_are_left_out() -> None:
    assert await Hut().look(quiet=WEEK) == {}


# Before an intent.


def guarded(name: str = "orders", *gates: str, when: str = WEEK) -> Resource:
    return a_resource(name, when, gates=gates or ("quiet",))


async def test_units_behind_an_open_gate_are_sent_and_the_gate_was_looked_at_again(
    rig: Rig,
) -> None:
    rig.guard(a_gate("quiet"))
    plan = await rig.plan(guarded())
    await rig.clock.sleep(GATE_VALID_SECONDS + 1)
    applied = await rig.apply(plan)
    assert len(applied.of(CallAccepted)) == 1
    assert len(rig.keeper.asked) == 2


async def test_what_a_plan_has_just_seen_is_not_asked_again(rig: Rig) -> None:
    rig.guard(a_gate("quiet"))
    await rig.plan_and_apply(guarded())
    assert len(rig.keeper.asked) == 1


async def test_a_gate_that_closes_after_the_plan_keeps_its_calls_back(rig: Rig) -> None:
    rig.guard(a_gate("quiet"))
    plan = await rig.plan(guarded())
    rig.keeper.closed = {WEEK: "an upgrade is running"}
    await rig.clock.sleep(GATE_VALID_SECONDS + 1)
    applied = await rig.apply(plan)
    (told,) = applied.of(CallBlocked)
    assert told.blocked_by == ("gate.quiet",)
    assert told.why == "gate.quiet is closed: an upgrade is running"
    assert not applied.of(CallAccepted)
    assert not rig.provider.runs


async def test_a_gate_that_closes_on_one_date_keeps_the_whole_call_back(rig: Rig) -> None:
    rig.guard(a_gate("quiet"))
    plan = await rig.plan(guarded())
    rig.keeper.closed = {"2024-05-07": "no run yet"}
    await rig.clock.sleep(GATE_VALID_SECONDS + 1)
    applied = await rig.apply(plan)
    assert applied.of(CallBlocked)
    assert not rig.provider.runs


async def test_a_gate_that_closes_while_others_are_sent_keeps_the_later_calls_back(
    rig: Rig,
) -> None:
    rig.guard(a_gate("quiet"))
    plan = await rig.plan(
        guarded("orders", when="2024-05-01..2024-05-02,2024-05-05"),
        a_resource("free", "2024-05-09"),
    )

    def close_after_the_first() -> None:
        rig.keeper.closed = {"2024-05-01..2024-05-09": "an upgrade is running"}

    async def turn(operation: str) -> None:
        del operation
        await rig.clock.sleep(GATE_VALID_SECONDS + 1)

    rig.provider.take_create_turn = turn  # type: ignore[method-assign]  # slow
    rig.keeper.on_look = close_after_the_first
    rig.keeper.closed = {}
    applied = await rig.apply(plan, at_once=1)
    sent = {str(event.dates) for event in applied.of(CallAccepted)}
    assert sent == {"2024-05-01..2024-05-02", "2024-05-09"}
    assert [str(event.dates) for event in applied.of(CallBlocked)] == ["2024-05-05"]


async def test_a_gate_that_can_no_longer_be_read_keeps_its_calls_back_and_is_told_once(
    rig: Rig,
) -> None:
    rig.guard(a_gate("quiet"))
    plan = await rig.plan(guarded(when="2024-05-01,2024-05-03,2024-05-05"))
    rig.keeper.problem = unavailable("get_unfinished_dags")
    await rig.clock.sleep(GATE_VALID_SECONDS + 1)
    applied = await rig.apply(plan)
    assert len(applied.of(CallBlocked)) == 3
    assert [event.gate for event in applied.of(GateUnreadable)] == ["gate.quiet"]
    assert not rig.provider.runs


async def test_without_a_board_what_needs_a_gate_is_not_sent(rig: Rig) -> None:
    rig.guard(a_gate("quiet"))
    plan = await rig.plan(guarded())
    rig.board = None
    applied = await rig.apply(plan)
    assert applied.of(CallBlocked)
    assert not rig.provider.runs


async def test_one_look_serves_all_calls_behind_a_gate(rig: Rig) -> None:
    rig.guard(a_gate("quiet"))
    plan = await rig.plan(
        guarded("a", when="2024-05-01"), guarded("b", when="2024-05-03,2024-05-05")
    )
    await rig.clock.sleep(GATE_VALID_SECONDS + 1)
    rig.keeper.asked.clear()
    applied = await rig.apply(plan)
    assert len(applied.of(CallAccepted)) == 3
    assert [dates for _, dates in rig.keeper.asked] == ["2024-05-01, 2024-05-03, 2024-05-05"]


class SlowKeeper(FakeKeeper):
    """Takes its time to answer."""

    def __init__(self, clock: VirtualClock, seconds: float) -> None:
        super().__init__()
        self.clock, self.seconds = clock, seconds

    async def evaluate(self, condition: Condition, dates: DateSet) -> GateReading:
        await self.clock.sleep(self.seconds)
        return await super().evaluate(condition, dates)


async def test_a_look_that_aged_while_another_gate_was_slow_is_taken_again() -> None:
    hut = Hut(a_gate("quiet"), landed())
    slow = SlowKeeper(hut.clock, 30)
    hut.board = GateBoard(
        {"quiet": a_gate("quiet"), "landed": landed()}, {"ob": hut.ob, "hw": slow}, hut.clock
    )
    slow.on_look = lambda: hut.ob.closed.update({WEEK: "an upgrade is running"})
    readings = await hut.look(max_age=2, quiet=WEEK, landed=WEEK)
    assert readings["quiet"].closed
    assert (len(hut.ob.asked), len(slow.asked)) == (2, 1)


async def test_a_system_that_is_slow_to_answer_keeps_those_behind_other_gates_not_waiting() -> (
    None
):
    hut = Hut(a_gate("quiet"), landed())
    slow = SlowKeeper(hut.clock, 60)
    hut.board = GateBoard(
        {"quiet": a_gate("quiet"), "landed": landed()}, {"ob": hut.ob, "hw": slow}, hut.clock
    )
    began = hut.clock.monotonic()
    asked = asyncio.ensure_future(hut.look(max_age=2, landed=WEEK))
    await asyncio.sleep(0)
    await hut.look(max_age=2, quiet=WEEK)
    assert hut.clock.monotonic() == began
    await asked


async def test_what_could_not_be_read_is_not_asked_again_by_each_call() -> None:
    hut = Hut(a_gate("quiet"))
    hut.ob.problem = unavailable("get_unfinished_dags")
    for _ in range(5):
        await hut.look(max_age=2, quiet=WEEK)
        await hut.clock.sleep(3)
    assert len(hut.ob.asked) == 1
    await hut.clock.sleep(30)
    await hut.look(max_age=2, quiet=WEEK)
    assert len(hut.ob.asked) == 2


@pytest.mark.parametrize(
    ("error", "stuck"), [(Unauthenticated, True), (Forbidden, True), (Unavailable, False)]
)
async def test_a_gate_that_no_second_look_can_open_waits_for_a_person(
    error: type[ProviderError], *, stuck: bool
) -> None:
    hut = Hut(a_gate("quiet"))
    hut.ob.problem = error("no", provider="obshell", operation="get")
    reading = (await hut.look(quiet=WEEK))["quiet"]
    assert reading.stuck == (days(WEEK) if stuck else DateSet())


async def test_a_connection_without_calls_left_is_not_asked() -> None:
    hut = Hut(a_gate("quiet"))
    hut.board = GateBoard(
        {"quiet": a_gate("quiet")}, {"ob": hut.ob}, hut.clock, may_ask=lambda name: name != "ob"
    )
    reading = (await hut.look(quiet=WEEK))["quiet"]
    assert reading.problem == "the connection ob has used its API calls of today"
    assert not hut.ob.asked


async def test_far_dates_are_looked_at_by_themselves(rig: Rig) -> None:
    rig.guard(a_gate("quiet"))
    plan = await rig.plan(guarded(when="2024-01-01,2024-05-01"))
    await rig.clock.sleep(GATE_VALID_SECONDS + 1)
    rig.keeper.asked.clear()
    await rig.apply(plan)
    assert sorted(dates for _, dates in rig.keeper.asked) == ["2024-01-01", "2024-05-01"]
