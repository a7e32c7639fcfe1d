"""What became of one create call: a closed set, so that every caller must say what it does with each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The service answered with the ids of runs it created; never empty."""

    run_ids: tuple[str, ...]
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Proved not executed: an allow-listed refusal, or the request never left.

    `transient` refusals (throttling, refused connection) may pass on a later attempt;
    `retry_after_seconds` is the service's own hint.
    """

    code: str
    message: str
    transient: bool
    request_id: str | None = None
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It may have been executed: look before anything else. `cause` says what was seen."""

    cause: str
    code: str | None = None
    request_id: str | None = None


CreateOutcome = Accepted | Refused | Unknown
