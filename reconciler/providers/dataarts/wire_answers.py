"""Answers of reads as types. Every reader raises `BadAnswer` for what does not fit.

Times are epoch milliseconds; 0 says "none".

Source: models of huaweicloudsdkdataartsstudio and huaweicloudsdkdgc 3.1.219, and samples of the DataArts
Studio reference. The SDK's descriptions of a PatchData's `start_date` and `end_date` are exchanged, so the
earlier one is taken for the start.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from reconciler.model.dates import MAX_DATE, DateRange
from reconciler.providers.dataarts.statuses import RunStatus, instance_status, patch_status
from reconciler.providers.http import printable
from reconciler.providers.json_fields import BadAnswer, Fields
from reconciler.providers.spans import Span, read_span

_UTC = ZoneInfo("UTC")

#: A PatchData over more days is believed in nothing it says of them: each four weeks cost a read.
LONGEST_SPAN_DAYS = 20_000

#: The last second of a day, with which our calls end.
_DAYS_END = dt.time(23, 59, 59)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchData:
    """One backfill run; `days` are its plan days, first to last, or None where it does not tell.

    They are `whole` if it begins at midnight and ends a second before one; else it may cover a part of the
    first and of the last only. `parallel` is how many periods may run at once.
    """

    name: str
    jobs: tuple[str, ...]
    status: RunStatus
    days: DateRange | None
    whole: bool
    submitted_at: dt.datetime | None
    parallel: int | None
    created_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One run of a job, or of a task of it, for one period; `word` is its status as the service says.

    It `ran` from begin to end.
    """

    id: str
    status: RunStatus
    word: str
    planned_at: dt.datetime
    submitted_at: dt.datetime | None
    ran: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node of a job instance."""

    name: str | None
    status: RunStatus
    log_path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchPage:
    """One page of a listing of PatchData; `total` counts those of all pages."""

    rows: tuple[PatchData, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancePage:
    """One page of a listing of instances; `total` counts those of all pages."""

    rows: tuple[Instance, ...]
    total: int


def read_patch_page(body: Fields, zone: ZoneInfo) -> PatchPage:
    """Read a page of PatchData; days are those of `zone`."""
    return PatchPage(
        rows=tuple(_read_patch(item, zone) for item in _listed(body, "rows")), total=_total(body)
    )


def _read_patch(fields: Fields, zone: ZoneInfo) -> PatchData:
    name = fields.text("name")
    if name is None:
        raise BadAnswer(f"{fields.where} has no name")
    jobs = fields.get("job_list")
    if not isinstance(jobs, list) or not all(isinstance(job, str) for job in jobs):
        raise BadAnswer(f"{fields.where}.job_list is not a list of names")
    ends = [fields.moment(side, zone) for side in ("start_date", "end_date")]
    return PatchData(
        name=name,
        jobs=tuple(jobs),
        status=patch_status(fields.text("status") or ""),
        days=_days(ends),
        whole=_are_whole(ends),
        submitted_at=_moment(fields, "submitted_date"),
        parallel=fields.integer("parallel"),
        created_by=fields.text("user_name"),
    )


def _are_whole(ends: Sequence[dt.datetime | None]) -> bool:
    """Whether a range of moments begins and ends with a day."""
    known = sorted(moment for moment in ends if moment is not None)
    if len(known) < len(ends):
        return False
    return known[0].time() == dt.time() and known[-1].time().replace(microsecond=0) == _DAYS_END


def _days(ends: Sequence[dt.datetime | None]) -> DateRange | None:
    """From the earlier to the later end; None where one is missing, or they span too much."""
    days = sorted(moment.date() for moment in ends if moment is not None)
    if len(days) < len(ends) or days[-1] > MAX_DATE:
        return None
    if (days[-1] - days[0]).days >= LONGEST_SPAN_DAYS:
        return None
    return DateRange.inclusive(days[0], days[-1])


def read_instance_page(body: Fields) -> InstancePage:
    """Read a page of the instances of a job (Factory v2)."""
    rows = tuple(_read_job_instance(item) for item in _listed(body, "instances"))
    return InstancePage(rows=rows, total=_total(body))


def _read_job_instance(fields: Fields) -> Instance:
    waived = fields.flag("force_success") or fields.flag("ignore_success") or False
    return _read_instance(
        fields,
        id_name="instance_id",
        planned="plan_time",
        submitted="submit_time",
        ran=("start_time", "end_time"),
        waived=waived,
    )


def read_task_runs(body: Fields) -> InstancePage:
    """Read the rows of the monitoring's inner document (ShowInstanceInfos)."""
    return InstancePage(
        rows=tuple(
            _read_instance(
                item,
                id_name="taskRunningLogId",
                planned="planTime",
                submitted="submitTime",
                ran=("startTime", "endTime"),
                waived=bool(item.integer("forceSuccess")),
            )
            for item in _listed(body, "rows")
        ),
        total=_total(body),
    )


def _read_instance(
    fields: Fields,
    *,
    id_name: str,
    planned: str,
    submitted: str,
    ran: tuple[str, str],
    waived: bool,
) -> Instance:
    planned_at = _moment(fields, planned)
    if planned_at is None:
        raise BadAnswer(f"{fields.where} has no {planned}")
    word = fields.text("status") or ""
    return Instance(
        id=fields.required_identifier(id_name),
        status=instance_status(word, waived=waived),
        word=printable(word, limit=40) or "unknown",
        planned_at=planned_at,
        submitted_at=_moment(fields, submitted),
        ran=read_span(fields, *ran, _UTC),
    )


def read_nodes(body: Fields) -> tuple[Node, ...]:
    """Read the nodes of a job instance (Factory v1)."""
    return tuple(
        Node(
            name=item.text("nodeName"),
            status=instance_status(item.text("status") or ""),
            log_path=item.text("logPath"),
        )
        for item in _listed(body, "nodes")
    )


def _listed(body: Fields, name: str) -> tuple[Fields, ...]:
    """The objects of a list that must be there, even if it is empty."""
    if not isinstance(body.get(name), list):
        raise BadAnswer(f"{body.where} has no list {name}")
    return body.objects(name)


def _total(body: Fields) -> int:
    total = body.integer("total")
    if total is None or total < 0:
        raise BadAnswer(f"{body.where} has no total")
    return total


def _moment(fields: Fields, name: str) -> dt.datetime | None:
    moment = fields.moment(name, _UTC)
    return None if moment is None else moment.astimezone(dt.UTC)
