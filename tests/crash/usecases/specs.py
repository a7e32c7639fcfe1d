"""The specs that people write here: a few resources, each on some of the same ten days."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

#: The window of days: 2020-05-20 is day 0.
DAYS: Final = 10

ROOTS: Final = {"orders": 1, "extra": 1, "users": 2}
FLOW: Final = "close"
NAMES: Final = (*ROOTS, FLOW)

#: One unit: the name of a resource, and a day.
Key = tuple[str, int]


def day_text(day: int) -> str:
    """As specs and commands write it."""
    return f"2020-05-{20 + day:02}"


def day_of(text: str) -> int:
    """The day that a text ends with."""
    return int(text[-2:]) - 20


def address_of(name: str) -> str:
    """Such as `backfill.orders`."""
    return f"{'manualflow' if name == FLOW else 'backfill'}.{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One declared resource. `value` is that of its one parameter; `reruns` gives days by generation."""

    name: str
    days: frozenset[int]
    value: str = "a"
    on_change: str = "hold"
    reruns: Mapping[int, frozenset[int]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Such as `backfill.orders`."""
        return address_of(self.name)

    def generation(self, day: int) -> int:
        """Which run of a day is asked for."""
        return max((one for one, days in self.reruns.items() if day in days), default=1)

    def body(self) -> dict[str, Any]:
        """The document's `spec`."""
        scope = "flow" if self.name == FLOW else str(ROOTS[self.name])
        params: dict[str, Any] = {scope: {"k": self.value}}
        spec: dict[str, Any] = {
            "dates": {"list": [day_text(day) for day in sorted(self.days)]},
            "params": params,
            "onChange": self.on_change,
        }
        if self.name in ROOTS:
            spec["target"] = {"rootNode": ROOTS[self.name]}
        if self.name == "extra":
            spec["variant"] = "extra"
        spec["reruns"] = [
            {
                "generation": one,
                "dates": [day_text(day) for day in sorted(days & self.days)],
                "reason": "upstream repaired",
            }
            for one, days in sorted(self.reruns.items())
            if days & self.days
        ]
        return {key: value for key, value in spec.items() if value != []}


def still_asked(saved: Spec, now: Spec | None) -> Spec:
    """What is left of a planned spec beside the one that is declared by now."""
    if now is None or now.value != saved.value:
        return dataclasses.replace(saved, days=frozenset())
    alike = (day for day in saved.days & now.days if saved.generation(day) == now.generation(day))
    return dataclasses.replace(saved, days=frozenset(alike))
