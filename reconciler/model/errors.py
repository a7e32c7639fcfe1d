"""What can stop us, as exceptions whose text is safe to print.

    ReconcilerError                 code, summary, hint
    ├── InputError                  what a person wrote is wrong: carries diagnostics
    ├── PolicyError                 the plan is larger than the project allows: carries diagnostics
    ├── OverBudget                  an apply would exceed a connection's API calls a day
    ├── Declined                    a person said no, or nobody could be asked
    ├── PlanRefused                 a saved plan is edited, expired or foreign (exit code 4)
    ├── StateError                  the store cannot be used
    │   ├── StateMissing            there is no store where one is needed
    │   ├── LockHeld                someone else holds the lock (exit code 5)
    │   ├── OutcomeUnrecorded       a call went out, and what became of it could not be written down
    │   ├── UnitsTaken              a call's units are taken by another attempt
    │   ├── FenceLost               someone took the lock over while we worked
    │   └── UnsupportedFormat       the store or file was written by a newer version
    └── ProviderError               provider, operation, request id, status
        ├── Unauthenticated, Forbidden, NotFound, InvalidRequest     permanent
        ├── RateLimited, Unavailable                                 temporary
        │   └── NotAsked            it failed too often, and is left alone for a while
        └── UnexpectedResponse      the answer does not fit the wire types

A create call never raises for an answer: its outcome is a value (`model.outcomes`).
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.diagnostics import Diagnostic, in_order


class ReconcilerError(Exception):
    """Anything that stops a command for a reason a person can act on."""

    code = "error"

    def __init__(self, summary: str, *, hint: str = "") -> None:
        """Keep one line that says what is wrong, and what to do about it."""
        super().__init__(summary)
        self.summary = summary
        self.hint = hint


class InputError(ReconcilerError):
    """Specs, project file, world file or arguments are wrong."""

    code = "invalid_input"

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Carry the problems, sorted by place; at least one."""
        self.diagnostics = in_order(diagnostics)
        count = len(self.diagnostics)
        super().__init__(f"{count} problem{'' if count == 1 else 's'} in the input")


class PolicyError(InputError):
    """The plan breaks the project's policy."""

    code = "policy"


class OverBudget(ReconcilerError):
    """An apply would exceed the API calls a connection allows itself in a day."""

    code = "over_budget"


class Declined(ReconcilerError):
    """Nobody approved."""

    code = "declined"


class PlanRefused(ReconcilerError):
    """A saved plan must not be applied: it was edited, has expired, or belongs to another store."""

    code = "plan_refused"


class StateError(ReconcilerError):
    """The state store cannot be used."""

    code = "state"


class StateMissing(StateError):
    """There is no state store yet."""

    code = "state_missing"


class LockHeld(StateError):
    """Another process holds the state lock; waiting may help."""

    code = "lock_held"


class UnitsTaken(StateError):
    """Another attempt may still run on the units of a call, or the call has gone out before."""

    code = "units_taken"


class OutcomeUnrecorded(StateError):
    """A call went out, and what became of it could not be written down: on record it stays unknown."""

    code = "outcome_unrecorded"


class FenceLost(StateError):
    """Another process took our lock over; nothing more may be written or sent."""

    code = "fence_lost"


class UnsupportedFormat(StateError):
    """Written by a newer version of this tool."""

    code = "unsupported_format"


class ProviderError(ReconcilerError):
    """A read or a stop call failed.

    Attributes:
        provider: Name of the provider, such as `dataworks`.
        operation: The vendor's name of the call.
        request_id: The service's id of the request, or None.
        status: HTTP status, or None when no answer came.
    """

    code = "provider"

    def __init__(
        self,
        summary: str,
        *,
        provider: str,
        operation: str,
        request_id: str | None = None,
        status: int | None = None,
        hint: str = "",
    ) -> None:
        """Name the call that failed; the cause is chained with `raise … from`."""
        super().__init__(summary, hint=hint)
        self.provider = provider
        self.operation = operation
        self.request_id = request_id
        self.status = status


class Unauthenticated(ProviderError):
    """The credentials were not accepted."""

    code = "unauthenticated"


class Forbidden(ProviderError):
    """The credentials lack the right."""

    code = "forbidden"


class NotFound(ProviderError):
    """The service does not know the object, or no longer does."""

    code = "not_found"


class InvalidRequest(ProviderError):
    """The service refused the request for its content."""

    code = "invalid_request"


class RateLimited(ProviderError):
    """The service throttles us; the same read may be sent later."""

    code = "rate_limited"

    retry_after_seconds: float | None = None


class Unavailable(ProviderError):
    """No usable answer came; the same read may be sent later."""

    code = "unavailable"


class NotAsked(Unavailable):
    """The service failed so often that it is left alone for a while; nothing was sent."""

    code = "not_asked"


class UnexpectedResponse(ProviderError):
    """The answer does not fit the documented shape."""

    code = "unexpected_response"
