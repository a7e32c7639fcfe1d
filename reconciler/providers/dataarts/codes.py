"""One table of the error codes that the gateway and the service answer with.

The gateway's stand under two prefixes, APIG and APIGW. "Not found" is HTTP 400 with a code of DLF.

Source: error codes of the DataArts Studio reference and of API Gateway, and a field report (2026-07); the
status that APIG.0201 and APIG.0304 come with is not established.
"""

from __future__ import annotations

import enum
import re


class CodeFamily(enum.Enum):
    """What a code says, as far as our decisions differ."""

    THROTTLED = "throttled"
    """Refused for load; may pass later."""
    UNAUTHENTICATED = "unauthenticated"
    """Key, token, signature or its moment were not accepted."""
    FORBIDDEN = "forbidden"
    """The user lacks the right."""
    INVALID = "invalid"
    """Parameters, or the call itself, are wrong."""
    NOT_PUBLISHED = "not_published"
    """The host does not serve this path."""
    NO_SUCH_JOB = "no_such_job"
    """The job asked for is not known."""
    NO_SUCH_RUN = "no_such_run"
    """The PatchData or instance asked for is not known."""
    NAME_USED = "name_used"
    """A PatchData of this very name is there already."""
    TIMED_OUT = "timed_out"
    """The gateway gave up waiting for the service behind it, which may have acted."""
    OTHER = "other"
    """Everything else, failures inside the service among it."""


# The first pattern that matches the whole code decides. Only what is listed here counts as a refusal.
_TABLE: tuple[tuple[str, CodeFamily], ...] = (
    (r"APIGW?\.0308", CodeFamily.THROTTLED),
    (r"APIGW?\.0301", CodeFamily.UNAUTHENTICATED),
    (r"APIGW?\.0304", CodeFamily.FORBIDDEN),
    (r"APIGW?\.0106", CodeFamily.INVALID),
    (r"APIGW?\.0101", CodeFamily.NOT_PUBLISHED),
    (r"APIGW?\.0201", CodeFamily.TIMED_OUT),
    (r"DLF\.0100", CodeFamily.NO_SUCH_JOB),
    (r"DLF\.(0113|0137|30137)", CodeFamily.NO_SUCH_RUN),
    (r"DLF\.0102", CodeFamily.NAME_USED),
    # Quota; batch only; job name; schedule; parameter; no trigger; date range; account.
    (r"DLF\.(0101|0136|3004|3018|3025|3051|30111|30121|6888)", CodeFamily.INVALID),
)
_COMPILED = tuple((re.compile(pattern, re.ASCII), family) for pattern, family in _TABLE)


def family_of(code: str) -> CodeFamily:
    """The family of a code."""
    return next(
        (family for pattern, family in _COMPILED if pattern.fullmatch(code)), CodeFamily.OTHER
    )


def is_throttled(code: str) -> bool:
    """Whether a code says that the service throttles us."""
    return family_of(code) is CodeFamily.THROTTLED


def is_unauthenticated(code: str) -> bool:
    """Whether a code says that our signature or token was not accepted."""
    return family_of(code) is CodeFamily.UNAUTHENTICATED
