"""The DataWorks adapter: one object per connection, behind `reconciler.ports.Provider`."""

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
from reconciler.model.outcomes import CreateOutcome
from reconciler.model.project import DataWorksConnection
from reconciler.model.resources import Tuning
from reconciler.model.runs import Discovery, FoundRun, KnownRuns, NodeFailure, Observation, Tier
from reconciler.model.seams import Clock, IdSource
from reconciler.model.series import Series, Tag
from reconciler.model.steps import Steps, Unwatched
from reconciler.providers.channel import Channel
from reconciler.providers.connecting import effective_limits
from reconciler.providers.dataworks.api import Api
from reconciler.providers.dataworks.checking import check_connection
from reconciler.providers.dataworks.credentials import KeySource, key_source
from reconciler.providers.dataworks.discovering import Discoverer
from reconciler.providers.dataworks.endpoints import base_url as connection_url
from reconciler.providers.dataworks.failed_nodes import find_failures
from reconciler.providers.dataworks.gateway import Gateway
from reconciler.providers.dataworks.hollowness import find_hollow_dates
from reconciler.providers.dataworks.observing import Observer
from reconciler.providers.dataworks.stopping import stop_runs
from reconciler.providers.dataworks.wire_requests import build_create
from reconciler.providers.http import CREATE_SECONDS, READ_SECONDS, build_client
from reconciler.providers.pacing import Backoff, Jitter, Pacer


class DataWorksProvider:
    """One DataWorks connection; an async context manager that closes its HTTP clients.

    Attributes:
        api: Typed reads of this connection, one by one.
    """

    def __init__(  # noqa: PLR0913 - each part is a seam of its own
        self,
        connection: DataWorksConnection,
        *,
        clock: Clock,
        ids: IdSource,
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
            ids: Nonces.
            environ: The process environment, for credentials.
            transport: Carries requests instead of the network, such as the embedded simulator; closed
                with the provider.
            base_url: Scheme and host (and port) instead of the connection's own.
            credentials: Yields signing keys instead of the connection's own source.
            jitter: Spreads retries; random if not given.
            steps: Is told of each step over a real connection.

        Raises:
            InvalidRequest: The connection's region or endpoint is malformed.
        """
        self._connection = connection
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
        self._gateway = Gateway(
            self._channel,
            base_url=(base_url or connection_url(connection)).rstrip("/"),
            key=credentials or key_source(connection.credentials, environ),
            ids=ids,
            skew=dt.timedelta(seconds=connection.skew_seconds),
        )
        self.api = Api(self._gateway, ZoneInfo(connection.timezone))
        self._observer = Observer(self.api, connection, self._channel.server_clock)
        self._discoverer = Discoverer(self.api, self._observer, connection, clock)

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
        """API calls sent so far, retries and creates included."""
        return self._channel.calls_made

    def tier(self, kind: Kind, *, tags_survive: bool | None = None) -> Tier:
        """How well runs of this kind can be found again.

        A backfill's name is believed to survive until it was read back altered. A manual run bears none;
        a marker in its parameters is not believed before it was read back whole.
        """
        if kind is Kind.BACKFILL:
            return Tier.S3 if tags_survive is False else Tier.S2
        return Tier.S2 if self._connection.markers and tags_survive else Tier.S3

    def run_name(self, tag: Tag, spec_name: str) -> str:
        """The tag and the spec's name, cut to what the service takes."""
        return tag.name(spec_name)

    def wire_call(self, series: Series, dates: DateRange, name: str, tuning: Tuning) -> WireCall:
        """The exact create call for these dates; no I/O."""
        return build_create(series, dates, name, tuning, markers=self._connection.markers)

    def prepare(self, call: WireCall) -> Prepared:
        """Sign a create with a nonce of its own.

        Raises:
            Unauthenticated: There is no key to sign with.
        """
        return self._gateway.prepare(call)

    async def take_create_turn(self, operation: str) -> None:
        """Wait until limits and service allow one more create; ask before `prepare`.

        Raises:
            NotAsked: The service failed too often to be asked now.
        """
        await self._channel.take_create_turn(operation)

    async def create(self, prepared: Prepared) -> CreateOutcome:
        """Send a prepared create once: no retry, no redirect, a connection of its own."""
        return await self._gateway.create(prepared)

    async def confirm(self, attempt: Attempt) -> Observation:
        """Read an accepted call's first run back by id."""
        return await self._observer.confirm(attempt)

    async def observe(
        self, attempts: Sequence[Attempt], series: Mapping[str, Series]
    ) -> tuple[Observation, ...]:
        """Read how far attempts are; attempts of one OpSeq share one call."""
        return await self._observer.observe(attempts, series)

    async def discover(
        self, series: Series, dates: DateSet, *, known_runs: KnownRuns
    ) -> Discovery:
        """List runs on the subject of `series` for `dates`; what is in `known_runs` is looked past."""
        match series.subject.kind:
            case Kind.BACKFILL:
                return await self._discoverer.backfills(series, dates, known_runs)
            case Kind.MANUAL_FLOW:
                return await self._discoverer.manual_runs(series, dates, known_runs)

    async def hollow_dates(self, attempt: Attempt, series: Series, dates: DateSet) -> DateSet:
        """Which of these successful dates had an included node that was only skipped.

        Always none for manual runs, whose API does not tell, and without a `projectId`.
        """
        project_id = self._connection.project_id
        if series.subject.kind is Kind.MANUAL_FLOW or project_id is None:
            return DateSet()
        return await find_hollow_dates(self.api, project_id, attempt, series, dates)

    async def find_run(self, series: Series, run_id: str, dates: DateSet) -> FoundRun | None:
        """Read a run by its id and make sure that it runs on the subject of `series`; None if unknown."""
        return await self._discoverer.run_by_id(series, run_id, dates)

    async def stop(self, attempt: Attempt, series: Series, dates: DateSet) -> StopReport:
        """Stop every instance of an attempt on some dates that can be stopped."""
        return await stop_runs(self.api, self._observer, attempt, series, dates)

    async def failures(
        self, attempt: Attempt, series: Series, dates: DateSet
    ) -> tuple[NodeFailure, ...]:
        """The nodes of an attempt that failed on some dates, by date; the first few with their logs."""
        return await find_failures(self.api, self._connection, attempt, series, dates)

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
        return await check_connection(
            self.api, self._gateway.base_url, self._channel.server_clock, self._connection
        )
