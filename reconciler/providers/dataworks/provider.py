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
from reconciler.model.calls import CheckReport, Prepared, WireCall
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.outcomes import CreateOutcome
from reconciler.model.project import DataWorksConnection, Limits
from reconciler.model.resources import Tuning
from reconciler.model.runs import Discovery, Observation, Tier
from reconciler.model.seams import Clock, IdSource
from reconciler.model.series import Realm, Series
from reconciler.providers.dataworks.api import Api
from reconciler.providers.dataworks.checking import check_connection
from reconciler.providers.dataworks.credentials import KeySource, key_source
from reconciler.providers.dataworks.discovering import Discoverer
from reconciler.providers.dataworks.endpoints import base_url as connection_url
from reconciler.providers.dataworks.gateway import Gateway
from reconciler.providers.dataworks.hollowness import find_hollow_dates
from reconciler.providers.dataworks.observing import Observer
from reconciler.providers.dataworks.wire_answers import Instance
from reconciler.providers.dataworks.wire_requests import build_create
from reconciler.providers.http import CREATE_SECONDS, READ_SECONDS, build_client
from reconciler.providers.pacing import Backoff, Jitter, Pacer

_TIERS = {Kind.BACKFILL: Tier.S2, Kind.MANUAL_FLOW: Tier.S3}


class DataWorksProvider:
    """One DataWorks connection; an async context manager that closes its HTTP clients."""

    def __init__(
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
        limits = _effective_limits(connection)
        self._gateway = Gateway(
            base_url=(base_url or connection_url(connection)).rstrip("/"),
            read_client=reads,
            create_client=creates,
            key=credentials or key_source(connection.credentials, environ),
            clock=clock,
            ids=ids,
            backoff=Backoff(jitter=jitter or random.SystemRandom()),
            read_pacer=Pacer(clock, limits.read_qps),
            create_pacer=Pacer(clock, limits.write_qps),
            skew=dt.timedelta(seconds=connection.skew_seconds),
        )
        self._api = Api(self._gateway, ZoneInfo(connection.timezone))
        self._observer = Observer(self._api, connection, clock)
        self._discoverer = Discoverer(self._api, self._observer, connection, clock)

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
        return self._gateway.calls_made

    def tier(self, kind: Kind) -> Tier:
        """How well runs of this kind can be found again: manual runs bear no name."""
        return _TIERS[kind]

    def wire_call(self, series: Series, dates: DateRange, name: str, tuning: Tuning) -> WireCall:
        """The exact create call for these dates; no I/O."""
        return build_create(series, dates, name, tuning)

    def prepare(self, call: WireCall) -> Prepared:
        """Sign a create with a nonce of its own.

        Raises:
            Unauthenticated: There is no key to sign with.
        """
        return self._gateway.prepare(call)

    async def take_create_turn(self) -> None:
        """Wait until the connection's limits allow one more create; ask before `prepare`."""
        await self._gateway.take_create_turn()

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
        self, series: Series, dates: DateSet, *, known_runs: frozenset[str]
    ) -> Discovery:
        """List runs on the subject of `series` for `dates`; runs in `known_runs` are looked past."""
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
        return await find_hollow_dates(self._api, project_id, attempt, series, dates)

    async def list_instances(self, run_id: str, environment: str) -> tuple[Instance, ...]:
        """The node instances of one DAG, as many as can be reached."""
        listing = await self._observer.instances_of(run_id, environment)
        return listing.rows

    async def get_instance(self, instance_id: str, environment: str) -> Instance:
        """One node instance."""
        return await self._api.get_instance(instance_id, environment)

    async def stop_instance(self, instance_id: str, environment: str) -> None:
        """Stop one node instance; sent once."""
        await self._api.stop_instance(instance_id, environment)

    async def check(self) -> CheckReport:
        """One signed read, and what it told."""
        return await check_connection(
            self._api, self._gateway.base_url, self._gateway.server_clock, self._connection
        )


def _effective_limits(connection: DataWorksConnection) -> Limits:
    """What the project file says; for a simulator only if it says more than the defaults.

    The defaults protect a shared quota of the real service. A simulator has its own and would only be
    slowed down.
    """
    if connection.realm is Realm.SIMULATOR and connection.limits == Limits():
        return Limits(read_qps=0.0, write_qps=0.0)
    return connection.limits
