"""From the service's many statuses to one status per data date."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable

from reconciler.model.dates import DateRange
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.providers.dataworks.vocabulary import InstanceStatus
from reconciler.providers.dataworks.wire_answers import Dag, Instance


def status_of_instances(statuses: Collection[InstanceStatus]) -> UnitStatus:
    """The status of one date from all its instances; without any it is created.

    A NOT_RUN instance beside a failed one waits for a parent that will not come, so it is not active.
    """
    if not statuses:
        return UnitStatus.CREATED
    if all(status is InstanceStatus.SUCCESS for status in statuses):
        return UnitStatus.SUCCESS
    if any(status is InstanceStatus.FAILURE for status in statuses):
        waiting_in_vain = {InstanceStatus.NOT_RUN}
        active = any(not status.ended and status not in waiting_in_vain for status in statuses)
        return UnitStatus.RUNNING if active else UnitStatus.FAILURE
    if any(status.started for status in statuses):
        return UnitStatus.RUNNING
    return UnitStatus.CREATED


def status_of_dags(statuses: Collection[UnitStatus]) -> UnitStatus:
    """The status of one date from all DAGs that carry it; at least one."""
    found = set(statuses)
    if len(found) == 1:
        return found.pop()
    if found & {UnitStatus.RUNNING, UnitStatus.CREATED}:
        return UnitStatus.RUNNING
    return UnitStatus.FAILURE


def coverage_of_instances(rows: Iterable[Instance]) -> RangeMap[UnitStatus]:
    """Dates and their statuses from instances; rows without a date say nothing."""
    by_date: dict[dt.date, list[InstanceStatus]] = defaultdict(list)
    for row in rows:
        if row.date is not None:
            by_date[row.date].append(row.status)
    return RangeMap.of(
        (DateRange.day(date), status_of_instances(statuses)) for date, statuses in by_date.items()
    )


def coverage_of_dags(dags: Iterable[Dag]) -> RangeMap[UnitStatus]:
    """Dates and their statuses from DAGs, one date each."""
    by_date: dict[dt.date, list[UnitStatus]] = defaultdict(list)
    for dag in dags:
        by_date[dag.date].append(dag.status)
    return RangeMap.of(
        (DateRange.day(date), status_of_dags(statuses)) for date, statuses in by_date.items()
    )
