"""DataArts behind its gateway, and IAM beside it: a signed request in, an answer out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.simulator import logs
from reconciler.simulator.dataarts import iam, signatures
from reconciler.simulator.dataarts.call import Call
from reconciler.simulator.dataarts.parameters import absent
from reconciler.simulator.dataarts.routes import Operation, route
from reconciler.simulator.errors import GatewayError, ServiceRefusal
from reconciler.simulator.messages import Answer, Request, json_answer
from reconciler.simulator.session import Session

_PREFIXES = ("/v1/", "/v2/", "/v3/")
_IAM = "/v3/"
_CODES = {401: "APIG.0301", 403: "APIG.0304", 404: "APIG.0101", 429: "APIG.0308"}


class DataArts:
    """The services at `/v1/{project_id}/…`, `/v2/{project_id}/factory/…` and `/v3/…` (IAM)."""

    def serves(self, request: Request) -> bool:
        """Whether a request is for this service."""
        return request.path.startswith(_PREFIXES)

    def operation_of(self, request: Request) -> str:
        """The official SDK's name of the operation a request asks for; "" for an unknown path."""
        found = route(request)
        return "" if found is None else found[0].name

    def writes(self, request: Request) -> bool:
        """Whether a request, if it is what it says, changes anything."""
        found = route(request)
        return found is not None and found[0].writes

    def answer(self, request: Request, session: Session) -> tuple[Answer, str]:
        """Answer a request; also the verdict for the request log: `accepted`, or the code it got."""
        try:
            answer, verdict = _answer(request, session), "accepted"
        except GatewayError as error:
            return self.refuse(request, error, session), error.code
        except ServiceRefusal as refusal:
            value = {"error_code": refusal.code, "error_msg": refusal.message}
            answer, verdict = json_answer(400, value), refusal.code
        return _numbered(answer, session.request_id), verdict

    def code_of(self, status: int) -> str:
        """The code with which the gateway would answer this HTTP status."""
        return _CODES.get(status, "APIG.0201")

    def refuse(self, request: Request, error: GatewayError, session: Session) -> Answer:
        """The answer with which the gateway, or IAM, refuses a request."""
        value = {
            "error_code": error.code,
            "error_msg": error.message,
            "request_id": session.request_id,
        }
        iams = request.path.startswith(_IAM)
        answer = iam.refusal(error) if iams else json_answer(error.status, value)
        return _numbered(answer, session.request_id)


def _answer(request: Request, session: Session) -> Answer:
    """Let a request through the gateway (credentials, limits, path, headers), and run it.

    Raises:
        GatewayError: The gateway refuses it.
        ServiceRefusal: The service behind the gateway does.
    """
    found = route(request)
    if found is None or not found[0].open:
        _authenticate(request, session, None if found is None else found[1])
    _check_limits(session, writes=found is not None and found[0].writes)
    if found is None:
        raise GatewayError(
            404, "APIG.0101", "The API does not exist or has not been published in the environment"
        )
    operation, path = found
    _check_headers(request, operation)
    return operation.run(
        Call(operation=operation.name, path=path, request=request, session=session)
    )


def _authenticate(request: Request, session: Session, path: Mapping[str, str] | None) -> None:
    if "authorization" in request.headers:
        signed_ms = signatures.verify(request, session.key)
        signatures.check_age(session.counts_as_signed_at(signed_ms), session.gateway_ms)
        return
    token = request.header("x-auth-token")
    if not token:
        raise signatures.unauthorized("neither a signature nor a token was sent")
    iam.check_token(session, token, None if path is None else path.get("project_id"))


def _check_limits(session: Session, *, writes: bool) -> None:
    limits, connection = session.world.limits, session.connection
    qps = limits.write_qps if writes else limits.read_qps
    if qps and logs.calls_in_the_last_second(connection, session.real_ms, writes=writes) >= qps:
        raise _throttled("user", qps, "1 second")
    daily = limits.daily_calls
    if daily and logs.count_call_today(connection, session.gateway_ms) > daily:
        raise _throttled("api", daily, "1 day")


def _throttled(policy: str, limit: int, period: str) -> GatewayError:
    return GatewayError(
        429,
        "APIG.0308",
        "The throttling threshold has been reached:"
        f" policy {policy} over ratelimit,limit:{limit},time:{period}",
    )


def _check_headers(request: Request, operation: Operation) -> None:
    if operation.needs and not request.header(operation.needs):
        raise absent(f"the header {operation.needs}")
    if request.method == "POST" and not request.header("content-type"):
        raise absent("the header Content-Type")


def _numbered(answer: Answer, request_id: str) -> Answer:
    """Every answer says which request it is for."""
    return replace(answer, headers=(*answer.headers, ("x-request-id", request_id)))
