"""Which nodes of a run failed, and where the service keeps what they printed."""

from __future__ import annotations

import datetime as dt

from reconciler.concurrency import each
from reconciler.model.attempts import Attempt
from reconciler.model.dates import DateSet
from reconciler.model.errors import ProviderError
from reconciler.model.runs import NodeFailure
from reconciler.model.series import Series
from reconciler.providers.dataarts.api import Api
from reconciler.providers.dataarts.days import all_shifted, offset_of
from reconciler.providers.dataarts.observing import Observer, run_name
from reconciler.providers.dataarts.statuses import RunStatus
from reconciler.providers.dataarts.wire_answers import Instance, Node
from reconciler.providers.http import printable

#: The nodes of so many instances are read, one call each.
INSTANCES_READ = 3

_BAD = {RunStatus.FAILED, RunStatus.CANCELLED}


async def find_failures(
    api: Api, observer: Observer, attempt: Attempt, series: Series, dates: DateSet
) -> tuple[NodeFailure, ...]:
    """The nodes of an attempt that failed on some dates, ordered by date.

    The service tells where a log lies, and not what is in it. Of the instances after the first few, and of
    those whose nodes cannot be read, only the instance is named.

    Raises:
        ProviderError: The run or its instances could not be listed.
    """
    name, by = run_name(attempt), offset_of(series)
    run = await observer.find(name)
    if run is None:
        return ()
    job = series.subject.root
    days = all_shifted(dates & DateSet((attempt.dates,)), by)
    share = await observer.share(run, job, days)
    failed = [
        (day - by, row)
        for day, rows in sorted(share.by_day.items())
        for row in sorted(rows, key=lambda row: row.planned_at)
        if row.status in _BAD
    ]

    async def read(item: tuple[dt.date, Instance]) -> list[NodeFailure]:
        date, row = item
        try:
            nodes = await api.show_nodes(job, row.id)
        except ProviderError as error:
            return [_of_instance(date, row, error.summary)]
        bad = [_of_node(date, row, node) for node in nodes if node.status in _BAD]
        return bad or [_of_instance(date, row, "the service names no failed node")]

    told = await each(failed[:INSTANCES_READ], read)
    rest = [_of_instance(date, row, "") for date, row in failed[INSTANCES_READ:]]
    return (*(failure for failures in told for failure in failures), *rest)


def _of_instance(date: dt.date, row: Instance, problem: str) -> NodeFailure:
    return NodeFailure(
        date=date, node_id=None, node_name=None, instance_id=row.id, log_problem=problem
    )


def _of_node(date: dt.date, row: Instance, node: Node) -> NodeFailure:
    where = printable(node.log_path or "", limit=500)
    return NodeFailure(
        date=date,
        node_id=None,
        node_name=node.name,
        instance_id=row.id,
        log_problem=f"the service only tells where it lies: {where}" if where else "it has none",
    )
