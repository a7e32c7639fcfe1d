"""How long the dates of an attempt took: told once, when they succeed, and never twice."""

from __future__ import annotations

from reconciler.model.attempts import Attempt, UnitRecord
from reconciler.model.dates import DateSet
from reconciler.model.durations import Took, joined
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus

#: From these a date succeeds by running. One that had failed waited for its repair, nobody knows how long.
_NOT_ENDED = frozenset({UnitStatus.CREATED, UnitStatus.RUNNING, UnitStatus.NOT_RUN})


def with_new(attempt: Attempt, coverage: RangeMap[UnitRecord], told: RangeMap[int]) -> Took | None:
    """What the dates of an attempt took, with those that have just succeeded.

    Args:
        attempt: As it is on record.
        coverage: Its dates as they are now.
        told: The seconds that dates took, as the service shows them; also dates on record, or of others.
    """
    ended = attempt.coverage.where(lambda seen: seen.status not in _NOT_ENDED)
    return joined((attempt.took, Took.of(told.restricted(succeeded(coverage) - ended))))


def without(attempt: Attempt, hollow: DateSet, told: RangeMap[int]) -> Took | None:
    """What the dates of an attempt took but for some of which a part was only skipped.

    What is on record cannot be told apart by date. So it is what is told of the others now, if all that is
    told is what is on record, and nothing otherwise: a date may have been left out of it on purpose.
    """
    own = told.restricted(succeeded(attempt.coverage))
    return Took.of(own.restricted(own.dates - hollow)) if Took.of(own) == attempt.took else None


def succeeded(coverage: RangeMap[UnitRecord]) -> DateSet:
    """The dates that are seen to have succeeded."""
    return coverage.where(lambda seen: seen.status is UnitStatus.SUCCESS)
