"""Checks across specs: names that stand twice, and two specs that ask for different runs of one unit."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import Diagnostic, Place, Severity
from reconciler.model.gates import GateRef
from reconciler.model.resources import Resource
from reconciler.model.series import Subject, plan_offset


@dataclass(frozen=True, slots=True)
class Declaration:
    """That a document, right or wrong otherwise, declares an address, and where."""

    address: Address | GateRef
    place: Place


def check_names(declarations: Iterable[Declaration]) -> Iterator[Diagnostic]:
    """An error for each document whose address an earlier one has."""
    first: dict[str, Declaration] = {}
    for item in sorted(declarations, key=lambda declaration: declaration.place):
        address = str(item.address)
        earlier = first.setdefault(address, item)
        if earlier is not item:
            yield Diagnostic(
                severity=Severity.ERROR,
                code="duplicate_name",
                summary=f"{address} is declared twice",
                detail=f"first at {earlier.place}",
                place=item.place,
                address=address,
                hint="names are unique per kind; rename one, which runs nothing again",
            )


def check_conflicts(resources: Iterable[Resource]) -> Iterator[Diagnostic]:
    """An error for each pair of resources with a unit in common that would run differently."""
    by_subject: dict[Subject, list[Resource]] = defaultdict(list)
    for item in resources:
        by_subject[item.series.subject].append(item)
    for group in by_subject.values():
        if len(group) > 1 and len({item.series for item in group}) > 1:
            seen: set[tuple[str, str]] = set()
            yield from _conflicts(group, seen, lambda item: item.dates)
            # Where data dates are planned on other days, these must not meet, either.
            yield from _conflicts(group, seen, plan_days)


def _conflicts(
    group: Sequence[Resource],
    seen: set[tuple[str, str]],
    days: Callable[[Resource], DateSet],
) -> Iterator[Diagnostic]:
    """Sweep over the ranges of one subject in order of their start; pairs that were `seen` are left out.

    A range conflicts with any range of another series that is still open where it starts. Of each series
    the range that ends last is enough to remember, and of all series the two that end last: one of them
    is another one.
    """
    open_ranges: list[tuple[DateRange, Resource]] = []
    for dates, item in sorted(
        ((dates, resource) for resource in group for dates in days(resource)),
        key=lambda pair: (pair[0].start, pair[1].place),
    ):
        for other_dates, other in open_ranges:
            shared = dates.intersection(other_dates)
            pair = (str(other.address), str(item.address))
            if (
                shared
                and other.series != item.series
                and other.address != item.address  # Declared twice is said already.
                and pair not in seen
            ):
                seen.add(pair)
                yield _conflict(other, item, shared)
        open_ranges = _latest([*open_ranges, (dates, item)])


def _latest(
    ranges: Sequence[tuple[DateRange, Resource]],
) -> list[tuple[DateRange, Resource]]:
    """The two ranges of different series that end last."""
    kept: list[tuple[DateRange, Resource]] = []
    for dates, item in sorted(ranges, key=lambda pair: pair[0].end, reverse=True):
        if all(item.series != other.series for _, other in kept):
            kept.append((dates, item))
    return kept[:2]


def _conflict(one: Resource, two: Resource, shared: DateRange) -> Diagnostic:
    first, second = sorted((one, two), key=lambda resource: resource.place)
    return Diagnostic(
        severity=Severity.ERROR,
        code="conflict",
        summary=(
            f"{second.address} and {first.address} ask for different runs of "
            f"{second.series.subject.root} on {shared}"
        ),
        detail=f"{first.address} is declared at {first.place}",
        place=second.place,
        address=str(second.address),
        hint="make nodes and parameters equal, keep the dates apart, or set `variant` on one",
    )


def plan_days(resource: Resource) -> DateSet:
    """The days that a resource's dates are planned on (DataArts: `planOffsetDays` later)."""
    by = dt.timedelta(days=plan_offset(resource.series))
    return DateSet(tuple(DateRange(item.start + by, item.end + by) for item in resource.dates))
