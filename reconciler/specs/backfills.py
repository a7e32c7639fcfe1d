"""What is particular to a Backfill: root, nodes, hours, node parameters, tuning."""

from __future__ import annotations

from reconciler.documents import MapNode, Part, Problems
from reconciler.model.addresses import Kind
from reconciler.model.project import (
    Connection,
    DataArtsConnection,
    DataWorksConnection,
    OBShellConnection,
)
from reconciler.model.resources import Alerts, Tuning
from reconciler.model.series import Hours, Series, Subject, sorted_params
from reconciler.specs.context import note_runs_nothing
from reconciler.specs.dataarts_backfills import dataarts_series
from reconciler.specs.fields import (
    integer,
    mapping_or_empty,
    optional_mapping,
    optional_text,
    scalar,
    scalars,
    text,
    whole,
)
from reconciler.specs.params import parse_node_params


def backfill_series(
    part: Part, connection: Connection | None, problems: Problems
) -> Series | None:
    """What a Backfill runs; None when it cannot be told, for which a problem is or was noted."""
    target = mapping_or_empty(mapping_or_empty(part.root, "spec"), "target")
    match connection:
        case DataArtsConnection():
            return dataarts_series(part, connection, problems)
        case OBShellConnection():
            note_runs_nothing(part, connection, problems)
            return None
        case None if "job" in target.entries:
            return dataarts_series(part, None, problems)
        case _:
            return _dataworks_series(part, connection, problems)


def _dataworks_series(
    part: Part, connection: DataWorksConnection | None, problems: Problems
) -> Series | None:
    spec = mapping_or_empty(part.root, "spec")
    target = mapping_or_empty(spec, "target")
    for key in ("job", "planOffsetDays"):
        if key in target.entries:
            problems.error(
                target.keys[key],
                "not_on_dataworks",
                f"`{key}` is for backfills on DataArts",
                hint="remove it, or name a connection with provider: dataarts",
            )
    hours = _hours(spec, problems)
    include, exclude = _nodes(part, target, problems)
    params = _params(part, spec, include, problems)
    if connection is not None and connection.project_id is None:
        problems.error(
            scalar(spec.get("connection")),
            "connection_lacks",
            f'the connection "{connection.name}" has no projectId, which a Backfill needs',
            hint=f"add projectId to it, at {connection.place}",
        )
    rooted = _check_root(part, spec, target, problems)
    if not rooted or connection is None or connection.project_id is None or not part.is_whole():
        return None
    return Series(
        subject=Subject(
            realm=connection.realm,
            provider=connection.provider,
            region=connection.region,
            workspace=connection.project_id,
            environment=connection.environment,
            kind=Kind.BACKFILL,
            root=_id(target, "rootNode"),
            hours=hours,
            variant=optional_text(spec, "variant"),
        ),
        include=include,
        exclude=exclude,
        params=sorted_params(params),
    )


def _check_root(part: Part, spec: MapNode, target: MapNode, problems: Problems) -> bool:
    if "rootNode" in target.entries:
        return True
    # A mistyped key may be the root node; a job says that something else is meant.
    if part.is_whole("spec", "target") and "job" not in target.entries:
        problems.error(
            spec.keys["target"],
            "missing_key",
            'spec.target needs "rootNode"',
            hint="for example rootNode: 1234",
        )
    return False


def backfill_tuning(spec: MapNode) -> Tuning:
    """How the calls of a spec run; a spec without these fields gets the defaults."""
    alerts = optional_mapping(spec, "alerts")
    if alerts is None and "parallelism" not in spec.entries:
        return _DEFAULT_TUNING
    return Tuning(
        parallelism=integer(spec, "parallelism", 1), alerts=_alerts(alerts) if alerts else None
    )


_DEFAULT_TUNING = Tuning()


def _alerts(node: MapNode) -> Alerts:
    outcome = text(node, "on")
    return Alerts(on="success_failure" if outcome == "both" else outcome, by=text(node, "by"))


def _id(node: MapNode, key: str) -> str:
    return str(whole(scalar(node.get(key))))


def _nodes(
    part: Part, target: MapNode, problems: Problems
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Included and excluded node ids, each ascending by number and without repetition."""
    included = {whole(item) for item in scalars(target, "includeNodes")}
    excluded = {whole(item) for item in scalars(target, "excludeNodes")}
    root = target.get("rootNode")
    if root is not None:
        root_id = whole(scalar(root))
        if (
            len(included) == 1
            and root_id not in included
            and part.is_whole("spec", "target", "includeNodes")
        ):
            problems.error(
                target.keys["includeNodes"],
                "nodes",
                f"a single included node must be the root node {root_id}",
                hint="include the root node, too: the service refuses anything else",
            )
        if part.is_whole("spec", "target", "includeNodes"):
            included = included or {root_id}
    for item in scalars(target, "excludeNodes"):
        if whole(item) in included:
            problems.error(
                item,
                "nodes",
                f"the node {whole(item)} is both included and excluded",
                hint="remove it from one of the two lists",
            )
    return tuple(map(str, sorted(included))), tuple(map(str, sorted(excluded)))


def _hours(spec: MapNode, problems: Problems) -> Hours | None:
    node = optional_mapping(spec, "hours")
    if node is None or not {"begin", "end"} <= node.entries.keys():
        return None
    hours = Hours(text(node, "begin"), text(node, "end"))
    if hours.begin > hours.end:
        problems.error(
            scalar(node.get("end")),
            "hours",
            f"the last hour {hours.end} lies before the first hour {hours.begin}",
            hint="both lie on one day: write the earlier one as `begin`",
        )
    return hours


def _params(
    part: Part, spec: MapNode, include: tuple[str, ...], problems: Problems
) -> dict[str, dict[str, str]]:
    node = optional_mapping(spec, "params")
    if node is None:
        return {}
    known = part.is_whole("spec", "target")
    for node_id in node.entries.keys() - set(include) if known else ():
        problems.warning(
            node.keys[node_id],
            "params_unused",
            f"there are parameters for node {node_id}, which is not included",
            hint="add it to includeNodes, or remove the parameters",
        )
    return parse_node_params(node, problems)
