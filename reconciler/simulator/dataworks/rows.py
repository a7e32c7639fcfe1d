"""DAGs and instances as the 2020 API writes them.

`CreateTime` is the gateway clock's. Every later moment is derived from the work clock: it is
`CreateTime` plus the work time that has passed since. Moments that have not come are left out.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from reconciler.simulator.dataworks.call import OWNER, PROJECT_ID
from reconciler.simulator.dataworks.parameters import midnight_ms
from reconciler.simulator.runs import InstanceState, Kind, PlannedNode, Status, Trigger, dag_status
from reconciler.simulator.session import Seen

_HOUR_MS = 3_600_000
_DAG_TYPES = {Kind.BACKFILL: "SUPPLY_DATA", Kind.MANUAL: "MANUAL"}
# The 2018 API writes 5 for a manual flow, which is this word in the 2020 API.
_INSTANCE_DAG_TYPES = {Kind.BACKFILL: "SUPPLY_DATA", Kind.MANUAL: "BUSINESS_PROCESS_DAG"}
PROGRAM_TYPE = "ODPS_SQL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance of a trigger with its state; `index` is its number within the trigger."""

    trigger: Trigger
    index: int
    node: PlannedNode
    hour: int | None
    state: InstanceState

    @property
    def id(self) -> int:
        """Its id."""
        return self.trigger.first_instance + self.index

    @property
    def date(self) -> dt.date:
        """Its business date."""
        return self.trigger.date(self.index // self.trigger.per_date)

    @property
    def parameters(self) -> str:
        """The parameters it runs with: those of the whole run, then those of its node."""
        own = self.trigger.node_params.get(self.node.id, "")
        return " ".join(text for text in (self.trigger.dag_params, own) if text)

    @property
    def task_type(self) -> str:
        """NORMAL, or SKIP for one that succeeds without running."""
        return "SKIP(3)" if self.state.dry or self.node.excluded else "NORMAL(0)"

    def moments(self) -> dict[str, int]:
        """When it was created, began and ended, in epoch milliseconds."""
        state = self.state
        began = state.executions[-1].start_ms if state.executions else None
        moments = {
            "BeginWaitTimeTime": state.waiting_ms,
            "BeginWaitResTime": state.waiting_ms,
            "BeginRunningTime": None if state.status is Status.NOT_RUN else began,
            "FinishTime": state.finished_ms,
        }
        changed = self.trigger.created_work_ms if state.changed_ms is None else state.changed_ms
        return {
            "CreateTime": self.trigger.created_gateway_ms,
            "ModifyTime": shown_ms(self.trigger, changed),
            **{
                name: shown_ms(self.trigger, moment)
                for name, moment in moments.items()
                if moment is not None
            },
        }


def shown_ms(trigger: Trigger, work_ms: int) -> int:
    """A moment of the work clock as answers show it."""
    return trigger.created_gateway_ms + work_ms - trigger.created_work_ms


def instances(seen: Seen, indexes: range | None = None) -> list[Instance]:
    """Instances of a trigger, by their numbers; all of them when `indexes` is None."""
    trigger = seen.trigger
    places = trigger.places()
    wanted = range(trigger.instance_count) if indexes is None else indexes
    return [
        Instance(
            trigger=trigger,
            index=index,
            node=places[index % len(places)][0],
            hour=places[index % len(places)][1],
            state=seen.states[index],
        )
        for index in wanted
    ]


def dag_row(seen: Seen, dag_id: int) -> dict[str, object]:
    """One DAG."""
    trigger = seen.trigger
    indexes = trigger.instances_of(dag_id)
    states = [seen.states[index] for index in indexes]
    status = dag_status(states)
    date = trigger.date(indexes[0] // trigger.per_date)
    starts = [execution.start_ms for state in states for execution in state.executions]
    changes = [state.changed_ms for state in states if state.changed_ms is not None]
    row: dict[str, object] = {
        "DagId": dag_id,
        "OpSeq": trigger.op_seq,
        "ProjectId": PROJECT_ID,
        "Name": trigger.name,
        "Type": _DAG_TYPES[trigger.kind],
        "Status": status.value,
        "CreateUser": OWNER,
        "Bizdate": midnight_ms(date),
        "Gmtdate": midnight_ms(date + dt.timedelta(days=1)),
        "CreateTime": trigger.created_gateway_ms,
        "ModifyTime": shown_ms(trigger, max(changes, default=trigger.created_work_ms)),
    }
    if starts:
        row["StartTime"] = shown_ms(trigger, min(starts))
    if changes and status.value in {"SUCCESS", "FAILURE"}:
        row["FinishTime"] = shown_ms(trigger, max(changes))
    return row


def instance_row(instance: Instance) -> dict[str, object]:
    """One instance, as ListInstances shows it."""
    hour, date = instance.hour, instance.date
    return {
        "InstanceId": instance.id,
        "NodeId": instance.node.id,
        "DagId": instance.trigger.dag_of(instance.index),
        "BusinessId": 0,
        "RelatedFlowId": 0,
        "BaselineId": 0,
        "Priority": 1,
        "RepeatInterval": _HOUR_MS * (24 if hour is None else 1),
        "TaskRerunTime": max(0, len(instance.state.executions) - 1),
        "DqcType": 0,
        "DqcDescription": "",
        "NodeName": instance.node.name,
        "Status": instance.state.status.value,
        "TaskType": instance.task_type,
        "DagType": _INSTANCE_DAG_TYPES[instance.trigger.kind],
        "ParamValues": instance.parameters,
        "Connection": "",
        "CreateUser": OWNER,
        "ErrorMessage": "",
        "Repeatability": True,
        "Bizdate": midnight_ms(date),
        "CycTime": midnight_ms(date + dt.timedelta(days=1)) + (hour or 0) * _HOUR_MS,
        **instance.moments(),
    }


def manual_row(instance: Instance) -> dict[str, object]:
    """One instance of a manual run, as ListManualDagInstances shows it."""
    row = instance_row(instance)
    names = ("InstanceId", "NodeId", "DagId", "NodeName", "Status", "TaskType", "DagType")
    return {
        **{name: row[name] for name in (*names, "ParamValues", "CreateUser", "CycTime")},
        "BizDate": row["Bizdate"],
        **instance.moments(),
    }
