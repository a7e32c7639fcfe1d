"""What one answer to a create call proves: created, refused, or unknown.

    answer                                                             outcome
    no connection                                                      refused, transient (not sent)
    Throttling.*, whatever the status                                  refused, transient
    Forbidden.Not.Server, despite its 500                              refused
    4xx, or 2xx that says it failed, with a listed code                refused
    SignatureNonceUsed                                                 unknown: a copy arrived
    2xx that says it succeeded, with at least one id                   accepted
    anything else: 3xx, 5xx, timeouts, unlisted codes, odd bodies      unknown

Codes are looked at before the status. Only what `codes` lists is a refusal: whatever is not proved not
to have run may have run.

Source: "Public error codes" of DataWorks and of the API gateway, read 2026-11-21.
"""

from __future__ import annotations

from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.providers.dataworks.codes import CodeFamily, family_of
from reconciler.providers.dataworks.envelopes import Envelope, open_envelope
from reconciler.providers.http import Answer
from reconciler.providers.json_fields import BadAnswer, Fields, as_integer

_REFUSING = {
    CodeFamily.UNAUTHENTICATED,
    CodeFamily.FORBIDDEN,
    CodeFamily.INVALID,
}


def classify_answer(operation: str, answer: Answer) -> CreateOutcome:
    """What a complete answer to create call `operation` proves. Never raises."""
    try:
        envelope = open_envelope(answer, operation)
    except BadAnswer as error:
        return Unknown(cause=f"HTTP {answer.status}: {error}")
    if envelope.success:
        return _accepted(operation, envelope)
    if envelope.success is None:
        return _unknown(envelope, "the answer does not say whether it succeeded")
    return _failed(envelope)


def _accepted(operation: str, envelope: Envelope) -> CreateOutcome:
    run_ids = _run_ids(operation, envelope.body)
    if not run_ids:
        return _unknown(envelope, "it reports success without usable run ids")
    return Accepted(run_ids=run_ids, request_id=envelope.request_id)


def _run_ids(operation: str, body: Fields) -> tuple[str, ...]:
    """The ids in order, each once; empty if there is none or any of them is not a positive number."""
    # The vendor's samples show one number where the reference says list.
    value = body.get("Data" if operation == "RunCycleDagNodes" else "ReturnValue")
    numbers = [as_integer(item) for item in (value if isinstance(value, list) else [value])]
    if any(number is None or number <= 0 for number in numbers):
        return ()
    return tuple(dict.fromkeys(map(str, numbers)))


def _failed(envelope: Envelope) -> CreateOutcome:
    if envelope.code is None:
        return _unknown(envelope, "it failed without a code")
    family = family_of(envelope.code)
    if family is CodeFamily.THROTTLED:
        return _refused(envelope, envelope.code, transient=True)
    if family is CodeFamily.NOT_SERVED:
        return _refused(envelope, envelope.code, transient=False)
    if family is CodeFamily.REPLAYED:
        return _unknown(envelope, "a copy of this request had arrived before")
    if family in _REFUSING and _refusing_status(envelope.status):
        return _refused(envelope, envelope.code, transient=False)
    return _unknown(envelope, envelope.message or "it failed")


def _refusing_status(status: int) -> bool:
    """2xx carries the service's own refusals, 4xx the gateway's; 408 says that a timer ran out."""
    return (200 <= status < 300 or 400 <= status < 500) and status != 408  # noqa: PLR2004 - HTTP


def _refused(envelope: Envelope, code: str, *, transient: bool) -> Refused:
    return Refused(
        code=code,
        message=envelope.message or f"HTTP {envelope.status}",
        transient=transient,
        request_id=envelope.request_id,
        retry_after_seconds=envelope.retry_after_seconds,
    )


def _unknown(envelope: Envelope, why: str) -> Unknown:
    return Unknown(
        cause=f"HTTP {envelope.status}: {why}", code=envelope.code, request_id=envelope.request_id
    )
