"""Whether the specs at hand still ask for what a saved plan holds."""

from __future__ import annotations

from reconciler.model.diagnostics import has_errors
from reconciler.model.plan import Plan
from reconciler.planning.planner import spec_digest
from reconciler.wiring.workspace import Workspace


def spec_moved(workspace: Workspace, plan: Plan) -> dict[str, str]:
    """Calls that the specs at hand no longer ask for, with the reason; absent specs say nothing."""
    loaded = workspace.load_specs()
    if has_errors(loaded.diagnostics) or not loaded.resources:
        return {}
    by_address = {resource.address: resource for resource in loaded.resources}
    moved = {}
    for call in plan.calls:
        resource = by_address.get(call.address)
        if resource is None:
            moved[call.id] = "its spec is gone"
        elif spec_digest(resource, call.dates) != call.spec_digest:
            moved[call.id] = "its spec was edited since planning"
    return moved
