"""How far our runs are.

One page of the workspace's newest PatchData shows most runs, and which others run beside them; a run that
is not on it is looked for by its name. Names are compared here: whether the service's filter takes parts of
a name is not documented. Each look at a run costs one listing of its job's instances per four weeks, also
the one that finds its success, which is the last.

Creation is asynchronous, so a run that was accepted may not be listed yet. Gone is only one that was seen
before. Neither is believed on the word of a filter: once a run must be there, all of the workspace's
PatchData are read before it is said not to be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.concurrency import each
from reconciler.model.attempts import Attempt
from reconciler.model.dates import DateSet
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import Observation, UnitStatus
from reconciler.model.series import Series
from reconciler.providers.dataarts.api import PATCHED, Api
from reconciler.providers.dataarts.days import all_shifted, map_shifted, offset_of
from reconciler.providers.dataarts.durations import durations_of
from reconciler.providers.dataarts.judging import (
    Known,
    Share,
    contradicted,
    share_of,
    statuses_of,
    stops_early,
)
from reconciler.providers.dataarts.listing import (
    incomplete,
    list_all_patches,
    list_back_to,
    list_job_instances,
)
from reconciler.providers.dataarts.statuses import RunStatus
from reconciler.providers.dataarts.wire_answers import PatchData
from reconciler.providers.dataarts.wire_requests import LIST
from reconciler.providers.server_clock import ServerClock

NOTHING_KNOWN = Known()

_NOTHING: RangeMap[UnitStatus] = RangeMap()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A PatchData with those listed beside it."""

    patch: PatchData
    beside: Sequence[PatchData] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What can be told of some data dates of a run: how far they are, and how many seconds they took."""

    coverage: RangeMap[UnitStatus]
    took: RangeMap[int]


class Observer:
    """Reads runs of one connection.

    Attributes:
        unseen: Names of runs on record that were not listed when they were last looked for.
    """

    def __init__(self, api: Api, clock: ServerClock) -> None:
        """Read through `api`; what should be listed by now is decided by the service's own clock."""
        self.unseen: set[str] = set()
        self._api = api
        self._clock = clock

    async def confirm(self, attempt: Attempt) -> Observation:
        """Read an accepted call's run back by its name, if it is listed already.

        Raises:
            ProviderError: It could not be read.
        """
        patch = await self._by_name(run_name(attempt))
        if patch is None:
            return Observation(attempt_id=attempt.id, coverage=_NOTHING)
        # How it ended, if it has already, takes a look at its instances.
        dates = DateSet() if patch.status.ended else DateSet((attempt.dates,))
        return Observation(
            attempt_id=attempt.id,
            coverage=RangeMap.constant(dates, UnitStatus.CREATED),
            run_ids=(patch.name,),
            name=patch.name,
        )

    async def observe(
        self, attempts: Sequence[Attempt], series: Mapping[str, Series]
    ) -> tuple[Observation, ...]:
        """Read how far attempts are, one observation each, in their order.

        An attempt without a run id yields an empty observation.

        Raises:
            ProviderError: A read failed.
        """
        asked = {run_name(attempt) for attempt in attempts if attempt.run_ids}
        found = await self._look(asked) if asked else {}
        overdue = {run_name(attempt) for attempt in attempts if not self._is_young(attempt)}
        found |= await self._search(overdue & asked - found.keys())
        self.unseen = (self.unseen | asked) - found.keys()

        async def one(attempt: Attempt) -> Observation:
            if not attempt.run_ids:
                return Observation(attempt_id=attempt.id, coverage=_NOTHING)
            run = found.get(run_name(attempt))
            if run is None:
                gone = bool(attempt.coverage)
                return Observation(attempt_id=attempt.id, coverage=_NOTHING, gone=gone)
            told = await self._told_of_attempt(attempt, run, series.get(attempt.series))
            return Observation(
                attempt_id=attempt.id,
                coverage=told.coverage,
                run_ids=attempt.run_ids,
                name=run.patch.name,
                took=told.took,
            )

        return tuple(await each(attempts, one))

    def _is_young(self, attempt: Attempt) -> bool:
        """Whether its run was never seen, and may still be created."""
        now = self._clock.server_now()
        return not attempt.coverage and now is not None and now <= attempt.started_by

    async def find(self, name: str) -> Found | None:
        """The PatchData of a name, if there is one, with those listed beside it.

        Raises:
            ProviderError: A read failed.
        """
        found = await self._look({name})
        return (found or await self._search({name})).get(name)

    async def _look(self, wanted: set[str]) -> dict[str, Found]:
        """Look on the page of the newest, then by name."""
        newest = (await self._api.list_patches(0)).value.rows
        found = {row.name: Found(patch=row, beside=newest) for row in newest if row.name in wanted}
        older = [
            patch
            for patch in await each(sorted(wanted - found.keys()), self._by_name)
            if patch is not None
        ]
        beside: Sequence[PatchData] = ()
        if older:
            # Whose instances are whose shows only beside those that were submitted later.
            beside = tuple(
                (await list_back_to(self._api, [patch.name for patch in older])).values()
            )
        found.update((patch.name, Found(patch=patch, beside=beside)) for patch in older)
        return found

    async def _search(self, wanted: set[str]) -> dict[str, Found]:
        """Look through all pages, if there is anything to look for."""
        if not wanted:
            return {}
        listing = await list_all_patches(self._api)
        if not listing.complete:
            # What was not listed may be there.
            raise incomplete(LIST, len(listing.rows))
        rows = tuple(listing.rows.values())
        return {row.name: Found(patch=row, beside=rows) for row in rows if row.name in wanted}

    async def _by_name(self, name: str) -> PatchData | None:
        listing = await list_all_patches(self._api, name=name)
        return listing.rows.get(name)

    async def _told_of_attempt(self, attempt: Attempt, run: Found, series: Series | None) -> Told:
        by = dt.timedelta(0) if series is None else offset_of(series)
        own = DateSet((attempt.dates,))
        whole = dates_of(run.patch, by) or own
        known = attempt.coverage
        succeeded = known.where(lambda seen: seen.status is UnitStatus.SUCCESS)
        done = succeeded & known.where(lambda seen: not seen.gone)
        if stops_early(run.patch):
            done = DateSet()  # its other days tell how many instances the last one should have
        told = await self.told_of(
            run,
            series.subject.root if series is not None else next(iter(run.patch.jobs), ""),
            # What succeeded is final and need not be read again, unless that is all there is to read.
            (whole - done) or whole,
            by,
            known=Known(
                succeeded=all_shifted(succeeded, by),
                not_run=all_shifted(
                    known.where(lambda seen: seen.status is UnitStatus.NOT_RUN), by
                ),
            ),
        )
        # A run that is listed is never half absent: what cannot be told of it may still run.
        untold = own - told.coverage.dates - known.dates
        coverage = told.coverage.overlaid(RangeMap.constant(untold, UnitStatus.RUNNING))
        return Told(coverage, told.took)

    async def told_of(
        self,
        run: Found,
        job: str,
        dates: DateSet,
        by: dt.timedelta,
        *,
        known: Known = NOTHING_KNOWN,
    ) -> Told:
        """What can be told of some data dates of a run; `by` is how much later they are planned."""
        patch, days = run.patch, all_shifted(dates, by)
        share = await self.share(run, job, days)
        if patch.status is RunStatus.SUCCESS:
            said = RangeMap.constant(days, UnitStatus.SUCCESS)
            judged = said.overlaid(contradicted(share, days))
        else:
            judged = statuses_of(patch, share, days, known=known)
        took = durations_of(patch, share, judged)
        return Told(map_shifted(judged, -by), map_shifted(took, -by))

    async def share(self, run: Found, job: str, days: DateSet) -> Share:
        """The instances of a run on some plan days."""
        instances = await list_job_instances(self._api, job, days, kind=PATCHED)
        return share_of(run.patch, run.beside, instances, self._api.zone)


def run_name(attempt: Attempt) -> str:
    """The name of an attempt's run: its id."""
    return attempt.run_ids[0] if attempt.run_ids else attempt.name


def dates_of(patch: PatchData, by: dt.timedelta) -> DateSet:
    """The data dates of a PatchData; none where it does not tell its days."""
    return DateSet() if patch.days is None else all_shifted(DateSet((patch.days,)), -by)
