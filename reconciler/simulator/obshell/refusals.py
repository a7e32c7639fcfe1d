"""How the agent says no: HTTP status and `errCode` (OBShell server source 61ee147)."""

from __future__ import annotations

from reconciler.simulator.errors import GatewayError

SECURITY = "Security.Authentication."
_DECRYPT_FAILED = f"{SECURITY}Header.DecryptFailed"


def old_code(err_code: str) -> int | None:
    """The number that servers before 4.3.1 sent alone, where newer ones send it too.

    Official SDK 0.0.9 knows a changed key by number 1 only.
    """
    if err_code == _DECRYPT_FAILED:
        return 1
    return 10008 if err_code.startswith(SECURITY) else None


def unauthorized(reason: str, message: str) -> GatewayError:
    """A header that does not admit its request."""
    return GatewayError(401, f"{SECURITY}{reason}", message)


def undecryptable(reason: str) -> GatewayError:
    """A header that cannot be read: encrypted for another key, or no header at all."""
    return GatewayError(401, _DECRYPT_FAILED, f"Decrypt http header failed: {reason}")


def bad_body(reason: str) -> GatewayError:
    """A body that is not what the operation takes."""
    return GatewayError(400, "Common.BindJsonFailed", f"Bind json failed: {reason}")


def bad_id(text: str) -> GatewayError:
    """An id that no task can have."""
    return GatewayError(400, "Task.GenericID.Invalid", f"Invalid generic id: {text}")


def no_task(text: str) -> GatewayError:
    """A task that is not there; or the OceanBase database, that would know, is not."""
    return GatewayError(404, "Task.NotFound", f"Task not found: {text}")


def no_path(path: str) -> GatewayError:
    """A path that nothing is served at."""
    return GatewayError(404, "Common.NotFound", f"Not found: {path}")


def not_now(what: str, code: str, operator: str) -> GatewayError:
    """An operator that a DAG or a node (`what`) does not take in its state."""
    message = f"Cannot {operator.lower()} the {what.lower()}: {code}"
    return GatewayError(400, f"Task.{what}.Operator.{code}", message)


def unexpected(reason: str) -> GatewayError:
    """What the server did not provide for."""
    return GatewayError(500, "Common.Unexpected", f"Unexpected error: {reason}")


def database_down() -> GatewayError:
    """The OceanBase database does not answer."""
    return GatewayError(400, "MySQL.Error", "MySQL error: the database does not answer")
