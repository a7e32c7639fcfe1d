"""DataWorks behind its gateway: a signed request in, an answer out."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.simulator import logs, settings
from reconciler.simulator.dataworks import (
    acting,
    creating,
    reading,
    reading_2018,
    signatures,
    writers,
)
from reconciler.simulator.dataworks.call import Call, Operation
from reconciler.simulator.dataworks.parameters import Parameters, action_parameters
from reconciler.simulator.dataworks.writers import Family
from reconciler.simulator.errors import GatewayError, ServiceRefusal
from reconciler.simulator.messages import Answer, Request
from reconciler.simulator.session import Session

_V2018, _V2020 = "2018-06-01", "2020-05-18"
_CODES = {403: "Forbidden.Access", 429: "Throttling.User", 503: "ServiceUnavailable"}

_OPERATIONS: Mapping[tuple[str, str], Operation] = {
    (_V2018, "CreateManualDag"): Operation(
        run=creating.create_manual_dag_2018, family=Family.RETURN_CODE, writes=True
    ),
    (_V2018, "SearchManualDagNodeInstance"): Operation(
        run=reading_2018.search_manual_dag_node_instance, family=Family.ERR_CODE
    ),
    (_V2020, "RunCycleDagNodes"): Operation(
        run=creating.run_cycle_dag_nodes, family=Family.DATA, writes=True
    ),
    (_V2020, "CreateManualDag"): Operation(
        run=creating.create_manual_dag, family=Family.BARE, writes=True
    ),
    (_V2020, "RunManualDagNodes"): Operation(
        run=creating.run_manual_dag_nodes, family=Family.BARE, writes=True
    ),
    (_V2020, "GetDag"): Operation(run=reading.get_dag, family=Family.DATA),
    (_V2020, "ListDags"): Operation(run=reading.list_dags, family=Family.DATA),
    (_V2020, "ListInstances"): Operation(run=reading.list_instances, family=Family.DATA),
    (_V2020, "GetInstance"): Operation(run=reading.get_instance, family=Family.DATA),
    (_V2020, "GetInstanceLog"): Operation(run=reading.get_instance_log, family=Family.DATA),
    (_V2020, "ListManualDagInstances"): Operation(
        run=reading.list_manual_dag_instances, family=Family.BARE
    ),
    (_V2020, "GetManualDagInstances"): Operation(
        run=reading.list_manual_dag_instances, family=Family.BARE
    ),
    (_V2020, "ListNodes"): Operation(run=reading.list_nodes, family=Family.DATA),
    (_V2020, "GetNode"): Operation(run=reading.get_node, family=Family.DATA),
    (_V2020, "StopInstance"): Operation(run=acting.stop_instance, family=Family.DATA, writes=True),
    (_V2020, "RestartInstance"): Operation(
        run=acting.restart_instance, family=Family.DATA, writes=True
    ),
    (_V2020, "SetSuccessInstance"): Operation(
        run=acting.set_success_instance, family=Family.DATA, writes=True
    ),
}


class DataWorks:
    """The service at the path `/`."""

    def serves(self, request: Request) -> bool:
        """Whether a request is for this service."""
        return request.path == "/"

    def operation_of(self, request: Request) -> str:
        """The name of the operation a request asks for, believed without a look at its signature."""
        return _asked(request)[1]

    def writes(self, request: Request) -> bool:
        """Whether a request, if it is what it says, changes anything."""
        operation = _OPERATIONS.get(_asked(request))
        return operation is not None and operation.writes

    def answer(self, request: Request, session: Session) -> tuple[Answer, str]:
        """Answer a request; also the verdict for the request log: `accepted`, or the code it got."""
        try:
            self._admit(request, session)
            return self._run(_operation(request), request, session)
        except GatewayError as error:
            return self.refuse(request, error, session), error.code

    def code_of(self, status: int) -> str:
        """The code with which the gateway would answer this HTTP status."""
        return _CODES.get(status, "InternalError.System")

    def refuse(self, request: Request, error: GatewayError, session: Session) -> Answer:
        """The answer with which the gateway refuses a request."""
        root = "Error" if writers.wants_xml(request) else None
        value = writers.gateway_refusal(error, request, session.request_id)
        return writers.answer(error.status, value, xml_root=root)

    def _admit(self, request: Request, session: Session) -> None:
        """Let a request through the gateway: signature, age, nonce, limits."""
        signature = signatures.verify(request, session.key)
        signatures.check_age(session.counts_as_signed_at(signature.signed_ms), session.gateway_ms)
        if not settings.use_nonce(session.connection, signature.nonce, session.gateway_ms):
            raise GatewayError(
                400, "SignatureNonceUsed", "Specified signature nonce was used already."
            )
        limits, writes = session.world.limits, self.writes(request)
        qps = limits.write_qps if writes else limits.read_qps
        connection = session.connection
        if (
            qps
            and logs.calls_in_the_last_second(connection, session.real_ms, writes=writes) >= qps
        ):
            raise GatewayError(
                429, "Throttling.User", "Request was denied due to user flow control."
            )
        daily = limits.daily_calls
        if daily and logs.count_call_today(connection, session.gateway_ms) > daily:
            raise GatewayError(
                429, "Throttling.Api.Risk", "Request was denied due to the daily api flow control."
            )

    def _run(self, operation: Operation, request: Request, session: Session) -> tuple[Answer, str]:
        name = self.operation_of(request)
        call = Call(
            operation=name, parameters=Parameters(action_parameters(request)), session=session
        )
        try:
            value = writers.accepted(operation.family, operation.run(call), session.request_id)
            verdict = "accepted"
        except ServiceRefusal as refusal:
            value = writers.refused(operation.family, refusal, session.request_id)
            verdict = refusal.code
        root = f"{name}Response" if writers.wants_xml(request) else None
        return writers.answer(200, value, xml_root=root), verdict


def _operation(request: Request) -> Operation:
    operation = _OPERATIONS.get(_asked(request))
    if operation is None:
        raise GatewayError(404, "InvalidApi.NotFound", "Specified api is not found.")
    return operation


def _asked(request: Request) -> tuple[str, str]:
    """API version and action that a request names; empty where it names none."""
    if signatures.uses_acs3(request):
        return request.header("x-acs-version"), request.header("x-acs-action")
    try:
        fields = dict(signatures.form(request.query))
    except GatewayError:
        return "", ""
    return fields.get("Version", ""), fields.get("Action", "")
