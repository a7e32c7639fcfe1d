"""Connections whose API calls are counted by day, so that an apply can stay within what they allow."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from reconciler.applying.lines import Lines
from reconciler.model.errors import StateError
from reconciler.ports import StateStore
from reconciler.wiring.workspace import Workspace

_LOG = logging.getLogger(__name__)

_ONE_DAY = dt.timedelta(days=1)


class Meter:
    """Open connections, and what was asked through them.

    Attributes:
        lines: The connections, by name.
    """

    def __init__(self, workspace: Workspace, store: StateStore, lines: Lines) -> None:
        """Count nothing yet."""
        self.lines = lines
        self._workspace = workspace
        self._store = store
        self._counted: Counter[str] = Counter()

    def count(self) -> None:
        """Add what was asked since the last time to the day's count, so that other commands know."""
        today = self._workspace.clock.now().date()
        try:
            for name, one in self.lines.connected.items():
                made = one.calls_made
                if made > self._counted[name]:
                    self._store.count_calls(name, today, made - self._counted[name])
                    self._counted[name] = made
        except StateError as error:
            _LOG.warning("the API calls of this command were not counted: %s", error.summary)

    def used_today(self, name: str) -> int:
        """Calls made on a connection today (UTC), those of this command included."""
        today = self._workspace.clock.now().date()
        uncounted = self.lines.connected[name].calls_made - self._counted[name]
        return self._store.calls_on(name, today) + uncounted

    def may_ask(self, name: str) -> bool:
        """Whether a connection's calls of the day allow one more read."""
        bound = self._workspace.project.connections[name].limits.daily_calls
        return not bound or self.used_today(name) < bound

    def least_pause(self, name: str, groups: int) -> float:
        """How far two reads of a group of runs must lie apart, in seconds, not to use up the day's calls.

        Nothing is asked of whoever waits while more than half of the day's calls are left. From then on,
        what is left is spread over what is left of the day.

        Args:
            name: A connection.
            groups: How many groups are read there, with about one call each.
        """
        bound = self._workspace.project.connections[name].limits.daily_calls
        if not bound:
            return 0.0
        left = bound - self.used_today(name)
        if left > bound / 2:
            return 0.0
        now = self._workspace.clock.now()
        midnight = dt.datetime.combine(now.date() + _ONE_DAY, dt.time(), tzinfo=dt.UTC)
        of_day = (midnight - now).total_seconds()
        return of_day * groups / left if left > groups else of_day


@asynccontextmanager
async def metered(
    workspace: Workspace, store: StateStore, names: Iterable[str]
) -> AsyncIterator[Meter]:
    """Open connections, and add what was asked through them to the day's count, however it ends."""
    async with workspace.lines(names) as lines:
        meter = Meter(workspace, store, lines)
        try:
            yield meter
        finally:
            meter.count()
