"""Successes in which an included node never ran: SUCCESS with a TaskType that was only skipped."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from reconciler.concurrency import each
from reconciler.model.attempts import Attempt
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.series import Series
from reconciler.providers.dataworks.api import Api, InstanceQuery
from reconciler.providers.dataworks.listing import list_all


async def find_hollow_dates(
    api: Api, project_id: str, attempt: Attempt, series: Series, dates: DateSet
) -> DateSet:
    """The dates on which all instances of some included node were left out.

    One paged listing per included node and range of dates. Dates of which the listing shows no
    instance of the attempt's runs are not hollow: nothing is known of them.

    Raises:
        ProviderError: A read failed.
    """
    runs = frozenset(attempt.run_ids)

    async def of_node(item: tuple[str, DateRange]) -> DateSet:
        node_id, asked = item
        listing = await list_all(
            api,
            InstanceQuery(
                project_id=project_id,
                environment=series.subject.environment,
                node_id=node_id,
                dates=asked,
            ),
        )
        left_out: dict[dt.date, list[bool]] = defaultdict(list)
        for row in listing.rows:
            if row.dag_id in runs and row.date is not None:
                left_out[row.date].append(row.task_type is not None and row.task_type.left_out)
        return DateSet.of_dates(date for date, skipped in left_out.items() if all(skipped))

    asked = [(node_id, item) for node_id in series.include for item in dates]
    found = await each(asked, of_node)
    return DateSet.of(item for hollow in found for item in hollow) & dates
