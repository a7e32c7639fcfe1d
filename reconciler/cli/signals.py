"""The first SIGINT or SIGTERM asks to stop; the second leaves at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.output import note


class StopSignal:
    """Whether somebody asked us to stop."""

    def __init__(self) -> None:
        """Nobody did yet."""
        self._asked = False

    def is_set(self) -> bool:
        """True from the first signal on."""
        return self._asked

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal. What is on record is true at any moment, so leaving at once is safe."""
        del number, frame
        if self._asked:
            os._exit(ExitCode.INTERRUPTED)
        self._asked = True
        note("stopping: no new calls; waiting for answers in flight (again to leave at once)")


@contextmanager
def stopping() -> Iterator[StopSignal]:
    """Listen for signals while the context lasts."""
    stop = StopSignal()
    before = {
        number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
