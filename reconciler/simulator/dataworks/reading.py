"""The reading calls of the 2020 API."""

from __future__ import annotations

from reconciler.simulator.dataworks.call import OWNER, PROJECT_ID, Call
from reconciler.simulator.dataworks.rows import (
    PROGRAM_TYPE,
    Instance,
    dag_row,
    instance_row,
    instances,
    manual_row,
)
from reconciler.simulator.errors import ServiceRefusal
from reconciler.simulator.logs import iso
from reconciler.simulator.records import TriggerFilter
from reconciler.simulator.runs import Kind
from reconciler.simulator.session import Seen
from reconciler.simulator.world import Node, Schedule

_MOST_PAGES = 100
_PAGE_SIZE, _LARGEST_PAGE = 10, 100
_STATUSES = (
    "NOT_RUN",
    "WAIT_TIME",
    "WAIT_RESOURCE",
    "RUNNING",
    "FAILURE",
    "SUCCESS",
    "CHECKING",
    "CHECKING_CONDITION",
    "WAIT_TRIGGER",
)


def get_dag(call: Call) -> object:
    """One DAG."""
    environment, dag_id = call.parameters.environment(), call.parameters.integer("DagId")
    return dag_row(_known_dag(call, environment, dag_id), dag_id)


def list_dags(call: Call) -> object:
    """The DAGs of one operation sequence number; none when nobody knows it."""
    environment = call.parameters.environment()
    seen = call.session.op_seq(call.parameters.integer("OpSeq"))
    if seen is None or seen.trigger.environment != environment:
        if call.session.world.strict:
            raise ServiceRefusal("Invalid.OpSeq.NotExists", "The OpSeq does not exist.")
        return {"Dags": []}
    return {"Dags": [dag_row(seen, dag_id) for dag_id in seen.trigger.dag_ids]}


def list_instances(call: Call) -> object:
    """A page of instances; at most 10,000 of them can be reached."""
    asked = call.parameters
    asked.integer("ProjectId")
    order = asked.choice("OrderBy", ("INSTANCE_ID_DESC", "CREATE_TIME_DESC"))
    page = asked.bounded("PageNumber", default=1, low=1, high=_MOST_PAGES)
    size = asked.bounded("PageSize", default=_PAGE_SIZE, low=1, high=_LARGEST_PAGE)
    found = _matching(call)
    if order == "CREATE_TIME_DESC":
        found.sort(key=lambda one: (one.trigger.created_gateway_ms, one.id), reverse=True)
    else:
        found.sort(key=lambda one: one.id, reverse=True)
    return {
        "PageNumber": page,
        "PageSize": size,
        "TotalCount": len(found),
        "Instances": [instance_row(one) for one in found[(page - 1) * size : page * size]],
    }


def get_instance(call: Call) -> object:
    """One instance, with its owner and its number within the day."""
    instance = known_instance(call)
    return instance_row(instance) | {"Owner": OWNER, "PeriodNumber": (instance.hour or 0) + 1}


def get_instance_log(call: Call) -> object:
    """What an instance printed: one paragraph for each execution."""
    instance = known_instance(call)
    call.parameters.optional_integer("InstanceHistoryId")
    lines: list[str] = []
    for number, execution in enumerate(instance.state.executions, start=1):
        lines.append(
            f"{iso(execution.start_ms)} execution {number} of node {instance.node.id} starts"
        )
        if execution.end_ms is not None:
            lines.append(
                f"{iso(execution.end_ms)} execution {number} ends: {execution.status.value}"
            )
    return "\n".join(lines)


def list_manual_dag_instances(call: Call) -> object:
    """Every instance of a manual run."""
    environment = call.parameters.environment()
    project = call.parameters.text("ProjectName")
    dag_id = call.parameters.integer("DagId")
    seen = _known_dag(call, environment, dag_id)
    if seen.trigger.kind is not Kind.MANUAL or seen.trigger.project != project:
        raise _no_dag(dag_id)
    rows = instances(seen, seen.trigger.instances_of(dag_id))
    return {"Instances": [manual_row(one) for one in rows]}


