"""What went wrong with a read, as our errors, where no code of the service says it better."""

from __future__ import annotations

from reconciler.model.errors import (
    Forbidden,
    InvalidRequest,
    NotAsked,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
    UnexpectedResponse,
)


def unanswered_read(provider: str, operation: str, why: str) -> Unavailable:
    """The error for a read to which no complete answer came."""
    return Unavailable(
        f"{operation} got no answer: {why}",
        provider=provider,
        operation=operation,
        hint="check the connection's `endpoint` and the network",
    )


def not_asked(provider: str, operation: str, seconds: float) -> NotAsked:
    """The error for a call that the breaker kept back."""
    return NotAsked(
        f"{operation} was not sent: the service failed again and again",
        provider=provider,
        operation=operation,
        hint=f"it is asked again in {seconds:.0f} s; lower `limits`, or try later",
    )


def unfitting_read(
    provider: str, operation: str, why: str, request_id: str | None
) -> UnexpectedResponse:
    """The error for an answer that reports success and does not fit."""
    return UnexpectedResponse(
        f"{operation}: {why}",
        provider=provider,
        operation=operation,
        request_id=request_id,
    )


def error_by_status(status: int) -> type[ProviderError]:
    """The error for an answer without a listed code; a bare 404 does not say what is missing."""
    match status:
        case 429:
            return RateLimited
        case 401:
            return Unauthenticated
        case 403:
            return Forbidden
        case 408:
            return Unavailable
        case _ if status >= 500:  # noqa: PLR2004 - HTTP's own class
            return Unavailable
        case _ if 400 <= status < 500:  # noqa: PLR2004 - HTTP's own class
            return InvalidRequest
        case _:
            return UnexpectedResponse
