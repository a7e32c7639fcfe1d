"""What every answer has in common: did it fail, and if so, with which code?

Errors are `{error_code, error_msg}`; other spellings (`errorCode`/`errorMsg`, `code`/`message`) and one
level of nesting, as IAM has it, are read by the vendor's SDK, too. An answer with a status of success may
still carry an `error_code`, or `success: false`.

Source: DataArts Studio reference; exception reader of huaweicloudsdkcore 3.1.219.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from reconciler.providers.http import Answer, parse_http_date, printable
from reconciler.providers.json_fields import BadAnswer, Fields, parse_object

_WAIT = re.compile(r"\d{1,9}", re.ASCII)

_CODES = ("error_code", "errorCode", "code")
_MESSAGES = ("error_msg", "errorMsg", "message", "msg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An answer read as far as any answer can be.

    `code` and `message` are set only on failure; `code` may be missing even then. `body` is empty where the
    answer has none.
    """

    status: int
    failed: bool
    body: Fields
    code: str | None
    message: str
    request_id: str | None
    retry_after_seconds: float | None


def open_envelope(answer: Answer, operation: str) -> Envelope:
    """Read what an answer has in common with others.

    Raises:
        BadAnswer: It has a body that is not a JSON object, or whose fields have the wrong type.
    """
    empty = not answer.body.strip()
    body = Fields({}, operation) if empty else parse_object(answer.body, operation)
    failed = not is_success(answer.status) or _says_so(body)
    told = _innermost(body)
    return Envelope(
        status=answer.status,
        failed=failed,
        body=body,
        code=_first_text(told, _CODES) if failed else None,
        message=(_first_text(told, _MESSAGES) or "") if failed else "",
        request_id=request_id(answer) or _first_text(body, ("request_id",)),
        retry_after_seconds=retry_after_seconds(answer),
    )


def is_success(status: int) -> bool:
    """Whether a status is of HTTP's class of success."""
    return 200 <= status < 300  # noqa: PLR2004 - HTTP's own class


def _says_so(body: Fields) -> bool:
    """Whether an answer with a status of success says that it failed."""
    return _first_text(body, _CODES[:2]) is not None or body.flag("success") is False


def _innermost(body: Fields) -> Fields:
    """Where the error is told: in the answer itself, or one level below."""
    if _first_text(body, _CODES) is not None:
        return body
    for value in body.raw.values():
        if isinstance(value, dict) and any(name in value for name in _CODES):
            return Fields(value, body.where)
    return body


def _first_text(body: Fields, names: tuple[str, ...]) -> str | None:
    for name in names:
        text = body.text(name)
        if text is not None:
            return printable(text)
    return None


def request_id(answer: Answer) -> str | None:
    """The service's id of a request."""
    found = printable(answer.headers.get("x-request-id", ""))
    return found or None


def retry_after_seconds(answer: Answer) -> float | None:
    """How long the service asks us to wait, in seconds or up to a date; whether it ever does is unknown."""
    text = answer.headers.get("retry-after", "")
    if _WAIT.fullmatch(text):
        return float(text)
    until = parse_http_date(text)
    if until is None or answer.server_time is None:
        return None
    return max(0.0, (until - answer.server_time).total_seconds())


def relayed(outer: Envelope) -> Envelope:
    """The answer of the inner service that a relaying operation wraps: `{status_code, body, header_map}`.

    Raises:
        BadAnswer: The wrapper does not fit, or what it wraps is not a JSON object.
    """
    where = outer.body.where
    status = outer.body.integer("status_code")
    if status is None:
        raise BadAnswer(f"{where} has no status_code")
    text = outer.body.text("body") or ""
    try:
        inner = parse_object(text.encode(), f"{where}.body")
    except BadAnswer:
        if is_success(status):
            raise
        inner = Fields({}, f"{where}.body")
    failed = status != 200 or _says_so(inner)  # noqa: PLR2004 - HTTP's own
    return dataclasses.replace(
        outer,
        status=status,
        failed=failed,
        body=inner,
        code=_first_text(inner, _CODES) if failed else None,
        message=(_first_text(inner, _MESSAGES) or "the inner service failed") if failed else "",
    )
