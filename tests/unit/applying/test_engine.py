"""The engine: what a plan asks for leaves once, in bounds, and one call's trouble is its own."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from reconciler.applying.engine import LOOK_VALID_SECONDS, TRIES_PER_CALL
from reconciler.applying.lines import Line
from reconciler.model.attempts import AttemptState
from reconciler.model.calls import Prepared
from reconciler.model.errors import OutcomeUnrecorded, StateError, Unauthenticated
from reconciler.model.events import (
    CallAccepted,
    CallMoved,
    CallRefused,
    CallSending,
    CallSkipped,
    CallUnknown,
    GateChanged,
    GateUnreadable,
    ReadFailed,
    RunAdopted,
)
from reconciler.model.outcomes import Refused, Unknown
from reconciler.model.plan import Decision
from reconciler.model.resources import OnFailure
from reconciler.model.runs import Tier, UnitStatus
from tests.builders import LAG, a_found_run, a_resource, a_series, a_subject, dates
from tests.fakes.provider import FakeProvider, Script, unavailable
from tests.unit.applying.rig import Rig, on_root, resources

pytestmark = pytest.mark.anyio

S = AttemptState

THROTTLED = Refused(code="Throttling", message="slow down", transient=True)
FORBIDDEN = Refused(code="Forbidden", message="no right", transient=False)
LOST = Unknown(cause="the connection was reset")


async def test_every_call_of_a_plan_leaves_once_and_is_confirmed(rig: Rig) -> None:
    applied = await rig.plan_and_apply(*resources(3))
    assert sorted(rig.provider.executed) == [
        "1@2024-05-01..2024-05-05",
        "2@2024-05-01..2024-05-05",
        "3@2024-05-01..2024-05-05",
    ]
    assert rig.states() == [S.ACCEPTED] * 3
    assert sorted(rig.provider.asked("confirm")) == sorted(one.name for one in rig.attempts())
    assert [one.run_group for one in rig.attempts()] == [
        f"group-{one.run_ids[0]}" for one in rig.attempts()
    ]
    assert [type(event) for event in rig.reporter.events].count(CallSending) == 3
    assert applied.events == tuple(rig.reporter.events)


async def test_what_is_sent_is_what_the_plan_showed(rig: Rig) -> None:
    plan = await rig.plan(a_resource(when="2024-05-01..2024-05-02,2024-05-09"))
    sent: list[object] = []

    def keep(prepared: Prepared) -> None:
        sent.append(prepared.request)

    rig.provider.on_create = keep
    await rig.apply(plan)
    assert [getattr(one, "parameters", None) for one in sent] == [
        call.parameters for call in plan.calls
    ]
    assert {one.call_id for one in rig.attempts()} == {call.id for call in plan.calls}
    assert {one.plan_id for one in rig.attempts()} == {plan.id}


async def test_applying_a_plan_twice_sends_nothing_the_second_time(rig: Rig) -> None:
    plan = await rig.plan(*resources(2))
    await rig.apply(plan)
    before = (rig.store.snapshot(), len(rig.provider.log))
    again = await rig.apply(plan)
    assert [type(event) for event in again.events] == [CallSkipped, CallSkipped]
    assert (rig.store.snapshot(), len(rig.provider.log)) == before


async def test_a_plan_made_right_after_an_apply_is_empty(rig: Rig) -> None:
    wanted = resources(2)
    await rig.plan_and_apply(*wanted)
    plan = await rig.plan(*wanted)
    assert plan.calls == ()
    assert {action.decision for action in plan.actions} == {Decision.WAIT}


async def test_a_blocked_call_is_left_alone(rig: Rig) -> None:
    plan = await rig.plan(*resources(2))
    first, second = plan.calls
    blocked = dataclasses.replace(first, blocked_by=("freeze",))
    await rig.apply(dataclasses.replace(plan, calls=(blocked, second)))
    assert rig.provider.executed == ["2@2024-05-01..2024-05-05"]


# Refusals and unclear answers ───────────────────────────────────────────────────────────────────────


async def test_a_passing_refusal_is_tried_again_as_a_new_attempt_of_the_same_name(
    rig: Rig,
) -> None:
    rig.provider.script(THROTTLED)
    await rig.plan_and_apply(a_resource())
    refused, accepted = rig.attempts()
    assert (refused.state, accepted.state) == (S.REFUSED, S.ACCEPTED)
    assert (refused.call_id, refused.name) == (accepted.call_id, accepted.name)
    assert refused.id != accepted.id
    assert len(rig.provider.asked("prepare")) == 2, "each try is signed by itself"
    (event,) = rig.reporter.of(CallRefused)
    assert event.retrying_in_seconds == 1.0
    assert rig.provider.times("create") == [0.0, 1.0]


async def test_a_refusal_that_does_not_pass_is_given_up_after_three_tries(rig: Rig) -> None:
    rig.provider.script(*[THROTTLED] * 9)
    applied = await rig.plan_and_apply(a_resource())
    assert rig.states() == [S.REFUSED] * TRIES_PER_CALL
    assert [one.retrying_in_seconds for one in applied.of(CallRefused)] == [1.0, 2.0, None]
    assert rig.provider.times("create") == [0.0, 1.0, 3.0]


async def test_the_service_says_how_long_to_wait(rig: Rig) -> None:
    rig.provider.script(dataclasses.replace(THROTTLED, retry_after_seconds=17.0))
    await rig.plan_and_apply(a_resource())
    assert rig.provider.times("create") == [0.0, 17.0]


async def test_before_a_late_retry_the_service_is_asked_again(rig: Rig) -> None:
    rig.provider.script(dataclasses.replace(THROTTLED, retry_after_seconds=LOOK_VALID_SECONDS + 1))
    plan = await rig.plan(a_resource())
    rig.reporter = type(rig.reporter)(
        lambda event: (
            rig.provider.found.append(a_found_run()) if isinstance(event, CallRefused) else None
        )
    )
    applied = await rig.apply(plan)
    assert applied.of(CallMoved), "someone started the same work while we waited"
    assert rig.provider.executed == []


async def test_a_stop_is_noticed_during_a_long_pause(rig: Rig) -> None:
    rig.provider.script(dataclasses.replace(THROTTLED, retry_after_seconds=3600.0))
    plan = await rig.plan(a_resource())
    rig.reporter = type(rig.reporter)(
        lambda event: rig.stop.set() if isinstance(event, CallRefused) else None
    )
    await rig.apply(plan)
    assert rig.clock.monotonic() < 5
    assert len(rig.provider.asked("create")) == 1


async def test_a_refusal_for_good_is_not_tried_again(rig: Rig) -> None:
    rig.provider.script(FORBIDDEN)
    applied = await rig.plan_and_apply(a_resource())
    assert rig.states() == [S.REFUSED]
    (event,) = applied.of(CallRefused)
    assert (event.code, event.message, event.retrying_in_seconds) == (
        "Forbidden",
        "no right",
        None,
    )


async def test_an_unclear_answer_is_never_followed_by_another_try(rig: Rig) -> None:
    rig.provider.script(Script(outcome=LOST))
    plan = await rig.plan(a_resource())
    applied = await rig.apply(plan)
    assert rig.states() == [S.UNKNOWN]
    assert [event.cause for event in applied.of(CallUnknown)] == [LOST.cause]
    assert (await rig.apply(plan)).of(CallSkipped)
    assert rig.provider.executed == ["1234@2024-05-01..2024-05-05"]


async def test_a_refused_call_of_a_plan_goes_out_when_the_plan_is_applied_again(
    rig: Rig,
) -> None:
    rig.provider.script(FORBIDDEN)
    plan = await rig.plan(a_resource())
    await rig.apply(plan)
    await rig.apply(plan)
    assert rig.states() == [S.REFUSED, S.ACCEPTED]
    assert len(rig.provider.executed) == 1


# One call's trouble is its own ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("trouble", ["signing", "refusal", "unclear", "reading", "confirming"])
async def test_one_broken_call_stops_no_other(rig: Rig, trouble: str) -> None:
    plan = await rig.plan(*resources(4))
    broken = next(call for call in plan.calls if call.address.name == "r2")
    match trouble:
        case "signing":
            rig.provider.refuses_to_sign[broken.name] = Unauthenticated(
                "no keys", provider="fake", operation="RunCycleDagNodes"
            )
        case "refusal":
            rig.provider.script(FORBIDDEN, root="2")
        case "unclear":
            rig.provider.script(Script(outcome=LOST), root="2")
        case "reading":
            rig.provider.fail("discover", "2")
        case _:
            rig.provider.fail("confirm", broken.name)
    applied = await rig.apply(plan)
    others = {one.address.name for one in applied.of(CallAccepted)} - {"r2"}
    assert others == {"r1", "r3", "r4"}
    events = {
        type(event)
        for event in applied.events
        if not isinstance(event, GateChanged | GateUnreadable) and event.address.name == "r2"
    }
    assert (
        events - {CallSending}
        == {
            "signing": {CallRefused},
            "refusal": {CallRefused},
            "unclear": {CallUnknown},
            "reading": {ReadFailed},
            "confirming": {CallAccepted},
        }[trouble]
    )


async def test_a_call_whose_units_are_taken_in_the_store_stops_no_other(rig: Rig) -> None:
    """An older run that somebody restarted may be in flight behind a newer one that failed."""
    failing = a_resource("r1", series=on_root("1"), on_failure=OnFailure.RERUN)
    await rig.plan_and_apply(failing)
    rig.provider.move(UnitStatus.FAILURE)
    await rig.plan_and_apply(failing)
    rig.provider.move(UnitStatus.FAILURE, run_id="2")
    rig.provider.move(UnitStatus.RUNNING, run_id="1")
    plan = await rig.plan(failing, *resources(3)[1:])
    assert len(plan.calls) == 3
    applied = await rig.apply(plan)
    accepted = {one.address.name for one in applied.of(CallAccepted)}
    assert accepted >= {"r2", "r3"}
    assert "r1" not in accepted
    (event,) = applied.of(CallMoved)
    assert event.address.name == "r1"


async def test_a_lost_lock_stops_everything_and_leaves_the_record_true(rig: Rig) -> None:
    plan = await rig.plan(*resources(6))
    created: list[Prepared] = []

    def take_over_at_the_second(prepared: Prepared) -> None:
        created.append(prepared)
        if len(created) == 2:
            rig.take_over()

    rig.provider.on_create = take_over_at_the_second
    with pytest.raises(OutcomeUnrecorded):
        await rig.apply(plan, at_once=1)
    assert len(rig.provider.asked("create")) == 2
    assert rig.states() == [S.ACCEPTED, S.SENT]


async def test_what_is_out_when_the_lock_is_lost_is_awaited_and_nothing_follows(
    rig: Rig,
) -> None:
    plan = await rig.plan(*resources(6))
    rig.provider.hold()
    rig.provider.script(THROTTLED, root="1")  # its answer would ask for another try
    work = asyncio.ensure_future(rig.apply(plan, at_once=3))
    await rig.until_flying(3)
    rig.take_over()
    rig.provider.release()
    with pytest.raises(OutcomeUnrecorded):
        await work
    assert len(rig.provider.asked("create")) == 3
    assert rig.states() == [S.SENT] * 3


async def test_a_store_that_fails_stops_what_waits_to_try_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call cancelled while its answer was out records the answer, and goes no further."""
    plan = await rig.plan(*resources(2))
    rig.provider.hold()
    rig.provider.script(THROTTLED, root="1")
    settle = rig.store.settle
    settled: list[str] = []

    def failing(*told: object) -> None:
        settled.append(str(told[1]))
        if told[1] == settled[0]:
            raise StateError("the disk is full", hint="make room")
        settle(*told)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(rig.store, "settle", failing)
    work = asyncio.ensure_future(rig.apply(plan))
    await rig.until_flying(2)
    # The second call's answer comes first, and cannot be recorded; the first call is cancelled for it.
    rig.provider.script(root="2")
    rig.provider.release()
    with pytest.raises(OutcomeUnrecorded, match="disk is full"):
        await work
    assert len(rig.provider.asked("create")) == 2


