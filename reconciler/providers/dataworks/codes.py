"""One table of the error codes that the gateway and the service answer with.

A code is looked at before the HTTP status, because the gateway sends the same code with different
statuses for different products.

Source: "Public error codes" of DataWorks and of the API gateway, read 2026-11-21; the two numeric codes
are reported from the field.
"""

from __future__ import annotations

import enum
import re


class CodeFamily(enum.Enum):
    """What a code says, as far as our decisions differ."""

    THROTTLED = "throttled"
    """Refused for load or quota; may pass later."""
    UNAUTHENTICATED = "unauthenticated"
    """Key, token, signature or timestamp were not accepted."""
    FORBIDDEN = "forbidden"
    """The key lacks the right, or the edition lacks the call."""
    INVALID = "invalid"
    """Parameters, or the call itself, are wrong."""
    NOT_SERVED = "not_served"
    """The service is absent in the region; answered with status 500, yet a plain refusal."""
    NO_SUCH_RUN = "no_such_run"
    """The DAG or instance asked for is not known."""
    REPLAYED = "replayed"
    """The nonce was used before: a copy of this very request reached the gateway."""
    OTHER = "other"
    """Everything else, failures inside the service among it."""


# The first pattern that matches the whole code decides. Only what is listed here counts as a refusal.
_TABLE: tuple[tuple[str, CodeFamily], ...] = (
    (r"Throttling(\..+)?", CodeFamily.THROTTLED),
    (r"SignatureNonceUsed", CodeFamily.REPLAYED),
    (r"Forbidden\.Not\.Server", CodeFamily.NOT_SERVED),
    (r"InvalidAccessKeyId(\..+)?", CodeFamily.UNAUTHENTICATED),
    (r"InvalidSecurityToken(\..+)?", CodeFamily.UNAUTHENTICATED),
    (r"InvalidTimeStamp(\..+)?", CodeFamily.UNAUTHENTICATED),
    (
        r"(IncompleteSignature|SignatureDoesNotMatch|MissingSecurityToken)",
        CodeFamily.UNAUTHENTICATED,
    ),
    (r"(Forbidden|NoPermission|ResourceNotAuthorized)(\..+)?", CodeFamily.FORBIDDEN),
    (
        r"(\w+\.)*\w*(Dag|OpSeq|Instance)\w*\.?(Not\.?Exists?|Not\.?Found)",
        CodeFamily.NO_SUCH_RUN,
    ),
    (r"Missing[A-Z]\w*(\..+)?", CodeFamily.INVALID),
    (r"Invalid([A-Z]\w*)?(\..+)?", CodeFamily.INVALID),
    (r"UnsupportedHTTPMethod", CodeFamily.INVALID),
    # Workspace missing; flow missing or not a deployed manual flow.
    (r"(10600111020399005|10600111020399006)", CodeFamily.INVALID),
)
_COMPILED = tuple((re.compile(pattern, re.ASCII), family) for pattern, family in _TABLE)

#: The clock of whoever signed is more than 15 minutes off.
EXPIRED_TIMESTAMP = "InvalidTimeStamp.Expired"


def family_of(code: str) -> CodeFamily:
    """The family of a code."""
    return next(
        (family for pattern, family in _COMPILED if pattern.fullmatch(code)), CodeFamily.OTHER
    )


def is_throttled(code: str) -> bool:
    """Whether a code says that the service throttles us."""
    return family_of(code) is CodeFamily.THROTTLED
