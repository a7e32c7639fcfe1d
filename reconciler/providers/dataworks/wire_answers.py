"""Answers of reads as types: DAGs, node instances and pages of them.

Dates: `Bizdate` is local midnight of the data date, as epoch milliseconds or `yyyy-MM-dd HH:mm:ss`; it
becomes the civil date in the zone in which it is midnight, and is never rounded to one. Every reader
raises `BadAnswer` for what does not fit.

Source: vendor reference, its samples, and SDK models of 2018-06-01 and 2020-05-18, read 2026-11-21.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from reconciler.model.runs import UnitStatus
from reconciler.providers.dataworks.vocabulary import (
    DAG_STATUSES,
    DagType,
    InstanceStatus,
    TaskType,
    parse_member,
)
from reconciler.providers.json_fields import BadAnswer, Fields
from reconciler.providers.spans import Span, read_span

#: The zone that mainland regions schedule in. What other regions use is not documented; where it is the
#: connection's zone, that one is found first.
SCHEDULING_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dag:
    """One DAG: what GetDag and ListDags say of it. `group` is its OpSeq; it `ran` from begin to end."""

    id: str
    group: str | None
    name: str | None
    status: UnitStatus
    date: dt.date
    created_at: dt.datetime | None
    created_by: str | None
    ran: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One node instance. Fields that an operation does not send are None."""

    id: str
    dag_id: str
    node_id: str | None
    status: InstanceStatus
    date: dt.date | None
    task_type: TaskType | None
    dag_type: DagType | None
    created_at: dt.datetime | None
    created_by: str | None
    parameters: str | None = None
    node_name: str | None = None
    ran: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a listing; `total` counts the rows of all pages."""

    rows: tuple[Instance, ...]
    total: int


def read_dag(fields: Fields, zone: ZoneInfo) -> Dag:
    """Read one DAG. Its `Type` is left alone: samples show values outside the documented list."""
    status = (fields.text("Status") or "").upper()
    if status not in DAG_STATUSES:
        raise BadAnswer(f"{fields.where}.Status is {fields.get('Status')!r}")
    return Dag(
        id=fields.required_identifier("DagId"),
        group=fields.identifier("OpSeq"),
        name=fields.text("Name"),
        status=DAG_STATUSES[status],
        date=_required_date(fields, zone),
        created_at=_moment(fields, "CreateTime", zone),
        created_by=fields.text("CreateUser"),
        ran=read_span(fields, "StartTime", "FinishTime", zone),
    )


def read_optional_dag(body: Fields, zone: ZoneInfo) -> Dag | None:
    """Read `Data` of GetDag: one DAG, or None if it is there and empty (null or an empty object)."""
    if not body.has("Data"):
        raise BadAnswer(f"{body.where} has no Data")
    if body.get("Data") in (None, {}):
        return None
    return read_dag(body.child("Data"), zone)


def read_dags(body: Fields, zone: ZoneInfo) -> tuple[Dag, ...]:
    """Read `Data.Dags`, which samples show as one object where the reference says list.

    An empty list is an answer; a missing one is not.
    """
    data = body.child("Data")
    if not data.has("Dags"):
        raise BadAnswer(f"{data.where} has no Dags")
    return tuple(read_dag(item, zone) for item in data.objects("Dags"))


def read_instance(fields: Fields, zone: ZoneInfo) -> Instance:
    """Read one row of ListInstances or GetInstance."""
    return _read_row(fields, zone, date=_business_date(fields, zone))


def _read_row(fields: Fields, zone: ZoneInfo, *, date: dt.date | None) -> Instance:
    """Read what rows of all calls have in common.

    An unknown status is an error, since decisions rest on it; an unknown TaskType or DagType is None.
    """
    status = parse_member(InstanceStatus, fields.get("Status"))
    if status is None:
        raise BadAnswer(f"{fields.where}.Status is {fields.get('Status')!r}")
    return Instance(
        id=fields.required_identifier("InstanceId"),
        dag_id=fields.required_identifier("DagId"),
        node_id=fields.identifier("NodeId"),
        node_name=fields.text("NodeName"),
        status=status,
        date=date,
        task_type=parse_member(TaskType, fields.get("TaskType")),
        dag_type=parse_member(DagType, fields.get("DagType")),
        created_at=_moment(fields, "CreateTime", zone),
        created_by=fields.text("CreateUser"),
        parameters=fields.text("ParamValues") or fields.text("ParaValue"),
        ran=read_span(fields, "BeginRunningTime", "FinishTime", zone),
    )


def read_page(body: Fields, zone: ZoneInfo) -> Page:
    """Read a page of ListInstances."""
    data = body.child("Data")
    total = data.integer("TotalCount")
    if total is None or total < 0:
        raise BadAnswer(f"{data.where} has no TotalCount")
    return Page(
        rows=tuple(read_instance(item, zone) for item in data.objects("Instances")), total=total
    )


def read_manual_rows(body: Fields, zone: ZoneInfo) -> tuple[Instance, ...]:
    """Read `Data.NodeInsInfo` (what the SDK expects) or a bare list in `Data` (what samples show)."""
    if isinstance(body.get("Data"), list):
        items = body.objects("Data")
    else:
        data = body.child("Data")
        if data.raw and not data.has("NodeInsInfo"):
            raise BadAnswer(f"{data.where} has no NodeInsInfo")
        items = data.objects("NodeInsInfo")
    # A manual run is of the date it was started for; samples fill Bizdate with other times.
    return tuple(_read_row(item, zone, date=None) for item in items)


def _required_date(fields: Fields, zone: ZoneInfo) -> dt.date:
    date = _business_date(fields, zone)
    if date is None:
        raise BadAnswer(f"{fields.where} has no Bizdate")
    return date


def _business_date(fields: Fields, zone: ZoneInfo) -> dt.date | None:
    """The civil day whose midnight a Bizdate is, in the connection's zone or in the service's own.

    A moment is midnight in both only where both say the same date. One that is midnight in neither is an
    error: rounding it would shift every date by one.
    """
    moment = fields.moment("Bizdate", zone) or fields.moment("BizDate", zone)
    if moment is None:
        return None
    for candidate in (zone, SCHEDULING_ZONE):
        date = moment.astimezone(candidate).date()
        # Compared as timestamps: Python calls times in a zone's gaps unequal to all others.
        if dt.datetime.combine(date, dt.time(), candidate).timestamp() == moment.timestamp():
            return date
    raise BadAnswer(
        f"{fields.where}.Bizdate is {moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC, which is no "
        f"midnight in {zone.key}; set the connection's timezone to that of the workspace"
    )


def _moment(fields: Fields, name: str, zone: ZoneInfo) -> dt.datetime | None:
    moment = fields.moment(name, zone)
    return None if moment is None else moment.astimezone(dt.UTC)
