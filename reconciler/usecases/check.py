"""One signed read per connection."""

from __future__ import annotations

import asyncio

from reconciler.model.calls import CheckReport
from reconciler.wiring.workspace import Workspace


def check_connections(workspace: Workspace) -> dict[str, CheckReport]:
    """Ask each connection of the project once; by name, sorted. Writes nothing."""

    async def checking() -> dict[str, CheckReport]:
        async with workspace.lines(workspace.project.connections) as lines:
            return {name: await one.check() for name, one in lines.connected.items()}

    return asyncio.run(checking())
