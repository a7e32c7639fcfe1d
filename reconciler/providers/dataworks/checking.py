"""What one signed read tells of a connection."""

from __future__ import annotations

import contextlib

from reconciler.model.calls import CheckReport
from reconciler.model.errors import Forbidden, NotFound, ProviderError, Unauthenticated
from reconciler.model.project import DataWorksConnection
from reconciler.providers.connecting import told_clock, told_reached
from reconciler.providers.dataworks.api import Api, InstanceQuery
from reconciler.providers.server_clock import ServerClock

#: No run has this id; asking for it is the cheapest read that API 2018-06-01 offers.
_NO_RUN = "1"


async def check_connection(
    api: Api, base_url: str, server_clock: ServerClock, connection: DataWorksConnection
) -> CheckReport:
    """Send one read and report, one line each: the host, the credentials, the right, the clocks."""
    error: ProviderError | None = None
    try:
        asked = await _read(api, connection)
    except ProviderError as caught:
        error, asked = caught, caught.operation
    lines = [f"endpoint: {base_url} {told_reached(error)}"]
    match error:
        case None:
            lines += [
                "credentials: accepted",
                f"rights: may call {asked}; whether it may create runs shows only when it does",
            ]
        case Unauthenticated():
            lines.append(f"credentials: not accepted: {error.summary}")
        case Forbidden():
            lines += ["credentials: accepted", f"rights: may not call {asked}: {error.summary}"]
        case _:
            lines.append(f"read: {error.summary}")
    if (ahead := server_clock.ahead_seconds()) is not None:
        lines.append(f"clock: {told_clock(ahead)}")
    return CheckReport(sound=error is None, lines=tuple(lines))


async def _read(api: Api, connection: DataWorksConnection) -> str:
    """Send the cheapest read that the connection allows; returns its operation."""
    if connection.project_id is not None:
        query = InstanceQuery(project_id=connection.project_id, environment=connection.environment)
        await api.list_instances(query, 1, size=1)
        return "ListInstances"
    with contextlib.suppress(NotFound):
        # "No such run" answers a question that had to be authorised first.
        await api.search_manual_run(_NO_RUN, connection.project or "")
    return "SearchManualDagNodeInstance"
