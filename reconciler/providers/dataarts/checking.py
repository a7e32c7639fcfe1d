"""What one read tells of a connection."""

from __future__ import annotations

from reconciler.model.calls import CheckReport
from reconciler.model.errors import Forbidden, ProviderError, Unauthenticated
from reconciler.providers.connecting import told_clock
from reconciler.providers.dataarts.api import Api
from reconciler.providers.dataarts.wire_requests import LIST
from reconciler.providers.server_clock import ServerClock


async def check_connection(api: Api, server_clock: ServerClock) -> CheckReport:
    """Ask for one PatchData and report, one line each: the host, the credentials, the right, the clocks."""
    error: ProviderError | None = None
    try:
        await api.list_patches(0, size=1)
    except ProviderError as caught:
        error = caught
    lines = [f"endpoint: {api.hosts.studio} {_reached(error)}"]
    match error:
        case None:
            lines += [
                "credentials: accepted",
                f"rights: may call {LIST}; whether it may create runs shows only when it does",
            ]
        case Unauthenticated():
            lines.append(f"credentials: not accepted: {error.summary}")
        case Forbidden():
            lines += ["credentials: accepted", f"rights: may not call {LIST}: {error.summary}"]
        case _:
            lines.append(f"read: {error.summary}")
    lines += api.gateway.access.lines()
    if (ahead := server_clock.ahead_seconds()) is not None:
        lines.append(f"clock: {told_clock(ahead)}")
    return CheckReport(sound=error is None, lines=tuple(lines))


def _reached(error: ProviderError | None) -> str:
    if error is None or (error.status is not None and error.operation == LIST):
        return "answers"
    # Without a key or token it is not asked, so nothing is known of the host.
    return "does not answer" if error.operation == LIST else "was not asked"
