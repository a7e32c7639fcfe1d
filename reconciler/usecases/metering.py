"""Connections whose API calls are counted by day, so that an apply can stay within what they allow."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from reconciler.applying.gathering import Line
from reconciler.model.errors import StateError
from reconciler.ports import StateStore
from reconciler.wiring.workspace import Workspace

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def metered_lines(
    workspace: Workspace, store: StateStore, names: Iterable[str]
) -> AsyncIterator[dict[str, Line]]:
    """Open connections, and add what was asked through them to the day's count, however it ends."""
    async with workspace.lines(names) as lines:
        try:
            yield lines
        finally:
            today = workspace.clock.now().date()
            try:
                for name, line in lines.items():
                    store.count_calls(name, today, line.provider.calls_made)
            except StateError as error:
                _LOG.warning("the API calls of this command were not counted: %s", error.summary)
