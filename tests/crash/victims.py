"""Commands as processes that start quickly and can be killed: the side that starts them and waits.

Python takes half a second to start a command. Here each is forked from a server that has loaded it all
before, has one thread and has opened nothing; it is a process like any other.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
from collections.abc import Mapping
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Self
from unittest import mock

import psutil
import pytest

from tests.crash import victim
from tests.crash.hooks import Hooks
from tests.crash.victim import Order
from tests.scenario.processes import HUNG_SECONDS, ROOT, until
from tests.scenario.sandbox import Result


@functools.cache
def _server() -> ForkServerContext:
    """The server, started on first use; it ends with this process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.preloaded"])
    # It does not take over the path of this process.
    with mock.patch.dict(os.environ, PYTHONPATH=str(ROOT)):
        forkserver.ensure_running()
    return context


class Victim:
    """One process that runs a command, or runs it again and again."""

    def __init__(self, process: ForkServerProcess, order: Order) -> None:
        self._process = process
        self._order = order
        self._result: Result | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind that is still running, or stopped for ever."""
        self.send(signal.SIGKILL)
        self.ended()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self._result is None and self._process.exitcode is None:
            os.kill(self._pid, number)

    def wait(self, seconds: float = HUNG_SECONDS) -> Result | None:
        """How it ended, or None when it has not within so long."""
        if self._result is None:
            self._process.join(seconds)
            code = self._process.exitcode
            if code is None:
                return None
            self._process.close()
            self._result = Result(code, _read(self._order.out), _read(self._order.err))
        result = self._result
        assert "Traceback" not in result.err, result.err
        assert "this is a bug" not in result.err, result.err
        return result

    def ended(self) -> Result:
        """How it ended; it must."""
        result = self.wait()
        if result is None:
            self.send(signal.SIGKILL)
            self._process.join()
            pytest.fail(f"hung: {self._order.words}: {_read(self._order.err)}")
        return result

    def until_stopped(self) -> None:
        """Wait until it has stopped itself; it must not end instead."""
        until(lambda: self._process.exitcode is not None or self._stopped())
        assert self._process.exitcode is None, self.ended()

    def _stopped(self) -> bool:
        return psutil.Process(self._pid).status() == psutil.STATUS_STOPPED

    @property
    def _pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid


def _read(output: Path) -> str:
    """What a process printed, even if it died before it had opened the file."""
    return output.read_text() if output.exists() else ""


def start(
    root: Path,
    *words: str,
    environ: Mapping[str, str],
    output: Path,
    hooks: Hooks | None = None,
    pauses: tuple[float, ...] = (),
) -> Victim:
    """Start a command in a project's folder.

    Args:
        root: The project's folder.
        words: The command line behind `reconciler -C root`.
        environ: What is added to the environment.
        output: What it prints goes to this path with `.out` and `.err` appended.
        hooks: What is different there.
        pauses: It runs once more after each of so many seconds.
    """
    order = Order(
        root=root,
        words=words,
        environ=environ,
        out=output.with_suffix(".out"),
        err=output.with_suffix(".err"),
        hooks=hooks or Hooks(),
        pauses=pauses,
    )
    process = _server().Process(target=victim.obey, args=(order,))
    process.start()
    return Victim(process, order)
