"""The words for gates: the same on a terminal and in a pull request."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.dates import DateRange, DateSet
from reconciler.model.gates import GateReading, GateStanding
from reconciler.model.rangemap import RangeMap
from reconciler.rendering.phrases import Phrase, joined, theirs

#: So many different reasons of one gate are told; `--json` has them all.
REASONS_TOLD = 5


class Stand(enum.Enum):
    """How a gate stands."""

    OPEN = "open"
    CLOSED = "closed"
    NOT_EVALUATED = "not evaluated"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateState:
    """How a gate stands on some dates; `dates` is None where all of them are meant.

    `said` goes on behind the word and the dates. `urgent`: somebody must look at it.
    """

    stand: Stand
    said: Phrase = ()
    dates: DateSet | None = None
    urgent: bool = False


def asked(standing: GateStanding) -> Phrase:
    """Which system a gate asks, and for what."""
    gate = standing.gate
    return joined(" · ", (theirs(gate.connection), theirs(str(gate.condition))))


def stuck(standing: GateStanding) -> bool:
    """Whether a gate opens, on some dates, only after a person has done something."""
    return standing.reading is not None and bool(standing.reading.stuck)


def by_need(gates: Sequence[GateStanding]) -> tuple[GateStanding, ...]:
    """Gates, those that need a person first."""
    return tuple(sorted(gates, key=stuck, reverse=True))


def states(reading: GateReading | None) -> Iterator[GateState]:
    """How a gate stood: each reason why it is closed, how many more there are, and where it is open."""
    if reading is None:
        yield GateState(stand=Stand.NOT_EVALUATED)
        return
    told = _by_text(reading.closed)
    for text, dates in list(told.items())[:REASONS_TOLD]:
        needy = bool(dates & reading.stuck)
        yield GateState(
            stand=Stand.CLOSED,
            dates=_unless_all(dates, reading),
            said=(": ", *theirs(text), *(("; needs a person",) if needy else ())),
            urgent=needy or reading.problem is not None,
        )
    if len(told) > REASONS_TOLD:
        more = f" for {len(told) - REASONS_TOLD} more reasons"
        yield GateState(stand=Stand.CLOSED, said=(more,))
    opened = reading.dates - reading.closed.dates
    if opened:
        remarks = "; ".join(_by_text(reading.remarks))
        yield GateState(
            stand=Stand.OPEN,
            dates=_unless_all(opened, reading),
            said=(" (", *theirs(remarks), ")") if remarks else (),
        )


def _unless_all(dates: DateSet, reading: GateReading) -> DateSet | None:
    return None if dates == reading.dates else dates


def _by_text(texts: RangeMap[str]) -> dict[str, DateSet]:
    """Each text with all of its dates, in the order of their first."""
    found: dict[str, list[DateRange]] = defaultdict(list)
    for dates, text in texts:
        found[text].append(dates)
    return {text: DateSet.of(ranges) for text, ranges in found.items()}
