"""Log lines on stderr, as text or as JSON."""

from __future__ import annotations

import logging
import sys

from reconciler.rendering.json_text import json_text
from reconciler.rendering.paint import harmless


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One line: level, logger, message."""
        return harmless(super().format(record))


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One object a line: time, level, logger, message."""
        return json_text(
            {
                "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage(),
            }
        )


def configure_logs(*, verbose: bool, as_json: bool) -> None:
    """Send our own log lines to stderr: warnings, or everything when `verbose`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonFormatter() if as_json else _TextFormatter("%(levelname)s %(name)s: %(message)s")
    )
    ours = logging.getLogger("reconciler")
    ours.handlers[:] = [handler]
    ours.propagate = False
    ours.setLevel(logging.DEBUG if verbose else logging.WARNING)
    # The vendor's credential chain logs a traceback for every source it tries in vain, and in it whatever
    # a metadata service or a profile answered.
    logging.getLogger("credentials").disabled = True
