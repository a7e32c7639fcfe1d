"""Coverage for a person: the resources, and under each one line per range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from reconciler.model.addresses import Address, UnitRange
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.remedies import shows_more
from reconciler.rendering.layout import COLUMNS, hanging, indent_of
from reconciler.rendering.paint import Paint, Role, clean
from reconciler.rendering.plan_words import COMMANDS_TOLD
from reconciler.rendering.words import some

_ROLES = {
    "success": Role.QUIET,
    "shared": Role.QUIET,
    "created": Role.CREATE,
    "running": Role.CREATE,
    "missing": Role.CHANGE,
    "blocked": Role.CHANGE,
}


#: Reasons that a status has said already.
_SAYS_NO_MORE = {
    "succeeded",
    "in_flight",
    "missing",
    "failed",
    "hollow",
    "stopped",
    "outcome_unknown",
}


class CoverageLike(Protocol):
    """Units that are alike."""

    @property
    def dates(self) -> DateSet:
        """Their data dates."""
        ...

    @property
    def status(self) -> str:
        """How far they are."""
        ...

    @property
    def reason(self) -> str:
        """Why the next plan decides as it does."""
        ...

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Their runs, as far as known."""
        ...

    @property
    def blocked_by(self) -> tuple[str, ...]:
        """What keeps them from starting."""
        ...

    @property
    def detail(self) -> str:
        """What opens that."""
        ...

    @property
    def needs_person(self) -> bool:
        """Whether only a person can help them."""
        ...


Rows = tuple[Address, tuple[CoverageLike, ...]]


def render_status(resources: Iterable[Rows], paint: Paint, *, width: int = COLUMNS) -> str:
    """The text in lines that fit; ends with a newline."""
    lines = [
        line for address, ranges in resources for line in _resource(address, ranges, paint, width)
    ]
    return "\n".join(lines or ["No resources."]) + "\n"


def _resource(
    address: Address, ranges: tuple[CoverageLike, ...], paint: Paint, width: int
) -> Iterator[str]:
    total = sum(one.dates.count for one in ranges)
    shared = sum(one.dates.count for one in ranges if one.status == "shared")
    succeeded = [one for one in ranges if one.status == "success"]
    done = sum(one.dates.count for one in succeeded)
    edited = sum(one.dates.count for one in succeeded if one.reason == "changed")
    notes = [f"{done} of {some(total - shared, 'date')} succeeded"]
    notes += [f"{edited} of them before the spec was edited"] if edited else []
    notes += [f"{some(shared, 'date')} counted elsewhere"] if shared else []
    first, *rest = hanging(f"{address}   ", ", ".join(notes), indent=4, width=width)
    yield first.replace(str(address), paint(str(address), Role.STRONG), 1)
    yield from rest
    rows: list[tuple[DateRange, CoverageLike]] = sorted(
        ((dates, one) for one in ranges for dates in one.dates), key=lambda row: row[0]
    )
    span = max((len(str(dates)) for dates, _ in rows), default=0)
    people = 0
    for dates, one in rows:
        told = f"    {dates!s:<{span}}  {some(dates.count, 'date'):>9}  "
        first, *rest = hanging(f"{told}{one.status:<8}  ", _why(one), width=width)
        word = paint(one.status, _ROLES.get(one.status, Role.PROBLEM))
        yield f"{told}{word}{first[len(told) + len(one.status) :]}"
        yield from rest
        if one.needs_person and people < COMMANDS_TOLD:
            people += 1
            command = shows_more(UnitRange(address, dates))
            yield indent_of(command, most=8, width=width) + paint(command, Role.STRONG)


def _why(one: CoverageLike) -> str:
    said = "" if one.reason in _SAYS_NO_MORE else clean(one.reason).replace("_", " ")
    by = f"by {clean(', '.join(one.blocked_by))}" if one.blocked_by and not one.detail else ""
    return ": ".join(filter(None, (said, by, clean(one.detail))))


def status_document(resources: Iterable[Rows]) -> dict[str, object]:
    """`status --json`; only ranges that are blocked have `blocked_by` and `detail`."""
    return {
        "resources": [
            {"address": str(address), "ranges": [_range_document(one) for one in ranges]}
            for address, ranges in resources
        ]
    }


def _range_document(one: CoverageLike) -> dict[str, object]:
    document: dict[str, object] = {
        "dates": list(one.dates.texts()),
        "status": one.status,
        "reason": one.reason,
        "run_ids": list(one.run_ids),
    }
    if one.blocked_by:
        document |= {"blocked_by": list(one.blocked_by), "detail": one.detail}
    return document
