"""Commands in this process whose workspace has something between it and the world."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from reconciler.cli import options
from reconciler.model.steps import Unwatched
from reconciler.wiring.system import SystemClock
from reconciler.wiring.workspace import Workspace, open_workspace

#: Pauses up to this many seconds wait for a store to come back; longer ones are heartbeats.
_PAUSE_SECONDS = 4.0


class Hasty(SystemClock):
    """Makes no pause between tries."""

    async def sleep(self, seconds: float) -> None:
        """Let others go first, and go on."""
        await asyncio.sleep(0 if seconds <= _PAUSE_SECONDS else seconds)


@dataclass(slots=True)
class Trap(Unwatched):
    """`Steps` that do something when a point is reached for the n-th time, and count every point."""

    point: str = ""
    act: Callable[[], object] = lambda: None
    nth: int = 1
    reached_points: list[str] = dataclasses.field(default_factory=list)

    def reached(self, point: str) -> None:
        """Act, once."""
        self.reached_points.append(point)
        if point == self.point and self.reached_points.count(point) == self.nth:
            self.act()


@contextmanager
def interposed(steps: Trap | None = None) -> Iterator[None]:
    """Have every workspace opened within tell `steps`, and make no pauses."""

    def opened(root: Path, environ: Mapping[str, str]) -> Workspace:
        workspace = open_workspace(root, environ)
        return dataclasses.replace(workspace, clock=Hasty(), steps=steps or Trap())

    with mock.patch.object(options, "open_workspace", opened):
        yield
