"""Gates: whether every run planned in a window after a data date succeeded.

The dates of a gate are asked for together: one read for all windows within `SPAN_DAYS` days, not one a
date. Instances of a job are asked for by four weeks, since a month is the most that the service takes; so
are runs of a task where the longer span is refused.

Source: ShowInstanceInfos and ListFactoryJobInstancesByName of SDK 3.1.219. That ShowInstanceInfos selects
by planned time is inferred from its sample; the unit of its `offset` is not documented.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from reconciler.concurrency import each
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import InvalidRequest
from reconciler.model.gates import Condition, GateReading, RunsSucceeded
from reconciler.model.rangemap import RangeMap
from reconciler.providers.dataarts.api import SCHEDULED, Api
from reconciler.providers.dataarts.days import midnight_ms
from reconciler.providers.dataarts.failures import invalid
from reconciler.providers.dataarts.listing import (
    WINDOW_DAYS,
    incomplete,
    list_job_instances,
    windows,
)
from reconciler.providers.dataarts.statuses import RunStatus
from reconciler.providers.dataarts.wire_answers import Instance
from reconciler.providers.dataarts.wire_requests import LIST_TASK_RUNS

#: Days of one question for the runs of a task.
SPAN_DAYS = 93

#: Pages of one question that are read at most.
_MOST_PAGES = 500

_ONE_DAY = dt.timedelta(days=1)


async def evaluate_gate(
    api: Api, condition: Condition, dates: DateSet, *, now: Callable[[], dt.datetime]
) -> GateReading:
    """Look whether a gate holds on each of `dates`; `now` is the service's time, as far as it is known.

    Raises:
        InvalidRequest: The condition is one of another system, or the connection names no instance.
        ProviderError: A read failed.
    """
    if not isinstance(condition, RunsSucceeded):
        raise invalid(
            "evaluate",
            f"DataArts cannot tell whether {condition}",
            "give the gate an `obshell` connection",
        )
    needed = DateSet.of(
        DateRange(
            item.start + dt.timedelta(days=condition.offset_days),
            item.last + dt.timedelta(days=condition.offset_days + condition.days),
        )
        for item in dates
    )
    if condition.task is None:
        rows: Iterable[Instance] = await list_job_instances(
            api, condition.job, needed, kind=SCHEDULED
        )
    else:
        rows = await _task_runs(api, condition.task, condition.job, needed)
    by_day: dict[dt.date, list[Instance]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.planned_at):
        by_day[row.planned_at.astimezone(api.zone).date()].append(row)
    return _reading(condition, dates, by_day, today=now().astimezone(api.zone).date())


def _reading(
    condition: RunsSucceeded,
    dates: DateSet,
    by_day: Mapping[dt.date, Sequence[Instance]],
    *,
    today: dt.date,
) -> GateReading:
    closed: list[tuple[DateRange, str]] = []
    stuck: list[DateRange] = []
    remarks: list[tuple[DateRange, str]] = []
    for date in dates.days():
        first = date + dt.timedelta(days=condition.offset_days)
        window = [first + n * _ONE_DAY for n in range(condition.days)]
        rows = [row for day in window for row in by_day.get(day, ())]
        if today < window[-1]:
            # Runs of its later days cannot be there yet, so nothing is said of them.
            closed.append((DateRange.day(date), f"its window goes on until {window[-1]}"))
        elif (why := _closed_for(condition, rows)) is not None:
            closed.append((DateRange.day(date), why))
            if rows and all(row.status.ended for row in rows):
                stuck.append(DateRange.day(date))
        elif waived := sum(row.status is RunStatus.WAIVED for row in rows):
            said = f"{waived} of {len(rows)} runs of {condition.job} count as success by a person's word"
            remarks.append((DateRange.day(date), said))
    return GateReading(
        dates=dates,
        closed=RangeMap.of(closed),
        stuck=DateSet.of(stuck),
        remarks=RangeMap.of(remarks),
    )


def _closed_for(condition: RunsSucceeded, rows: Sequence[Instance]) -> str | None:
    """Why a gate is closed on one date, or None if it is open.

    It names no day, so that dates that are alike read alike, and take one line together.
    """
    if not rows:
        return f"no run of {condition.job} is to be seen yet"
    words = sorted({row.word for row in rows if not row.status.good})
    if not words:
        return None
    bad = sum(not row.status.good for row in rows)
    return f"{bad} of {len(rows)} runs of {condition.job} have not succeeded: {', '.join(words)}"


async def _task_runs(api: Api, task: str, job: str, days: DateSet) -> Iterable[Instance]:
    async def of_span(span: DateRange) -> Iterable[Instance]:
        try:
            return await _all_task_runs(api, task, job, span)
        except InvalidRequest:
            if span.count <= WINDOW_DAYS:
                raise
        # It may be too long: no bound is documented for this one.
        return await of_spans(windows(days & DateSet((span,)), WINDOW_DAYS))

    async def of_spans(spans: Iterable[DateRange]) -> Iterable[Instance]:
        found = await each(spans, of_span)
        return {row.id: row for rows in found for row in rows}.values()

    return await of_spans(windows(days, SPAN_DAYS))


async def _all_task_runs(api: Api, task: str, job: str, span: DateRange) -> Sequence[Instance]:
    """All runs of a task planned in a span, whether `offset` counts rows or pages.

    Raises:
        UnexpectedResponse: There are more than could be reached.
    """
    begin_ms, end_ms = (midnight_ms(day, api.zone) for day in (span.start, span.end))
    rows: dict[str, Instance] = {}

    async def ask(offset: int) -> tuple[bool, int]:
        """Take in a page; whether it showed anything new, and how many rows there are."""
        answer = await api.list_task_runs(task, job, offset, begin_ms=begin_ms, end_ms=end_ms)
        before = len(rows)
        rows.update((row.id, row) for row in answer.value.rows)
        return len(rows) > before, answer.value.total

    _, total = await ask(0)
    size = len(rows)
    fresh = bool(size)
    while fresh and len(rows) < total:
        fresh, total = await ask(len(rows))
    # Where that leads to no end, the offset counts pages.
    pages = -(-total // size) if size else 1
    for number in range(1, min(pages, _MOST_PAGES)):
        if len(rows) >= total:
            break
        _, total = await ask(number)
    if len(rows) < total:
        raise incomplete(LIST_TASK_RUNS, len(rows))
    return tuple(rows.values())
