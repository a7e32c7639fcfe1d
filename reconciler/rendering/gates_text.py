"""The gates of a plan for a person: each with what it asks, and how it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.gates import GateStanding
from reconciler.rendering.gate_words import GateState, Stand, asked, states
from reconciler.rendering.layout import hanging
from reconciler.rendering.paint import Paint, Role, clean
from reconciler.rendering.phrases import plain


def gate_lines(gates: Sequence[GateStanding], paint: Paint, width: int) -> Iterator[str]:
    """One line for each gate, and one for each reason why it is closed; nothing without gates."""
    for standing in gates:
        address = clean(standing.gate.address)
        first, *rest = hanging(f"  {address}   ", plain(asked(standing)), width=width)
        yield first.replace(address, paint(address, Role.STRONG), 1)
        yield from rest
        for state in states(standing.reading):
            yield from _state_lines(state, paint, width)


def _state_lines(state: GateState, paint: Paint, width: int) -> Iterator[str]:
    word = state.stand.value
    dates = "" if state.dates is None else f" for {state.dates}"
    told = f"{word}{dates}{plain(state.said)}"
    first, *rest = hanging("      ", told, width=width)
    yield first.replace(word, paint(word, _role(state)), 1)
    yield from rest


def _role(state: GateState) -> Role:
    if state.stand is Stand.OPEN:
        return Role.CREATE
    return Role.PROBLEM if state.urgent else Role.CHANGE
