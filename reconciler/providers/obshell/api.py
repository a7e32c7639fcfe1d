"""The reads that we use, one method each, in types."""

from __future__ import annotations

from urllib.parse import quote

from reconciler.model.errors import UnexpectedResponse
from reconciler.model.gates import Scope
from reconciler.providers.obshell.failures import PROVIDER, Masked
from reconciler.providers.obshell.gateway import Gateway
from reconciler.providers.obshell.wire import (
    Dag,
    Status,
    read_dag,
    read_dags,
    read_status,
)

#: As the SDK writes it; Go reads it in any case.
_DETAILS = "?show_details=True"

#: Operation and path of each list of unfinished DAGs.
_LISTS = {
    Scope.CLUSTER: ("get_cluster_unfinished_dag", "/task/dag/ob/unfinish"),
    Scope.AGENT: ("get_agent_unfinished_dag", "/task/dag/agent/unfinish"),
    Scope.ALL: ("get_unfinished_dags", "/task/dag/unfinish"),
}

#: Ids that begin so are of a proxy's tasks, which the agent shows for its own password only.
_OF_PROXY = ("4", "5")


class Api:
    """Typed reads of one agent."""

    def __init__(self, gateway: Gateway, masked: Masked) -> None:
        """Read through `gateway`; `masked` takes our secrets out of what will be shown."""
        self._gateway = gateway
        self._masked = masked

    async def get_dag(self, dag_id: str) -> Dag:
        """Read one DAG with its nodes and logs.

        Raises:
            NotFound: The agent knows none, or its database does not answer.
            ProviderError: It could not be read.
        """
        dag = await self._gateway.read(
            "get_dag",
            f"/task/dag/{quote(dag_id, safe='')}{_DETAILS}",
            lambda body: read_dag(body, self._masked),
            of_proxy=dag_id.startswith(_OF_PROXY),
        )
        if dag.id != dag_id:
            raise UnexpectedResponse(
                f"get_dag: asked for DAG {dag_id}, the agent answers with DAG {dag.id}",
                provider=PROVIDER,
                operation="get_dag",
            )
        return dag

    async def list_unfinished(self, scope: Scope) -> tuple[Dag, ...]:
        """Read a list of unfinished DAGs with their nodes and logs.

        Raises:
            ProviderError: It could not be read.
        """
        operation, path = _LISTS[scope]
        return await self._gateway.read(
            operation, f"{path}{_DETAILS}", lambda body: read_dags(body, self._masked)
        )

    async def get_status(self) -> Status:
        """Read what the agent says of itself; needs no password.

        Raises:
            ProviderError: It could not be read.
        """
        return await self._gateway.read_open(
            "get_status", "/status", lambda body: read_status(body, self._masked)
        )
