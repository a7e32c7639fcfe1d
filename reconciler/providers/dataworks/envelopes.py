"""The wrapper around every answer: did it succeed, and if not, with which code?

Four families exist. The gateway: `Code`, `Message`. 2020-05-18: `Success`, `ErrorCode`, `ErrorMessage`.
2018-06-01: `ReturnCode`, `ReturnMessage` (creates) and `Success`, `ErrCode`, `ErrMsg` (searches). The
vendor's own samples fill error fields beside `Success: true`, so an error text alone means nothing.

Source: vendor reference, its samples, and SDK models, read 2026-11-21.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.providers.http import Answer, parse_http_date, printable
from reconciler.providers.json_fields import Fields, parse_object

_WAIT = re.compile(r"\d{1,9}", re.ASCII)

_OK_CODES = {"0", "200", "OK"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An answer read as far as its wrapper.

    `success` is None where the answer does not say. `code` and `message` are set only on failure;
    `code` may be missing even then.
    """

    status: int
    success: bool | None
    body: Fields
    code: str | None
    message: str
    request_id: str | None
    retry_after_seconds: float | None


def open_envelope(answer: Answer, operation: str) -> Envelope:
    """Read an answer's wrapper.

    Raises:
        BadAnswer: The body is not a JSON object, or fields of the wrapper have the wrong type.
    """
    body = parse_object(answer.body, operation)
    success = _success(answer.status, body)
    failed = success is False
    return Envelope(
        status=answer.status,
        success=success,
        body=body,
        code=_first_text(body, *_code_names(answer.status)) if failed else None,
        message=_message(body) if failed else "",
        request_id=_first_text(body, "RequestId") or answer.headers.get("x-acs-request-id"),
        retry_after_seconds=retry_after_seconds(answer),
    )


def _code_names(status: int) -> tuple[str, ...]:
    """Where to look for the code: the service's own fields stand first in an answer it sent as OK."""
    own = ("ErrorCode", "ErrCode", "ReturnCode")
    return (*own, "Code") if 200 <= status < 300 else ("Code", *own)  # noqa: PLR2004 - HTTP


def _success(status: int, body: Fields) -> bool | None:
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own class
        return False
    said = body.flag("Success")
    if said is not None:
        return said
    for name in ("ReturnCode", "ErrCode"):
        code = body.text(name)
        if code is not None:
            return code in _OK_CODES
    # The gateway's error shape, sent with a status of success.
    if body.get("Code") is not None and body.get("Message") is not None:
        return False
    return None


def _message(body: Fields) -> str:
    text = _first_text(body, "Message", "ErrorMessage", "ErrMsg", "ReturnMessage")
    return printable(text) if text else ""


def _first_text(body: Fields, *names: str) -> str | None:
    for name in names:
        text = body.text(name)
        if text is not None:
            return printable(text)
    return None


def retry_after_seconds(answer: Answer) -> float | None:
    """How long the service asks us to wait: `x-acs-retry-after` (ms), else `Retry-After` (s or date)."""
    milliseconds = answer.headers.get("x-acs-retry-after", "")
    if _WAIT.fullmatch(milliseconds):
        return int(milliseconds) / 1000
    standard = answer.headers.get("retry-after", "")
    if _WAIT.fullmatch(standard):
        return float(standard)
    until = parse_http_date(standard)
    if until is None or answer.server_time is None:
        return None
    return max(0.0, (until - answer.server_time).total_seconds())
