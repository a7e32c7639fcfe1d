"""An OBShell agent of an OceanBase cluster: open paths, and protected ones behind its handshake."""

from __future__ import annotations

from reconciler.simulator.errors import GatewayError
from reconciler.simulator.messages import Answer, Request
from reconciler.simulator.obshell import envelope, headers
from reconciler.simulator.obshell.call import Call
from reconciler.simulator.obshell.refusals import SECURITY, no_path
from reconciler.simulator.obshell.routes import PREFIX, route_of
from reconciler.simulator.session import Session

_CODES = {
    400: "Common.IllegalArgument",
    401: f"{SECURITY}IncorrectOceanbasePassword",
    404: "Common.NotFound",
}


class OBShell:
    """The service below the path `/api/v1`."""

    def serves(self, request: Request) -> bool:
        """Whether a request is for this service."""
        return request.path == PREFIX or request.path.startswith(f"{PREFIX}/")

    def operation_of(self, request: Request) -> str:
        """The name of the operation a request asks for, with `obshell.` before it."""
        found = route_of(request)
        return f"obshell.{found[0].operation}" if found else ""

    def writes(self, request: Request) -> bool:
        """Whether a request, if it is what it says, changes anything."""
        found = route_of(request)
        return found is not None and found[0].writes

    def answer(self, request: Request, session: Session) -> tuple[Answer, str]:
        """Answer a request; also the verdict for the request log: `accepted`, or the code it got."""
        try:
            data = _run(request, session)
        except GatewayError as error:
            return self.refuse(request, error, session), error.code
        return envelope.accepted(data, request, session), "accepted"

    def code_of(self, status: int) -> str:
        """The code with which the agent would answer this HTTP status."""
        return _CODES.get(status, "Common.Unexpected")

    def refuse(self, request: Request, error: GatewayError, session: Session) -> Answer:
        """The answer with which the agent refuses a request."""
        return envelope.refused(error, request, session)


def _run(request: Request, session: Session) -> object:
    found = route_of(request)
    if found is None:
        raise no_path(request.path)
    route, task = found
    header: headers.Members = {}
    if not route.is_open:
        header = headers.verify(request, session, agent_only=_is_proxy_task(task))
    return route.run(Call(request=request, session=session, task=task, header=header))


def _is_proxy_task(task: str) -> bool:
    """Whether the id in a path begins as that of a proxy's task, malformed or not."""
    return task[:1] in {"4", "5"}
