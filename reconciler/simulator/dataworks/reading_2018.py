"""The reading call of the 2018 API: instances of a manual run, with epoch milliseconds as text."""

from __future__ import annotations

from reconciler.simulator.dataworks.call import Call
from reconciler.simulator.dataworks.parameters import midnight_ms
from reconciler.simulator.dataworks.rows import Instance, instances
from reconciler.simulator.errors import ServiceRefusal
from reconciler.simulator.runs import Kind, Status

_STATUS_NUMBERS = {Status.NOT_RUN: 1, Status.RUNNING: 4, Status.FAILURE: 5, Status.SUCCESS: 6}
_MANUAL_FLOW = 5


def search_manual_dag_node_instance(call: Call) -> object:
    """Every instance of a manual run; none when nobody knows the DAG."""
    project = call.parameters.text("ProjectName")
    dag_id = call.parameters.integer("DagId")
    seen = call.session.dag(dag_id)
    known = (
        seen is not None
        and seen.trigger.kind is Kind.MANUAL
        and seen.trigger.project == project
        and seen.trigger.environment == "PROD"
    )
    if seen is None or not known:
        if call.session.world.strict:
            raise ServiceRefusal("Invalid.Dag.NotExists", f"The DAG {dag_id} does not exist.")
        return {"NodeInsInfo": []}
    rows = instances(seen, seen.trigger.instances_of(dag_id))
    return {"NodeInsInfo": [_row(one) for one in rows]}


def _row(instance: Instance) -> dict[str, object]:
    return {
        "InstanceId": instance.id,
        "DagId": instance.trigger.dag_of(instance.index),
        "DagType": _MANUAL_FLOW,
        "NodeName": instance.node.name,
        "Status": _STATUS_NUMBERS[instance.state.status],
        "ParaValue": instance.parameters,
        "Bizdate": str(midnight_ms(instance.date)),
        **{name: str(moment) for name, moment in instance.moments().items()},
    }
