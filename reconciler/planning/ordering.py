"""The order in which calls are sent, and whom they wait for."""

from __future__ import annotations

import graphlib
from collections.abc import Callable, Iterable

from reconciler.model.addresses import Address
from reconciler.model.plan import Call
from reconciler.model.resources import Order, Resource
from reconciler.planning.blocking import concerned
from reconciler.planning.deciding import needs_call
from reconciler.planning.ownership import claims
from reconciler.planning.situation import Decided


def sending_order(
    resources: Iterable[Resource],
) -> Callable[[Call], tuple[int, int, int, Address]]:
    """A sort key: by `requires`, then rollout batch, data date and address."""
    by_address = {resource.address: resource for resource in resources}
    depths = _depths(by_address.values())

    def key(call: Call) -> tuple[int, int, int, Address]:
        newest = by_address[call.address].rollout.order is Order.NEWEST
        first = call.dates.ranges[0].start.toordinal()
        return (
            depths.get(call.address, 0),
            call.batch,
            -first if newest else first,
            call.address,
        )

    return key


def _depths(resources: Iterable[Resource]) -> dict[Address, int]:
    """How many resources stand before each in the longest chain of `requires`; 0 is left out."""
    before = {
        resource.address: {one.address for one in resource.requires}
        for resource in resources
        if resource.requires
    }
    depths: dict[Address, int] = {}
    for address in graphlib.TopologicalSorter(before).static_order():
        depths[address] = max((depths[one] + 1 for one in before.get(address, ())), default=0)
    return depths


def waited_for(
    decided: Iterable[Decided], resources: tuple[Resource, ...]
) -> tuple[Resource, ...]:
    """The resources with calls that may have to wait, and all whose units they wait for, by address."""
    waiting = {
        one.resource.address
        for one in decided
        if one.resource.conditional and one.dates_where(needs_call)
    }
    if not waiting:
        return ()
    meant = concerned(claims(resources), waiting.__contains__)
    return tuple(
        sorted((item for item in resources if meant(item.address)), key=lambda item: item.address)
    )
