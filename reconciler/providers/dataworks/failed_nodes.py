"""Which nodes of a run failed, and the end of what they printed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from reconciler.concurrency import each
from reconciler.model.addresses import Kind
from reconciler.model.attempts import Attempt
from reconciler.model.dates import DateSet
from reconciler.model.errors import ProviderError
from reconciler.model.project import DataWorksConnection
from reconciler.model.runs import NodeFailure
from reconciler.model.series import Series
from reconciler.providers.dataworks.api import Api, InstanceQuery
from reconciler.providers.dataworks.listing import list_all
from reconciler.providers.dataworks.observing import required_project_id
from reconciler.providers.dataworks.vocabulary import InstanceStatus
from reconciler.providers.dataworks.wire_answers import Instance

#: The logs of so many nodes are read, one call each.
LOGS_READ = 3

#: So many lines of a log's end are kept, and so many characters of each.
LINES_KEPT = 20
LONGEST_LINE = 500


async def find_failures(
    api: Api, connection: DataWorksConnection, attempt: Attempt, series: Series, dates: DateSet
) -> tuple[NodeFailure, ...]:
    """The nodes of an attempt that failed on some dates, ordered by date and node.

    One listing per range of dates and one call per log; one call and the logs for a manual run, which
    needs no `projectId`.

    Raises:
        ProviderError: The instances could not be listed. A log that cannot be read is told as such.
    """
    rows = sorted(
        await _failed_rows(api, connection, attempt, series, dates),
        key=lambda row: (row.date or attempt.dates.start, row.node_id or ""),
    )
    environment = series.subject.environment
    logs = await each(rows[:LOGS_READ], lambda row: _end_of_log(api, row, environment))
    logs += [((), "")] * (len(rows) - len(logs))
    return tuple(
        NodeFailure(
            date=row.date or attempt.dates.start,
            node_id=row.node_id,
            node_name=row.node_name,
            instance_id=row.id,
            log=lines,
            log_problem=problem,
        )
        for row, (lines, problem) in zip(rows, logs, strict=True)
    )


async def _failed_rows(
    api: Api, connection: DataWorksConnection, attempt: Attempt, series: Series, dates: DateSet
) -> Iterable[Instance]:
    if series.subject.kind is Kind.MANUAL_FLOW:
        if attempt.dates.start not in dates or not attempt.run_ids:
            return ()
        rows = await api.search_manual_run(attempt.run_ids[0], series.subject.workspace)
        return [row for row in rows if row.status is InstanceStatus.FAILURE]
    project_id = required_project_id(connection)
    listings = await each(
        dates,
        lambda asked: list_all(
            api,
            InstanceQuery(
                project_id=project_id,
                environment=series.subject.environment,
                dates=asked,
                status=InstanceStatus.FAILURE,
            ),
        ),
    )
    runs = frozenset(attempt.run_ids)
    return [
        row
        for listing in listings
        for row in listing.rows
        if row.dag_id in runs and _within(row.date, dates)
    ]


def _within(date: dt.date | None, dates: DateSet) -> bool:
    return date is not None and date in dates


async def _end_of_log(api: Api, row: Instance, environment: str) -> tuple[tuple[str, ...], str]:
    try:
        text = await api.get_instance_log(row.id, environment)
    except ProviderError as error:
        return (), error.summary
    lines = text.splitlines()[-LINES_KEPT:]
    return tuple(line[:LONGEST_LINE] for line in lines), "" if lines else "it is empty"
