"""A project in which an attack is planted: files around it, services whose answers can be spoilt."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from reconciler.simulator import Simulator
from reconciler.wiring.system import SystemClock
from tests.fakes.virtual_loop import VirtualLoop
from tests.scenario.sandbox import Result
from tests.scenario.systems import Systems

#: Stands in every file outside the project, and may stand in no output.
OUTSIDE = "outside-canary-5f3a"

#: Takes the decoded answer to a call and gives another one: a document, or a whole response.
Change = Callable[[Any], Any]


@dataclass(slots=True)
class Spoilt:
    """What is done to the answers of an operation, such as `GetDag` or `GET /api/v1/task`; how often."""

    operation: str
    change: Change
    times: int = 0

    def concerns(self, request: httpx.Request) -> bool:
        """Whether an answer to this request is changed; paths are known by how they begin."""
        action = request.headers.get("x-acs-action")
        if action is not None:
            return bool(action == self.operation)
        return f"{request.method} {request.url.path}".startswith(self.operation)


class Stage(Systems):
    """A project with all three systems; what their simulators answer can be spoilt."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._set_up()

    def _set_up(self) -> None:
        self._spoilt: list[Spoilt] = []
        self._listener: socket.socket | None = None
        (self.root.parent / "outside.yaml").write_text(OUTSIDE)

    def copied_to(self, root: Path) -> Stage:
        """The same project elsewhere, as it stands."""
        shutil.copytree(self.root, root, symlinks=True)
        copy = Stage.__new__(Stage)
        copy.root, copy.clock = root, self.clock
        copy._set_up()
        return copy

    def spoil(self, operation: str, change: Change) -> None:
        """Have `change` made to each answer of an operation from now on."""
        self._spoilt.append(Spoilt(operation, change))

    def was_asked(self) -> bool:
        """Whether somebody has got each answer that is spoilt."""
        return all(one.times for one in self._spoilt)

    def listen(self) -> int:
        """Listen on loopback, where nobody has any business; the port."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        port: int = self._listener.getsockname()[1]
        return port

    def was_heard(self) -> bool:
        """Whether anybody has connected to where nobody has any business."""
        if self._listener is None:
            return False
        with contextlib.suppress(BlockingIOError):
            self._listener.accept()[0].close()
            return True
        return False

    def run(self, *words: str) -> Result:
        """Run one command; answers are spoilt on their way, and nobody waits."""
        whole = Simulator.transport

        def spoiling(simulator: Simulator) -> httpx.AsyncBaseTransport:
            return _Spoiling(whole(simulator), self._spoilt)

        with (
            mock.patch.object(Simulator, "transport", spoiling),
            _nobody_waits(),
        ):
            return super().run(*words)

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()


@contextlib.contextmanager
def _nobody_waits() -> Iterator[None]:
    """Have time go on by itself where everybody would wait."""
    skipped = 0.0

    def now() -> float:
        return time.monotonic() + skipped

    def wait(seconds: float) -> None:
        nonlocal skipped
        skipped += seconds

    with (
        mock.patch("asyncio.events.new_event_loop", partial(VirtualLoop, now=now, wait=wait)),
        mock.patch.object(SystemClock, "monotonic", side_effect=now),
    ):
        yield


class _Spoiling(httpx.AsyncBaseTransport):
    """Passes requests on, and answers on after their changes."""

    def __init__(self, whole: httpx.AsyncBaseTransport, spoilt: list[Spoilt]) -> None:
        self._whole = whole
        self._spoilt = spoilt

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._whole.handle_async_request(request)
        for one in self._spoilt:
            if one.concerns(request):
                one.times += 1
                response = await _changed(response, one.change)
        return response


async def _changed(response: httpx.Response, change: Change) -> httpx.Response:
    body = await response.aread()
    try:
        document = json.loads(body)
    except ValueError:
        document = body
    found = change(document)
    if isinstance(found, httpx.Response):
        return found
    headers = {"content-type": "application/json", "date": response.headers.get("date", "")}
    return httpx.Response(
        response.status_code, headers=headers, content=json.dumps(found).encode()
    )


def answer(status: int, body: object, **headers: str) -> Change:
    """Answer with this instead: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return lambda _: httpx.Response(status, headers=named, stream=_Raw(content))


class _Raw(httpx.AsyncByteStream):
    """Bytes as they came over the wire, encoded as the headers say."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> Any:
        yield self._content


def everywhere(name: str, value: object) -> Change:
    """Put `value` under each key of this name, at any depth."""

    def change(found: Any) -> Any:
        if isinstance(found, dict):
            return {key: value if key == name else change(item) for key, item in found.items()}
        if isinstance(found, list):
            return [change(item) for item in found]
        return found

    return change
