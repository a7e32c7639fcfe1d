"""What runs in a process that may be killed: one command after another, and the end of it.

`victims` starts such processes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.cli import main
from tests.crash.hooks import Hooks, install


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a process is to do: a command in a project's folder, once and again after each pause.

    Attributes:
        root: The project's folder.
        words: The command line behind `reconciler -C root`.
        environ: What is added to the environment.
        out: The file that takes what the commands print.
        err: The file that takes what they print on stderr.
        hooks: What is different there.
        pauses: Seconds before each further time.
    """

    root: Path
    words: tuple[str, ...]
    environ: Mapping[str, str]
    out: Path
    err: Path
    hooks: Hooks = field(default_factory=Hooks)
    pauses: tuple[float, ...] = ()


def obey(order: Order) -> None:
    """Run, and end the process with the exit code of the last time."""
    for place, stream in ((order.out, sys.stdout), (order.err, sys.stderr)):
        opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, stream.fileno())
        os.close(opened)
    os.environ.update(order.environ)
    install(order.hooks)
    code = _run(order)
    for pause in order.pauses:
        time.sleep(pause)
        code = _run(order)
    sys.stderr.flush()
    os._exit(code)


def _run(order: Order) -> int:
    return int(main.run(["-C", str(order.root), *order.words]))
