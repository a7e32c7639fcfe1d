"""Scenes in which errors really happen, each told as a person reads it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.exit_codes import ExitCode
from reconciler.cli.main import run
from reconciler.cli.output import note_error
from reconciler.model.codes import Code
from reconciler.model.errors import ReconcilerError
from reconciler.providers.dataworks import discovering
from reconciler.providers.dataworks.listing import Listing, list_all

#: The code that is to happen, and what is printed.
Told = tuple[Code, str]


@dataclass(frozen=True)
class Scene:
    """What happens in an empty folder: `codes`, in any order."""

    name: str
    codes: tuple[Code, ...]
    play: Callable[[Path], Iterable[Told]]


def scene(*codes: Code) -> Callable[[Callable[[Path], Iterator[Told]]], Scene]:
    """Make a scene of a function that plays it."""
    return lambda play: Scene(play.__name__, codes, play)


def told(error: ReconcilerError) -> str:
    """What the command line prints of an error."""
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):
        note_error(error)
    return printed.getvalue()


def refusal(work: Callable[[], object]) -> str:
    """What is printed of the error in which some work must end."""
    try:
        work()
    except ReconcilerError as error:
        return told(error)
    raise AssertionError("nothing went wrong")


@contextlib.contextmanager
def listed_in_part() -> Iterator[None]:
    """A service whose listings never end: whoever pages through them gives up."""

    async def in_part(*asked: Any) -> Listing:
        return replace(await list_all(*asked), complete=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discovering, "list_all", in_part)
        yield


def printed_by(*words: str) -> str:
    """What a command that goes wrong prints to stderr."""
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):
        assert run(words) != ExitCode.OK
    return printed.getvalue()
