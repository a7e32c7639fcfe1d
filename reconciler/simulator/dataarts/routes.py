"""The operations that are served, by method and path; their names are those of the official SDKs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from reconciler.simulator.dataarts import acting, catalog, creating, iam, listing, patch_data
from reconciler.simulator.dataarts.call import Call
from reconciler.simulator.messages import Answer, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation. `needs` is a header it cannot do without; an `open` one wants no credentials."""

    name: str
    method: str
    template: str
    run: Callable[[Call], Answer]
    writes: bool = False
    needs: str = ""
    open: bool = False


_V1, _V2 = "/v1/{project_id}", "/v2/{project_id}/factory"
_INSTANCES_V1 = f"{_V1}/jobs/{{job_name}}/instances/{{instance_id}}"
_OPERATIONS = (
    Operation(
        name="KeystoneCreateUserTokenByPassword",
        method="POST",
        template="/v3/auth/tokens",
        run=iam.create_token,
        writes=True,
        open=True,
    ),
    Operation(
        name="KeystoneListProjects", method="GET", template="/v3/projects", run=iam.list_projects
    ),
    Operation(
        name="ShowNodes",
        method="GET",
        template=f"{_V1}/datamap/table/{{guid}}/node",
        run=catalog.show_nodes,
        needs="instance",
    ),
    Operation(
        name="ShowInstanceInfos",
        method="GET",
        template=f"{_V1}/datamap/node/{{task_id}}/instances",
        run=catalog.show_instance_infos,
        needs="instance",
    ),
    Operation(
        name="CreateFactorySupplementDataInstance",
        method="POST",
        template=f"{_V2}/supplement-data",
        run=patch_data.create_patch_data,
        writes=True,
    ),
    Operation(
        name="ShowFactorySupplementData",
        method="GET",
        template=f"{_V2}/supplement-data",
        run=patch_data.list_patch_data,
    ),
    Operation(
        name="StopFactorySupplementDataInstance",
        method="POST",
        template=f"{_V2}/supplement-data/{{instance_name}}/stop",
        run=patch_data.stop_patch_data,
        writes=True,
    ),
    Operation(
        name="ListFactoryJobInstancesByName",
        method="GET",
        template=f"{_V2}/jobs/{{job_name}}/instances/detail",
        run=listing.list_instances,
    ),
    Operation(
        name="RetryFactoryJobInstance",
        method="POST",
        template=f"{_V2}/jobs/{{job_name}}/instances/retry",
        run=acting.retry_instances,
        writes=True,
    ),
    Operation(name="ListFactoryJobs", method="GET", template=f"{_V2}/jobs", run=listing.list_jobs),
    Operation(name="ListJobs", method="GET", template=f"{_V1}/jobs", run=listing.list_jobs_v1),
    Operation(
        name="ListJobInstances",
        method="GET",
        template=f"{_V1}/jobs/instances/detail",
        run=listing.list_instances_v1,
    ),
    Operation(
        name="RunOnce",
        method="POST",
        template=f"{_V1}/jobs/{{job_name}}/run-immediate",
        run=creating.run_once,
        writes=True,
    ),
    Operation(
        name="StartJob",
        method="POST",
        template=f"{_V1}/jobs/{{job_name}}/start",
        run=acting.toggle_schedule,
        writes=True,
    ),
    Operation(
        name="StopJob",
        method="POST",
        template=f"{_V1}/jobs/{{job_name}}/stop",
        run=acting.toggle_schedule,
        writes=True,
    ),
    Operation(
        name="ShowJobInstance",
        method="GET",
        template=_INSTANCES_V1,
        run=listing.show_instance_v1,
    ),
    Operation(
        name="StopJobInstance",
        method="POST",
        template=f"{_INSTANCES_V1}/stop",
        run=acting.stop_instance,
        writes=True,
    ),
    Operation(
        name="RestoreJobInstance",
        method="POST",
        template=f"{_INSTANCES_V1}/restart",
        run=acting.restart_instance,
        writes=True,
    ),
)


def route(request: Request) -> tuple[Operation, Mapping[str, str]] | None:
    """The operation a request asks for, and the decoded parts of its path; None when there is none."""
    parts = request.path.split("/")
    for operation in _OPERATIONS:
        if operation.method == request.method:
            found = _match(operation.template.split("/"), parts)
            if found is not None:
                return operation, found
    return None


def _match(template: list[str], parts: list[str]) -> Mapping[str, str] | None:
    if len(template) != len(parts):
        return None
    found: dict[str, str] = {}
    for wanted, part in zip(template, parts, strict=True):
        if wanted.startswith("{"):
            found[wanted.strip("{}")] = unquote(part)
        elif wanted != part:
            return None
    return found if all(found.values()) else None
