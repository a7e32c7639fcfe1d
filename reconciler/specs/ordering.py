"""What a spec says of order: what must be done before, and in which batches its dates start."""

from __future__ import annotations

from reconciler.documents import MapNode, Problems
from reconciler.model.gates import GateRef
from reconciler.model.resources import Order, Requirement, Rollout
from reconciler.specs.fields import (
    integer,
    optional_integer,
    optional_mapping,
    optional_text,
    scalars,
    value_text,
)

_NO_ROLLOUT = Rollout()


def parse_requires(
    spec: MapNode, problems: Problems
) -> tuple[tuple[Requirement, ...], tuple[GateRef, ...]]:
    """What must be done first, and which gates be open, each in the order given and once."""
    found: dict[Requirement, None] = {}
    gates: dict[GateRef, None] = {}
    for item in scalars(spec, "requires"):
        text, place = value_text(item), problems.source.place(item)
        if text.startswith("gate."):
            gates[GateRef.parse(text, place)] = None
        else:
            found[Requirement.parse(text, place)] = None
    return tuple(found), tuple(gates)


def parse_rollout(spec: MapNode) -> Rollout:
    """The batches of a spec; without any, all its dates are one."""
    node = optional_mapping(spec, "rollout")
    if node is None:
        return _NO_ROLLOUT
    return Rollout(
        canary=integer(node, "canary", 0),
        max_dates_per_call=optional_integer(node, "maxDatesPerCall"),
        max_active_dates=optional_integer(node, "maxActiveDates"),
        stop_after_failures=integer(node, "stopAfterFailures", 1),
        order=Order(optional_text(node, "order") or "oldest"),
    )
