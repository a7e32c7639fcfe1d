"""When to read runs again: soon after something changed, ever more seldom while nothing does."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

#: Seconds before the first look at a run, and the longest pause between two.
FIRST_POLL_SECONDS = 0.5
LONGEST_POLL_SECONDS = 600.0

#: A pause is as long as nothing has changed: what changes after a time t is seen at most 2 t after the
#: change before, at the cost of some log2(t) looks.
OF_TIME_SINCE_CHANGE = 1.0

#: A pause is at least this part of the time between the last two changes: what took an hour before is not
#: expected to take a second now.
OF_TIME_BETWEEN_CHANGES = 1 / 4

#: Looks that are due within so many seconds are taken together.
TOGETHER_SECONDS = 0.25


@dataclass(slots=True)
class _Rhythm:
    """One group of runs: when it last changed, how long the change before took, when it is due."""

    changed_at: float
    took: float
    due_at: float


class Rhythms:
    """The rhythm of each group of runs that one read shows. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        """Know no group."""
        self._known: dict[Hashable, _Rhythm] = {}

    def keep(self, keys: Iterable[Hashable], now: float, *, least: float = 0.0) -> None:
        """Take up new groups, and forget those that are not named.

        Args:
            keys: The groups to be read.
            now: The time.
            least: No group is due sooner than this after it was read, in seconds.
        """
        first = max(FIRST_POLL_SECONDS, least)
        self._known = {
            key: self._known.get(key) or _Rhythm(changed_at=now, took=0.0, due_at=now + first)
            for key in keys
        }

    def next_due(self) -> float:
        """When the first group is due; there must be one."""
        return min(rhythm.due_at for rhythm in self._known.values())

    def due(self, now: float) -> tuple[Hashable, ...]:
        """The groups to be read now."""
        return tuple(
            key for key, rhythm in self._known.items() if rhythm.due_at <= now + TOGETHER_SECONDS
        )

    def read(self, key: Hashable, now: float, *, changed: bool, least: float = 0.0) -> None:
        """Note that a group was read, and whether it had changed."""
        rhythm = self._known[key]
        if changed:
            rhythm.took, rhythm.changed_at = now - rhythm.changed_at, now
        pause = max(
            FIRST_POLL_SECONDS,
            OF_TIME_SINCE_CHANGE * (now - rhythm.changed_at),
            OF_TIME_BETWEEN_CHANGES * rhythm.took,
        )
        rhythm.due_at = now + max(least, min(pause, LONGEST_POLL_SECONDS))
