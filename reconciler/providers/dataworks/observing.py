"""How far our runs are, in as few reads as the API allows.

A backfill call makes DAGs under one OpSeq. Two layouts are known: one DAG per date, or fewer DAGs than
dates, each walking through several of them. In the first the DAGs tell all; in the second the dates come
from the DAGs' instances.

When is a run gone? The service documents no answer for a run it has purged. We believe
  - an error with a code that names the DAG, OpSeq or instance as not existing;
  - a well-formed, empty list of an OpSeq's DAGs, if the run is older than the listing lag and a GetDag by
    id does not find it either;
  - success without any DAG or row, past the service's retention.
Errors of any other kind, and success without a DAG before that, are never taken for it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.concurrency import each
from reconciler.model.addresses import Kind
from reconciler.model.attempts import Attempt
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import InvalidRequest, NotFound, UnexpectedResponse
from reconciler.model.project import DataWorksConnection
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import Observation, UnitStatus
from reconciler.model.series import Series
from reconciler.providers.dataworks.api import Api, InstanceQuery
from reconciler.providers.dataworks.durations import (
    NOTHING_TOLD,
    durations_of_dags,
    durations_of_instances,
)
from reconciler.providers.dataworks.listing import Listing, list_all
from reconciler.providers.dataworks.markers import marker_in
from reconciler.providers.dataworks.statuses import (
    coverage_of_dags,
    coverage_of_instances,
    status_of_instances,
)
from reconciler.providers.dataworks.wire_answers import Dag
from reconciler.providers.dataworks.wire_requests import SEARCH_MANUAL_RUN
from reconciler.providers.server_clock import ServerClock

#: The service purges runs about 30 days after their creation (vendor's FAQ, read 2026-11-21).
RETENTION = dt.timedelta(days=30)

#: A call makes at most this many DAGs that walk through several dates (vendor's FAQ, read 2026-11-21);
#: more than these are one DAG per date.
MOST_WALKING_DAGS = 10

#: Data dates that a run can have.
_ALL_DATES = DateRange(dt.date(2000, 1, 1), dt.date(2100, 1, 1))

_NOTHING: RangeMap[UnitStatus] = RangeMap()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """One OpSeq in one environment."""

    id: str
    environment: str


class Observer:
    """Reads runs of one connection."""

    def __init__(self, api: Api, connection: DataWorksConnection, clock: ServerClock) -> None:
        """Read through `api`; what is old is decided by the service's own clock."""
        self._api = api
        self._connection = connection
        self._clock = clock

    async def confirm(self, attempt: Attempt) -> Observation:
        """Read an accepted call's first run back by its id.

        Raises:
            ProviderError: It could not be read.
        """
        if attempt.address.kind is Kind.MANUAL_FLOW:
            return await self._observe_manual(attempt, None)
        dag = await self._first_dag(attempt, self._connection.environment)
        if dag is None:
            return Observation(attempt_id=attempt.id, coverage=_NOTHING, gone=True)
        return Observation(
            attempt_id=attempt.id,
            coverage=coverage_of_dags([dag]),
            run_ids=_joined(attempt.run_ids, [dag.id]),
            run_group=dag.group,
            name=dag.name,
        )

    async def observe(
        self, attempts: Sequence[Attempt], series: Mapping[str, Series]
    ) -> tuple[Observation, ...]:
        """Read how far attempts are, one observation each, in their order.

        An attempt without any run id or group cannot be read and yields an empty observation.

        Args:
            attempts: Those to read.
            series: By fingerprint; says in which environment or project an attempt ran. The
                connection's own is taken for a series that is not in it.

        Raises:
            ProviderError: A read failed.
        """
        grouped = await each(
            attempts, lambda attempt: self._group_of(attempt, series.get(attempt.series))
        )
        groups = list(dict.fromkeys(group for group in grouped if isinstance(group, _Group)))
        listed = dict(zip(groups, await each(groups, self._list_group), strict=True))

        async def judge(item: tuple[Attempt, _Group | Observation]) -> Observation:
            attempt, group = item
            if isinstance(group, Observation):
                return group
            return await self._observe_backfill(attempt, group, listed[group])

        return tuple(await each(zip(attempts, grouped, strict=True), judge))

    async def _group_of(self, attempt: Attempt, series: Series | None) -> _Group | Observation:
        """Where to find the attempt's DAGs; or, where there is no group to read, what is to be said."""
        if attempt.address.kind is Kind.MANUAL_FLOW:
            return await self._observe_manual(attempt, series)
        environment = (
            self._connection.environment if series is None else series.subject.environment
        )
        if attempt.run_group is not None:
            return _Group(id=attempt.run_group, environment=environment)
        if not attempt.run_ids:
            return Observation(attempt_id=attempt.id, coverage=_NOTHING)
        dag = await self._first_dag(attempt, environment)
        if dag is None:
            return Observation(attempt_id=attempt.id, coverage=_NOTHING, gone=True)
        if dag.group is None:
            return Observation(
                attempt_id=attempt.id,
                coverage=coverage_of_dags([dag]),
                run_ids=attempt.run_ids,
                name=dag.name,
                took=_durations([dag], attempt),
            )
        return _Group(id=dag.group, environment=environment)

    async def _first_dag(self, attempt: Attempt, environment: str) -> Dag | None:
        """The DAG of the attempt's first run id, or None when it is gone."""
        dag_id = attempt.run_ids[0]
        try:
            dag = await self._api.get_dag(dag_id, environment)
        except NotFound:
            return None
        if dag is None and not self._is_older(attempt, RETENTION):
            raise UnexpectedResponse(
                f"GetDag reports success and shows no DAG {dag_id}",
                provider="dataworks",
                operation="GetDag",
            )
        return dag

    async def _list_group(self, group: _Group) -> tuple[Dag, ...] | None:
        """All DAGs of a group, or None when the service says that it does not know it."""
        try:
            return await self._api.list_dags(group.id, group.environment)
        except NotFound:
            return None

    async def _observe_backfill(
        self, attempt: Attempt, group: _Group, listed: tuple[Dag, ...] | None
    ) -> Observation:
        dags = [dag for dag in listed or () if _belongs(dag, attempt)]
        if not dags:
            gone = listed is None or await self._is_gone(attempt, group)
            return Observation(
                attempt_id=attempt.id, coverage=_NOTHING, gone=gone, run_group=group.id
            )
        coverage = coverage_of_dags(dags)
        if DateSet((attempt.dates,)) - coverage.dates:
            coverage = await self.whole_coverage(dags, group.environment)
        return Observation(
            attempt_id=attempt.id,
            coverage=coverage,
            run_ids=_joined(attempt.run_ids, (dag.id for dag in dags)),
            run_group=group.id,
            name=dags[0].name,
            took=_durations(dags, attempt),
        )

    async def whole_coverage(self, dags: Sequence[Dag], environment: str) -> RangeMap[UnitStatus]:
        """All dates of some DAGs of one call, whatever the layout.

        A date that no instance shows has the status of the DAG that carries it.
        """
        coverage = coverage_of_dags(dags)
        if len(dags) > MOST_WALKING_DAGS:
            return coverage
        listings = await each(dags, lambda dag: self.instances_of(dag.id, environment))
        seen = coverage_of_instances(row for listing in listings for row in listing.rows)
        if not all(listing.complete for listing in listings):
            # What was not listed may have failed, so a success is not believed.
            seen = seen.map(_not_yet_successful)
        return coverage.overlaid(seen)

    async def instances_of(self, dag_id: str, environment: str) -> Listing:
        """All node instances of one DAG."""
        query = InstanceQuery(
            project_id=required_project_id(self._connection),
            environment=environment,
            dag_id=dag_id,
        )
        listing = await list_all(self._api, query)
        if listing.complete:
            return listing
        # With dates to go by, more rows than can be reached at once are listed by parts.
        return await list_all(self._api, dataclasses.replace(query, dates=_ALL_DATES))

    async def _is_gone(self, attempt: Attempt, group: _Group) -> bool:
        """Whether a group that lists no DAG of the attempt is proved to be purged."""
        if not self._is_older(attempt, dt.timedelta(seconds=self._connection.lag_seconds)):
            return False
        if not attempt.run_ids:
            return True
        try:
            return await self._api.get_dag(attempt.run_ids[0], group.environment) is None
        except NotFound:
            return True

    async def _observe_manual(self, attempt: Attempt, series: Series | None) -> Observation:
        """Read a manual run; its one data date is what was asked for, since its id came from that call."""
        project = self._connection.project if series is None else series.subject.workspace
        if not attempt.run_ids:
            return Observation(attempt_id=attempt.id, coverage=_NOTHING)
        if project is None:
            raise InvalidRequest(
                f"connection {self._connection.name!r} has no `project`, which manual flows need",
                provider="dataworks",
                operation=SEARCH_MANUAL_RUN,
                hint="set `project` to the workspace's English identifier",
            )
        try:
            rows = await self._api.search_manual_run(attempt.run_ids[0], project)
        except NotFound:
            return Observation(attempt_id=attempt.id, coverage=_NOTHING, gone=True)
        # Instances that were there once do not come to nothing by themselves, whatever our clock says.
        seen = attempt.coverage.where(lambda record: record.status is not UnitStatus.CREATED)
        if not rows and (seen or self._is_older(attempt, RETENTION)):
            return Observation(attempt_id=attempt.id, coverage=_NOTHING, gone=True)
        status = status_of_instances([row.status for row in rows])
        whole = DateSet((attempt.dates,))
        ended = status is UnitStatus.SUCCESS
        return Observation(
            attempt_id=attempt.id,
            coverage=RangeMap.constant(whole, status),
            run_ids=attempt.run_ids,
            took=durations_of_instances(rows, whole) if ended else NOTHING_TOLD,
            # A marked run that comes back without its marker has lost its name.
            name=(marker_in(rows) or "") if rows and self._connection.markers else None,
        )

    def _is_older(self, attempt: Attempt, age: dt.timedelta) -> bool:
        now = self._clock.server_now()
        return now is not None and now - attempt.started_by > age


def _not_yet_successful(status: UnitStatus) -> UnitStatus:
    return UnitStatus.RUNNING if status is UnitStatus.SUCCESS else status


def _durations(dags: Iterable[Dag], attempt: Attempt) -> RangeMap[int]:
    # How a run that we only found was called is not known.
    serial = attempt.serial and not attempt.adopted
    return durations_of_dags(dags, DateSet((attempt.dates,)), serial=serial)


def _belongs(dag: Dag, attempt: Attempt) -> bool:
    """Whether a DAG of the attempt's group is the attempt's: by name, or by id where names were cut."""
    return dag.name == attempt.name or dag.id in attempt.run_ids


def _joined(known: Iterable[str], found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *found)))


def required_project_id(connection: DataWorksConnection) -> str:
    """The workspace's id, without which API 2020-05-18 lists nothing.

    Raises:
        InvalidRequest: The connection has none.
    """
    if connection.project_id is None:
        raise InvalidRequest(
            f"connection {connection.name!r} has no `projectId`, which backfills need",
            provider="dataworks",
            operation="ListInstances",
            hint="set `projectId` to the workspace's id",
        )
    return connection.project_id
