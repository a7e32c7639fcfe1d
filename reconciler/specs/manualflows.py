"""What is particular to a ManualFlow: the flow, its parameters, and where it may run."""

from __future__ import annotations

from reconciler.documents import MapNode, Part, Problems
from reconciler.model.addresses import Kind
from reconciler.model.project import (
    Connection,
    DataArtsConnection,
    DataWorksConnection,
    OBShellConnection,
)
from reconciler.model.series import MARKER, Series, Subject, sorted_params
from reconciler.specs.context import note_runs_nothing
from reconciler.specs.fields import (
    mapping,
    mapping_or_empty,
    optional_mapping,
    optional_text,
    scalar,
    text,
)
from reconciler.specs.params import FLOW_SCOPE, parse_node_params, parse_params


def manual_flow_series(
    part: Part, connection: Connection | None, problems: Problems
) -> Series | None:
    """What a ManualFlow runs; None when it cannot be told, for which a problem is or was noted."""
    spec = mapping_or_empty(part.root, "spec")
    params = _params(spec, problems)
    if isinstance(connection, OBShellConnection):
        note_runs_nothing(part, connection, problems)
        return None
    if isinstance(connection, DataArtsConnection):
        problems.error(
            scalar(spec.get("connection")),
            "wrong_provider",
            f'the connection "{connection.name}" is one of dataarts, which has no manual flows',
            hint="name a connection with provider: dataworks",
        )
        return None
    if connection is None:
        return None
    _check_connection(spec, connection, problems)
    if connection.project is None or not part.is_whole():
        return None
    return Series(
        subject=Subject(
            realm=connection.realm,
            provider=connection.provider,
            region=connection.region,
            workspace=connection.project,
            environment=connection.environment,
            kind=Kind.MANUAL_FLOW,
            root=text(mapping(spec.get("target")), "flow"),
            variant=optional_text(spec, "variant"),
        ),
        params=sorted_params(params),
    )


def _check_connection(spec: MapNode, connection: DataWorksConnection, problems: Problems) -> None:
    at = scalar(spec.get("connection"))
    if connection.environment != "PROD":
        problems.error(
            at,
            "environment",
            f'the connection "{connection.name}" is on {connection.environment}, '
            "and manual flows run on PROD only",
            hint="name a connection with environment: PROD",
        )
    if connection.project is None:
        problems.error(
            at,
            "connection_lacks",
            f'the connection "{connection.name}" has no project, which a ManualFlow needs',
            hint=f"add project, the workspace's English identifier, to it, at {connection.place}",
        )


def _params(spec: MapNode, problems: Problems) -> dict[str, dict[str, str]]:
    node = optional_mapping(spec, "params")
    if node is None:
        return {}
    flow, nodes = optional_mapping(node, "flow"), optional_mapping(node, "nodes")
    params = {} if nodes is None else parse_node_params(nodes, problems)
    if flow is not None:
        params[FLOW_SCOPE] = parse_params(flow, problems)
        if MARKER in flow.keys:
            problems.error(
                flow.keys[MARKER],
                "reserved",
                f"the parameter {MARKER} is ours: it marks the runs we start",
                hint="choose another name",
            )
    return params
