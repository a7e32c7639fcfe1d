"""One Gate document to a gate."""

from __future__ import annotations

from reconciler.documents import MapNode, Part, Problems, quoted
from reconciler.model.gates import (
    Condition,
    DagSucceeded,
    Gate,
    GateRef,
    NothingUnfinished,
    RunsSucceeded,
    Scope,
)
from reconciler.model.project import Connection, DataArtsConnection, OBShellConnection
from reconciler.specs.context import Context, parse_connection_name
from reconciler.specs.crosschecks import Declaration
from reconciler.specs.fields import (
    integer,
    mapping_or_empty,
    optional_mapping,
    optional_text,
    scalar,
    text,
)


def parse_gate_declaration(part: Part, problems: Problems) -> Declaration | None:
    """The gate a document declares; None when its name is missing or malformed."""
    name = mapping_or_empty(part.root, "metadata").get("name")
    if name is None:
        return None
    return Declaration(GateRef(scalar(name).text), problems.source.place(name))


def parse_gate(part: Part, context: Context, problems: Problems) -> Gate | None:
    """Build the gate that a document declares; None when it cannot be built."""
    spec = mapping_or_empty(part.root, "spec")
    connection = parse_connection_name(spec, context, problems)
    declaration = parse_gate_declaration(part, problems)
    asks_one = _asks_one_system(part, spec, problems)
    if connection is not None:
        _check_system(spec, connection, problems)
    if connection is None or declaration is None or not asks_one or not part.is_whole():
        return None
    obshell = optional_mapping(spec, "obshell")
    condition = (
        _runs_succeeded(mapping_or_empty(spec, "dataarts"))
        if obshell is None
        else _of_cluster(obshell, problems)
    )
    if condition is None:
        return None
    if isinstance(condition, RunsSucceeded) and condition.task is not None:
        _check_instance(spec, connection, problems)
    return Gate(
        name=text(mapping_or_empty(part.root, "metadata"), "name"),
        connection=connection.name,
        condition=condition,
        place=declaration.place,
    )


#: The provider that each condition is for, by its key.
_SYSTEMS: dict[str, type[Connection]] = {
    "obshell": OBShellConnection,
    "dataarts": DataArtsConnection,
}


def _asks_one_system(part: Part, spec: MapNode, problems: Problems) -> bool:
    """Whether there is one condition, which is noted otherwise."""
    given = sorted(_SYSTEMS.keys() & spec.entries.keys())
    if not given and part.is_whole("spec"):
        problems.error(
            part.root.keys["spec"],
            "missing_key",
            'spec needs "obshell" or "dataarts": the condition',
            hint="for example obshell: {noUnfinished: cluster}",
        )
    for other in given[1:]:
        problems.error(
            spec.keys[other],
            "one_condition",
            f"a gate on `{given[0]}` cannot ask `{other}`, too",
            hint="declare a second gate and require both",
        )
    return len(given) == 1


def _check_system(spec: MapNode, connection: Connection, problems: Problems) -> None:
    for key, system in _SYSTEMS.items():
        if key in spec.entries and not isinstance(connection, system):
            problems.error(
                scalar(spec.get("connection")),
                "wrong_provider",
                f"the connection {quoted(connection.name)} is one of {connection.provider}, "
                f"and the condition is for {key}",
                hint=f"name a connection with provider: {key}",
            )


def _check_instance(spec: MapNode, connection: Connection, problems: Problems) -> None:
    if isinstance(connection, DataArtsConnection) and connection.instance is None:
        problems.error(
            scalar(spec.get("connection")),
            "connection_lacks",
            f"the connection {quoted(connection.name)} has no instance, "
            "which a gate on a task needs",
            hint=f"add instance to it, at {connection.place}, or leave `task` out",
        )


def _of_cluster(node: MapNode, problems: Problems) -> Condition | None:
    dag, scope = optional_text(node, "dag"), optional_text(node, "noUnfinished")
    if dag is not None:
        for other in sorted(node.keys.keys() - {"dag"}):
            problems.error(
                node.keys[other],
                "one_condition",
                f"a gate on one DAG cannot ask for `{other}`, too",
                hint="declare a second gate and require both",
            )
        return DagSucceeded(dag=dag)
    if scope is None:
        problems.error(
            node,
            "missing_key",
            'spec.obshell needs "dag" or "noUnfinished"',
            hint="for example noUnfinished: cluster",
        )
        return None
    return NothingUnfinished(scope=Scope(scope), tenant=optional_text(node, "tenant"))


def _runs_succeeded(node: MapNode) -> RunsSucceeded:
    window = mapping_or_empty(node, "window")
    return RunsSucceeded(
        job=text(node, "job"),
        task=optional_text(node, "task"),
        offset_days=integer(window, "offsetDays", 1),
        days=integer(window, "days", 1),
    )
