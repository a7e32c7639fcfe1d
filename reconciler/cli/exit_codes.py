"""Exit codes, and which one wins when several apply."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class ExitCode(enum.IntEnum):
    """What a command's end means to a script."""

    OK = 0
    """Done, or only waiting or blocked."""
    ERROR = 1
    """Usage, bad input, policy, API error, timeout, declined."""
    CHANGES = 2
    """`--detailed-exitcode`: there is something to create, rerun or adopt."""
    PERSON = 3
    """A person is needed."""
    STALE = 4
    """The plan was edited, has expired, is foreign, or moved in part."""
    LOCKED = 5
    """Someone else holds the state lock."""
    INTERRUPTED = 130
    """Stopped by a signal."""


_ORDER = (
    ExitCode.INTERRUPTED,
    ExitCode.LOCKED,
    ExitCode.PERSON,
    ExitCode.STALE,
    ExitCode.ERROR,
    ExitCode.CHANGES,
    ExitCode.OK,
)


def strongest(codes: Iterable[ExitCode]) -> ExitCode:
    """The one to exit with; OK when there is none."""
    return min(codes, key=_ORDER.index, default=ExitCode.OK)