def list_nodes(call: Call) -> object:
    """A page of the world's scheduled nodes."""
    asked = call.parameters
    asked.environment()
    asked.integer("ProjectId")
    page = asked.bounded("PageNumber", default=1, low=1, high=_MOST_PAGES)
    size = asked.bounded("PageSize", default=_PAGE_SIZE, low=1, high=_LARGEST_PAGE)
    wanted = {
        "NodeName": asked.optional("NodeName"),
        "OwnerId": asked.optional("Owner"),
        "ProgramType": asked.optional("ProgramType"),
        "SchedulerType": asked.optional("SchedulerType"),
    }
    rows = [
        row
        for row in map(_node_row, call.session.world.nodes)
        if all(value is None or row[name] == value for name, value in wanted.items())
    ]
    return {
        "PageNumber": page,
        "PageSize": size,
        "TotalCount": len(rows),
        "Nodes": rows[(page - 1) * size : page * size],
    }


def get_node(call: Call) -> object:
    """One node."""
    call.parameters.environment()
    node_id = call.parameters.integer("NodeId")
    node = call.session.world.node(node_id)
    if node is None and call.session.world.strict:
        raise ServiceRefusal("Invalid.Node.NotExists", f"The node {node_id} does not exist.")
    # Here the service writes a text where ListNodes has a truth value.
    return _node_row(node or Node(id=node_id)) | {"Repeatability": "true"}


def known_instance(call: Call) -> Instance:
    """The instance that `InstanceId` and `ProjectEnv` name.

    Raises:
        ServiceRefusal: There is none, or no longer.
    """
    environment = call.parameters.environment()
    instance_id = call.parameters.integer("InstanceId")
    seen = call.session.instance(instance_id)
    if seen is None or seen.trigger.environment != environment:
        raise ServiceRefusal(
            "Invalid.Instance.NotExists", f"The instance {instance_id} does not exist."
        )
    index = instance_id - seen.trigger.first_instance
    return instances(seen, range(index, index + 1))[0]


def _matching(call: Call) -> list[Instance]:
    """Every instance that the filters of ListInstances let through."""
    asked = call.parameters
    date = asked.optional_date("Bizdate")
    first, last = asked.optional_date("BeginBizdate"), asked.optional_date("EndBizdate")
    node_id, dag_id = asked.optional_integer("NodeId"), asked.optional_integer("DagId")
    name, status = asked.optional("NodeName"), asked.choice("Status", _STATUSES)
    wanted = TriggerFilter(
        environment=asked.environment(),
        node_id=node_id,
        dag_id=dag_id,
        flow=asked.optional("BizName"),
        first_date=max(filter(None, (date, first)), default=None),
        last_date=min(filter(None, (date, last)), default=None),
    )
    if asked.optional("Owner") not in {None, OWNER}:
        return []
    if asked.optional("ProgramType") not in {None, PROGRAM_TYPE}:
        return []
    return [
        one
        for seen in call.session.listed(wanted)
        for one in instances(seen)
        if (node_id is None or one.node.id == node_id)
        and (dag_id is None or one.trigger.dag_of(one.index) == dag_id)
        and (name is None or one.node.name == name)
        and (status is None or one.state.status.value == status)
        and (wanted.first_date is None or one.date >= wanted.first_date)
        and (wanted.last_date is None or one.date <= wanted.last_date)
    ]


def _known_dag(call: Call, environment: str, dag_id: int) -> Seen:
    seen = call.session.dag(dag_id)
    if seen is None or seen.trigger.environment != environment:
        raise _no_dag(dag_id)
    return seen


def _no_dag(dag_id: int) -> ServiceRefusal:
    return ServiceRefusal("Invalid.Dag.NotExists", f"The DAG {dag_id} does not exist.")


def _node_row(node: Node) -> dict[str, object]:
    hourly = node.schedule is Schedule.HOURLY
    return {
        "NodeId": node.id,
        "ProjectId": PROJECT_ID,
        "BusinessId": 0,
        "RelatedFlowId": 0,
        "BaselineId": 0,
        "FileId": node.id,
        "FileType": 10,
        "FileVersion": 1,
        "Priority": 1,
        "RepeatMode": 1,
        "RepeatInterval": 3_600_000 if hourly else 86_400_000,
        "NodeName": node.shown_name,
        "OwnerId": OWNER,
        "CronExpress": "00 00 00-23/1 * * ?" if hourly else "00 00 00 * * ?",
        "Description": "",
        "ParamValues": "",
        "ProgramType": PROGRAM_TYPE,
        "SchedulerType": "NORMAL",
        "Repeatability": True,
    }
