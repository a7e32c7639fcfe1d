"""The control endpoints below `/_simulator/`: unsigned, for loopback peers only."""

from __future__ import annotations

import json
from typing import Any

from reconciler.model.errors import InputError
from reconciler.simulator import logs, settings
from reconciler.simulator.clocks import Advance, wait_for_advance
from reconciler.simulator.faults import FaultError, parse_faults, replace_faults
from reconciler.simulator.messages import Answer, Request, json_answer
from reconciler.simulator.obshell import keys
from reconciler.simulator.session import Session
from reconciler.simulator.world_file import parse_world

PREFIX = "/_simulator/"
_LONGEST_ADVANCE = 3650 * 86_400


class ControlError(Exception):
    """A control request is wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def control_answer(request: Request, session: Session) -> Answer:
    """Answer a control request; bad input gets a JSON object with `error`."""
    if not request.from_loopback:
        return json_answer(403, {"error": "control endpoints answer to loopback peers only"})
    try:
        return json_answer(200, _handle(request, session))
    except ControlError as err:
        return json_answer(err.status, {"error": str(err)})


def wait_before(request: Request, real_ms: int) -> float:
    """Seconds of real time to wait before a control request is answered; see `clocks`."""
    if (request.method, request.path) != ("POST", f"{PREFIX}clock"):
        return 0.0
    try:
        return wait_for_advance(_advance_seconds(request), real_ms)
    except ControlError:
        return 0.0


def _handle(request: Request, session: Session) -> object:
    name = request.path.removeprefix(PREFIX)
    match request.method, name:
        case "GET", "ledger":
            return logs.ledger(session.connection)
        case "GET", "requests":
            return logs.requests(session.connection)
        case "POST", "clock":
            return _advance(request, session)
        case "POST", "obshell":
            return _rotate_key(request, session)
        case "PUT", "faults":
            return _put_faults(request, session)
        case "PUT", "world":
            return _put_world(request, session)
        case _, "ledger" | "requests" | "clock" | "obshell" | "faults" | "world":
            raise ControlError(405, f"{request.method} is not for {request.path}")
        case _:
            raise ControlError(404, f"there is no control endpoint {request.path}")


def _advance(request: Request, session: Session) -> object:
    by_ms = round(_advance_seconds(request) * 1000)
    moved = session.clocks.advance(by_ms, session.real_ms)
    settings.store_clocks(session.connection, moved)
    settings.record_advance(session.connection, Advance(at_real_ms=session.real_ms, by_ms=by_ms))
    return {
        "work": logs.iso(moved.work_ms(session.real_ms)),
        "gateway": logs.iso(moved.gateway_ms(session.real_ms)),
    }


def _advance_seconds(request: Request) -> float:
    value = _json(request)
    if not isinstance(value, dict) or value.keys() != {"advance_seconds"}:
        raise ControlError(400, 'a body such as {"advance_seconds": 60} is expected')
    seconds = value["advance_seconds"]
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise ControlError(400, "advance_seconds: a number is expected")
    if not 0 <= seconds <= _LONGEST_ADVANCE:
        raise ControlError(
            400, f"advance_seconds: a number from 0 to {_LONGEST_ADVANCE} is expected"
        )
    return float(seconds)


def _rotate_key(request: Request, session: Session) -> object:
    if _json(request) != {"rotate_key": True}:
        raise ControlError(400, 'the body {"rotate_key": true} is expected')
    keys.make_key(session.connection)
    return {"public_key": keys.public_key(session.connection)}


def _put_faults(request: Request, session: Session) -> object:
    try:
        faults = parse_faults(_json(request))
    except FaultError as err:
        raise ControlError(400, str(err)) from err
    replace_faults(session.connection, faults)
    return {"faults": len(faults)}


def _put_world(request: Request, session: Session) -> object:
    value = _json(request)
    if not isinstance(value, dict):
        raise ControlError(400, "a world, as a JSON object, is expected")
    try:
        world = parse_world(value)
    except InputError as err:
        raise ControlError(400, "; ".join(found.summary for found in err.diagnostics)) from err
    settings.change_world(session.connection, world, session.real_ms)
    return {"nodes": len(world.nodes), "flows": len(world.flows)}


def _json(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError) as err:
        raise ControlError(400, "the body is no JSON") from err
