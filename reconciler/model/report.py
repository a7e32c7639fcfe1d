"""How an apply ended, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from reconciler.model.addresses import Address
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import has_errors
from reconciler.model.events import CallMoved, CallRefused, Event, GateUnreadable, ReadFailed
from reconciler.model.plan import Plan

E = TypeVar("E")

#: Units by address and by a word that says how they are.
Units = Mapping[tuple[Address, str], DateSet]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    """How an apply ended.

    `unknown` and `unhelped` are units by address and word (`outcome unknown`, `failed`, `held`, …) at the
    end: nobody knows what became of them, or they did not end well; `blocked` are those that wait for
    something (`blocked by rollout`, …). `calls` counts API calls, reads included. `finished` is False
    when waiting was cut short.
    """

    plan: Plan
    events: tuple[Event, ...]
    unknown: Units
    unhelped: Units
    blocked: Units
    calls: int
    finished: bool
    interrupted: bool

    def of(self, kind: type[E]) -> tuple[E, ...]:
        """All events of a kind."""
        return tuple(event for event in self.events if isinstance(event, kind))

    @property
    def refused(self) -> tuple[CallRefused, ...]:
        """Calls that were refused for good, as far as this apply goes."""
        return tuple(one for one in self.of(CallRefused) if one.retrying_in_seconds is None)

    @property
    def moved(self) -> bool:
        """Whether a planned call was not sent because its units moved."""
        return bool(self.of(CallMoved))

    @property
    def failed(self) -> bool:
        """Whether a call was refused, a read failed, a gate too, or the plan itself holds errors."""
        return bool(
            self.refused
            or self.of(ReadFailed)
            or self.of(GateUnreadable)
            or has_errors(self.plan.diagnostics)
        )
