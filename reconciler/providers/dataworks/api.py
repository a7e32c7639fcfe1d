"""The reads (and the stop) that we use, one method each, in types.

A run's environment is the series' own, so it is an argument and not taken from the connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from reconciler.model.dates import DateRange
from reconciler.providers.channel import ReadAnswer
from reconciler.providers.dataworks.gateway import Gateway
from reconciler.providers.dataworks.vocabulary import InstanceStatus
from reconciler.providers.dataworks.wire_answers import (
    Dag,
    Instance,
    Page,
    read_dags,
    read_instance,
    read_manual_rows,
    read_optional_dag,
    read_page,
)
from reconciler.providers.dataworks.wire_requests import SEARCH_MANUAL_RUN, bizdate
from reconciler.providers.json_fields import BadAnswer, Fields

#: Rows a page; the service's own limit.
PAGE_SIZE = 100
#: Rows of one listing that can be reached at all: page numbers end at 100.
REACHABLE_ROWS = 100 * PAGE_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceQuery:
    """Which instances to list; at least one of the filters should be given.

    `dates` are data dates; the wire's both ends are inclusive. `flow` is the name of a business flow.
    """

    project_id: str
    environment: str
    node_id: str | None = None
    flow: str | None = None
    dag_id: str | None = None
    dates: DateRange | None = None
    status: InstanceStatus | None = None

    def parameters(self) -> dict[str, str]:
        """The wire's parameters, paging aside."""
        filters = {
            "NodeId": self.node_id,
            "BizName": self.flow,
            "DagId": self.dag_id,
            "BeginBizdate": None if self.dates is None else bizdate(self.dates.start),
            "EndBizdate": None if self.dates is None else bizdate(self.dates.last),
            "Status": None if self.status is None else self.status.name,
        }
        return {
            "ProjectId": self.project_id,
            "ProjectEnv": self.environment,
            "OrderBy": "CREATE_TIME_DESC",
            **{name: value for name, value in filters.items() if value is not None},
        }


class Api:
    """Typed reads over a gateway. All raise `ProviderError`; times are read in `zone`."""

    def __init__(self, gateway: Gateway, zone: ZoneInfo) -> None:
        """Read through `gateway`, dates by `zone`."""
        self._gateway = gateway
        self._zone = zone

    async def get_dag(self, dag_id: str, environment: str) -> Dag | None:
        """One DAG of a backfill or manual run; None where the service reports success without one.

        Raises:
            NotFound: The service says that it does not know it.
        """
        answer = await self._gateway.read(
            "GetDag",
            {"DagId": dag_id, "ProjectEnv": environment},
            lambda body: read_optional_dag(body, self._zone),
        )
        return answer.value

    async def list_dags(self, group: str, environment: str) -> tuple[Dag, ...]:
        """All DAGs under one OpSeq; the service does not page them.

        Raises:
            NotFound: The service says that it does not know the OpSeq.
        """
        answer = await self._gateway.read(
            "ListDags",
            {"OpSeq": group, "ProjectEnv": environment},
            lambda body: read_dags(body, self._zone),
        )
        return answer.value

    async def list_instances(
        self, query: InstanceQuery, number: int, *, size: int = PAGE_SIZE
    ) -> ReadAnswer[Page]:
        """Page `number` (from 1) of the instances that `query` selects, newest first."""
        return await self._gateway.read(
            "ListInstances",
            {**query.parameters(), "PageNumber": str(number), "PageSize": str(size)},
            lambda body: read_page(body, self._zone),
        )

    async def get_instance(self, instance_id: str, environment: str) -> Instance:
        """One node instance."""
        answer = await self._gateway.read(
            "GetInstance",
            {"InstanceId": instance_id, "ProjectEnv": environment},
            lambda body: read_instance(body.child("Data"), self._zone),
        )
        return answer.value

    async def get_instance_log(self, instance_id: str, environment: str) -> str:
        """What a node instance printed; empty where the service has nothing of it."""
        answer = await self._gateway.read(
            "GetInstanceLog",
            {"InstanceId": instance_id, "ProjectEnv": environment},
            lambda body: body.text("Data") or "",
        )
        return answer.value

    async def stop_instance(self, instance_id: str, environment: str) -> None:
        """Stop one node instance; sent once.

        The service refuses it (`InvalidRequest`) for an instance that has ended.
        """
        await self._gateway.read(
            "StopInstance",
            {"InstanceId": instance_id, "ProjectEnv": environment},
            _stopped,
            attempts=1,
        )

    async def search_manual_run(self, dag_id: str, project: str) -> tuple[Instance, ...]:
        """All node instances of one manual run (2018-06-01); empty while there are none yet.

        Raises:
            NotFound: The service says that it does not know the run.
        """
        answer = await self._gateway.read(
            SEARCH_MANUAL_RUN,
            {"DagId": dag_id, "ProjectName": project},
            lambda body: read_manual_rows(body, self._zone),
        )
        return answer.value


def _stopped(body: Fields) -> None:
    if body.flag("Data") is not True:
        raise BadAnswer(f"{body.where} does not say that it was stopped")
