"""The gates of a plan for a person: each with what it asks, and how it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from reconciler.model.dates import DateSet
from reconciler.model.gates import GateReading, GateStanding
from reconciler.model.rangemap import RangeMap
from reconciler.rendering.layout import hanging
from reconciler.rendering.paint import Paint, Role, clean

#: So many different reasons of one gate are told; `--json` has them all.
REASONS_TOLD = 5


def gate_lines(gates: Sequence[GateStanding], paint: Paint, width: int) -> Iterator[str]:
    """One line for each gate, and one for each reason why it is closed; nothing without gates."""
    for standing in gates:
        gate = standing.gate
        about = f"{gate.connection} · {clean(str(gate.condition))}"
        first, *rest = hanging(f"  {gate.address}   ", about, indent=6, width=width)
        yield first.replace(gate.address, paint(gate.address, Role.STRONG), 1)
        yield from rest
        yield from _state_lines(standing.reading, paint, width)


def _state_lines(reading: GateReading | None, paint: Paint, width: int) -> Iterator[str]:
    if reading is None:
        yield f"      {paint('not evaluated', Role.CHANGE)}"
        return
    told = list(_by_text(reading.closed))
    for text, dates in told[:REASONS_TOLD]:
        role = Role.PROBLEM if reading.problem or dates & reading.stuck else Role.CHANGE
        person = "; needs a person" if dates & reading.stuck else ""
        said = f"{_for(dates, reading)}: {clean(text)}{person}"
        yield from _state_line("closed", role, said, paint, width)
    if len(told) > REASONS_TOLD:
        yield f"      closed for {len(told) - REASONS_TOLD} more reasons"
    opened = reading.dates - reading.closed.dates
    if opened:
        remarks = "; ".join(clean(text) for text, _ in _by_text(reading.remarks))
        said = f"{_for(opened, reading)}{f' ({remarks})' if remarks else ''}"
        yield from _state_line("open", Role.CREATE, said, paint, width)


def _state_line(word: str, role: Role, said: str, paint: Paint, width: int) -> Iterator[str]:
    first, *rest = hanging("      ", word + said, indent=10, width=width)
    yield first.replace(word, paint(word, role), 1)
    yield from rest


def _for(dates: DateSet, reading: GateReading) -> str:
    """Which dates are meant, where not all are."""
    return "" if dates == reading.dates else f" for {dates}"


def _by_text(texts: RangeMap[str]) -> Iterator[tuple[str, DateSet]]:
    """Each text with all of its dates, in the order of their first."""
    found: dict[str, DateSet] = defaultdict(DateSet)
    for dates, text in texts:
        found[text] |= DateSet((dates,))
    yield from found.items()
