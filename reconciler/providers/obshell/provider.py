"""The OBShell adapter: one object per connection, behind `reconciler.ports.GateKeeper`."""

from __future__ import annotations

import random
from types import TracebackType
from typing import Self

import httpx

from reconciler.model.calls import CheckReport
from reconciler.model.dates import DateSet
from reconciler.model.errors import InvalidRequest
from reconciler.model.gates import (
    Condition,
    DagSucceeded,
    GateReading,
    NothingUnfinished,
    RunsSucceeded,
)
from reconciler.model.project import OBShellConnection
from reconciler.model.rangemap import RangeMap
from reconciler.model.seams import Clock
from reconciler.model.steps import Steps, Unwatched
from reconciler.providers.channel import Channel
from reconciler.providers.connecting import effective_limits, endpoint_url
from reconciler.providers.http import READ_SECONDS, build_client
from reconciler.providers.obshell.api import Api
from reconciler.providers.obshell.checking import check_connection
from reconciler.providers.obshell.evaluating import look_at_dag, look_at_unfinished
from reconciler.providers.obshell.failures import PROVIDER
from reconciler.providers.obshell.gates import Verdict
from reconciler.providers.obshell.gateway import Gateway
from reconciler.providers.obshell.passwords import Passwords
from reconciler.providers.pacing import Backoff, Jitter, Pacer


class OBShellProvider:
    """One OBShell connection; an async context manager that closes its HTTP client.

    Nothing but reads is ever sent, though the password would allow everything.
    """

    def __init__(
        self,
        connection: OBShellConnection,
        *,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        base_url: str | None = None,
        jitter: Jitter | None = None,
        steps: Steps | None = None,
    ) -> None:
        """Join the parts; nothing is opened, revealed or read before the first call.

        Args:
            connection: What the project file says.
            clock: Our time.
            transport: Carries requests instead of the network, such as the embedded simulator; closed
                with the provider.
            base_url: Scheme and host (and port) instead of the connection's own.
            jitter: Spreads retries; random if not given.
            steps: Is told of each step over a real connection.

        Raises:
            InvalidRequest: The connection's endpoint is malformed.
        """
        self._client = build_client(
            transport=transport, keep_alive=True, read_seconds=READ_SECONDS
        )
        limits = effective_limits(connection.limits, connection.realm)
        self._channel = Channel(
            provider=PROVIDER,
            read_client=self._client,
            create_client=self._client,
            clock=clock,
            backoff=Backoff(jitter=jitter or random.SystemRandom()),
            read_pacer=Pacer(clock, limits.read_qps),
            create_pacer=Pacer(clock, limits.write_qps),
            steps=steps or Unwatched(),
        )
        passwords = Passwords(connection)
        own_url = base_url or endpoint_url(
            connection.endpoint, connection=connection.name, provider=PROVIDER
        )
        self._gateway = Gateway(
            self._channel, base_url=own_url.rstrip("/"), passwords=passwords, clock=clock
        )
        self._api = Api(self._gateway, passwords.masked)

    async def __aenter__(self) -> Self:
        """Open the HTTP client; no call is made."""
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the HTTP client."""
        await self._client.__aexit__(kind, error, trace)

    @property
    def calls_made(self) -> int:
        """API calls sent so far, handshakes and retries included."""
        return self._channel.calls_made

    async def evaluate(self, condition: Condition, dates: DateSet) -> GateReading:
        """Look whether a condition holds: one read, for all of `dates` alike.

        A first read is preceded by a handshake, and one more read makes sure of an answer that would
        also come while the database is down.

        Raises:
            ProviderError: It could not be read.
            InvalidRequest: The condition is one of another system.
        """
        verdict = await self._look_at(condition)
        return GateReading(
            dates=dates,
            closed=_on(dates, verdict.closed),
            stuck=dates if verdict.stuck else DateSet(),
            remarks=_on(dates, verdict.remark),
        )

    async def _look_at(self, condition: Condition) -> Verdict:
        match condition:
            case DagSucceeded():
                return await look_at_dag(self._api, condition)
            case NothingUnfinished():
                return await look_at_unfinished(self._api, condition)
            case RunsSucceeded():
                raise InvalidRequest(
                    f"OBShell cannot be asked whether {condition}",
                    provider=PROVIDER,
                    operation="evaluate",
                    hint="give the gate a `dataarts` connection",
                )

    async def check(self) -> CheckReport:
        """Read the agent's status and, signed, a list; and report what they told."""
        return await check_connection(
            self._api, self._gateway.base_url, self._channel.server_clock
        )


def _on(dates: DateSet, text: str | None) -> RangeMap[str]:
    return RangeMap() if text is None else RangeMap.constant(dates, text)
