"""What went wrong with a read, as our errors.

Source: "Public error codes" of DataWorks and of the API gateway, read 2026-11-21.
"""

from __future__ import annotations

from reconciler.model.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from reconciler.providers.dataworks.codes import CodeFamily, family_of
from reconciler.providers.dataworks.envelopes import Envelope, retry_after_seconds
from reconciler.providers.failures import error_by_status
from reconciler.providers.http import Answer

PROVIDER = "dataworks"

_ERRORS: dict[CodeFamily, type[ProviderError]] = {
    CodeFamily.THROTTLED: RateLimited,
    CodeFamily.UNAUTHENTICATED: Unauthenticated,
    CodeFamily.FORBIDDEN: Forbidden,
    CodeFamily.INVALID: InvalidRequest,
    CodeFamily.NOT_SERVED: InvalidRequest,
    CodeFamily.NO_SUCH_RUN: NotFound,
    # A read may simply be sent again, with a nonce of its own.
    CodeFamily.REPLAYED: Unavailable,
}

_HINTS: dict[CodeFamily, str] = {
    CodeFamily.FORBIDDEN: "check the workspace role and RAM policy of the key, and the edition",
    CodeFamily.NOT_SERVED: "check the connection's `region`: the service is not offered there",
}


def failed_read(operation: str, envelope: Envelope) -> ProviderError:
    """The error for an answer that says it failed."""
    family = family_of(envelope.code) if envelope.code is not None else CodeFamily.OTHER
    kind = _ERRORS.get(family) or error_by_status(envelope.status)
    said = ": ".join(filter(None, (envelope.code, envelope.message)))
    error = kind(
        f"{operation} failed: {said or f'HTTP {envelope.status}'}",
        provider=PROVIDER,
        operation=operation,
        request_id=envelope.request_id,
        status=envelope.status,
        hint=_HINTS.get(family, ""),
    )
    if isinstance(error, RateLimited):
        error.retry_after_seconds = envelope.retry_after_seconds
    return error


def unreadable_read(operation: str, answer: Answer, why: str) -> ProviderError:
    """The error for an answer that cannot be read; the status decides whether to ask again."""
    kind = error_by_status(answer.status)
    error = kind(
        f"{operation} failed: HTTP {answer.status}: {why}",
        provider=PROVIDER,
        operation=operation,
        request_id=answer.headers.get("x-acs-request-id"),
        status=answer.status,
    )
    if isinstance(error, RateLimited):
        error.retry_after_seconds = retry_after_seconds(answer)
    return error
