"""What one process of a history is given: steps to die at, a clock of its own, a line to the service."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from reconciler.applying.lines import Line, Lines
from reconciler.model.project import DataWorksConnection
from reconciler.model.steps import Moment
from reconciler.providers.dataworks.provider import DataWorksProvider
from reconciler.wiring.workspace import Workspace
from tests.crash.mortal import Mortal, TracedTransport
from tests.crash.simulation.network import Network
from tests.crash.simulation.scheduler import Player, Time
from tests.crash.simulation.script import Process

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class SkewedClock:
    """A process's own clock: the one time there is, and what this machine adds to it."""

    def __init__(self, time: Time, skew: float) -> None:
        """Be off by `skew` seconds."""
        self._time = time
        self._skew = skew

    def now(self) -> dt.datetime:
        """This moment as the machine takes it, aware UTC."""
        return dt.datetime.fromtimestamp(self._time.wall() + self._skew, dt.UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._time.now

    async def sleep(self, seconds: float) -> None:
        """Wait; the event loop runs on the same time."""
        await asyncio.sleep(seconds)


class SeededIds:
    """An `IdSource` that draws from a seed."""

    def __init__(self, seed: str) -> None:
        """Draw the same tokens for the same seed."""
        self._random = random.Random(seed)  # noqa: S311 - no secret

    def token(self, length: int) -> str:
        """`length` lower-case base32 characters."""
        return "".join(self._random.choices(_ALPHABET, k=length))


@dataclass(slots=True)
class Living(Mortal):
    """Steps of a process among others: at each of them others may go on, and it may be held up."""

    player: Player | None = None
    fate: Process | None = None
    tell: Callable[[str], None] = print

    def reached(self, point: str) -> None:
        """Take note, die, be held up, or let others go on."""
        Mortal.reached(self, point)
        assert self.player is not None
        assert self.fate is not None
        if point.endswith(f".{Moment.WRITTEN.value}"):
            return  # the database is ours until this transaction ends
        pause = self.fate.pause
        if pause is not None and pause.at.is_now(point, self.reached_points):
            self.tell(f"{self.player.name} stands still at {point}")
            self.player.sleep_until(self.player.stage.time.now + pause.seconds)
        else:
            self.player.step()


class Wired(httpx.AsyncBaseTransport):
    """The transport of one process on the network of all."""

    def __init__(self, network: Network) -> None:
        """Carry what is sent here."""
        self._network = network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request."""
        return await self._network.carry(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged(Workspace):
    """A project as one process of a history sees it."""

    network: Network
    living: Living
    seed: str

    @asynccontextmanager
    async def lines(self, names: Iterable[str], *, offline: bool = False) -> AsyncIterator[Lines]:
        """Open connections over the history's network."""
        del offline  # who is offline asks nothing
        async with AsyncExitStack() as stack:
            lines = {}
            for name in sorted(names):
                connection = self.project.connections[name]
                assert isinstance(connection, DataWorksConnection)
                provider = DataWorksProvider(
                    connection,
                    clock=self.clock,
                    ids=self.ids,
                    environ=self.environ,
                    transport=TracedTransport(Wired(self.network), self.living),
                    jitter=random.Random(self.seed),  # noqa: S311 - no secret
                    steps=self.steps,
                )
                await stack.enter_async_context(provider)
                lag = dt.timedelta(seconds=connection.lag_seconds)
                lines[name] = Line(provider=provider, lag=lag)
            yield Lines(runs=lines)