# Bounds and signals ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("at_once", [1, 3])
async def test_so_many_calls_are_out_at_once_and_no_more(rig: Rig, at_once: int) -> None:
    plan = await rig.plan(*resources(8))
    rig.provider.hold()
    work = asyncio.ensure_future(rig.apply(plan, at_once=at_once))
    for _ in range(200):
        await asyncio.sleep(0)
    assert rig.provider.flying == at_once
    rig.provider.release()
    await work
    assert rig.provider.most_flying == at_once
    assert len(rig.provider.executed) == 8


async def test_after_a_stop_nothing_new_leaves_and_answers_in_flight_are_recorded(
    rig: Rig,
) -> None:
    plan = await rig.plan(*resources(6))
    rig.provider.hold()
    work = asyncio.ensure_future(rig.apply(plan, at_once=2))
    await rig.until_flying(2)
    rig.stop.set()
    rig.provider.release()
    applied = await work
    assert len(rig.provider.asked("create")) == 2
    assert rig.states() == [S.ACCEPTED, S.ACCEPTED]
    assert len(applied.of(CallAccepted)) == 2
    assert rig.store.lock_info() is None


async def test_a_look_that_aged_while_a_call_waited_for_its_turn_is_taken_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def turn(_operation: str) -> None:
        await rig.clock.sleep(LOOK_VALID_SECONDS + 1)

    monkeypatch.setattr(rig.provider, "take_create_turn", turn)
    plan = await rig.plan(a_resource())
    looked = len(rig.provider.asked("discover"))
    await rig.apply(plan)
    assert len(rig.provider.asked("discover")) == looked + 2
    assert len(rig.provider.asked("create")) == 1


