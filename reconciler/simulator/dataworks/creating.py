"""The create calls: backfills and manual runs."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable, Mapping, Sequence

from reconciler.simulator import logs, records
from reconciler.simulator.dataworks.call import Call
from reconciler.simulator.dataworks.parameters import Parameters, civil_date
from reconciler.simulator.errors import ServiceRefusal, invalid
from reconciler.simulator.runs import Kind, PlannedNode, Trigger
from reconciler.simulator.world import Layout, Node, Schedule, World

_LONGEST_NAME = 128
_MOST_INSTANCES = (
    200_000  # A guard for the simulator's own sake; the service's bound is not known.
)
_DEFAULT_CONCURRENT_DATES = 2

# Codes seen in the field for the two cases; see the package's list of differences.
_NO_PROJECT = "10600111020399005"
_NO_FLOW = "10600111020399006"


def run_cycle_dag_nodes(call: Call) -> object:
    """Create a backfill: DAG ids, ascending by date."""
    asked, world = call.parameters, call.session.world
    environment = asked.environment()
    name = asked.text("Name")
    if len(name) > _LONGEST_NAME:
        raise invalid("Name", f"at most {_LONGEST_NAME} characters are allowed")
    root = asked.integer("RootNodeId")
    asked.text("IncludeNodeIds")
    include, exclude = asked.ids("IncludeNodeIds"), asked.ids("ExcludeNodeIds")
    if len(include) == 1 and root not in include:
        raise invalid("IncludeNodeIds", "a single node has to be the root node")
    first, last = _dates(asked, "StartBizDate", "EndBizDate")
    concurrent = _concurrent_dates(asked)
    hours = asked.hour_window("BizBeginTime", "BizEndTime")
    node_params = asked.by_node("NodeParams")
    asked.choice("AlertType", ("SUCCESS", "FAILURE", "SUCCESS_FAILURE"))
    asked.choice("AlertNoticeType", ("SMS", "MAIL", "SMS_MAIL"))
    if asked.optional("StartFutureInstanceImmediately"):
        asked.boolean("StartFutureInstanceImmediately")
    nodes = _existing(world, (*include, *(n for n in exclude if n not in include)), also=root)
    trigger = _draft(
        call,
        kind=Kind.BACKFILL,
        environment=environment,
        name=name,
        nodes=_planned(nodes, hours=hours, excluded=exclude),
        dates=(first, last),
        concurrent_dates=concurrent,
        layout=world.layout,
        node_params=node_params,
    )
    return list(_create(call, trigger).dag_ids)


def create_manual_dag_2018(call: Call) -> object:
    """Create a manual run the old way: its DAG id."""
    asked = call.parameters
    project, flow = asked.text("ProjectName"), asked.text("FlowName")
    date = asked.date("Bizdate")
    trigger = _manual(
        call,
        environment="PROD",
        project=project,
        flow=flow,
        dates=(date, date),
        dag_params=asked.optional("DagPara") or "",
        node_params=asked.by_node("NodePara"),
    )
    return _create(call, trigger).first_dag


def create_manual_dag(call: Call) -> object:
    """Create a manual run for one business date."""
    date = call.parameters.date("BizDate")
    return _run_manual_2020(call, (date, date))


def run_manual_dag_nodes(call: Call) -> object:
    """Create a manual run for one business date or a range of them, as one DAG."""
    asked = call.parameters
    single = asked.optional_date("BizDate")
    dates = (single, single) if single else _dates(asked, "StartBizDate", "EndBizDate")
    return _run_manual_2020(call, dates)


def _run_manual_2020(call: Call, dates: tuple[dt.date, dt.date]) -> object:
    asked = call.parameters
    pairs = asked.object("DagParameters").items()
    trigger = _manual(
        call,
        environment=asked.environment(),
        project=asked.text("ProjectName"),
        flow=asked.text("FlowName"),
        dates=dates,
        dag_params=" ".join(f"{key}={value}" for key, value in pairs),
        node_params=asked.by_node("NodeParameters"),
    )
    return {"DagId": _create(call, trigger).first_dag}


def _manual(
    call: Call,
    *,
    environment: str,
    project: str,
    flow: str,
    dates: tuple[dt.date, dt.date],
    dag_params: str,
    node_params: Mapping[int, str],
) -> Trigger:
    asked, world = call.parameters, call.session.world
    if dates[1] >= civil_date(call.session.gateway_ms):
        raise invalid("BizDate", "it has to be yesterday or earlier")
    include, exclude = asked.ids("IncludeNodeIds"), asked.ids("ExcludeNodeIds")
    found = world.flow(project, flow)
    if found is not None:
        nodes = tuple(node for node in found.nodes if not include or node.id in include)
        if not nodes:
            raise ServiceRefusal(_NO_FLOW, "No root node is generated.")
    elif world.strict:
        known = world.has_project(project)
        raise ServiceRefusal(
            _NO_FLOW if known else _NO_PROJECT,
            f"The flow {flow} does not exist."
            if known
            else f"The project {project} does not exist.",
        )
    else:
        nodes = _assumed_nodes(flow, include or tuple(node_params))
    return _draft(
        call,
        kind=Kind.MANUAL,
        environment=environment,
        name=flow,
        project=project,
        # Excluding counts only together with including.
        nodes=_planned(nodes, hours=tuple(range(24)), excluded=exclude if include else ()),
        dates=dates,
        layout=Layout.SINGLE,
        dag_params=dag_params,
        node_params=node_params,
    )


def _assumed_nodes(flow: str, ids: Sequence[int]) -> tuple[Node, ...]:
    """The nodes of a flow that the world does not describe: those asked for, or a single one."""
    if ids:
        return tuple(Node(id=node_id) for node_id in ids)
    return (Node(id=100_000_000 + zlib.crc32(flow.encode()), name=f"{flow}_node"),)


def _dates(asked: Parameters, begin: str, end: str) -> tuple[dt.date, dt.date]:
    first, last = asked.date(begin), asked.date(end)
    if last < first:
        raise invalid(end, f"it lies before {begin}")
    return first, last


def _concurrent_dates(asked: Parameters) -> int:
    """How many dates may run at once; `ConcurrentRuns` counts only with `Parallelism`."""
    parallel = asked.boolean("Parallelism")
    runs = asked.bounded("ConcurrentRuns", default=_DEFAULT_CONCURRENT_DATES, low=2, high=10)
    return runs if parallel else 1


def _existing(world: World, ids: Iterable[int], *, also: int) -> tuple[Node, ...]:
    """The nodes with these ids; `also` has to exist too. In an open world every one does."""
    wanted = tuple(ids)
    absent = [n for n in dict.fromkeys((*wanted, also)) if world.node(n) is None]
    if absent and world.strict:
        names = ", ".join(map(str, absent))
        raise ServiceRefusal("Invalid.Node.NotExists", f"These nodes do not exist: {names}.")
    return tuple(world.node(n) or Node(id=n) for n in wanted)


def _planned(
    nodes: Sequence[Node], *, hours: tuple[int, ...], excluded: Iterable[int]
) -> tuple[PlannedNode, ...]:
    together, dry = {node.id for node in nodes}, set(excluded)
    planned = tuple(
        PlannedNode(
            id=node.id,
            name=node.shown_name,
            parents=tuple(parent for parent in node.parents if parent in together),
            hours=hours if node.schedule is Schedule.HOURLY else None,
            excluded=node.id in dry,
        )
        for node in nodes
    )
    if not any(node.slots for node in planned):
        raise invalid("BizBeginTime", "no hour lies in the window")
    return planned


def _draft(  # noqa: PLR0913 - a trigger has that many parts
    call: Call,
    *,
    kind: Kind,
    environment: str,
    name: str,
    nodes: tuple[PlannedNode, ...],
    dates: tuple[dt.date, dt.date],
    layout: Layout,
    concurrent_dates: int = 1,
    project: str = "",
    dag_params: str = "",
    node_params: Mapping[int, str],
) -> Trigger:
    """A trigger without ids."""
    draft = Trigger(
        id=0,
        op_seq=0,
        first_dag=0,
        first_instance=0,
        kind=kind,
        environment=environment,
        name=name,
        project=project,
        nodes=nodes,
        first_date=dates[0],
        last_date=dates[1],
        concurrent_dates=concurrent_dates,
        layout=layout,
        dag_params=dag_params,
        node_params=node_params,
        created_work_ms=call.session.work_ms,
        created_gateway_ms=call.session.gateway_ms,
    )
    if draft.instance_count > _MOST_INSTANCES:
        raise invalid("EndBizDate", f"more than {_MOST_INSTANCES} instances would be created")
    return draft


def _create(call: Call, draft: Trigger) -> Trigger:
    """Store a trigger and write it down in the ledger, both in the request's transaction."""
    session = call.session
    trigger = records.add_trigger(session.connection, draft)
    logs.record_create(
        session.connection,
        time_ms=session.gateway_ms,
        operation=call.operation,
        name=trigger.name,
        parameters=call.parameters.texts,
        dag_ids=trigger.dag_ids,
        request_id=session.request_id,
    )
    return trigger
