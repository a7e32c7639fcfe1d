"""The reads (and the stop) that we use, one method each, in types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar
from zoneinfo import ZoneInfo

import httpx

from reconciler.model.calls import Prepared, WireCall
from reconciler.model.project import DataArtsConnection
from reconciler.providers.channel import ReadAnswer
from reconciler.providers.dataarts.endpoints import Hosts
from reconciler.providers.dataarts.envelopes import Envelope, relayed
from reconciler.providers.dataarts.failures import failed_read, invalid
from reconciler.providers.dataarts.gateway import Gateway
from reconciler.providers.dataarts.wire_answers import (
    InstancePage,
    Node,
    PatchPage,
    read_instance_page,
    read_nodes,
    read_patch_page,
    read_task_runs,
)
from reconciler.providers.dataarts.wire_requests import (
    LIST,
    LIST_INSTANCES,
    LIST_TASK_RUNS,
    SHOW_INSTANCE,
    STOP,
    build_path,
    build_request,
    create_body,
)

T = TypeVar("T")

#: Rows a page. The service documents a bound for instances (1000) only.
PATCH_PAGE = 100
INSTANCE_PAGE = 1000
TASK_PAGE = 100

#: `instance_type` of Factory v2.
SCHEDULED = "0"
PATCHED = "5"


class Api:
    """Typed reads over a gateway. All raise `ProviderError`; days are those of `zone`."""

    def __init__(
        self, gateway: Gateway, hosts: Hosts, connection: DataArtsConnection, zone: ZoneInfo
    ) -> None:
        """Read the connection's project and workspace through `gateway`."""
        self.gateway = gateway
        self.hosts = hosts
        self.zone = zone
        self._connection = connection

    async def list_patches(
        self, page: int, *, name: str | None = None, size: int = PATCH_PAGE
    ) -> ReadAnswer[PatchPage]:
        """Page `page` (from 0) of the workspace's PatchData, newest first.

        Whether the service takes `name` exactly or as a part is not documented.
        """
        query = {"sort": "desc", "page": str(page), "size": str(size)}
        if name is not None:
            query["name"] = name
        return await self._get(
            LIST,
            self.hosts.studio,
            ("v2", self._project, "factory", "supplement-data"),
            query,
            lambda answer: read_patch_page(answer.body, self.zone),
        )

    async def list_instances(
        self, job: str, page: int, *, kind: str, begin_ms: int, end_ms: int
    ) -> ReadAnswer[InstancePage]:
        """Page `page` (from 0) of a job's instances planned from `begin_ms` on and before `end_ms`.

        The service takes those "later than" the first: whether that excludes it is not documented, so it
        is asked from a millisecond earlier.
        """
        return await self._get(
            LIST_INSTANCES,
            self.hosts.studio,
            ("v2", self._project, "factory", "jobs", job, "instances", "detail"),
            {
                "instance_type": kind,
                "min_plan_time": str(begin_ms - 1),
                "max_plan_time": str(end_ms),
                "limit": str(INSTANCE_PAGE),
                "offset": str(page),
            },
            lambda answer: read_instance_page(answer.body),
        )

    async def list_task_runs(
        self, task: str, job: str, offset: int, *, begin_ms: int, end_ms: int
    ) -> ReadAnswer[InstancePage]:
        """Runs of a task as the catalog's monitoring shows them; `offset` is of unknown unit.

        Raises:
            InvalidRequest: The connection names no instance.
        """
        if self._connection.instance is None:
            raise invalid(
                LIST_TASK_RUNS,
                f"connection {self._connection.name!r} has no `instance`, which `task` gates need",
                "set `instance` to the id of the DataArts Studio instance",
            )
        query = {
            "job_name": job,
            "start_time": str(begin_ms - 1),
            "end_time": str(end_ms),
            "offset": str(offset),
            "limit": str(TASK_PAGE),
        }
        if self._connection.workspace is not None:
            query["workspace_id"] = self._connection.workspace
        return await self._get(
            LIST_TASK_RUNS,
            self.hosts.studio,
            ("v1", self._project, "datamap", "node", task, "instances"),
            query,
            _read_relayed,
            headers={"instance": self._connection.instance},
        )

    async def show_nodes(self, job: str, instance_id: str) -> tuple[Node, ...]:
        """The nodes of one job instance (Factory v1)."""
        answer = await self._get(
            SHOW_INSTANCE,
            self.hosts.factory,
            ("v1", self._project, "jobs", job, "instances", instance_id),
            {},
            lambda told: read_nodes(told.body),
        )
        return answer.value

    async def stop_patch(self, name: str) -> None:
        """Stop a whole PatchData; sent once. The service refuses it for one that is not running."""
        path = build_path("v2", self._project, "factory", "supplement-data", name, "stop")
        await self.gateway.read(
            STOP,
            lambda: build_request("POST", self.hosts.studio + path, headers=self._workspace()),
            lambda _: None,
            attempts=1,
        )

    def prepare(self, call: WireCall) -> Prepared:
        """Prove a create.

        Raises:
            Unauthenticated: There is nothing to prove it with.
        """
        path = build_path("v2", self._project, "factory", "supplement-data")
        request: httpx.Request = build_request(
            "POST",
            self.hosts.studio + path,
            headers=self._workspace(),
            body=create_body(call.parameters),
        )
        return self.gateway.prepare(call.operation, request, call.parameters["name"])

    @property
    def _project(self) -> str:
        return self._connection.project_id

    def _workspace(self) -> dict[str, str]:
        """The header that names the workspace; without one the service takes its default."""
        workspace = self._connection.workspace
        return {} if workspace is None else {"workspace": workspace}

    async def _get(
        self,
        operation: str,
        host: str,
        parts: tuple[str, ...],
        query: Mapping[str, str],
        convert: Callable[[Envelope], T],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> ReadAnswer[T]:
        url = host + build_path(*parts)
        sent = self._workspace() if headers is None else headers
        return await self.gateway.read(
            operation, lambda: build_request("GET", url, query=query, headers=sent), convert
        )


def _read_relayed(answer: Envelope) -> InstancePage:
    inner = relayed(answer)
    if inner.failed:
        raise failed_read(LIST_TASK_RUNS, inner)
    return read_task_runs(inner.body)
