"""Executes create calls: a PatchData, or a manual run."""

from __future__ import annotations

from reconciler.simulator import logs
from reconciler.simulator.dataarts import records
from reconciler.simulator.dataarts.call import Call
from reconciler.simulator.dataarts.jobs import known_job
from reconciler.simulator.dataarts.parameters import invalid
from reconciler.simulator.dataarts.runs import InstanceType, Run
from reconciler.simulator.dataarts.times import DAY_MS
from reconciler.simulator.messages import Answer, json_answer

_PARAMETER_TYPES = ("variable", "constants")


def run_once(call: Call) -> Answer:
    """Start a job by hand, now: the id of its instance."""
    job, body = known_job(call.session.world, call.path["job_name"]), call.body()
    for parameter in body.objects("jobParams"):
        parameter.text("name")
        kind = parameter.values.get("type", parameter.values.get("paramType"))
        if kind is not None and kind not in _PARAMETER_TYPES:
            raise invalid("jobParams", f"a type is one of {', '.join(_PARAMETER_TYPES)}")
    now = call.session.work_ms
    draft = Run(
        id=0,
        first_instance=0,
        type=InstanceType.MANUAL,
        project=call.project,
        workspace=call.workspace,
        name=job.name,
        jobs=(job.name,),
        start_ms=now,
        end_ms=now,
        first_plan_ms=now,
        period_ms=DAY_MS,
        period_count=1,
        created_work_ms=now,
        created_gateway_ms=call.session.gateway_ms,
    )
    return json_answer(200, {"instanceId": create(call, draft).first_instance})


def create(call: Call, draft: Run) -> Run:
    """Store a run and write it down in the ledger, both in the request's transaction."""
    session = call.session
    run = records.add_run(session.connection, draft)
    logs.record_create(
        session.connection,
        time_ms=session.gateway_ms,
        operation=call.operation,
        name=run.name,
        parameters=call.body().texts(),
        dag_ids=run.instance_ids,
        request_id=session.request_id,
    )
    return run
