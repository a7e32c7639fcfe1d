"""The simulated services that share the port; each one's routes are its own."""

from __future__ import annotations

from typing import Protocol

from reconciler.simulator.dataarts.service import DataArts
from reconciler.simulator.dataworks.service import DataWorks
from reconciler.simulator.errors import GatewayError
from reconciler.simulator.messages import Answer, Request
from reconciler.simulator.obshell.service import OBShell
from reconciler.simulator.session import Session


class Service(Protocol):
    """One simulated service."""

    def serves(self, request: Request) -> bool:
        """Whether a request is for this service."""
        ...

    def operation_of(self, request: Request) -> str:
        """The name of the operation a request asks for; "" when it cannot be told."""
        ...

    def writes(self, request: Request) -> bool:
        """Whether a request, if it is what it says, changes anything."""
        ...

    def answer(self, request: Request, session: Session) -> tuple[Answer, str]:
        """Answer a request; also the verdict for the request log."""
        ...

    def code_of(self, status: int) -> str:
        """The code with which its gateway would answer this HTTP status, for faults that name none."""
        ...

    def refuse(self, request: Request, error: GatewayError, session: Session) -> Answer:
        """The answer with which the service's gateway refuses a request."""
        ...


# Each is told apart by its paths.
SERVICES: tuple[Service, ...] = (
    OBShell(),
    DataArts(),
    DataWorks(),
)


def service_for(request: Request) -> Service | None:
    """The service a request is for."""
    return next((service for service in SERVICES if service.serves(request)), None)
