"""What people do to instances: stop, restart, mark as succeeded."""

from __future__ import annotations

from reconciler.simulator.dataworks.call import Call
from reconciler.simulator.dataworks.reading import known_instance
from reconciler.simulator.errors import invalid
from reconciler.simulator.runs import Status, Verb


def stop_instance(call: Call) -> object:
    """Stop a running instance; it ends as a failure."""
    return _act(call, Verb.STOP, {Status.RUNNING})


def restart_instance(call: Call) -> object:
    """Run an instance again that has ended."""
    return _act(call, Verb.RESTART, {Status.FAILURE, Status.SUCCESS})


def set_success_instance(call: Call) -> object:
    """Take a failed instance for succeeded."""
    return _act(call, Verb.SET_SUCCESS, {Status.FAILURE})


def _act(call: Call, verb: Verb, allowed: set[Status]) -> bool:
    instance = known_instance(call)
    status = instance.state.status
    if status not in allowed:
        raise invalid("InstanceId", f"the instance is in state {status.value}")
    call.session.intervene(instance.trigger, instance.index, verb)
    return True
