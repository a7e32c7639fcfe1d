"""Playing scripts: in a folder that goes away, and what is told when one breaks the promise."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.crash.simulation.history import Broken, History
from tests.crash.simulation.minimising import minimised
from tests.crash.simulation.script import Script

#: Memory that is mounted as a file system: no disk is waited for.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


def played(script: Script) -> History:
    """Play a script to its end.

    Raises:
        Broken: The promise was not kept; the exception's `story` tells how it came to that.
    """
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        with History(Path(folder) / "project", script) as history:
            try:
                history.play()
            except Broken as broken:
                broken.story = tuple(history.story)
                raise
            except Exception as error:
                failed = Broken(f"it ended with {type(error).__name__}: {error}")
                failed.story = tuple(history.story)
                raise failed from error
        return history


def fault_of(script: Script) -> str | None:
    """What kind of promise a script breaks (`Broken.kind`), None if it breaks none."""
    try:
        played(script)
    except Broken as broken:
        return broken.kind
    return None


def shortest(script: Script) -> Script:
    """The shortest script that still breaks what this one breaks."""
    fault = fault_of(script)
    return minimised(script, lambda shorter: fault_of(shorter) == fault)


def telling(script: Script) -> str:
    """What a person needs who is to find out why a script breaks: the shortest one, and its story."""
    short = shortest(script)
    try:
        played(short)
    except Broken as broken:
        story = "\n".join(broken.story)
        return f"{broken}\n\n{short!r}\n\n{story}"
    return "it breaks only now and then"
