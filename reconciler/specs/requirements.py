"""Checks of `requires` across specs: what is named exists, wants the same dates, and closes no circle."""

from __future__ import annotations

import graphlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.documents import suggestion
from reconciler.model.addresses import Address
from reconciler.model.codes import Code
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.gates import GateRef
from reconciler.model.resources import Requirement, Resource
from reconciler.model.series import Subject
from reconciler.specs.crosschecks import Declaration

_DECLARE = "declare it, or remove it from `requires`"


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
        for ref in resource.gates:
            if known and ref not in known:
                yield _unknown_gate(resource, ref, known)
        for requirement in resource.requires:
            required = by_address.get(requirement.address)
            if required is not None:
                yield from _unfit(resource, requirement, required)
            elif known and requirement.address not in known:
                yield _unknown(resource, requirement, known)
    yield from _circles(by_address)


def _unknown_gate(
    resource: Resource, ref: GateRef, known: Iterable[Address | GateRef]
) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code="unknown_gate",
        summary=f"no spec declares {ref}",
        place=ref.place or resource.place,
        address=str(resource.address),
        hint=suggestion(str(ref), tuple(sorted(map(str, known)))) or _DECLARE,
    )


def _unknown(
    resource: Resource, requirement: Requirement, known: Iterable[Address | GateRef]
) -> Diagnostic:
    return _error(
        resource,
        requirement,
        "unknown_resource",
        f"no spec declares {requirement.address}",
        suggestion(str(requirement.address), tuple(sorted(map(str, known)))) or _DECLARE,
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
    """An error for each circle, at a requirement that closes it."""
    before = {
        address: {one.address for one in resource.requires if one.address in by_address}
        for address, resource in sorted(by_address.items())
        if resource.requires
    }
    if not before:
        return
    for sharer, owner in _shared(by_address.values()):
        before.setdefault(sharer, set()).add(owner)
    while True:
        try:
            graphlib.TopologicalSorter(before).prepare()
        except graphlib.CycleError as error:
            # It holds the path from what is required to what requires it, the first named again.
            path = _closed_by_a_requirement(list(reversed(error.args[1]))[:-1], by_address)
            closing, closed = by_address[path[-1]], path[0]
            before[closing.address].discard(closed)
            (requirement, *_) = (one for one in closing.requires if one.address == closed)
            yield _error(
                closing,
                requirement,
                "circle",
                f"what is required runs in a circle: {' → '.join(map(str, (*path, closed)))}",
                "remove one of these requirements; who asks for the same units waits for their owner",
            )
        else:
            return


def _shared(resources: Iterable[Resource]) -> Iterator[tuple[Address, Address]]:
    """Who waits for whom because both ask for the same units: the first address by name owns them.

    Where one requires the other there is an error already.
    """
    by_subject: dict[Subject, list[Resource]] = defaultdict(list)
    for resource in sorted(resources, key=lambda item: item.address):
        for owner in by_subject[resource.series.subject]:
            direct = {one.address for one in (*resource.requires, *owner.requires)}
            if resource.dates & owner.dates and not direct & {resource.address, owner.address}:
                yield resource.address, owner.address
        by_subject[resource.series.subject].append(resource)


def _closed_by_a_requirement(
    circle: list[Address], by_address: Mapping[Address, Resource]
) -> list[Address]:
    """The circle from its first address by name on, or from the next one to which a requirement leads."""
    start = circle.index(min(circle))
    for shift in range(len(circle)):
        turned = [*circle, *circle][start + shift :][: len(circle)]
        if any(one.address == turned[0] for one in by_address[turned[-1]].requires):
            return turned
    raise AssertionError("a circle without a requirement")


def _error(
    resource: Resource, requirement: Requirement, code: Code, summary: str, hint: str
) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code=code,
        summary=summary,
        place=requirement.place or resource.place,
        address=str(resource.address),
        hint=hint,
    )
