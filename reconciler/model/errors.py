"""What can stop us, as exceptions whose text is safe to print.

    ReconcilerError                 code, summary, hint
    ├── InputError                  what a person wrote is wrong: carries diagnostics
    │   └── PolicyError             the plan is larger than the project allows
    ├── OverBudget                  an apply would exceed a connection's API calls a day
    ├── Declined                    a person said no, or nobody could be asked
    ├── FileError                   a file that a command was given cannot be used
    │   ├── NotOverwritten          something else stands where one is to be written
    │   ├── NotWritten              it cannot be written
    │   └── Unreadable              it cannot be read
    ├── CannotServe                 the simulator cannot be served
    ├── DemoFailed                  a step of the demo ended otherwise than it must
    ├── PlanRefused                 a saved plan must not be applied (exit code 4)
    │   ├── NotAPlan                the file is none
    │   ├── PlanEdited              it is not as it was written
    │   ├── PlanExpired             it is too old
    │   └── PlanForeign             it belongs to another project, store or connection
    ├── StateError                  the store cannot be used
    │   ├── StateMissing            there is no store where one is needed
    │   ├── StateUrlUnknown         nothing of ours can lie where the project file says
    │   ├── StateUnavailable        it cannot be opened, read or written to
    │   ├── StateUnsafe             others could change it, or it could lose what it was told
    │   ├── StateDamaged            it is not as this tool wrote it
    │   ├── StateNotUpgraded        it has an older format, and keeps it
    │   ├── StateMoved              what was to be changed is not there as it was any more
    │   ├── LockHeld                someone else holds the lock (exit code 5)
    │   ├── NoSuchLock              a lock that is to be ended is not there
    │   ├── OutcomeUnrecorded       a call went out, and what became of it could not be written down
    │   ├── UnitsTaken              a call's units are taken by another attempt
    │   ├── FenceLost               someone took the lock over while we worked
    │   └── UnsupportedFormat       the store or file was written by a newer version
    └── ProviderError               provider, operation, request id, status
        ├── Unauthenticated, Forbidden, NotFound, InvalidRequest     permanent
        ├── RateLimited, Unavailable                                 temporary
        │   └── NotAsked            it failed too often, and is left alone for a while
        └── UnexpectedResponse      the answer does not fit the wire types

A create call never raises for an answer: its outcome is a value (`model.outcomes`). What is raised is one
of the leaves, each with its code; an `InputError` goes by the code of its first problem.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.codes import Code, ProviderCode
from reconciler.model.diagnostics import Diagnostic, in_order

#: What helps where another process was faster, or a step was cut off.
AGAIN = "run the command again: it continues from what is on record"


class ReconcilerError(Exception):
    """Anything that stops a command for a reason a person can act on."""

    code: Code

    def __init__(self, summary: str, *, hint: str) -> None:
        """Keep one line that says what is wrong, and what to do about it."""
        super().__init__(summary)
        self.summary = summary
        self.hint = hint


class InputError(ReconcilerError):
    """Specs, project file, world file or arguments are wrong."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Carry the problems, sorted by place; at least one."""
        self.diagnostics = in_order(diagnostics)
        self.code = self.diagnostics[0].code
        count = len(self.diagnostics)
        super().__init__(
            f"{count} problem{'' if count == 1 else 's'} in the input",
            hint=self.diagnostics[0].hint,
        )


class PolicyError(InputError):
    """The plan breaks the project's policy."""


class OverBudget(ReconcilerError):
    """An apply would exceed the API calls a connection allows itself in a day."""

    code = "over_budget"


class Declined(ReconcilerError):
    """Nobody approved."""

    code = "declined"


class FileError(ReconcilerError):
    """A file that a command was given cannot be used."""


class NotOverwritten(FileError):
    """Something else stands where a file is to be written; it is left alone."""

    code = "not_overwritten"


class NotWritten(FileError):
    """A file cannot be written."""

    code = "not_written"


class Unreadable(FileError):
    """A file cannot be read."""

    code = "unreadable"


class CannotServe(ReconcilerError):
    """The simulator cannot be served."""

    code = "cannot_serve"


class DemoFailed(ReconcilerError):
    """A step of the demo ended otherwise than it must."""

    code = "demo_failed"


class PlanRefused(ReconcilerError):
    """A saved plan must not be applied."""


class NotAPlan(PlanRefused):
    """The file holds no plan."""

    code = "not_a_plan"


class PlanEdited(PlanRefused):
    """The plan is not as it was written."""

    code = "plan_edited"


class PlanExpired(PlanRefused):
    """The plan is too old."""

    code = "plan_expired"


class PlanForeign(PlanRefused):
    """The plan belongs to another project, another store, or to connections that lead elsewhere now."""

    code = "plan_foreign"


class StateError(ReconcilerError):
    """The state store cannot be used."""


class StateUrlUnknown(StateError):
    """The state URL is of no kind that is known, or names no file."""

    code = "state"


class StateUnavailable(StateError):
    """The store cannot be opened, read or written to."""

    code = "state_unavailable"


class StateUnsafe(StateError):
    """Others could change the store, or it could lose what it was told."""

    code = "state_unsafe"


class StateDamaged(StateError):
    """The store is not as this tool wrote it."""

    code = "state_damaged"


class StateNotUpgraded(StateError):
    """The store has an older format, and keeps it."""

    code = "state_not_upgraded"


class StateMoved(StateError):
    """What was to be changed is not there as it was any more."""

    code = "state_moved"


class NoSuchLock(StateError):
    """A lock that is to be ended is not there."""

    code = "no_such_lock"


#: What to do where there is no store: nobody can tell a new project from one that lost its record.
NO_STORE_YET = (
    "a new project's first apply makes it; if this one is not new, find the store it had"
)


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

    code: ProviderCode
    #: What to do where the service's answer gives no better advice.
    advice: str

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
        super().__init__(summary, hint=hint or self.advice)
        self.provider = provider
        self.operation = operation
        self.request_id = request_id
        self.status = status

    @property
    def trace(self) -> str:
        """Which call it was, in the words that the service's support asks for."""
        return f"{self.operation} of {self.provider}, request id {self.request_id or 'unknown'}"


class Unauthenticated(ProviderError):
    """The credentials were not accepted."""

    code = "unauthenticated"
    advice = "check the connection's credentials and this machine's clock"


class Forbidden(ProviderError):
    """The credentials lack the right."""

    code = "forbidden"
    advice = "ask for the right, or name other credentials in the connection"


class NotFound(ProviderError):
    """The service does not know the object, or no longer does."""

    code = "not_found"
    advice = "check what the spec and its connection name; runs are forgotten after about 30 days"


class InvalidRequest(ProviderError):
    """The service refused the request for its content."""

    code = "invalid_request"
    advice = "check the spec and its connection against what the service says"


class RateLimited(ProviderError):
    """The service throttles us; the same read may be sent later."""

    code = "rate_limited"
    advice = "lower `limits` of the connection, or try later"

    retry_after_seconds: float | None = None


class Unavailable(ProviderError):
    """No usable answer came; the same read may be sent later."""

    code: ProviderCode = "unavailable"
    advice = "try again later: the service is down, or something on the way to it"


class NotAsked(Unavailable):
    """The service failed so often that it is left alone for a while; nothing was sent."""

    code = "not_asked"


class UnexpectedResponse(ProviderError):
    """The answer does not fit the documented shape."""

    code = "unexpected_response"
    advice = "please report this, with the request id if there is one"
