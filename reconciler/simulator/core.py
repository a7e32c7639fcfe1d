"""The simulator itself, free of any server: a request in, a reply out, and all that is kept between.

Every request is one transaction, which ends before its answer goes anywhere: what the ledger says was
executed was executed, whatever becomes of the answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path
from sqlite3 import Connection

from reconciler.simulator import control, logs, settings
from reconciler.simulator.clocks import ClockSpec, RealTime, system_time
from reconciler.simulator.database import Database
from reconciler.simulator.errors import GatewayError
from reconciler.simulator.faults import Effect, Fault, replace_faults, take_fault
from reconciler.simulator.messages import Answer, Delivery, Reply, Request, json_answer
from reconciler.simulator.services import Service, service_for
from reconciler.simulator.session import Session
from reconciler.simulator.settings import AccessKey, RandomHex
from reconciler.simulator.transitions import WorldVersion, limited_failures
from reconciler.simulator.world import World

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes; a longer request is refused by both fronts."""

_NOT_EXECUTED = frozenset({Effect.DROP, Effect.HTTP, Effect.THROTTLE})
_DELIVERIES = {
    Effect.DROP: Delivery.DROPPED,
    Effect.EXECUTE_THEN_DROP: Delivery.DROPPED,
    Effect.RESET_MID_BODY: Delivery.CUT,
}


@dataclass(slots=True)
class Engine:
    """Answers requests from the state in one database."""

    database: Database
    key: AccessKey
    real_time: RealTime
    random_hex: RandomHex
    _worlds: Sequence[WorldVersion] = field(default=())
    _limited: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    def handle(self, request: Request) -> Reply:
        """Answer one request; what it executed is durable when this returns."""
        if len(request.body) > LARGEST_BODY:
            return Reply(answer=json_answer(413, {"error": f"more than {LARGEST_BODY} bytes"}))
        if request.path.startswith(control.PREFIX):
            with self.database.transaction(durable=request.method != "GET") as connection:
                session = self._session(connection)
                return _dated(Reply(answer=control.control_answer(request, session)), session)
        service = service_for(request)
        if service is None:
            return Reply(
                answer=json_answer(404, {"error": f"nothing is served at {request.path}"})
            )
        with self.database.transaction(durable=service.writes(request)) as connection:
            session = self._session(connection)
            return _dated(_serve(service, request, session), session)

    def wait_before(self, request: Request) -> float:
        """Seconds that a front has to wait before it hands the request over."""
        return control.wait_before(request, self.real_time())

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def _session(self, connection: Connection) -> Session:
        # Another process may have changed the world.
        if settings.world_count(connection) != len(self._worlds):
            self._worlds = settings.worlds(connection)
            self._limited = limited_failures(self._worlds)
        digits = self.random_hex(16).upper()
        cuts = (0, 8, 12, 16, 20, 32)
        return Session(
            connection=connection,
            clocks=settings.clocks(connection),
            real_ms=self.real_time(),
            worlds=self._worlds,
            limited=self._limited,
            key=self.key,
            request_id="-".join(digits[a:b] for a, b in pairwise(cuts)),
        )


def open_engine(
    *,
    db: Path | None,
    world: World | None,
    clock: ClockSpec,
    faults: Sequence[Fault] | None = None,
    key: AccessKey | None = None,
    real_time: RealTime = system_time,
    random_hex: RandomHex = secrets.token_hex,
) -> Engine:
    """Open the state of a simulator, or start a new one.

    Args:
        db: The database file, made when it is not there; None keeps everything in memory.
        world: What exists from now on; None leaves the world of the database as it is.
        clock: How the work clock runs from now on.
        faults: A list to put in place; None leaves that of the database as it is.
        key: The account's access key from now on; None leaves the one of the database, made on first use.
        real_time: Where real time comes from.
        random_hex: Where request ids and the access key come from.
    """
    database = Database(db)
    with database.transaction(durable=True) as connection:
        if key is not None:
            settings.store_access_key(connection, key)
        account = settings.access_key(connection, random_hex)
        real_ms = real_time()
        settings.start_clocks(connection, clock, real_ms)
        clocks = settings.clocks(connection)
        settings.forget_old_nonces(connection, clocks.gateway_ms(real_ms))
        if world is not None or not settings.world_count(connection):
            settings.change_world(connection, world or World(), real_ms)
        if faults is not None:
            replace_faults(connection, faults)
    return Engine(database=database, key=account, real_time=real_time, random_hex=random_hex)


def _serve(service: Service, request: Request, session: Session) -> Reply:
    operation = service.operation_of(request)
    fault = take_fault(session.connection, operation)
    if fault is None:
        answer, verdict = service.answer(request, session)
        reply = Reply(answer=answer)
    else:
        reply = _spoilt(fault, service, request, session)
        verdict = f"faulted:{fault.effect.value}"
    logs.record_request(
        session.connection,
        time_ms=session.gateway_ms,
        real_ms=session.real_ms,
        operation=operation,
        writes=service.writes(request),
        verdict=verdict,
        status=reply.answer.status,
    )
    return reply


def _spoilt(fault: Fault, service: Service, request: Request, session: Session) -> Reply:
    """The reply to a request that runs into a fault."""
    if fault.effect in _NOT_EXECUTED:
        answer = _fault_answer(fault, service, request, session)
    else:
        answer, _ = service.answer(request, session)
    if fault.effect is Effect.GARBAGE:
        body = "<html>this is not the answer</html>" if fault.body is None else fault.body
        answer = Answer(status=fault.status or 200, content_type="text/html", body=body.encode())
    delivery = _DELIVERIES.get(fault.effect, Delivery.WHOLE)
    if delivery is Delivery.CUT and not answer.body:
        delivery = Delivery.DROPPED  # There is nothing to cut in two.
    return Reply(answer=answer, delivery=delivery, delay_seconds=fault.seconds)


def _fault_answer(fault: Fault, service: Service, request: Request, session: Session) -> Answer:
    """The answer of a gateway that did not execute the request."""
    status = 429 if fault.effect is Effect.THROTTLE else fault.status or 500
    if fault.body is not None:
        return Answer(status=status, content_type="text/plain", body=fault.body.encode())
    code = fault.code or service.code_of(status)
    error = GatewayError(status, code, "This answer was asked for by a fault.")
    return service.refuse(request, error, session)


def _dated(reply: Reply, session: Session) -> Reply:
    """Every answer says what time it is at the gateway."""
    date = formatdate(session.gateway_ms // 1000, usegmt=True)
    answer = reply.answer
    return replace(reply, answer=replace(answer, headers=(*answer.headers, ("date", date))))