async def test_a_stop_during_the_last_look_keeps_the_call_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def turn(_operation: str) -> None:
        await rig.clock.sleep(LOOK_VALID_SECONDS + 1)

    plan = await rig.plan(a_resource())
    discover, looks = rig.provider.discover, 0

    async def look(*args: Any, **how: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks == 2:
            rig.stop.set()
        return await discover(*args, **how)

    monkeypatch.setattr(rig.provider, "take_create_turn", turn)
    monkeypatch.setattr(rig.provider, "discover", look)
    await rig.apply(plan)
    assert looks == 2
    assert rig.provider.asked("create") == []
    assert rig.attempts() == []


async def test_a_stop_ends_the_wait_for_a_turn(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def turn(_operation: str) -> None:
        await rig.clock.sleep(3600)

    async def ask() -> None:
        await rig.clock.sleep(10)
        rig.stop.set()

    monkeypatch.setattr(rig.provider, "take_create_turn", turn)
    asking = asyncio.ensure_future(ask())
    await rig.plan_and_apply(a_resource())
    await asking
    assert rig.provider.asked("create") == []
    assert rig.clock.monotonic() < 12


async def test_a_stop_while_a_call_waits_for_its_turn_keeps_it_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def turn(_operation: str) -> None:
        rig.stop.set()

    monkeypatch.setattr(rig.provider, "take_create_turn", turn)
    await rig.plan_and_apply(a_resource())
    assert rig.provider.asked("create") == []
    assert rig.attempts() == []


async def test_after_a_stop_a_refused_call_is_not_tried_again(rig: Rig) -> None:
    rig.provider.script(THROTTLED)
    rig.provider.on_create = lambda _: rig.stop.set()
    await rig.plan_and_apply(a_resource())
    assert rig.states() == [S.REFUSED]


async def test_a_stopped_plan_goes_on_where_it_was(rig: Rig) -> None:
    plan = await rig.plan(*resources(4))
    rig.provider.on_create = lambda _: rig.stop.set()
    await rig.apply(plan, at_once=1)
    assert len(rig.provider.executed) == 1
    rig.stop = type(rig.stop)()
    rig.provider.on_create = lambda _: None
    await rig.apply(plan)
    assert len(rig.provider.executed) == len(set(rig.provider.executed)) == 4


# A second look ──────────────────────────────────────────────────────────────────────────────────────


async def test_one_look_serves_all_calls_of_an_address(rig: Rig) -> None:
    plan = await rig.plan(a_resource(when="2024-05-01,2024-05-03,2024-05-05"))
    asked = len(rig.provider.asked("discover"))
    await rig.apply(plan)
    assert len(rig.provider.executed) == 3
    assert len(rig.provider.asked("discover")) == asked + 1


async def test_a_look_is_taken_again_once_it_has_aged(rig: Rig) -> None:
    plan = await rig.plan(a_resource(when="2024-05-01,2024-05-03,2024-05-05"))
    asked = len(rig.provider.asked("discover"))
    pauses = iter([LOOK_VALID_SECONDS, 1.0, 0.0])
    rig.provider.on_create = lambda _: rig.clock.advance(next(pauses))
    await rig.apply(plan, at_once=1)
    # The second call leaves at 60 s, when the look is still good; the third at 61 s.
    assert len(rig.provider.asked("discover")) == asked + 2
    assert len(rig.provider.executed) == 3


async def test_a_call_is_not_sent_once_someone_elses_run_is_in_flight(rig: Rig) -> None:
    plan = await rig.plan(a_resource())
    rig.provider.found.append(a_found_run("2024-05-03"))
    applied = await rig.apply(plan)
    (event,) = applied.of(CallMoved)
    assert event.why == "2024-05-03: someone else's run was found"
    assert rig.provider.executed == []
    assert rig.attempts() == []


async def test_a_call_is_not_sent_once_a_run_of_ours_is_found(rig: Rig) -> None:
    plan = await rig.plan(a_resource())
    rig.provider.found.append(a_found_run("2024-05-03", series=a_series()))
    applied = await rig.apply(plan)
    (event,) = applied.of(CallMoved)
    assert event.why == "2024-05-03: a run of ours was found"
    assert rig.provider.executed == []


async def test_a_planned_rerun_is_not_sent_once_the_run_was_repaired(rig: Rig) -> None:
    wanted = a_resource(on_failure=OnFailure.RERUN)
    await rig.plan_and_apply(wanted)
    rig.provider.move(UnitStatus.FAILURE)
    plan = await rig.plan(wanted)
    assert len(plan.calls) == 1
    rig.provider.move(UnitStatus.RUNNING)  # somebody restarted it in the console
    applied = await rig.apply(plan)
    (event,) = applied.of(CallMoved)
    assert event.why == "2024-05-01..2024-05-05: now running"
    assert len(rig.provider.executed) == 1
    (known,) = rig.attempts()
    assert known.coverage.at(known.dates.start) is not None
    assert {record.status for _, record in known.coverage} == {UnitStatus.RUNNING}


async def test_a_call_whose_spec_was_edited_is_not_sent(rig: Rig) -> None:
    plan = await rig.plan(*resources(2))
    applied = await rig.apply(plan, spec_moved={plan.calls[0].id: "its spec is gone"})
    (event,) = applied.of(CallMoved)
    assert (event.address, event.why) == (plan.calls[0].address, "its spec is gone")
    assert len(rig.provider.executed) == 1


async def test_two_appliers_of_two_plans_start_the_work_once(rig: Rig) -> None:
    ours = await rig.plan(a_resource())
    theirs = await rig.plan(a_resource())
    await rig.apply(ours)
    applied = await rig.apply(theirs)
    assert applied.of(CallMoved)
    assert len(rig.provider.executed) == 1


# Absence and adoption ───────────────────────────────────────────────────────────────────────────────


async def lose(rig: Rig, *, executed: bool) -> None:
    """Send a call whose answer is lost, beside another root whose runs the listings show."""
    await rig.plan_and_apply(a_resource("shown", series=on_root("9")))
    rig.provider.script(Script(outcome=LOST, executes=executed), root="1234")
    await rig.plan_and_apply(a_resource())
    assert rig.states("orders") == [S.UNKNOWN]


async def test_a_lost_call_that_ran_is_adopted_as_the_attempt_that_sent_it(rig: Rig) -> None:
    await lose(rig, executed=True)
    applied = await rig.plan_and_apply(a_resource())
    (event,) = applied.of(RunAdopted)
    assert event.run_ids == ("2",)
    (known,) = rig.attempts("orders")
    assert (known.state, known.run_ids, known.adopted) == (S.ACCEPTED, ("2",), False)
    assert len(rig.provider.executed) == 2


async def test_a_lost_call_proved_absent_goes_out_once_more(rig: Rig) -> None:
    await lose(rig, executed=False)
    assert (await rig.plan(a_resource())).calls == ()
    rig.clock.advance((16 * 60) + LAG.total_seconds() + 1)
    applied = await rig.plan_and_apply(a_resource())
    assert applied.of(CallAccepted)
    assert rig.states("orders") == [S.ABSENT, S.ACCEPTED]
    (absent,) = [one for one in rig.store.journal() if one.event == "absent"]
    assert "does not show it" in str(absent.data["proof"])


async def test_absence_that_is_no_longer_proved_keeps_a_call_from_leaving(rig: Rig) -> None:
    await lose(rig, executed=False)
    rig.clock.advance((16 * 60) + LAG.total_seconds() + 1)
    plan = await rig.plan(a_resource())
    rig.clock.advance(26 * 86_400)  # so old now that the service may have purged it
    applied = await rig.apply(plan)
    (event,) = applied.of(CallMoved)
    assert "no longer proved" in event.why
    assert rig.states("orders") == [S.UNKNOWN]


async def test_absence_is_proved_for_two_calls_of_one_lost_attempt(rig: Rig) -> None:
    await lose(rig, executed=False)
    rig.clock.advance((16 * 60) + LAG.total_seconds() + 1)
    narrower = a_resource(when="2024-05-01..2024-05-02,2024-05-04..2024-05-05")
    applied = await rig.plan_and_apply(narrower)
    assert len(applied.of(CallAccepted)) == 2
    assert sorted(rig.provider.executed[1:]) == [
        "1234@2024-05-01..2024-05-02",
        "1234@2024-05-04..2024-05-05",
    ]


async def test_a_lost_run_of_tier_s3_is_never_sent_again(rig: Rig) -> None:
    rig.provider.tier_of = Tier.S3
    await lose(rig, executed=False)
    rig.clock.advance(86_400)
    assert (await rig.plan_and_apply(a_resource())).events == ()
    assert rig.states("orders") == [S.UNKNOWN]


@pytest.mark.parametrize("tier", [Tier.S2, Tier.S3])
async def test_an_incomplete_listing_starts_nothing(rig: Rig, tier: Tier) -> None:
    rig.provider.tier_of = tier
    plan = await rig.plan(a_resource())
    rig.provider.lists = False
    applied = await rig.apply(plan)
    assert [type(event) for event in applied.events] == [ReadFailed]
    assert rig.provider.executed == []


async def test_adopting_what_is_on_record_does_nothing(rig: Rig) -> None:
    rig.provider.found.append(a_found_run(series=a_series()))
    plan = await rig.plan(a_resource())
    assert len(plan.adoptions) == 1
    assert len((await rig.apply(plan)).of(RunAdopted)) == 1
    before = rig.store.snapshot()
    assert (await rig.apply(plan)).events == ()
    assert rig.store.snapshot() == before


async def test_run_ids_of_two_services_do_not_stand_for_each_other(rig: Rig) -> None:
    """Every region counts its runs by itself."""
    rig.lines["north"] = Line(provider=FakeProvider(rig.clock), lag=LAG)
    await rig.plan_and_apply(a_resource())
    assert rig.attempts()[0].run_ids == ("1",)
    series = a_series(subject=dataclasses.replace(a_subject(), region="cn-beijing"))
    north = rig.lines["north"].provider
    assert isinstance(north, FakeProvider)
    north.found.append(a_found_run(series=series, run_ids=("1",)))
    applied = await rig.plan_and_apply(a_resource("theirs", series=series, connection="north"))
    assert applied.of(RunAdopted)
    assert rig.attempts("theirs")[0].run_ids == ("1",)


async def test_runs_of_a_connection_that_was_renamed_stop_nothing(rig: Rig) -> None:
    """What was recorded under the old name can be read again once the name is back."""
    failing = a_resource(on_failure=OnFailure.RERUN)
    await rig.plan_and_apply(failing)
    rig.provider.move(UnitStatus.FAILURE)
    await rig.plan(failing)
    rig.lines = {"main": rig.lines["prod"]}
    renamed = a_resource(on_failure=OnFailure.RERUN, connection="main")
    applied = await rig.plan_and_apply(renamed)
    assert applied.of(CallAccepted)
    assert len(rig.provider.executed) == 2


async def test_a_reader_that_is_down_leaves_the_address_undecided(rig: Rig) -> None:
    rig.provider.fail("discover", "1", unavailable("ListInstances"))
    plan = await rig.plan(*resources(2))
    assert [str(call.address) for call in plan.calls] == ["backfill.r2"]
    assert [item.address for item in plan.diagnostics] == ["backfill.r1"]


async def test_a_hollow_success_is_found_once(rig: Rig) -> None:
    await rig.plan_and_apply(a_resource())
    rig.provider.move(UnitStatus.SUCCESS)
    rig.provider.hollow = dates("2024-05-02")
    plan = await rig.plan(a_resource())
    assert {str(one.dates): one.decision for one in plan.actions} == {
        "2024-05-01, 2024-05-03..2024-05-05": Decision.NONE,
        "2024-05-02": Decision.HOLD,
    }
    await rig.plan(a_resource())
    assert len(rig.provider.asked("hollow_dates")) == 1
