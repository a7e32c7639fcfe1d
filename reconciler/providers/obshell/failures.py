"""What went wrong with a read of the agent, as our errors.

Codes say more than the HTTP status, which changed between versions: a wrong password is 400 in some of
mid 2025 and 401 in others, and an unreadable header 500 or 401.

Source: OBShell server source 61ee147 (2026-05) and older, and the official SDK 0.0.9.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from reconciler.model.errors import NotFound, ProviderError, Unauthenticated, Unavailable
from reconciler.providers.failures import error_by_status
from reconciler.providers.http import printable
from reconciler.providers.obshell.envelopes import Envelope

PROVIDER = "obshell"

#: Takes our secrets out of a text.
Masked = Callable[[str], str]

_SECURITY = "Security.Authentication."
_DECRYPT_FAILED, _INCOMPATIBLE, _UNAUTHORIZED = 1, 2, 10008
_NOT_ADMITTED = {_DECRYPT_FAILED, _INCOMPATIBLE, _UNAUTHORIZED}
_NO_TASK = {1003, 2300}


class Remedy(enum.Enum):
    """What may admit a request that was not admitted, other than another password."""

    NONE = enum.auto()
    NEW_KEY = enum.auto()
    """The header could not be read: the agent has another key now."""
    PERHAPS_NEW_KEY = enum.auto()
    """Servers before 4.3.1 do not tell an unreadable header from a wrong password."""
    AGENT_PASSWORD = enum.auto()


class NotAdmitted(Unauthenticated):
    """The agent did not accept the auth header."""

    remedy = Remedy.NONE


def failed_read(
    connection: str, operation: str, envelope: Envelope, masked: Masked
) -> ProviderError:
    """The error for an answer that says it failed; `connection` is named in it."""
    said = ": ".join(filter(None, (_code_text(envelope), envelope.message)))
    shown = printable(masked(said)) or f"HTTP {envelope.status}"
    kind = _kind(envelope)
    summary = f"{operation} failed: {shown}"
    if kind is NotAdmitted:
        summary = (
            f"{_what_was_refused(envelope)} of connection {connection} was not accepted: {shown}"
        )
    error = kind(
        summary,
        provider=PROVIDER,
        operation=operation,
        request_id=None if envelope.trace_id is None else printable(envelope.trace_id, limit=80),
        status=envelope.status,
        hint=_hint(envelope),
    )
    if isinstance(error, NotAdmitted):
        error.remedy = _remedy(envelope)
    return error


def unreadable_read(operation: str, status: int, why: str) -> ProviderError:
    """The error for an answer that cannot be read; the status decides whether to ask again."""
    return error_by_status(status)(
        f"{operation} failed: HTTP {status}: {why}",
        provider=PROVIDER,
        operation=operation,
        status=status,
        hint="check that the connection's `endpoint` is an OBShell agent (port 2886 by default)",
    )


def _kind(envelope: Envelope) -> type[ProviderError]:
    code, err_code = envelope.code, envelope.err_code or ""
    if (
        err_code.startswith(_SECURITY)
        or err_code == "Common.Unauthorized"
        or code in _NOT_ADMITTED
        or envelope.status == 401  # noqa: PLR2004 - HTTP's own
    ):
        return NotAdmitted
    if err_code == "Task.NotFound" or (not err_code and code in _NO_TASK):
        return NotFound
    if err_code == "MySQL.Error":
        # Sent as 400, but it is the database that failed and not the request.
        return Unavailable
    return error_by_status(envelope.status)


def _remedy(envelope: Envelope) -> Remedy:
    code, err_code = envelope.code, envelope.err_code or ""
    if code == _DECRYPT_FAILED or err_code.endswith("Header.DecryptFailed"):
        return Remedy.NEW_KEY
    if err_code.endswith(".WithAgentPassword"):
        return Remedy.AGENT_PASSWORD
    if err_code in {"", "Common.Unauthorized"} and code in {_UNAUTHORIZED, None}:
        return Remedy.PERHAPS_NEW_KEY
    return Remedy.NONE


def _what_was_refused(envelope: Envelope) -> str:
    match (envelope.err_code or "").removeprefix(_SECURITY):
        case "IncorrectAgentPassword":
            return "the agent password"
        case "IncorrectOceanbasePassword":
            return "the password"
        case "" if envelope.code == _UNAUTHORIZED:
            return "the password"
        case _:
            return "the auth header"


_HINTS = {
    "IncorrectOceanbasePassword": "set `password` to the one of root@sys of the cluster",
    "IncorrectAgentPassword": "set `agentPassword` to the agent's own password",
    "WithAgentPassword": "the agent asks for its own password: set `agentPassword`",
    "Expired": "check the clocks of the agent and of this machine",
    "Timestamp.Invalid": "check the clocks of the agent and of this machine",
    "Header.UriMismatch": "something on the way to the agent rewrites paths; ask the agent itself",
}


def _hint(envelope: Envelope) -> str:
    if envelope.code == _INCOMPATIBLE or envelope.err_code == "Request.Header.NotFound":
        return "OBShell before 4.2.3 is not supported; a proxy may also have removed the header"
    if envelope.err_code == "Common.NotFound":
        return "the agent does not know this path; OBShell before 4.2.3 is not supported"
    if envelope.code == _UNAUTHORIZED and not envelope.err_code:
        return _HINTS["IncorrectOceanbasePassword"]
    return _HINTS.get((envelope.err_code or "").removeprefix(_SECURITY), "")


def _code_text(envelope: Envelope) -> str | None:
    return envelope.err_code or (None if envelope.code is None else f"code {envelope.code}")
