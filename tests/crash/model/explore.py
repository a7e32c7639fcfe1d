"""Breadth first through everything that may happen, so that the first fault found is a shortest one."""

from __future__ import annotations

from dataclasses import dataclass

from tests.crash.model.guards import Guard, Setting
from tests.crash.model.promises import broken
from tests.crash.model.state import State, normal, pruned
from tests.crash.model.steps import first, steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """How many moments were visited, which promise was found broken, if any, and how it came to that."""

    states: int
    fault: str | None = None
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{number:3}. {line}" for number, line in enumerate(self.trace, start=1)]
        return "\n".join([*lines, f"{self.fault or 'no fault'}; {self.states:,} states"])


def explore(setting: Setting, *, looking_for: str | None = None) -> Explored:
    """Visit every moment that can come about, until a promise is broken.

    Args:
        setting: What may happen.
        looking_for: Only this fault; any if not given.
    """
    start = first(setting)
    fence = fenced(setting)
    came_from: dict[State, State | None] = {start: None}
    layer = [start]
    while layer:
        following = []
        for state in layer:
            for _, _, after in steps(setting, state):
                now = normal(after, fence=fence)
                if now in came_from:
                    continue
                came_from[now] = state
                fault = broken(setting, now)
                if fault is not None and looking_for in {None, fault}:
                    trace = _told(setting, _path(came_from, now))
                    return Explored(states=len(came_from), fault=fault, trace=trace)
                following.append(now)
        layer = following
    return Explored(states=len(came_from))


def _path(came_from: dict[State, State | None], last: State) -> list[State]:
    path = [last]
    while (before := came_from[path[-1]]) is not None:
        path.append(before)
    return path[::-1]


def _told(setting: Setting, path: list[State]) -> tuple[str, ...]:
    """A path in words, for which it is walked once more with every process at its own place."""
    fence = fenced(setting)
    told = []
    state = path[0]
    for target in path[1:]:
        what, who, after = next(
            step for step in steps(setting, state) if normal(step[2], fence=fence) == target
        )
        told.append(what.format(f"process {who + 1}"))
        state = pruned(after, fence=fence)
    return tuple(told)


def fenced(setting: Setting) -> bool:
    """Whether every write is guarded."""
    return setting.has(Guard.FENCE) and setting.has(Guard.FENCE_OF_SENT)
