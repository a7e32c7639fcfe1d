"""The fewest calls that start a set of units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateRange
from reconciler.model.rangemap import RangeMap, both
from reconciler.model.resources import Order, Resource
from reconciler.planning.batches import batches, pieces
from reconciler.planning.deciding import Verdict, needs_call
from reconciler.planning.ownership import Claim

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Start:
    """What units must have in common to go in one call.

    `batch` is the number of their batch in the rollout, from 0; `blocked_by` names what they wait for.
    """

    generation: int
    batch: int = 0
    blocked_by: tuple[str, ...] = ()


def units_to_start(claim: Claim, verdicts: RangeMap[Verdict]) -> RangeMap[Start]:
    """The units of a claim that need a call, now or later."""
    resource = claim.resource
    needing = RangeMap.of((dates, verdict) for dates, verdict in verdicts if needs_call(verdict))
    meant = RangeMap.of(
        (dates, (generation, verdict.blocked_by))
        for dates, generation, verdict in both(claim.owned, needing)
    )
    if not resource.rollout.in_batches or not meant:
        return meant.map(lambda one: Start(generation=one[0], blocked_by=one[1]))
    numbered = RangeMap.of(
        (dates, number)
        for number, batch in enumerate(batches(resource.dates, resource.rollout))
        for dates in batch
    )
    return RangeMap.of(
        (dates, Start(generation=generation, batch=number, blocked_by=names))
        for dates, (generation, names), number in both(meant, numbered)
    )


def call_ranges(
    units: RangeMap[T], *, most: int | None = None, order: Order = Order.OLDEST
) -> Iterator[tuple[DateRange, T]]:
    """Group the units of one address and series into calls.

    Args:
        units: What the units of a call must have in common.
        most: How many dates one call may hold; None is any number.
        order: Which dates go first, so that a call that is smaller goes last.

    Yields:
        Each call's dates and what they have in common, ascending. No other grouping has fewer calls: a
        call's dates are consecutive, and a `RangeMap` holds each maximal stretch of alike ones once.
    """
    for dates, alike in units:
        for piece in pieces(dates, most, order):
            yield piece, alike


def most_per_call(resource: Resource) -> int | None:
    """How many dates one call of a resource may hold: a manual flow runs one date per call."""
    if resource.address.kind is Kind.MANUAL_FLOW:
        return 1
    return resource.rollout.max_dates_per_call
