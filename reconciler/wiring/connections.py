"""Opening connections: the right adapter for each system, on the network or on an embedded simulator."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.applying.lines import Line
from reconciler.model.project import (
    Connection,
    DataArtsConnection,
    DataWorksConnection,
    OBShellConnection,
    PasswordCredentials,
    Secret,
    SimulatorEndpoint,
    StaticCredentials,
)
from reconciler.model.seams import Clock, IdSource
from reconciler.model.steps import Steps

if TYPE_CHECKING:
    import httpx

    from reconciler.ports import GateKeeper
    from reconciler.simulator import Simulator


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """What every connection is opened with, and where the open ones are collected."""

    root: Path
    clock: Clock
    ids: IdSource
    environ: Mapping[str, str]
    steps: Steps
    stack: AsyncExitStack
    offline: bool
    runs: dict[str, Line]
    keepers: dict[str, GateKeeper]

    async def attach(self, connection: Connection) -> None:
        """Open one connection; offline, nothing that could be asked, not even an embedded simulator."""
        transport = None
        if isinstance(connection.endpoint, SimulatorEndpoint) and not self.offline:
            from reconciler.wiring.embedded import open_embedded  # noqa: PLC0415 - heavy

            simulator = self.stack.enter_context(
                open_embedded(connection.endpoint, connection.name, self.root)
            )
            transport = simulator.transport()
            connection = _with_keys(connection, simulator)
        match connection:
            case DataWorksConnection():
                await self._open_dataworks(connection, transport)
            case DataArtsConnection():
                await self._open_dataarts(connection, transport)
            case OBShellConnection():
                await self._open_obshell(connection, transport)

    async def _open_dataworks(
        self, connection: DataWorksConnection, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        from reconciler.providers.dataworks.provider import DataWorksProvider  # noqa: PLC0415 - heavy

        provider = DataWorksProvider(
            connection,
            clock=self.clock,
            ids=self.ids,
            environ=self.environ,
            transport=transport,
            steps=self.steps,
        )
        await self.stack.enter_async_context(provider)
        lag = dt.timedelta(seconds=connection.lag_seconds)
        self.runs[connection.name] = Line(provider=provider, lag=lag)

    async def _open_dataarts(
        self, connection: DataArtsConnection, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        from reconciler.providers.dataarts.provider import DataArtsProvider  # noqa: PLC0415 - heavy

        provider = DataArtsProvider(
            connection,
            clock=self.clock,
            environ=self.environ,
            transport=transport,
            steps=self.steps,
        )
        await self.stack.enter_async_context(provider)
        lag = dt.timedelta(seconds=connection.lag_seconds)
        self.runs[connection.name] = Line(provider=provider, lag=lag)
        self.keepers[connection.name] = provider

    async def _open_obshell(
        self, connection: OBShellConnection, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        from reconciler.providers.obshell.provider import OBShellProvider  # noqa: PLC0415 - heavy

        provider = OBShellProvider(
            connection, clock=self.clock, transport=transport, steps=self.steps
        )
        await self.stack.enter_async_context(provider)
        self.keepers[connection.name] = provider


def _with_keys(connection: Connection, simulator: Simulator) -> Connection:
    """The connection with the account of a simulator, which is one for all systems."""
    secret = Secret(simulator.access_key_secret)
    keys = StaticCredentials(
        access_key_id=Secret(simulator.access_key_id), access_key_secret=secret
    )
    match connection:
        case DataWorksConnection():
            return dataclasses.replace(connection, credentials=keys)
        case DataArtsConnection(credentials=PasswordCredentials() as user):
            known = dataclasses.replace(user, password=secret)
            return dataclasses.replace(connection, credentials=known)
        case DataArtsConnection():
            return dataclasses.replace(connection, credentials=keys)
        case OBShellConnection():
            return dataclasses.replace(connection, password=secret, agent_password=secret)
