"""Stopping runs. The API stops instances one by one, and only those that have begun to wait or run.

Source: DataWorks 2020-05-18 has no call that stops a DAG; that StopInstance refuses what has not begun
or has ended is inferred from a field report.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from reconciler.concurrency import each
from reconciler.model.addresses import Kind
from reconciler.model.attempts import Attempt
from reconciler.model.calls import StopReport
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import ProviderError
from reconciler.model.series import Series
from reconciler.providers.dataworks.api import Api
from reconciler.providers.dataworks.observing import Observer
from reconciler.providers.dataworks.vocabulary import InstanceStatus
from reconciler.providers.dataworks.wire_answers import Instance

#: Nothing has begun for these, so there is nothing to stop yet.
_NOT_BEGUN = {InstanceStatus.NOT_RUN, InstanceStatus.WAIT_TRIGGER}


async def stop_runs(
    api: Api, observer: Observer, attempt: Attempt, series: Series, dates: DateSet
) -> StopReport:
    """Stop every instance of an attempt on some dates that can be stopped.

    Raises:
        ProviderError: The instances could not be listed; nothing was stopped.
    """
    environment = series.subject.environment
    rows = await _rows(api, observer, attempt, series, dates)

    async def stop(row: Instance) -> tuple[Instance, str | None]:
        if row.status in _NOT_BEGUN:
            return row, "it has not begun, and the service stops only what has"
        try:
            await api.stop_instance(row.id, environment)
        except ProviderError as error:
            return row, error.summary
        return row, None

    tried = await each([row for row in rows if not row.status.ended], stop)
    stopped = [row for row, problem in tried if problem is None]
    left = [(row, problem) for row, problem in tried if problem is not None]
    # What has not begun on a date whose running part was stopped waits for a parent in vain; so do the
    # later dates of a call that takes one after the other.
    running = _dates((row for row, _ in left if row.status not in _NOT_BEGUN), attempt)
    ended = _dates(stopped, attempt) - running
    if attempt.serial and ended:
        ended |= _dates((row for row, _ in left), attempt) & _from(ended) - running
    return StopReport(
        dates=ended & dates,
        stopped=len(stopped),
        left=tuple(
            f"instance {row.id} ({_date(row, attempt)}, {row.status.name.lower()}): {problem}"
            for row, problem in left
            if _date(row, attempt) not in ended
        ),
    )


async def _rows(
    api: Api, observer: Observer, attempt: Attempt, series: Series, dates: DateSet
) -> list[Instance]:
    if series.subject.kind is Kind.MANUAL_FLOW:
        if attempt.dates.start not in dates:
            return []
        return list(await api.search_manual_run(attempt.run_ids[0], series.subject.workspace))
    listings = await each(
        attempt.run_ids, lambda run: observer.instances_of(run, series.subject.environment)
    )
    return [
        row
        for listing in listings
        for row in listing.rows
        if row.date is not None and row.date in dates
    ]


def _from(dates: DateSet) -> DateSet:
    """Every date from the first on."""
    first = dates.ranges[0].start
    return DateSet((DateRange(first, dt.date.max),))


def _dates(rows: Iterable[Instance], attempt: Attempt) -> DateSet:
    return DateSet.of(DateRange.day(_date(row, attempt)) for row in rows)


def _date(row: Instance, attempt: Attempt) -> dt.date:
    """A manual run's rows do not tell their date: it is the call's."""
    return row.date or attempt.dates.start
