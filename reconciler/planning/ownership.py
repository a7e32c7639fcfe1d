"""Which address owns a unit that several specs declare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.dates import DateSet
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is left to one resource: the units it owns, and by owner those it only shares."""

    resource: Resource
    owned: RangeMap[int]
    shared: tuple[tuple[Address, DateSet], ...] = ()


def claims(resources: Iterable[Resource]) -> tuple[Claim, ...]:
    """Give each unit to the first address, by name, that declares it.

    Returns:
        One claim per resource, ordered by address. Resources that share a unit have the same series
        there: the loader refuses anything else.
    """
    by_subject: Mapping[str, list[Claim]] = defaultdict(list)
    result: list[Claim] = []
    for resource in sorted(resources, key=lambda item: item.address):
        earlier = by_subject[resource.series.subject.fingerprint]
        shared = tuple(
            (claim.resource.address, both)
            for claim in earlier
            if (both := resource.dates & claim.owned.dates)
        )
        taken = DateSet.of(item for _, dates in shared for item in dates)
        claim = Claim(
            resource=resource,
            owned=resource.generations.restricted(resource.dates - taken),
            shared=shared,
        )
        earlier.append(claim)
        result.append(claim)
    return tuple(result)
