"""Checks of `requires` across specs: what is named exists, wants the same dates, and closes no circle."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.documents import suggestion
from reconciler.model.addresses import Address
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.resources import Requirement, Resource
from reconciler.specs.crosschecks import Declaration


def check_requirements(
    resources: Iterable[Resource], declarations: Sequence[Declaration]
) -> Iterator[Diagnostic]:
    """All that is wrong with what resources require.

    Args:
        resources: Those of which something is known, also where another part of them is wrong.
        declarations: Every address there is; none if not all are known.
    """
    by_address = {resource.address: resource for resource in resources}
    known = {item.address for item in declarations}
    for resource in by_address.values():
        for requirement in resource.requires:
            required = by_address.get(requirement.address)
            if required is not None:
                yield from _unfit(resource, requirement, required)
            elif known and requirement.address not in known:
                yield _unknown(resource, requirement, known)
    yield from _circles(by_address)


def _unknown(resource: Resource, requirement: Requirement, known: set[Address]) -> Diagnostic:
    return _error(
        resource,
        requirement,
        "unknown_resource",
        f"no spec declares {requirement.address}",
        suggestion(str(requirement.address), tuple(map(str, sorted(known)))) or "",
    )


def _unfit(
    resource: Resource, requirement: Requirement, required: Resource
) -> Iterator[Diagnostic]:
    subject = required.series.subject
    if resource.address != required.address and resource.series.subject == subject:
        both = resource.dates & required.dates
        if both:
            yield _error(
                resource,
                requirement,
                "circle",
                f"{resource.address} and {required.address} ask for the same runs on {both}, "
                "so one cannot wait for the other",
                "remove the requirement, or keep their dates apart",
            )
    lacking = resource.dates - required.dates
    if requirement.same_date and lacking:
        yield _error(
            resource,
            requirement,
            "date_not_wanted",
            f"{required.address} does not want {lacking}, for which {resource.address} waits",
            f"give both the same dates, or require {required.address} as a whole",
        )


def _circles(by_address: Mapping[Address, Resource]) -> Iterator[Diagnostic]:
    """An error for each circle, at the requirement that closes it."""
    before = {
        address: {one.address for one in resource.requires if one.address in by_address}
        for address, resource in sorted(by_address.items())
        if resource.requires
    }
    while True:
        try:
            graphlib.TopologicalSorter(before).prepare()
        except graphlib.CycleError as error:
            # It holds the path from what is required to what requires it, the first named again.
            circle: list[Address] = list(reversed(error.args[1]))
            start = circle.index(min(circle))
            path = [*circle[start:-1], *circle[:start], circle[start]]
            closing, closed = by_address[path[-2]], path[-1]
            before[closing.address].discard(closed)
            (requirement, *_) = (one for one in closing.requires if one.address == closed)
            yield _error(
                closing,
                requirement,
                "circle",
                f"what is required runs in a circle: {' → '.join(map(str, path))}",
                "remove one of these requirements",
            )
        else:
            return


def _error(
    resource: Resource, requirement: Requirement, code: str, summary: str, hint: str
) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code=code,
        summary=summary,
        place=requirement.place or resource.place,
        address=str(resource.address),
        hint=hint,
    )
