"""How long the days of a PatchData took, where its instances tell it."""

from __future__ import annotations

from reconciler.model.dates import DateRange
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.providers.dataarts.judging import Share
from reconciler.providers.dataarts.statuses import RunStatus
from reconciler.providers.dataarts.wire_answers import PatchData
from reconciler.providers.spans import seconds_over


def durations_of(patch: PatchData, share: Share, judged: RangeMap[UnitStatus]) -> RangeMap[int]:
    """Whole seconds by plan day, from its first instance's begin to its last one's end.

    Of days that succeeded by running, not by a person's word. Of several instances a day only where they
    run one after another: else the instances of several days share what may run at once, and how long a
    day takes depends on how many of them there are.

    Args:
        patch: The run.
        share: Its instances.
        judged: The status of each plan day.
    """
    succeeded = judged.where(lambda status: status is UnitStatus.SUCCESS)
    return RangeMap.of(
        (DateRange.day(day), seconds)
        for day, rows in share.by_day.items()
        if day in succeeded
        and all(row.status is RunStatus.SUCCESS for row in rows)
        and (patch.parallel == 1 or len(rows) == 1)
        and (seconds := seconds_over(row.ran for row in rows)) is not None
    )
