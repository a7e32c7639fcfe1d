"""Checks of `requires` across specs: what is named exists, wants the same dates, and closes no circle."""

from __future__ import annotations

import bisect
import datetime as dt
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

#: So many circles are told; those that are left show once these are gone.
CIRCLES_TOLD = 10
#: A longer circle is told by its first and last addresses, so many in all.
LONGEST_PATH = 12
#: So many comparisons with known names are made to guess which were meant.
COMPARED_NAMES = 20_000


def check_requirements(
    resources: Iterable[Resource], declarations: Sequence[Declaration]
) -> Iterator[Diagnostic]:
    """All that is wrong with what resources require.

    Args:
        resources: Those of which something is known, also where another part of them is wrong.
        declarations: Every address there is; none if not all are known.
    """
    by_address = {resource.address: resource for resource in resources}
    known = _Known(declarations)
    for resource in by_address.values():
        for ref in resource.gates:
            if known and ref not in known:
                yield _unknown_gate(resource, ref, known.near(ref, resource.address))
        for requirement in resource.requires:
            required = by_address.get(requirement.address)
            if required is not None:
                yield from _unfit(resource, requirement, required)
            elif known and requirement.address not in known:
                near = known.near(requirement.address, resource.address)
                yield _error(
                    resource,
                    requirement,
                    "unknown_resource",
                    f"no spec declares {requirement.address}",
                    near,
                )
    yield from _circles(by_address)


class _Known:
    """Every address there is, and which of them a wrong one may have meant."""

    def __init__(self, declarations: Iterable[Declaration]) -> None:
        self._addresses = {item.address for item in declarations}
        self._names = sorted(map(str, self._addresses))
        self._left = COMPARED_NAMES

    def __bool__(self) -> bool:
        return bool(self._addresses)

    def __contains__(self, address: Address | GateRef) -> bool:
        return address in self._addresses

    def near(self, address: Address | GateRef, asking: Address) -> str:
        """A hint: the nearest name but that of who asks, unless none is near or too many were asked for."""
        self._left -= len(self._names)
        others = (name for name in self._names if name != str(asking))
        near = suggestion(str(address), others) if self._left >= 0 else ""
        return near or "declare it, or remove it from `requires`"


def _unknown_gate(resource: Resource, ref: GateRef, near: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code="unknown_gate",
        summary=f"no spec declares {ref}",
        place=ref.place or resource.place,
        address=str(resource.address),
        hint=near,
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
    """An error for each circle, at a requirement that closes it; the first few of very many."""
    before = {
        address: {one.address for one in resource.requires if one.address in by_address}
        for address, resource in sorted(by_address.items())
        if resource.requires
    }
    if not before:
        return
    for sharer, owner in _shared(by_address.values()):
        before.setdefault(sharer, set()).add(owner)
    for _ in range(CIRCLES_TOLD):
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
                f"what is required runs in a circle: {_told([*path, closed])}",
                "remove one of these requirements; who asks for the same units waits for their owner",
            )
        else:
            return


def _shared(resources: Iterable[Resource]) -> Iterator[tuple[Address, Address]]:
    """Who waits for whom because both ask for the same units: the first address by name owns them.

    Of many that share, each waits for the one before it by name, and so for all before. Where one requires
    the other there is an error already.
    """
    by_subject: dict[Subject, dict[Address, Resource]] = defaultdict(dict)
    for resource in resources:
        by_subject[resource.series.subject][resource.address] = resource
    for group in by_subject.values():
        for sharer, owner in _neighbours(group.values()) if len(group) > 1 else ():
            direct = {one.address for one in (*group[sharer].requires, *group[owner].requires)}
            if not direct & {sharer, owner}:
                yield sharer, owner


def _neighbours(group: Iterable[Resource]) -> Iterator[tuple[Address, Address]]:
    """Sweep over the dates: pairs that at some date stand next to one another by name, the later first."""
    edges: list[tuple[dt.date, bool, Address]] = []
    for resource in group:
        for dates in resource.dates:
            edges += [(dates.start, True, resource.address), (dates.end, False, resource.address)]
    active: list[Address] = []
    for _, opens, address in sorted(edges):
        place = bisect.bisect_left(active, address)
        before = active[place - 1] if place else None
        if opens:
            active.insert(place, address)
            if before is not None:
                yield address, before
            if place + 1 < len(active):
                yield active[place + 1], address
        else:
            del active[place]
            if before is not None and place < len(active):
                yield active[place], before


def _told(path: Sequence[Address]) -> str:
    """The addresses of a circle, of a long one its ends."""
    names = [str(address) for address in path]
    if len(names) > LONGEST_PATH:
        half = LONGEST_PATH // 2
        names[half:-half] = [f"… ({len(names) - 2 * half} more)"]
    return " → ".join(names)


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
