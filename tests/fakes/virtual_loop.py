"""An event loop on a clock that nobody waits for: where it would wait, it says for how long."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable


class _NoFiles(selectors.BaseSelector):
    """A selector without files: waiting for them is letting virtual time pass."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        self._wait = wait
        self._keys: dict[object, selectors.SelectorKey] = {}

    def register(self, fileobj, events, data=None) -> selectors.SelectorKey:  # type: ignore[no-untyped-def]  # as its base
        key = selectors.SelectorKey(fileobj, 0, events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj) -> selectors.SelectorKey:  # type: ignore[no-untyped-def]  # as its base
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("a task waits for something that never comes")
        if timeout > 0:
            self._wait(timeout)
        return []

    def get_map(self):  # type: ignore[no-untyped-def]  # as its base
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that is told the time, in seconds, and tells how many it would wait."""

    def __init__(self, *, now: Callable[[], float], wait: Callable[[float], None]) -> None:
        """Run on the clock that `now` reads; when `wait` returns, it shows so much more, or later."""
        self._now = now
        super().__init__(_NoFiles(wait))
        # Sums of floats are a little off: who is to wake that soon is woken now.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Seconds on that clock."""
        return self._now()
