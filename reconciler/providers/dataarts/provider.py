"""The DataArts adapter: one object per connection, behind `reconciler.ports.Provider` and `GateKeeper`."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

import httpx

from reconciler.model.addresses import Kind
from reconciler.model.attempts import Attempt
from reconciler.model.calls import CheckReport, Prepared, StopReport, WireCall
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import UnexpectedResponse
from reconciler.model.gates import Condition, GateReading
from reconciler.model.outcomes import CreateOutcome
from reconciler.model.project import DataArtsConnection, PasswordCredentials
from reconciler.model.resources import Tuning
from reconciler.model.runs import Discovery, FoundRun, KnownRuns, NodeFailure, Observation, Tier
from reconciler.model.seams import Clock
from reconciler.model.series import Series, Tag
from reconciler.model.steps import Steps, Unwatched
from reconciler.providers.channel import Channel
from reconciler.providers.connecting import effective_limits
from reconciler.providers.dataarts.access import Access, KeyAccess, TokenAccess
from reconciler.providers.dataarts.api import Api
from reconciler.providers.dataarts.checking import check_connection
from reconciler.providers.dataarts.credentials import KeySource, key_source
from reconciler.providers.dataarts.discovering import Discoverer
from reconciler.providers.dataarts.endpoints import connection_hosts
from reconciler.providers.dataarts.failed_nodes import find_failures
from reconciler.providers.dataarts.failures import no_backfill
from reconciler.providers.dataarts.gates import evaluate_gate
from reconciler.providers.dataarts.gateway import Gateway
from reconciler.providers.dataarts.observing import Observer
from reconciler.providers.dataarts.stopping import stop_run
from reconciler.providers.dataarts.tokens import TokenSource
from reconciler.providers.dataarts.wire_requests import build_create
from reconciler.providers.http import CREATE_SECONDS, READ_SECONDS, build_client
from reconciler.providers.pacing import Backoff, Jitter, Pacer


class DataArtsProvider:
    """One DataArts connection; an async context manager that closes its HTTP clients.

    Attributes:
        api: Typed reads of this connection, one by one.
    """

    def __init__(
        self,
        connection: DataArtsConnection,
        *,
        clock: Clock,
        environ: Mapping[str, str],
        transport: httpx.AsyncBaseTransport | None = None,
        base_url: str | None = None,
        credentials: KeySource | None = None,
        jitter: Jitter | None = None,
        steps: Steps | None = None,
    ) -> None:
        """Join the parts; nothing is opened or read before the first call.

        Args:
            connection: What the project file says.
            clock: Our time.
            environ: The process environment, for credentials.
            transport: Carries requests instead of the network, such as the embedded simulator; closed
                with the provider.
            base_url: Scheme and host (and port) instead of the connection's own.
            credentials: Yields signing keys instead of the connection's own source.
            jitter: Spreads retries; random if not given.
            steps: Is told of each step over a real connection.

        Raises:
            InvalidRequest: The connection's region or an endpoint is malformed.
        """
        self._connection = connection
        self._clock = clock
        reads = build_client(transport=transport, keep_alive=True, read_seconds=READ_SECONDS)
        # An in-process transport has no connections to lose and is to be closed once, so it gets one
        # client for everything.
        creates = (
            build_client(transport=None, keep_alive=False, read_seconds=CREATE_SECONDS)
            if transport is None
            else reads
        )
        self._clients = [reads] if creates is reads else [reads, creates]
        self._closing = AsyncExitStack()
        limits = effective_limits(connection.limits, connection.realm)
        self._channel = Channel(
            provider=connection.provider,
            read_client=reads,
            create_client=creates,
            clock=clock,
            backoff=Backoff(jitter=jitter or random.SystemRandom()),
            read_pacer=Pacer(clock, limits.read_qps),
            create_pacer=Pacer(clock, limits.write_qps),
            steps=steps or Unwatched(),
        )
        hosts = connection_hosts(connection, base_url)
        self._access = _access(connection, self._channel, hosts.iam, credentials, environ)
        gateway = Gateway(
            self._channel, self._access, skew=dt.timedelta(seconds=connection.skew_seconds)
        )
        self._zone = ZoneInfo(connection.timezone)
        self.api = Api(gateway, hosts, connection, self._zone)
        self._observer = Observer(self.api, self._channel.server_clock)
        self._discoverer = Discoverer(self.api, self._observer, clock)

    async def __aenter__(self) -> Self:
        """Open the HTTP clients; no call is made."""
        for client in self._clients:
            await self._closing.enter_async_context(client)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the HTTP clients."""
        await self._closing.aclose()

    @property
    def calls_made(self) -> int:
        """API calls sent so far, retries, tokens and creates included."""
        return self._channel.calls_made

    def tier(self, kind: Kind, *, tags_survive: bool | None = None) -> Tier:
        """How well runs can be found again: a complete listing shows the names that we chose."""
        del kind
        return Tier.S3 if tags_survive is False else Tier.S1

    def run_name(self, tag: Tag, spec_name: str) -> str:
        """The tag alone: what else a name may hold is not documented."""
        del spec_name
        return str(tag)

    def wire_call(self, series: Series, dates: DateRange, name: str, tuning: Tuning) -> WireCall:
        """The exact create call for these dates; no I/O.

        Raises:
            InvalidRequest: The service has no such call.
        """
        return build_create(series, dates, name, tuning, self._zone)

    def prepare(self, call: WireCall) -> Prepared:
        """Sign a create, or put the token on it that `take_create_turn` made sure of.

        Raises:
            Unauthenticated: There is neither key nor token.
        """
        return self.api.prepare(call)

    async def take_create_turn(self, operation: str) -> None:
        """Wait until limits and service allow one more create, and have what `prepare` needs.

        Raises:
            NotAsked: The service failed too often to be asked now.
            ProviderError: No token could be had.
        """
        await self._channel.take_create_turn(operation)
        await self._access.ready()

    async def create(self, prepared: Prepared) -> CreateOutcome:
        """Send a prepared create once: no retry, no redirect, a connection of its own."""
        return await self.api.gateway.create(prepared)

    async def confirm(self, attempt: Attempt) -> Observation:
        """Read an accepted call's run back by its name; it may not be listed yet."""
        return await self._observer.confirm(attempt)

    async def observe(
        self, attempts: Sequence[Attempt], series: Mapping[str, Series]
    ) -> tuple[Observation, ...]:
        """Read how far attempts are; one page shows those of many."""
        return await self._observer.observe(attempts, series)

    async def discover(
        self, series: Series, dates: DateSet, *, known_runs: KnownRuns
    ) -> Discovery:
        """List PatchData of the job of `series` for `dates`; what is in `known_runs` is looked past."""
        _backfills_only(series)
        return await self._discoverer.discover(series, dates, known_runs)

    async def hollow_dates(self, attempt: Attempt, series: Series, dates: DateSet) -> DateSet:
        """None: a series has no included nodes here."""
        del attempt, series, dates
        return DateSet()

    async def find_run(self, series: Series, run_id: str, dates: DateSet) -> FoundRun | None:
        """Read a run by its name and make sure that it runs the job of `series`; None if unknown."""
        _backfills_only(series)
        return await self._discoverer.run_by_id(series, run_id, dates)

    async def stop(self, attempt: Attempt, series: Series, dates: DateSet) -> StopReport:
        """Stop an attempt's run, if all that still runs of it is to be stopped."""
        return await stop_run(self.api, self._observer, attempt, series, dates)

    async def failures(
        self, attempt: Attempt, series: Series, dates: DateSet
    ) -> tuple[NodeFailure, ...]:
        """The nodes of an attempt that failed on some dates, by date, and where their logs lie."""
        return await find_failures(self.api, self._observer, attempt, series, dates)

    async def evaluate(self, condition: Condition, dates: DateSet) -> GateReading:
        """Look whether every run planned in the window of each of `dates` succeeded.

        Raises:
            InvalidRequest: The condition is one of another system, or the connection names no instance.
            ProviderError: It could not be read.
        """
        clock = self._channel.server_clock
        return await evaluate_gate(
            self.api, condition, dates, now=lambda: clock.server_now() or self._clock.now()
        )

    async def server_time(self) -> dt.datetime:
        """The service's own clock, aware UTC; one signed read, unless an answer told it before."""
        clock = self._channel.server_clock
        if not clock.known:
            await self.check()
        now = clock.server_now()
        if now is None:
            raise UnexpectedResponse(
                "the service does not tell its time",
                provider=self._connection.provider,
                operation="Date",
                hint="`reconciler check` shows whether it answers at all",
            )
        return now

    async def check(self) -> CheckReport:
        """One signed read, and what it told."""
        return await check_connection(self.api, self._channel.server_clock)


def _access(
    connection: DataArtsConnection,
    channel: Channel,
    iam_url: str,
    given: KeySource | None,
    environ: Mapping[str, str],
) -> Access:
    """What requests are proved with: given keys, else what the project file says."""
    named = connection.credentials
    clock, project_id = channel.server_clock, connection.project_id
    if given is not None:
        return KeyAccess(given, clock, project_id)
    if isinstance(named, PasswordCredentials):
        source = TokenSource(channel, iam_url=iam_url, user=named, project_id=project_id)
        return TokenAccess(source, clock)
    return KeyAccess(key_source(named, environ), clock, project_id)


def _backfills_only(series: Series) -> None:
    if series.subject.kind is not Kind.BACKFILL:
        raise no_backfill("discover")
