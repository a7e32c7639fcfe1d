"""How long the dates of a run took, where DataWorks tells it of each date alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from reconciler.model.dates import DateRange, DateSet
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.providers.dataworks.wire_answers import Dag, Instance
from reconciler.providers.spans import seconds_over

NOTHING_TOLD: RangeMap[int] = RangeMap()


def durations_of_dags(dags: Iterable[Dag], dates: DateSet, *, serial: bool) -> RangeMap[int]:
    """Whole seconds by date, of DAGs that succeeded.

    Nothing is told unless each date has a DAG of its own: of one that walks through several dates nobody
    knows which took how long. Nor where the times cannot be those of runs: in a call whose dates run one
    after another, they show one that began long before its turn.

    Args:
        dags: All DAGs of a call.
        dates: Those for which the call was made.
        serial: Whether it is known that they run one after another.
    """
    ordered = sorted(dags, key=lambda one: one.date)
    carried = DateSet.of_dates(one.date for one in ordered)
    if dates - carried or carried.count < len(ordered) or (serial and _overlap(ordered)):
        return NOTHING_TOLD
    return RangeMap.of(
        (DateRange.day(dag.date), seconds)
        for dag in ordered
        if dag.status is UnitStatus.SUCCESS and (seconds := seconds_over([dag.ran])) is not None
    )


def _overlap(ordered: Sequence[Dag]) -> bool:
    """Whether one began when the date before it was not even half done; an end may be noted a bit late."""
    spans = [dag.ran for dag in ordered if dag.ran is not None]
    return any(
        later.start < one.start + (one.end - one.start) / 2
        for one, later in itertools.pairwise(spans)
    )


def durations_of_instances(rows: Iterable[Instance], dates: DateSet) -> RangeMap[int]:
    """Whole seconds of a run of one date, from its first node's begin to its last one's end.

    Args:
        rows: All instances of a run that succeeded.
        dates: Its one date.
    """
    seconds = seconds_over(row.ran for row in rows)
    return NOTHING_TOLD if seconds is None else RangeMap.constant(dates, seconds)
