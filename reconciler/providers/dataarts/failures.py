"""What went wrong with a read, as our errors.

Source: error codes of the DataArts Studio reference and of API Gateway.
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
from reconciler.providers.dataarts.codes import CodeFamily, family_of
from reconciler.providers.dataarts.envelopes import Envelope, request_id, retry_after_seconds
from reconciler.providers.failures import error_by_status
from reconciler.providers.http import Answer

PROVIDER = "dataarts"

_ERRORS: dict[CodeFamily, type[ProviderError]] = {
    CodeFamily.THROTTLED: RateLimited,
    CodeFamily.UNAUTHENTICATED: Unauthenticated,
    CodeFamily.FORBIDDEN: Forbidden,
    CodeFamily.INVALID: InvalidRequest,
    CodeFamily.NOT_PUBLISHED: InvalidRequest,
    CodeFamily.NO_SUCH_JOB: NotFound,
    CodeFamily.NO_SUCH_RUN: NotFound,
    CodeFamily.NAME_USED: InvalidRequest,
    CodeFamily.TIMED_OUT: Unavailable,
}

_HINTS: dict[CodeFamily, str] = {
    CodeFamily.FORBIDDEN: "check the user's role in the workspace and its IAM policies",
    CodeFamily.NOT_PUBLISHED: (
        "check the connection's `region` and `endpoint`: this host does not offer the call"
    ),
    CodeFamily.NO_SUCH_JOB: "check the job's name, `workspace` and `projectId`",
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
        request_id=request_id(answer),
        status=answer.status,
    )
    if isinstance(error, RateLimited):
        error.retry_after_seconds = retry_after_seconds(answer)
    return error


def invalid(operation: str, summary: str, hint: str) -> InvalidRequest:
    """The error for what we know not to be possible, without asking."""
    return InvalidRequest(summary, provider=PROVIDER, operation=operation, hint=hint)


def no_backfill(operation: str) -> InvalidRequest:
    """The error for a series of another kind than the only one that there is here."""
    return invalid(
        operation, "DataArts runs backfills only", "name a connection with provider: dataworks"
    )
