"""Plan files on disk: written whole or not at all, readable by their owner only."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from reconciler.formats.planfile import MAKE_ONE, parse_plan, plan_text
from reconciler.model.errors import NotAPlan, NotOverwritten, NotWritten, Unreadable
from reconciler.model.plan import Plan
from reconciler.model.steps import Durable, Moment, Steps, durable_point

#: A plan file larger than this is none of ours: one of 10,000 resources has some 30 MB.
LARGEST_PLAN_BYTES = 64 * 1024 * 1024
_ELSEWHERE = "name a file in a folder that you may write to"


def ensure_writable(path: Path) -> Path:
    """Make sure that a plan may be written to a path: asked before any call is made.

    Returns:
        The file itself, where the path is a symbolic link to it.

    Raises:
        NotOverwritten: Something that is no plan stands there.
        NotWritten: The folder cannot be written to.
    """
    if str(path) == "-":
        raise NotWritten("a plan is saved to a file", hint="to print it, use --json")
    target = path.resolve()
    if target.exists() and not _may_be_replaced(target):
        raise NotOverwritten(
            f"{path} is there already and is no plan; nothing was written",
            hint="name another file",
        )
    if not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
        raise NotWritten(
            f"the plan cannot be written to {path}: no such folder, or no right",
            hint=_ELSEWHERE,
        )
    return target


def _may_be_replaced(target: Path) -> bool:
    if not target.is_file():
        return False
    try:
        with target.open("rb") as file:
            head = file.read(4096).lstrip()
    except OSError:
        return False
    # Keys are sorted, so a plan of ours begins with its actions.
    return not head or (head.startswith(b"{") and b'"actions"' in head)


def save_plan(plan: Plan, path: Path, steps: Steps) -> None:
    """Write a plan, mode 0600, so that a reader sees the old file or the new one and nothing between.

    `steps` is told before, when it is written beside its place, and when it is there for good.

    Raises:
        FileError: Something else stands there, or the file cannot be written.
    """
    path = ensure_writable(path)
    steps.reached(durable_point(Durable.PLAN_FILE, Moment.BEGIN))
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(plan_text(plan))
                file.flush()
                os.fsync(file.fileno())
            steps.reached(durable_point(Durable.PLAN_FILE, Moment.WRITTEN))
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise NotWritten(
            f"the plan cannot be written to {path}: {error.strerror}", hint=_ELSEWHERE
        ) from error
    steps.reached(durable_point(Durable.PLAN_FILE, Moment.DURABLE))


def read_plan(path: Path) -> Plan:
    """Read a plan file, once, into memory.

    Raises:
        PlanRefused: It is no plan, or was edited.
        Unreadable: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_PLAN_BYTES + 1)
    except OSError as error:
        raise Unreadable(
            f"the plan {path} cannot be read: {error.strerror}",
            hint="name a file that `reconciler plan --out FILE` wrote",
        ) from error
    if len(raw) > LARGEST_PLAN_BYTES:
        raise NotAPlan(f"{path} is not a plan: it is too large", hint=MAKE_ONE)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise NotAPlan(f"{path} is not a plan: it is not UTF-8 text", hint=MAKE_ONE) from None
    return parse_plan(text)
