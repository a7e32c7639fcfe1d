"""What one answer to a create call proves: created, refused, or unknown.

    answer                                                             outcome
    no connection                                                      refused, transient (not sent)
    APIG.0308, APIGW.0308                                              refused, transient
    4xx, or 2xx that says it failed, with a listed code                refused
    DLF.0102: the name is used                                         unknown: a copy arrived
    2xx, empty or a JSON object that tells no error                    accepted
    anything else: 3xx, 5xx, timeouts, unlisted codes, odd bodies      unknown

Only what `codes` lists is a refusal: whatever is not proved not to have run may have run. The service gives
no id back; the run's id is its name, which we chose. Creation is asynchronous: an accepted call may come to
nothing, which shows when its name stays unlisted.

Source: DataArts Studio reference; that names are unique in a workspace, and that creation is asynchronous,
is a field report (2026-07).
"""

from __future__ import annotations

from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.providers.dataarts.codes import CodeFamily, family_of
from reconciler.providers.dataarts.envelopes import Envelope, is_success, open_envelope
from reconciler.providers.http import Answer
from reconciler.providers.json_fields import BadAnswer

_REFUSING = {
    CodeFamily.UNAUTHENTICATED,
    CodeFamily.FORBIDDEN,
    CodeFamily.INVALID,
    CodeFamily.NOT_PUBLISHED,
    CodeFamily.NO_SUCH_JOB,
}


def classify_answer(operation: str, name: str, answer: Answer) -> CreateOutcome:
    """What a complete answer to the call that creates the run `name` proves. Never raises."""
    try:
        envelope = open_envelope(answer, operation)
    except BadAnswer as error:
        return Unknown(cause=f"HTTP {answer.status}: {error}")
    if not envelope.failed:
        return Accepted(run_ids=(name,), request_id=envelope.request_id)
    return _failed(envelope)


def _failed(envelope: Envelope) -> CreateOutcome:
    if envelope.code is None:
        return _unknown(envelope, envelope.message or "it failed without a code")
    family = family_of(envelope.code)
    if family is CodeFamily.THROTTLED:
        return _refused(envelope, envelope.code, transient=True)
    if family is CodeFamily.NAME_USED:
        return _unknown(envelope, "a copy of this request had arrived before")
    if family in _REFUSING and _refusing_status(envelope.status):
        return _refused(envelope, envelope.code, transient=False)
    return _unknown(envelope, envelope.message or "it failed")


def _refusing_status(status: int) -> bool:
    """408 says that a timer ran out."""
    return (is_success(status) or 400 <= status < 500) and status != 408  # noqa: PLR2004 - HTTP


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
