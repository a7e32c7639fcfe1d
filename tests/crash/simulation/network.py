"""The way between a process and the service, on which requests and answers get lost, late or doubled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import parse_qs

import httpx

from reconciler.providers.http import CREATE_SECONDS
from reconciler.simulator import Simulator
from tests.crash.simulation.scheduler import Time
from tests.crash.simulation.script import Episode, Hitch, Trouble

T = TypeVar("T")

#: How long a request takes that nothing happens to.
ROUND_TRIP_SECONDS = 0.08

#: Troubles that the simulator itself knows how to make.
_BY_THE_SERVICE: dict[Trouble, dict[str, object]] = {
    Trouble.THROTTLE: {"effect": "throttle"},
    Trouble.HTTP: {"effect": "http", "status": 500},
    Trouble.GARBAGE: {"effect": "garbage"},
    Trouble.RESET_MID_BODY: {"effect": "reset_mid_body"},
}

CREATES = frozenset({"RunCycleDagNodes", "CreateManualDag"})


class Network:
    """Carries all requests of one episode."""

    def __init__(
        self, simulator: Simulator, time: Time, episode: Episode, tell: Callable[[str], None]
    ) -> None:
        """Count requests from zero, and `tell` what becomes of creates."""
        self.creates = 0
        self._tell = tell
        self._reads = 0
        self._service = simulator.transport()
        self._simulator = simulator
        self._time = time
        self._hitches = {hitch.nth: hitch for hitch in episode.hitches}
        self._lost_reads = episode.lost_reads

    async def carry(self, request: httpx.Request) -> httpx.Response:
        """One request there, and its answer back.

        Raises:
            httpx.TransportError: It was asked for, or the simulator broke the connection.
        """
        await asyncio.sleep(ROUND_TRIP_SECONDS)
        operation = request.headers["x-acs-action"]
        if operation not in CREATES:
            self._reads += 1
            if self._reads in self._lost_reads:
                raise httpx.ReadError("lost", request=request)
            return self._deliver(request)
        self.creates += 1
        hitch = self._hitches.get(self.creates)
        if hitch is None:
            return self._deliver(request)
        self._tell(f"the network: {hitch.trouble.value} for create {hitch.nth}, {_told(request)}")
        return await self._hit(request, hitch)

    async def _hit(self, request: httpx.Request, hitch: Hitch) -> httpx.Response:
        match hitch.trouble:
            case Trouble.NO_CONNECTION:
                raise httpx.ConnectError("refused", request=request)
            case Trouble.LOST_REQUEST:
                raise await self._silence(request)
            case Trouble.LATE_REQUEST:
                self._deliver_later(request, hitch.seconds)
                raise await self._silence(request)
            case Trouble.LOST_REPLY:
                self._deliver(request)
                raise httpx.ReadError("reset", request=request)
            case Trouble.LATE_REPLY:
                answer = self._deliver(request)
                await asyncio.sleep(min(hitch.seconds, CREATE_SECONDS - 1))
                return answer
            case Trouble.TWICE:
                self._deliver_later(request, hitch.seconds)
                return self._deliver(request)
            case Trouble.TWICE_AND_LOST_REPLY:
                self._deliver(request)
                self._deliver_later(request, hitch.seconds)
                raise httpx.ReadError("reset", request=request)
            case _:
                fault = _BY_THE_SERVICE[hitch.trouble]
                operation = request.headers["x-acs-action"]
                self._simulator.put_faults([{"operation": operation, "nth": 1, **fault}])
                try:
                    return self._deliver(request)
                finally:
                    self._simulator.put_faults([])

    async def _silence(self, request: httpx.Request) -> httpx.TransportError:
        await asyncio.sleep(CREATE_SECONDS)
        return httpx.ReadTimeout("no answer", request=request)

    def _deliver(self, request: httpx.Request) -> httpx.Response:
        before = len(self._simulator.ledger())
        try:
            return _at_once(self._service.handle_async_request(request))
        finally:
            if request.headers["x-acs-action"] in CREATES:
                executes = len(self._simulator.ledger()) > before
                self._tell(f"the service {'executes' if executes else 'refuses'} {_told(request)}")

    def _deliver_later(self, request: httpx.Request, seconds: float) -> None:
        self._time.at(self._time.now + seconds, lambda: self._deliver_for_nobody(request))

    def _deliver_for_nobody(self, request: httpx.Request) -> None:
        with contextlib.suppress(httpx.TransportError):
            self._deliver(request)


def _told(request: httpx.Request) -> str:
    """A create, by what it starts and when, and by our name for it."""
    said = parse_qs((request.content or request.url.query).decode())
    words = ("RootNodeId", "FlowName", "StartBizDate", "EndBizDate", "BizDate", "Bizdate", "Name")
    return " ".join(said[word][0].removesuffix(" 00:00:00") for word in words if word in said)


def _at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise RuntimeError("it waits")
