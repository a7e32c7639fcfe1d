"""An applier that stands still at a named point while time goes on for everybody else.

It stops itself between recording its intent and recording the outcome: for longer than its lease, or for
longer than its request may be accepted, too. Meanwhile others apply. Then it goes on, and what it had in
hand may leave after all.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.model.steps import Durable, Edge, Exchange, Moment, Wire, durable_point, wire_point
from tests.crash.hooks import Hooks, Strike
from tests.crash.scenes import a_later_apply, one_by_one
from tests.crash.stage import APPLY, STORES, Stage, in_turn
from tests.crash.tally import Tally
from tests.crash.victims import Victim
from tests.effort import cases
from tests.scenario.processes import Service, until

SUITE = "pauses beyond lease and validity"

SEED = 20_200_520

#: Before it is on record as sent, nothing leaves; once the outcome is on record, nothing is open.
UNSENT = tuple(
    durable_point(step, moment)
    for step, moment in (
        (Durable.INTENT, Moment.BEGIN),
        (Durable.INTENT, Moment.DURABLE),
        (Durable.SENT, Moment.BEGIN),
    )
)
SETTLED = (durable_point(Durable.SETTLE, Moment.DURABLE),)

_WIRE = tuple(
    wire_point(Exchange.CREATE, phase, edge)
    for phase in Wire
    for edge in Edge
    if phase is not Wire.TLS
)

#: The request is signed, and the service has not seen all of it.
LATE = _WIRE[: _WIRE.index(wire_point(Exchange.CREATE, Wire.BODY, Edge.COMPLETE))]

#: It is on record as sent; whether it still is sent depends on how long the pause was.
SENT = (durable_point(Durable.SENT, Moment.DURABLE),)

#: The service has it.
ARRIVED = (*_WIRE[len(LATE) :], durable_point(Durable.SETTLE, Moment.BEGIN))

OPEN = (*SENT, *LATE, *ARRIVED)
POINTS = (*UNSENT, *OPEN, *SETTLED)

#: What holds a transaction open: until it ends, nobody else can write.
WITHIN = tuple(
    durable_point(step, Moment.WRITTEN) for step in (Durable.INTENT, Durable.SENT, Durable.SETTLE)
)


def points(*about: str) -> list[str]:
    """Two points, of which one is where a request leaves late; all of them in `make soak`."""
    chance = random.Random(f"{SEED} {about}")  # noqa: S311 - no secret
    late = chance.choice(LATE)
    others = [one for one in POINTS if one != late]
    chance.shuffle(others)
    return [late, *others[: cases(1, soak=len(others))]]


def staged(folder: Path, number: int, service: Service, store: str) -> Stage:
    """The project of a suite's so-manieth pause."""
    root = folder / f"project-{number}"
    return Stage(root, service, store=store, system=in_turn(store, number))


@contextmanager
def paused(stage: Stage, point: str) -> Iterator[Victim]:
    """An apply that has stopped itself; it does not outlast the context."""
    strike = Strike(point=point, number=signal.SIGSTOP)
    with stage.launch(*one_by_one(stage), hooks=Hooks(strike=strike)) as victim:
        victim.until_stopped()
        yield victim


def verdicts(stage: Stage) -> list[str]:
    """What became of each create request that reached the service, on the stage's system."""
    requests = stage.service.control("GET", "requests")
    return [one["verdict"] for one in requests if one["operation"] == stage.system.create]


@pytest.mark.parametrize("store", STORES)
def test_who_was_paused_beyond_the_lease_records_nothing_more(
    store: str, service: Service, tmp_path: Path, tally: Tally
) -> None:
    for number, point in enumerate(points(store, "lease")):
        stage = staged(tmp_path, number, service, store)
        a_later_apply(stage)
        before = len(verdicts(stage))
        with paused(stage, point) as victim:
            stage.a_minute_later()
            meanwhile = stage.launch(*APPLY).ended()
            assert meanwhile.code in {0, 3}, f"{point}: {meanwhile.err}"

            victim.send(signal.SIGCONT)
            resumed = victim.ended()

        assert resumed.code == (3 if point in OPEN else 1), f"{point}: {resumed.err}"
        assert "took over the state lock" in resumed.err, point
        assert set(verdicts(stage)[before:]) == {"accepted"}, point
        assert_good(stage, point, tally)


@pytest.mark.parametrize("store", STORES)
def test_who_was_paused_beyond_the_validity_is_refused_by_the_service(
    store: str, service: Service, tmp_path: Path, tally: Tally
) -> None:
    for number, point in enumerate(points(store, "validity")):
        stage = staged(tmp_path, number, service, store)
        a_later_apply(stage)
        with paused(stage, point) as victim:
            # It may have to prove the absence of what is still to come.
            assert stage.apply_to_the_end().code == 0, point
            stage.let_signatures_expire()
            before = len(verdicts(stage))

            victim.send(signal.SIGCONT)
            resumed = victim.ended()

        assert resumed.code == (3 if point in OPEN else 1), f"{point}: {resumed.err}"
        late = verdicts(stage)[before:]
        if point in LATE:
            assert late == [stage.system.expired], point
        elif point in SENT:
            assert late in ([], [stage.system.expired]), point
        else:
            assert not late, point
        assert_good(stage, point, tally)


@pytest.mark.parametrize("store", STORES)
def test_who_is_paused_within_a_transaction_keeps_others_waiting_and_not_for_ever(
    store: str, service: Service, tmp_path: Path, tally: Tally
) -> None:
    chance = random.Random(f"{SEED} {store}")  # noqa: S311 - no secret
    for number, point in enumerate(chance.sample(WITHIN, cases(1, soak=len(WITHIN)))):
        stage = staged(tmp_path, number, service, store)
        a_later_apply(stage)
        with paused(stage, point):
            meanwhile = stage.launch(*APPLY).ended()
            if store == "postgresql":  # whose server ends what is idle for too long
                until_writable(stage)
        assert meanwhile.code == 5, f"{point}: {meanwhile.err}"
        assert_good(stage, point, tally)


def until_writable(stage: Stage) -> None:
    """Wait until nobody's transaction is in the way any more."""
    until(lambda: stage.launch("status").ended().code != 5)


def assert_good(stage: Stage, point: str, tally: Tally) -> None:
    """Whatever is left is done by the next apply, and nothing has run twice."""
    assert stage.apply_to_the_end().code == 0, point
    findings = stage.judged()
    tally.count(findings)
    assert not findings, f"{point}: {findings}"
    stage.assert_done(point)
