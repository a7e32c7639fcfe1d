"""How a simulated service says no."""

from __future__ import annotations


class GatewayError(Exception):
    """The gateway refuses a request: HTTP status, code and message, and nothing was executed."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class ServiceRefusal(Exception):
    """The service behind the gateway refuses: inside an answer with HTTP status 200, where it can."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def missing(parameter: str) -> GatewayError:
    """A required parameter is absent or empty."""
    return GatewayError(400, f"Missing{parameter}", f"{parameter} is mandatory for this action.")


def invalid(parameter: str, reason: str) -> GatewayError:
    """A parameter has a value that cannot be."""
    return GatewayError(
        400, "InvalidParameter", f"The parameter {parameter} is invalid: {reason}."
    )
