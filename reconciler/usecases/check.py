"""One signed read per connection."""

from __future__ import annotations

import asyncio

from reconciler.model.calls import CheckReport
from reconciler.wiring.workspace import Workspace


def check_connections(workspace: Workspace) -> dict[str, CheckReport]:
    """Ask each connection of the project once; by name, sorted. Writes nothing."""

    async def checking() -> dict[str, CheckReport]:
        async with workspace.lines(workspace.project.connections) as lines:
            return {name: await line.provider.check() for name, line in lines.items()}

    return asyncio.run(checking())
