"""How the progress of an apply is shown: bars on a terminal, lines in CI, JSON for scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.cli.output import Terminal, answer, note
from reconciler.model.addresses import Address
from reconciler.model.events import Event, UnitsChanged
from reconciler.ports import Reporter
from reconciler.rendering.events import event_json, event_line


class LineReporter:
    """One line on stderr for each event."""

    def report(self, event: Event) -> None:
        """Print it."""
        note(event_line(event))


class JsonReporter:
    """One JSON object on stdout for each event."""

    def report(self, event: Event) -> None:
        """Print it."""
        answer(event_json(event))


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
        )

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._bars: dict[Address, int] = {}

    def report(self, event: Event) -> None:
        """Move a bar, or print a line."""
        if not isinstance(event, UnitsChanged):
            self._progress.console.print(
                event_line(event), markup=False, highlight=False, soft_wrap=True
            )
            return
        self._progress.start()
        if event.address not in self._bars:
            self._bars[event.address] = self._progress.add_task(
                str(event.address), total=event.total
            )
        self._progress.update(
            self._progress.tasks[self._bars[event.address]].id,
            completed=event.total - event.remaining,
            total=event.total,
        )

    def close(self) -> None:
        """Stop drawing."""
        self._progress.stop()


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
