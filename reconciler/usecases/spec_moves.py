"""Whether the specs at hand still ask for what a saved plan holds."""

from __future__ import annotations

from reconciler.applying.lines import Lines
from reconciler.model.codes import Code
from reconciler.model.diagnostics import has_errors
from reconciler.model.plan import Call, Plan
from reconciler.model.resources import Resource, Rollout
from reconciler.model.series import Tag
from reconciler.planning.planner import spec_digest
from reconciler.specs import Loaded
from reconciler.wiring.workspace import Workspace

#: What is said of a project without a spec.
_ABSENT: Code = "no_specs"
_CANNOT_TELL = (
    "the specs at hand have errors, which `reconciler validate` shows, so nobody can tell"
)


def spec_moved(workspace: Workspace, plan: Plan, lines: Lines) -> dict[str, str]:
    """Calls that the specs at hand do not ask for, with the reason; absent specs say nothing.

    Dates that a spec counts from today are counted from the day of the plan.
    """
    loaded = workspace.load_specs(as_of=plan.as_of)
    if [one.code for one in loaded.diagnostics] == [_ABSENT]:
        return {}
    if has_errors(loaded.diagnostics):
        return dict.fromkeys((call.id for call in plan.calls), _CANNOT_TELL)
    by_address = {resource.address: resource for resource in loaded.resources}
    moved = {}
    for call in plan.calls:
        resource = by_address.get(call.address)
        why = (
            "its spec is gone"
            if resource is None
            else _why_moved(call, resource, loaded, plan, lines)
        )
        if why is not None:
            moved[call.id] = why
    return moved


def _why_moved(
    call: Call, resource: Resource, loaded: Loaded, plan: Plan, lines: Lines
) -> str | None:
    if spec_digest(resource, call.dates) != call.spec_digest:
        return "its spec was edited since planning"
    if not _asks_for(resource, call, lines):
        return "it is not the call that its spec asks for"
    planned = next((one for one in plan.desired if one.address == call.address), None)
    # What a plan waits for more than its specs ask for does no harm.
    if set(resource.requires) - set(planned.requires if planned else ()):
        return "its spec requires more than it did at planning"
    if resource.rollout != (planned.rollout if planned else Rollout()):
        return "its rollout was edited since planning"
    gates = {standing.gate.name: standing.gate for standing in plan.gates}
    known = {ref.name for ref in planned.gates} & gates.keys() if planned else set()
    for ref in resource.gates:
        if ref.name not in known or loaded.gates.get(ref.name) != gates[ref.name]:
            return f"{ref} was edited, or was not required at planning"
    return None


def _asks_for(resource: Resource, call: Call, lines: Lines) -> bool:
    """Whether a call is what its spec asks for, to the letter: a plan can be forged, digest and all."""
    (dates,) = call.dates
    tag = Tag(series=call.series, generation=call.generation, call_id=call.id)
    if (
        call.connection != resource.connection
        or call.series != resource.series.fingerprint
        or any(one != call.generation for _, one in resource.generations.restricted(call.dates))
        or (call.name and Tag.parse(call.name) != tag)
    ):
        return False
    provider = lines.runs[call.connection].provider
    wire = provider.wire_call(resource.series, dates, call.name, resource.tuning)
    return (wire.operation, dict(wire.parameters)) == (call.operation, dict(call.parameters))
