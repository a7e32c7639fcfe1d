"""What runs on a subject, ours or not: one listing over the root node, then one look at each new run.

Rows of a listing bear no name, so each DAG of type SUPPLY_DATA that is not on record costs a GetDag; its
group is then listed at once, which names all DAGs of the same call together.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateSet
from reconciler.model.errors import InvalidRequest, NotFound
from reconciler.model.project import DataWorksConnection
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import Discovery, FoundRun, KnownRuns, Origin, UnitStatus, is_known
from reconciler.model.seams import Clock
from reconciler.model.series import Series, Tag
from reconciler.providers.dataworks.api import Api, InstanceQuery
from reconciler.providers.dataworks.listing import Listing, list_all
from reconciler.providers.dataworks.markers import tag_in
from reconciler.providers.dataworks.observing import Observer, required_project_id
from reconciler.providers.dataworks.statuses import coverage_of_instances, status_of_instances
from reconciler.providers.dataworks.vocabulary import DagType
from reconciler.providers.dataworks.wire_answers import Dag, Instance
from reconciler.providers.dataworks.wire_requests import SEARCH_MANUAL_RUN

#: The 2018 API, through which manual flows run, knows one environment only.
_MANUAL_ENVIRONMENT = "PROD"


_RUN_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


class Discoverer:
    """Looks for runs through one connection."""

    def __init__(
        self, api: Api, observer: Observer, connection: DataWorksConnection, clock: Clock
    ) -> None:
        """Look through `api`."""
        self._api = api
        self._observer = observer
        self._connection = connection
        self._clock = clock

    async def backfills(self, series: Series, dates: DateSet, known_runs: KnownRuns) -> Discovery:
        """Runs on the root node of a backfill for `dates`.

        Raises:
            ProviderError: A read failed.
        """
        subject = series.subject
        if not dates:
            return self._nothing_asked(dates)
        listing = await list_all(
            self._api,
            InstanceQuery(
                project_id=required_project_id(self._connection),
                environment=subject.environment,
                node_id=_listed_node(series),
                dates=dates.hull,
            ),
        )
        # The hull may hold dates nobody asked for.
        rows = [row for row in listing.rows if row.date is not None and row.date in dates]
        search = _Search(self._api, self._observer, subject.environment)
        await search.look_at([row for row in rows if _may_be_backfill(row)], known_runs)
        found = [*search.found, *_scheduled(rows)]
        # A row without a date may be of any date.
        dated = all(row.date is not None for row in listing.rows)
        return self._discovery(dates, listing, found, complete=search.complete and dated)

    async def manual_runs(
        self, series: Series, dates: DateSet, known_runs: KnownRuns
    ) -> Discovery:
        """Runs of a manual flow for `dates`; without a `projectId` nothing can be listed."""
        project_id = self._connection.project_id
        if not dates:
            return self._nothing_asked(dates)
        if project_id is None:
            return dataclasses.replace(self._nothing_asked(dates), complete=False, possible=False)
        listing = await list_all(
            self._api,
            InstanceQuery(
                project_id=project_id,
                environment=_MANUAL_ENVIRONMENT,
                flow=series.subject.root,
                dates=dates.hull,
            ),
        )
        by_run: dict[str, list[Instance]] = defaultdict(list)
        for row in listing.rows:
            by_hand = row.dag_type is None or row.dag_type.by_hand
            if by_hand and row.date is not None and row.date in dates:
                by_run[row.dag_id].append(row)
        strange = {
            run_id
            for run_id, rows in by_run.items()
            if not all(is_known(known_runs, run_id, row.date) for row in rows)
        }
        found = [
            _manual_run(run_id, rows)
            for run_id, rows in sorted(by_run.items())
            if run_id in strange
        ]
        discovery = self._discovery(dates, listing, found, complete=True)
        # Rows tell of marks themselves, also those of runs on record.
        marked = any(tag_in(rows) is not None for rows in by_run.values())
        return dataclasses.replace(discovery, shows_tags=marked)

    async def run_by_id(self, series: Series, run_id: str, dates: DateSet) -> FoundRun | None:
        """The run that bears an id, if it runs on the subject of `series`; None if nobody knows it.

        Without a `projectId` the date of a manual run cannot be told: it is taken for that of `dates`.

        Raises:
            InvalidRequest: It runs on something else, or for what date cannot be told.
            ProviderError: A read failed.
        """
        if not _RUN_ID.fullmatch(run_id):
            raise InvalidRequest(
                f"{run_id!r} is not the id of a run",
                provider="dataworks",
                operation="GetDag",
                hint="it is a number, the DAG id that the console shows",
            )
        if series.subject.kind is Kind.MANUAL_FLOW:
            return await self._manual_run_by_id(series, run_id, dates)
        environment = series.subject.environment
        search = _Search(self._api, self._observer, environment)
        try:
            listing = await self._observer.instances_of(run_id, environment)
        except NotFound:
            return None
        node = _listed_node(series)
        rows = [row for row in listing.rows if row.dag_id == run_id]
        if rows and all(row.node_id != node for row in rows):
            raise _elsewhere(run_id, f"node {node}", "ListInstances")
        await search.look_at(rows, {}, whole=True)
        return next((run for run in search.found if run_id in run.run_ids), None)

    async def _manual_run_by_id(
        self, series: Series, run_id: str, dates: DateSet
    ) -> FoundRun | None:
        try:
            rows = await self._api.search_manual_run(run_id, series.subject.workspace)
        except NotFound:
            return None
        project_id = self._connection.project_id
        if not rows:
            return None
        if project_id is None:
            if dates.count != 1:
                raise _elsewhere(run_id, "one date that could be told", SEARCH_MANUAL_RUN)
            (only,) = dates
            coverage = RangeMap.of([(only, status_of_instances([row.status for row in rows]))])
            return dataclasses.replace(_manual_run(run_id, rows), coverage=coverage)
        query = InstanceQuery(
            project_id=project_id,
            environment=_MANUAL_ENVIRONMENT,
            flow=series.subject.root,
            dag_id=run_id,
        )
        dated = (await list_all(self._api, query)).rows
        if not dated:
            raise _elsewhere(run_id, f"flow {series.subject.root}", "ListInstances")
        return _manual_run(run_id, dated)

    def _discovery(
        self,
        dates: DateSet,
        listing: Listing,
        found: Sequence[FoundRun],
        *,
        complete: bool,
    ) -> Discovery:
        return Discovery(
            dates=dates,
            found=tuple(found),
            # A listing that began at nobody knows when on the service's clock proves nothing.
            complete=complete and listing.complete and listing.began_at is not None,
            began_at=listing.began_at or self._clock.now(),
            shows_tags=any(run.tag is not None for run in found),
        )

    def _nothing_asked(self, dates: DateSet) -> Discovery:
        return Discovery(dates=dates, found=(), complete=True, began_at=self._clock.now())


class _Search:
    """Finds out whose runs the DAGs of some rows are; each group of DAGs is looked at once."""

    def __init__(self, api: Api, observer: Observer, environment: str) -> None:
        self._api = api
        self._observer = observer
        self._environment = environment
        self.found: list[FoundRun] = []
        self.complete = True

    async def look_at(
        self, rows: Sequence[Instance], known_runs: KnownRuns, *, whole: bool = False
    ) -> None:
        """Add a `FoundRun` for each group and name among the DAGs of `rows`.

        With `whole`, a stranger's run is told with all its dates, too, as one of ours always is.
        """
        by_dag: dict[str, list[Instance]] = defaultdict(list)
        for row in rows:
            if not is_known(known_runs, row.dag_id, row.date):
                by_dag[row.dag_id].append(row)
        while by_dag:
            dag_id = next(iter(by_dag))
            dag = await self._dag(dag_id)
            if dag is None:
                # Listed a moment ago and not to be seen now: whose it is cannot be told.
                self.complete = False
                del by_dag[dag_id]
                continue
            for dags in await self._named_alike(dag):
                mine = [row for found in dags for row in by_dag.pop(found.id, ())]
                if mine:
                    self.found.append(await self._found_run(dags, mine, whole=whole))
            by_dag.pop(dag_id, None)

    async def _dag(self, dag_id: str) -> Dag | None:
        try:
            return await self._api.get_dag(dag_id, self._environment)
        except NotFound:
            return None

    async def _named_alike(self, dag: Dag) -> list[list[Dag]]:
        """The DAGs of a DAG's group, by name; the DAG itself is always among them."""
        dags = {dag.id: dag}
        if dag.group is not None:
            try:
                listed = await self._api.list_dags(dag.group, self._environment)
            except NotFound:
                self.complete = False
                listed = ()
            dags = {**{found.id: found for found in listed}, **dags}
        by_name: dict[str | None, list[Dag]] = defaultdict(list)
        for found in dags.values():
            by_name[found.name].append(found)
        return list(by_name.values())

    async def _found_run(
        self, dags: Sequence[Dag], rows: Sequence[Instance], *, whole: bool
    ) -> FoundRun:
        first = dags[0]
        tag = None if first.name is None else Tag.parse(first.name)
        coverage = coverage_of_instances(rows)
        if tag is not None or whole:
            everything = await self._observer.whole_coverage(dags, self._environment)
            coverage = coverage.overlaid(everything)
        if tag is not None:
            coverage = _without_holes(coverage)
        created = [dag.created_at for dag in dags if dag.created_at is not None]
        return FoundRun(
            origin=Origin.BACKFILL,
            run_ids=tuple(dag.id for dag in dags),
            coverage=coverage,
            name=first.name,
            tag=tag,
            run_group=first.group,
            created_at=min(created, default=None),
            created_by=first.created_by,
        )


