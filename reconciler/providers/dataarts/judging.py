"""From a PatchData and its job's instances to one status per plan day; pure.

Instances do not name the PatchData they run for. One belongs to the PatchData after whose submission, and
before that of the next one for the same job and day, it was submitted. Where that is not certain, the day
is contested and its instances prove nothing.

A day is a success only if the PatchData as a whole is, or if its instances all are and no more of them can
come: an instance of a later day is there (periods are taken in order), or the PatchData failed, which is
said when everything was tried; where it stops early, if the day has as many instances as each other one. An
hourly job of which the first hour succeeded is not done.

Whether the instances of later days are there before they begin is not documented: a day that only waits is
taken like one without any.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from reconciler.model.dates import DateRange, DateSet
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.providers.dataarts.statuses import RunStatus
from reconciler.providers.dataarts.wire_answers import Instance, PatchData


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Plan days on record: those that succeeded, and those never begun because an earlier one failed."""

    succeeded: DateSet = field(default_factory=DateSet)
    not_run: DateSet = field(default_factory=DateSet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Which instances are a PatchData's, by plan day; and on which days that is not certain."""

    by_day: Mapping[dt.date, tuple[Instance, ...]]
    contested: frozenset[dt.date]


def share_of(
    patch: PatchData, others: Iterable[PatchData], instances: Iterable[Instance], zone: ZoneInfo
) -> Share:
    """Tell a PatchData's instances from those of others of the same job.

    Args:
        patch: Whose.
        others: The PatchData listed beside it, of any job; it may be among them.
        instances: Of the job, made by PatchData.
        zone: In which plan days are counted.
    """
    rivals = [
        one
        for one in others
        if one.name != patch.name and not set(one.jobs).isdisjoint(patch.jobs)
    ]
    grouped: dict[dt.date, list[Instance]] = defaultdict(list)
    for instance in instances:
        grouped[instance.planned_at.astimezone(zone).date()].append(instance)
    by_day: dict[dt.date, tuple[Instance, ...]] = {}
    contested: set[dt.date] = set()
    for day, rows in grouped.items():
        mine = _of_day(patch, [one for one in rivals if _covers(one, day)], rows)
        if mine is None:
            contested.add(day)
        elif mine:
            by_day[day] = mine
    return Share(by_day=by_day, contested=frozenset(contested))


def _of_day(
    patch: PatchData, rivals: Sequence[PatchData], rows: Sequence[Instance]
) -> tuple[Instance, ...] | None:
    """The PatchData's instances of one day, or None where that is not certain."""
    begin = patch.submitted_at
    submitted = [row.submitted_at for row in rows if row.submitted_at is not None]
    begins = [one.submitted_at for one in rivals if one.submitted_at is not None]
    if begin is None or len(submitted) < len(rows) or len(begins) < len(rivals):
        return None
    end = min((moment for moment in begins if moment >= begin), default=None)
    mine = tuple(
        row
        for row, moment in zip(rows, submitted, strict=True)
        if moment >= begin and (end is None or moment < end)
    )
    if not mine and end is not None and any(moment >= end for moment in submitted):
        # It may have come to this day after the next one was submitted.
        return None
    if any(_may_come_late(one, begin, submitted) for one in rivals):
        return None
    return mine


def _may_come_late(rival: PatchData, begin: dt.datetime, submitted: Sequence[dt.datetime]) -> bool:
    """Whether a PatchData from before `begin` may have made instances of this day after it."""
    before = rival.submitted_at
    if before is None or before >= begin:
        return False
    if not rival.status.ended:
        return True
    made_then = any(before <= moment < begin for moment in submitted)
    return rival.status.good and not made_then


def _covers(patch: PatchData, day: dt.date) -> bool:
    return patch.days is None or day in patch.days


def statuses_of(
    patch: PatchData, share: Share, days: DateSet, *, known: Known
) -> RangeMap[UnitStatus]:
    """The status of each plan day of a PatchData that has not succeeded as a whole.

    Days of which nothing can be said are left out: a contested one of a PatchData that has ended; the last
    one that it came to, if it was cancelled or stops at a failure, and may lack instances; and one on
    record as a success of which no instance is listed any more.

    Args:
        patch: Which.
        share: Its instances.
        days: The plan days to judge.
        known: What is on record of them.
    """
    reached = max(share.by_day, default=None)
    # How many instances a day has.
    usual = {len(rows) for day, rows in share.by_day.items() if day != reached}
    serial = patch.parallel == 1
    failed_before = False
    found: list[tuple[DateRange, UnitStatus]] = []
    for day in days.days():
        rows = [row.status for row in share.by_day.get(day, ())]
        if day in share.contested:
            status = None if patch.status.ended else UnitStatus.RUNNING
        elif not rows and day in known.succeeded:
            status = None
        elif all(status is RunStatus.WAITING for status in rows):
            behind = serial and (failed_before or day in known.not_run)
            status = _not_begun(patch, behind=behind)
        else:
            whole = day != reached or (
                patch.status.ended and (not stops_early(patch) or usual == {len(rows)})
            )
            status = _of_instances(patch, rows, whole=whole)
        failed_before = failed_before or status is UnitStatus.FAILURE
        if status is not None:
            found.append((DateRange.day(day), status))
    return RangeMap.of(found)


def stops_early(patch: PatchData) -> bool:
    """Whether a PatchData that has ended may have left out a part of the last day that it came to.

    One that takes a period after the other stops at a failure, as we ask it to.
    """
    ended_badly = patch.status.ended and not patch.status.good
    return patch.status is RunStatus.CANCELLED or (ended_badly and patch.parallel in {1, None})


def contradicted(share: Share, days: DateSet) -> RangeMap[UnitStatus]:
    """The plan days of a PatchData said to have succeeded on which its instances say otherwise.

    What its word means for a run of which a part failed is not documented. Days without instances that are
    certainly its own are left out.
    """
    found: list[tuple[DateRange, UnitStatus]] = []
    for day in days.days():
        if day in share.contested:
            continue
        rows = [row.status for row in share.by_day.get(day, ())]
        if any(status in {RunStatus.FAILED, RunStatus.CANCELLED} for status in rows):
            found.append((DateRange.day(day), UnitStatus.FAILURE))
        elif any(status is RunStatus.SKIPPED for status in rows):
            found.append((DateRange.day(day), UnitStatus.HOLLOW))
    return RangeMap.of(found)


def _not_begun(patch: PatchData, *, behind: bool) -> UnitStatus:
    if not patch.status.ended:
        return UnitStatus.CREATED
    return UnitStatus.NOT_RUN if behind else UnitStatus.FAILURE


def _of_instances(
    patch: PatchData, statuses: Sequence[RunStatus], *, whole: bool
) -> UnitStatus | None:
    """The status of a day on which something began; `whole` says that these are all its instances."""
    if any(status is RunStatus.ACTIVE for status in statuses):
        return UnitStatus.RUNNING
    waits = any(status is RunStatus.WAITING for status in statuses)
    if waits and not patch.status.ended:
        return UnitStatus.RUNNING
    if waits or any(status in {RunStatus.FAILED, RunStatus.CANCELLED} for status in statuses):
        return UnitStatus.FAILURE
    if not whole:
        return None if patch.status.ended else UnitStatus.RUNNING
    good = all(status.good for status in statuses)
    return UnitStatus.SUCCESS if good else UnitStatus.HOLLOW
