"""What a spec says of order: what must be done before, and in which batches its dates start."""

from __future__ import annotations

from reconciler.documents import MapNode, Problems
from reconciler.model.resources import Order, Requirement, Rollout
from reconciler.specs.fields import (
    integer,
    optional_integer,
    optional_mapping,
    optional_text,
    scalars,
    value_text,
)
from reconciler.specs.unsupported import note_unsupported

_NO_ROLLOUT = Rollout()


def parse_requires(spec: MapNode, problems: Problems) -> tuple[Requirement, ...]:
    """What must be done first, in the order given; what is named twice counts once."""
    found: dict[Requirement, None] = {}
    for item in scalars(spec, "requires"):
        text = value_text(item)
        if text.startswith("gate."):
            note_unsupported(problems, item, "requiring a gate")
            continue
        found[Requirement.parse(text, problems.source.place(item))] = None
    return tuple(found)


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
