"""A project at work in this process, under virtual time: its commands, its service, and their ends."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import random
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import httpx

from reconciler.simulator import REAL, Simulator, open_simulator, parse_world
from reconciler.state import lock
from reconciler.wiring.workspace import Workspace, open_workspace
from tests.crash.mortal import At, Killed, Mortal, TracedTransport
from tests.crash.simulation.processes import SeededIds, SkewedClock
from tests.crash.simulation.scheduler import Time
from tests.crash.usecases import console
from tests.crash.usecases.specs import FLOW, Spec
from tests.crash.usecases.store_file import StoreFile
from tests.fakes.virtual_loop import VirtualLoop
from tests.scenario.sandbox import Result, Sandbox

CREATES = frozenset({"RunCycleDagNodes", "CreateManualDag"})

#: The exit code of a command that did not come to its end.
KILLED = -9

_ENDPOINT = "endpoint: simulator\n      limits: {{readQps: 1000, writeQps: 1000}}\n      markers: {markers}"


class _Jitter(random.Random):
    """Waits between reads that are the same in each replay."""

    def __init__(self) -> None:
        super().__init__(7)


class _Watched(httpx.AsyncBaseTransport):
    """Notes the parameters of every create that a command sends, executed or not."""

    def __init__(self, inner: httpx.AsyncBaseTransport, sent: list[dict[str, str]]) -> None:
        self._inner = inner
        self._sent = sent

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("x-acs-action") in CREATES:
            body = (await request.aread()).decode()
            pairs = [*parse_qsl(request.url.query.decode(), keep_blank_values=True)]
            self._sent.append(dict([*pairs, *parse_qsl(body, keep_blank_values=True)]))
        return await self._inner.handle_async_request(request)


class Project(Sandbox):
    """A sandbox whose service lives on while commands come and go, and whose commands can be killed."""

    def __init__(self, root: Path, world: Mapping[str, Any], *, markers: bool) -> None:
        """A new project and a new service."""
        self.time = Time()
        #: How far the clock of whoever runs commands is ahead, in seconds.
        self.skew = 0.0
        self.store = StoreFile(root)
        #: The parameters of each create that the last command sent.
        self.sent: list[dict[str, str]] = []
        self._ids = SeededIds("commands")
        noise = random.Random("service")  # noqa: S311 - no secret
        self.simulator = open_simulator(
            db=None,
            world=parse_world(world),
            clock=REAL,
            real_time=self.time.wall_millis,
            sleep=asyncio.sleep,
            random_hex=lambda length: noise.randbytes(length).hex(),
        )
        super().__init__(root, endpoint=_ENDPOINT.format(markers=json.dumps(markers)))

    def run(self, *words: str, dies: At | None = None) -> Result:
        """Run one command; the code is `KILLED` where it died before its end."""
        self.sent.clear()
        try:
            with self._on_virtual_time(), self._seen_by(Mortal(dies)):
                return super().run(*words)
        except Killed:
            return Result(KILLED, "", "")

    def write(self, spec: Spec) -> None:
        """Write the file of a spec."""
        if spec.name == FLOW:
            self.flow(**spec.body())
        else:
            self.backfill(spec.name, **spec.body())

    def unwrite(self, spec: Spec) -> None:
        """Delete it."""
        (self.root / "specs" / f"{spec.name}.yaml").unlink()

    def advance(self, seconds: float) -> None:
        """Let time pass, here and there."""
        self.time.pass_until(self.time.now + seconds)

    def start_by_hand(self, name: str, date: str) -> str:
        """Start a run of a resource's node or flow as the console would; its id."""
        now, nonce = SkewedClock(self.time, 0).now(), self._ids.token(32)
        with self._on_virtual_time():
            return asyncio.run(
                console.start_by_hand(self.simulator, name, date, now=now, nonce=nonce)
            )

    def end(self) -> None:
        """Leave nothing behind."""
        self.simulator.close()
        shutil.rmtree(self.root)

    def _simulator(self) -> contextlib.AbstractContextManager[Simulator]:
        return contextlib.nullcontext(self.simulator)

    def _database_now(self, _: object) -> int:
        return self.time.wall_millis()

    @contextlib.contextmanager
    def _on_virtual_time(self) -> Iterator[None]:
        """Have every event loop, and the store's database, live on the time of the project."""
        loop = partial(VirtualLoop, now=lambda: self.time.now, wait=self.advance)
        with (
            mock.patch("asyncio.events.new_event_loop", loop),
            mock.patch.object(lock, "database_now", side_effect=self._database_now),
        ):
            yield

    @contextlib.contextmanager
    def _seen_by(self, steps: Mortal) -> Iterator[None]:
        """Give the command that runs meanwhile a clock, names, and a line to the service."""

        def opened(root: Path, environ: Mapping[str, str]) -> Workspace:
            return dataclasses.replace(
                open_workspace(root, environ),
                clock=SkewedClock(self.time, self.skew),
                ids=self._ids,
                steps=steps,
            )

        @contextlib.contextmanager
        def embedded(*_: object) -> Iterator[SimpleNamespace]:
            watched = _Watched(self.simulator.transport(), self.sent)
            yield SimpleNamespace(
                access_key_id=self.simulator.access_key_id,
                access_key_secret=self.simulator.access_key_secret,
                transport=lambda: TracedTransport(watched, steps),
            )

        with (
            mock.patch("reconciler.cli.options.open_workspace", opened),
            mock.patch("reconciler.wiring.embedded.open_embedded", embedded),
            mock.patch("reconciler.wiring.system._git_commit", return_value=None),
            mock.patch("random.SystemRandom", _Jitter),
        ):
            yield
