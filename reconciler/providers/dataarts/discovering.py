"""What runs on a job, ours or not: one listing of all the workspace's PatchData.

Scheduled runs and those made by hand are not asked for: they neither hinder a PatchData nor bear a tag.
"""

from __future__ import annotations

import asyncio

from reconciler.model.dates import DateSet
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import Discovery, FoundRun, KnownRuns, Origin, UnitStatus
from reconciler.model.seams import Clock
from reconciler.model.series import Series, Tag
from reconciler.providers.dataarts.api import Api
from reconciler.providers.dataarts.days import offset_of
from reconciler.providers.dataarts.failures import invalid
from reconciler.providers.dataarts.listing import PatchListing, list_all_patches
from reconciler.providers.dataarts.observing import Found, Observer, dates_of
from reconciler.providers.dataarts.statuses import RunStatus
from reconciler.providers.dataarts.wire_answers import PatchData
from reconciler.providers.dataarts.wire_requests import LIST


class Discoverer:
    """Looks for runs through one connection."""

    def __init__(self, api: Api, observer: Observer, clock: Clock) -> None:
        """Look through `api`."""
        self._api = api
        self._observer = observer
        self._clock = clock
        self._listed: asyncio.Task[PatchListing] | None = None

    async def _listing(self) -> PatchListing:
        """All PatchData of the workspace, whatever their jobs: who asks while one is read shares it."""
        if self._listed is None or self._listed.done():
            self._listed = asyncio.ensure_future(list_all_patches(self._api))
        return await asyncio.shield(self._listed)

    async def discover(self, series: Series, dates: DateSet, known_runs: KnownRuns) -> Discovery:
        """PatchData of a series' job for `dates`.

        Raises:
            ProviderError: A read failed.
        """
        if not dates:
            return Discovery(dates=dates, found=(), complete=True, began_at=self._clock.now())
        listing = await self._listing()
        rows = tuple(listing.rows.values())
        complete = listing.complete
        found: list[FoundRun] = []
        for patch in rows:
            if series.subject.root not in patch.jobs:
                continue
            tag = Tag.parse(patch.name)
            if tag is not None and not (patch.days and patch.whole):
                # Ours, and for what dates cannot be told: any could be hidden here. Our calls cover whole
                # days, so the connection's time zone may have been another one then.
                complete = False
                continue
            if patch.name in self._observer.unseen:
                # Looked for a moment ago, and not there: what is on record of it is not up to date.
                complete = False
            shared = (dates_of(patch, offset_of(series)) or dates) & dates
            if shared - known_runs.get(patch.name, DateSet()):
                run = Found(patch=patch, beside=rows)
                found.append(
                    _stranger(patch, shared) if tag is None else await self._ours(run, series)
                )
        return Discovery(
            dates=dates,
            found=tuple(found),
            # A listing that began at nobody knows when on the service's clock proves nothing.
            complete=complete and listing.began_at is not None,
            began_at=listing.began_at or self._clock.now(),
            shows_tags=any(Tag.parse(patch.name) is not None for patch in rows),
        )

    async def run_by_id(self, series: Series, run_id: str, dates: DateSet) -> FoundRun | None:
        """The PatchData of a name, if it runs the job of `series`; None if there is none.

        Raises:
            InvalidRequest: It runs another job.
            ProviderError: A read failed.
        """
        run = await self._observer.find(run_id)
        if run is None:
            return None
        if series.subject.root not in run.patch.jobs:
            raise invalid(
                LIST,
                f"run {run_id} does not run job {series.subject.root}",
                "check the name and the address; a run just started may take minutes to be listed",
            )
        if run.patch.days is not None and not run.patch.whole:
            raise invalid(
                LIST,
                f"run {run_id} does not begin and end with a day of the connection's time zone",
                "what covers parts of days cannot stand for them",
            )
        return await self._ours(run, series, otherwise=dates)

    async def _ours(
        self, run: Found, series: Series, *, otherwise: DateSet | None = None
    ) -> FoundRun:
        """A run with all its dates, each with what can be told of it."""
        by = offset_of(series)
        dates = dates_of(run.patch, by) or otherwise or DateSet()
        told = await self._observer.told_of(run, series.subject.root, dates, by)
        # It has no holes: what cannot be told may still run.
        running = RangeMap.constant(dates, UnitStatus.RUNNING)
        return _found(run.patch, running.overlaid(told.coverage))


def _stranger(patch: PatchData, dates: DateSet) -> FoundRun:
    """Somebody else's run, as far as one look tells; only whether it may still run matters."""
    if not patch.status.ended:
        status = UnitStatus.RUNNING
    elif patch.status is RunStatus.SUCCESS:
        status = UnitStatus.SUCCESS
    else:
        status = UnitStatus.FAILURE
    return _found(patch, RangeMap.constant(dates, status))


def _found(patch: PatchData, coverage: RangeMap[UnitStatus]) -> FoundRun:
    return FoundRun(
        origin=Origin.BACKFILL,
        run_ids=(patch.name,),
        coverage=coverage,
        name=patch.name,
        tag=Tag.parse(patch.name),
        created_at=patch.submitted_at,
        created_by=patch.created_by,
    )
