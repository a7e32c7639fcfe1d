"""How the agent writes answers: one envelope around everything, and moments as Go has them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from reconciler.simulator.errors import GatewayError
from reconciler.simulator.messages import Answer, Request
from reconciler.simulator.obshell.refusals import old_code
from reconciler.simulator.session import Session

_ZONE = dt.timezone(dt.timedelta(hours=8))
_TYPE = "application/json; charset=utf-8"


def accepted(data: object, request: Request, session: Session) -> Answer:
    """An answer with `data`; None leaves it out."""
    return _answer(200, {} if data is None else {"data": data}, request, session)


def refused(error: GatewayError, request: Request, session: Session) -> Answer:
    """An answer with an error, by both its codes where it has two."""
    number = old_code(error.code)
    content = {
        **({} if number is None else {"code": number}),
        "errCode": error.code,
        "message": error.message,
    }
    return _answer(error.status, {"error": content}, request, session)


def moment(ms: int | None) -> str:
    """A moment as RFC 3339 in China's time, without zeros at its end; None, not come yet, is the epoch."""
    local = dt.datetime.fromtimestamp(0 if ms is None else ms / 1000, _ZONE)
    whole, fraction, zone = local.strftime("%Y-%m-%dT%H:%M:%S"), f"{(ms or 0) % 1000:03}", "+08:00"
    return f"{whole}.{fraction}".rstrip("0").rstrip(".") + zone


def _answer(status: int, content: dict[str, Any], request: Request, session: Session) -> Answer:
    now = dt.datetime.fromtimestamp(session.gateway_ms // 1000, _ZONE)
    trace_id = session.request_id.replace("-", "").lower()[:16]
    value = {
        "successful": "error" not in content,
        "timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{session.gateway_ms % 1000:03}000000+08:00",
        "duration": 0,
        "status": status,
        "traceId": request.header("x-obshell-trace-id") or trace_id,
        **content,
    }
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status=status, content_type=_TYPE, body=body)
