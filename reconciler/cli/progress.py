"""How the progress of an apply is shown: bars on a terminal, lines in CI, JSON for scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.cli.output import Terminal, answer_verbatim, note
from reconciler.model.addresses import Address
from reconciler.model.events import Event, UnitsChanged
from reconciler.ports import Reporter
from reconciler.rendering.events import event_json, event_line
from reconciler.rendering.paint import harmless

if TYPE_CHECKING:
    from rich.progress import TaskID


#: The rate is that of so many last seconds.
OBSERVED_SECONDS = 3600.0


class LineReporter:
    """One line on stderr for each event."""

    def report(self, event: Event) -> None:
        """Print it."""
        note(event_line(event))


class JsonReporter:
    """One JSON object on stdout for each event."""

    def report(self, event: Event) -> None:
        """Print it."""
        answer_verbatim(event_json(event))


class BarReporter:
    """A bar for each resource whose runs are followed; everything else as lines above them."""

    def __init__(self) -> None:
        """Prepare; nothing is drawn before there is something to follow."""
        from rich.console import Console  # noqa: PLC0415 - only where there are bars
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            speed_estimate_period=OBSERVED_SECONDS,
        )
        self._bars: dict[Address, TaskID] = {}

    def report(self, event: Event) -> None:
        """Move a bar, or print a line."""
        if not isinstance(event, UnitsChanged):
            self._progress.console.print(
                harmless(event_line(event)), markup=False, highlight=False, soft_wrap=True
            )
            return
        self._progress.start()
        if event.address not in self._bars:
            self._bars[event.address] = self._progress.add_task(
                str(event.address), total=event.total, rate=""
            )
        bar = self._bars[event.address]
        done = event.total - event.remaining
        self._progress.update(bar, completed=done, total=event.total)
        speed = next(task.speed for task in self._progress.tasks if task.id == bar)
        self._progress.update(bar, rate=rate_text(speed))

    def close(self) -> None:
        """Stop drawing."""
        self._progress.stop()


def rate_text(per_second: float | None) -> str:
    """How many dates come to an end in a time that a person can picture; empty while nobody knows."""
    if not per_second:
        return ""
    per, seconds = next((unit for unit in _PER if per_second * unit[1] >= 1), _PER[-1])
    return f"{per_second * seconds:.1f} dates/{per}"


_PER = (("s", 1), ("min", 60), ("h", 3600))


@contextmanager
def reporting(terminal: Terminal, *, as_json: bool) -> Iterator[Reporter]:
    """The reporter that fits where we run."""
    if as_json:
        yield JsonReporter()
    elif terminal.paint.colours and sys.stderr.isatty():
        bars = BarReporter()
        try:
            yield bars
        finally:
            bars.close()
    else:
        yield LineReporter()
