"""What the agent's status and one signed read tell of a connection."""

from __future__ import annotations

from reconciler.model.calls import CheckReport
from reconciler.model.errors import ProviderError, Unauthenticated
from reconciler.model.gates import Scope
from reconciler.providers.connecting import told_clock, told_reached
from reconciler.providers.obshell.api import Api
from reconciler.providers.obshell.evaluating import AVAILABLE, CLUSTER_AGENT
from reconciler.providers.obshell.wire import Status
from reconciler.providers.server_clock import ServerClock

#: An agent of this identity lets every password pass, as long as it has none of its own.
_SINGLE = "SINGLE"


async def check_connection(api: Api, base_url: str, server_clock: ServerClock) -> CheckReport:
    """Read the status and a list, and report, one line each: host, agent, cluster, password, clocks."""
    error: ProviderError | None = None
    lines: list[str] = []
    try:
        status = await api.get_status()
        lines += _told_status(status)
        lines += await _told_list(api, status)
    except ProviderError as caught:
        error = caught
        lines.append(_told_error(caught))
    if (ahead := server_clock.ahead_seconds()) is not None:
        lines.append(f"clock: {told_clock(ahead)}")
    # An answer to either read is an answer.
    reached = "answers" if server_clock.known else told_reached(error)
    return CheckReport(sound=error is None, lines=(f"endpoint: {base_url} {reached}", *lines))


def _told_status(status: Status) -> list[str]:
    if status.ob_state == AVAILABLE:
        database = "is available"
    else:
        database = f"is not available (obState {status.ob_state})"
    return [
        f"agent: OBShell {status.version}, {status.identity}",
        f"cluster: the database {database}",
    ]


async def _told_list(api: Api, status: Status) -> list[str]:
    # Only an agent of a cluster has the list of the cluster.
    in_cluster = status.identity == CLUSTER_AGENT
    dags = await api.list_unfinished(Scope.CLUSTER if in_cluster else Scope.AGENT)
    accepted = "accepted"
    if status.identity == _SINGLE:
        accepted = "not refused; an agent without a cluster takes any, unless it has its own"
    return [f"credentials: {accepted}", f"unfinished tasks: {len(dags)}"]


def _told_error(error: ProviderError) -> str:
    if isinstance(error, Unauthenticated):
        return f"credentials: not accepted: {error.summary}"
    return f"read: {error.summary}"
