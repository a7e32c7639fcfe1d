"""The wrapper around every answer of the agent.

`successful`, `timestamp`, `duration`, `status`, `traceId`, `data`, or `error` where it failed: `errCode`,
`message`, and a number in `code` for a few. Servers before 4.3.1 send `code` and `message` alone.

Source: OBShell server source 61ee147 (2026-05) and older, and the official SDK 0.0.9.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from reconciler.providers.http import Answer
from reconciler.providers.json_fields import BadAnswer, Fields, parse_object

_EARLIEST_YEAR, _LATEST_YEAR = 1971, 9000


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An answer read as far as its wrapper.

    `status` is what HTTP said, or the wrapper where HTTP said that all is well. `code`, `err_code` and
    `message` are those of an error. `timestamp` is the agent's clock, aware, where the answer tells it.
    """

    successful: bool
    status: int
    body: Fields
    code: int | None
    err_code: str | None
    message: str
    trace_id: str | None
    timestamp: dt.datetime | None


def open_envelope(answer: Answer, operation: str) -> Envelope:
    """Read an answer's wrapper.

    Raises:
        BadAnswer: The body is not a JSON object, does not say whether it succeeded though HTTP does, or
            fields of the wrapper have the wrong type.
    """
    body = parse_object(answer.body, operation)
    went_well = 200 <= answer.status < 300  # noqa: PLR2004 - HTTP's own class
    said = body.flag("successful")
    if went_well and said is None:
        # A proxy or another service may answer with JSON; only the agent says this word.
        raise BadAnswer(f"{operation} does not say whether it was successful")
    error = Fields({}, operation) if body.get("error") is None else body.child("error")
    return Envelope(
        successful=went_well and said is True and not error.raw,
        status=(body.integer("status") or answer.status) if went_well else answer.status,
        body=body,
        code=error.integer("code"),
        err_code=error.text("errCode"),
        message=error.text("message") or "",
        trace_id=body.text("traceId"),
        timestamp=moment(body, "timestamp"),
    )


def moment(fields: Fields, name: str) -> dt.datetime | None:
    """A time as RFC 3339 with a zone; None when absent or the Unix epoch, which says "not yet"."""
    text = fields.text(name)
    if text is None:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadAnswer(f"{fields.where}.{name} is no time with a zone")
    return found if _EARLIEST_YEAR <= found.year <= _LATEST_YEAR else None
