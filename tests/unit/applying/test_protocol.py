"""The create protocol: what is durable when, and what is recorded whatever happens."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.applying.protocol import Sending, send_once
from reconciler.model.attempts import AttemptState
from reconciler.model.calls import Prepared, WireCall
from reconciler.model.errors import FenceLost, OutcomeUnrecorded, StateError, Unauthenticated
from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.model.resources import Tuning
from reconciler.model.runs import UnitStatus
from reconciler.model.state import Intent, Lease
from tests.builders import a_series, a_wire, at
from tests.fakes.provider import Script
from tests.unit.applying.rig import Rig
from tests.unit.state.calls import an_intent

pytestmark = pytest.mark.anyio

S = AttemptState

INTENT = an_intent("2024-05-01..2024-05-05")
NO_KEYS = Unauthenticated("no credentials", provider="fake", operation="RunCycleDagNodes")


def sending(rig: Rig, lease: Lease | None = None) -> Sending:
    return Sending(
        store=rig.store,
        lease=lease or rig.store.acquire(),
        provider=rig.provider,
        clock=rig.clock,
    )


def wire_of(intent: Intent) -> WireCall:
    params = a_wire("prod", a_series(), intent.dates, intent.name, Tuning()).parameters
    return WireCall(operation="RunCycleDagNodes", parameters=params)


def _take_over(rig: Rig) -> None:
    rig.take_over()


async def test_each_step_is_durable_before_the_next_begins(rig: Rig) -> None:
    elsewhere = rig.open_store("onlooker@host")
    seen: list[tuple[str, AttemptState]] = []

    def look(step: str) -> None:
        (known,) = elsewhere.snapshot().attempts  # another connection sees commits only
        seen.append((step, known.state))
        if step == "create":
            assert (known.signed_at, known.valid_until) == (at(0), at(16))

    rig.provider.on_prepare = lambda _: look("prepare")
    rig.provider.on_create = lambda _: look("create")
    attempt, outcome = await send_once(sending(rig), INTENT, wire_of(INTENT))
    look("end")

    assert seen == [("prepare", S.INTENT), ("create", S.SENT), ("end", S.ACCEPTED)]
    assert outcome == Accepted(run_ids=("1",), request_id="request-1")
    assert attempt.name == INTENT.name
    assert rig.provider.asked("create") == [INTENT.name]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Accepted(run_ids=("7", "8"), request_id="r"), S.ACCEPTED),
        (Refused(code="Throttling", message="slow", transient=True), S.REFUSED),
        (Refused(code="Invalid", message="no", transient=False, request_id="r"), S.REFUSED),
        (Unknown(cause="reset", code="c", request_id="r"), S.UNKNOWN),
    ],
    ids=lambda one: type(one).__name__ if not isinstance(one, S) else one.value,
)
async def test_every_outcome_is_recorded_as_it_was_told(
    rig: Rig, outcome: CreateOutcome, state: AttemptState
) -> None:
    rig.provider.script(Script(outcome=outcome))
    assert (await send_once(sending(rig), INTENT, wire_of(INTENT)))[1] == outcome
    (known,) = rig.attempts()
    assert known.state is state
    assert known.request_id == outcome.request_id
    match outcome:
        case Accepted():
            assert known.run_ids == ("7", "8")
        case Refused():
            assert (known.code, known.message) == (outcome.code, outcome.message)
            assert known.transient is outcome.transient
        case Unknown():
            assert (known.code, known.message) == (outcome.code, outcome.cause)


async def test_without_credentials_nothing_is_sent_and_nothing_stays_open(rig: Rig) -> None:
    rig.provider.refuses_to_sign[None] = NO_KEYS
    work = sending(rig)
    with pytest.raises(Unauthenticated):
        await send_once(work, INTENT, wire_of(INTENT))
    assert rig.provider.asked("create") == []
    (known,) = rig.attempts()
    assert (known.state, known.code, known.message) == (
        S.REFUSED,
        "unauthenticated",
        "no credentials",
    )
    del rig.provider.refuses_to_sign[None]
    assert (await send_once(work, INTENT, wire_of(INTENT)))[0].number == 2


async def test_what_was_signed_long_ago_is_not_sent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_sent = rig.store.mark_sent

    def slow(lease: Lease, attempt_id: str, prepared: Prepared) -> None:
        rig.clock.advance(5.1)
        mark_sent(lease, attempt_id, prepared)

    monkeypatch.setattr(rig.store, "mark_sent", slow)
    _, outcome = await send_once(sending(rig), INTENT, wire_of(INTENT))
    assert isinstance(outcome, Refused)
    assert outcome.transient
    assert rig.provider.asked("create") == []
    assert rig.states() == [S.REFUSED]


async def test_an_intent_that_was_voided_meanwhile_is_dropped(rig: Rig) -> None:
    rig.provider.on_prepare = lambda _: _take_over(rig)
    with pytest.raises(FenceLost):
        await send_once(sending(rig), INTENT, wire_of(INTENT))
    assert rig.provider.asked("create") == []
    assert rig.states() == [S.VOID]


async def test_a_call_that_was_sent_before_does_not_leave_again(rig: Rig) -> None:
    work = sending(rig)
    await send_once(work, INTENT, wire_of(INTENT))
    rig.provider.move(UnitStatus.SUCCESS)
    with pytest.raises(StateError):
        await send_once(work, INTENT, wire_of(INTENT))
    assert len(rig.provider.asked("create")) == 1
    assert len(rig.provider.asked("prepare")) == 1


async def test_an_answer_is_recorded_even_if_we_are_cancelled_meanwhile(rig: Rig) -> None:
    rig.provider.hold()
    work = asyncio.ensure_future(send_once(sending(rig), INTENT, wire_of(INTENT)))
    await rig.until_flying(1)
    work.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not work.done(), "the answer is awaited"
    assert rig.states() == [S.SENT]
    rig.provider.release()
    with pytest.raises(asyncio.CancelledError):
        await work
    (known,) = rig.attempts()
    assert (known.state, known.run_ids) == (S.ACCEPTED, ("1",))


async def test_a_lock_lost_while_a_request_is_out_leaves_it_sent(rig: Rig) -> None:
    rig.provider.on_create = lambda _: _take_over(rig)
    with pytest.raises(OutcomeUnrecorded):
        await send_once(sending(rig), INTENT, wire_of(INTENT))
    assert rig.states() == [S.SENT]
    assert rig.provider.executed == ["1234@2024-05-01..2024-05-05"]


async def test_an_outcome_is_offered_to_a_store_that_comes_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, offered = rig.store.settle, []

    def away_at_first(*told: object) -> None:
        offered.append(told)
        if len(offered) < 3:
            raise StateError("the connection to the server was lost", hint="wait")
        settle(*told)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(rig.store, "settle", away_at_first)
    await send_once(sending(rig), INTENT, wire_of(INTENT))
    assert rig.states() == [AttemptState.ACCEPTED]
    assert len(rig.provider.asked("create")) == 1


async def test_an_outcome_that_cannot_be_recorded_is_told_with_its_run(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StateError("the disk is full", hint="make room")

    monkeypatch.setattr(rig.store, "settle", away)
    with pytest.raises(OutcomeUnrecorded, match=r"accepted as run .*disk is full") as raised:
        await send_once(sending(rig), INTENT, wire_of(INTENT))
    assert raised.value.hint.endswith(" --run-id 1 --reason TEXT")
    assert rig.states() == [AttemptState.SENT]