def _without_holes(coverage: RangeMap[UnitStatus]) -> RangeMap[UnitStatus]:
    """A call of ours has no holes: dates between others of it are only not listed yet."""
    hull = coverage.dates.hull
    assert hull is not None  # noqa: S101 - it was found on some date
    return RangeMap.constant(DateSet((hull,)), UnitStatus.CREATED).overlaid(coverage)


def _elsewhere(run_id: str, what: str, operation: str) -> InvalidRequest:
    return InvalidRequest(
        f"run {run_id} does not run {what}",
        provider="dataworks",
        operation=operation,
        hint="check the id and the address; a run just started may take minutes to be listed",
    )


def _listed_node(series: Series) -> str:
    """The node whose instances show every run of a series: the root, unless it is not among its nodes."""
    root = series.subject.root
    return root if root in series.include or not series.include else series.include[0]


def _may_be_backfill(row: Instance) -> bool:
    """A type that we cannot read may be anything, so it is looked at."""
    return row.dag_type is None or row.dag_type is DagType.SUPPLY_DATA


def _scheduled(rows: Iterable[Instance]) -> list[FoundRun]:
    """The daily runs among `rows` that have not ended, as one."""
    daily = [row for row in rows if row.dag_type is DagType.DAILY and not row.status.ended]
    if not daily:
        return []
    return [_from_rows(Origin.SCHEDULE, dict.fromkeys(row.dag_id for row in daily), daily)]


def _manual_run(run_id: str, rows: Sequence[Instance]) -> FoundRun:
    tag = tag_in(rows)
    name = None if tag is None else str(tag)
    return dataclasses.replace(_from_rows(Origin.MANUAL, [run_id], rows), tag=tag, name=name)


def _from_rows(origin: Origin, run_ids: Iterable[str], rows: Sequence[Instance]) -> FoundRun:
    created: list[dt.datetime] = [row.created_at for row in rows if row.created_at is not None]
    creators = {row.created_by for row in rows}
    return FoundRun(
        origin=origin,
        run_ids=tuple(run_ids),
        coverage=coverage_of_instances(rows),
        created_at=min(created, default=None),
        created_by=creators.pop() if len(creators) == 1 else None,
    )
