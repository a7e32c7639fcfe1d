"""Stopping a run: the service stops a whole PatchData, and only while it runs."""

from __future__ import annotations

from reconciler.model.attempts import Attempt
from reconciler.model.calls import StopReport
from reconciler.model.dates import DateSet
from reconciler.model.errors import ProviderError
from reconciler.model.series import Series
from reconciler.providers.dataarts.api import Api
from reconciler.providers.dataarts.days import offset_of
from reconciler.providers.dataarts.observing import Observer, dates_of, run_name

_NOTHING = DateSet()


async def stop_run(
    api: Api, observer: Observer, attempt: Attempt, series: Series, dates: DateSet
) -> StopReport:
    """Stop an attempt's PatchData, if all that still runs of it is to be stopped.

    Dates of one that has ended of which nothing can be told count as stopped: they would stay in flight.

    Raises:
        ProviderError: It could not be read; nothing was stopped.
    """
    name = run_name(attempt)
    run = await observer.find(name)
    if run is None:
        return _left(f"run {name}: the service does not list it, so there is nothing to stop yet")
    by, own = offset_of(series), DateSet((attempt.dates,))
    whole = dates_of(run.patch, by) or own
    told = (await observer.told_of(run, series.subject.root, whole, by)).coverage
    if run.patch.status.ended:
        # Of what nothing can be told, a person may say that it has ended.
        return StopReport(dates=own & dates - told.dates, stopped=0, left=())
    running = whole - told.where(lambda status: not status.in_flight)
    beyond = running - dates
    if beyond:
        return _left(
            f"run {name}: it also runs for {beyond}, and the service stops a run as a whole; "
            "stop it for all of these dates"
        )
    try:
        await api.stop_patch(name)
    except ProviderError as error:
        return _left(f"run {name}: {error.summary}")
    return StopReport(dates=running & dates, stopped=1, left=())


def _left(why: str) -> StopReport:
    return StopReport(dates=_NOTHING, stopped=0, left=(why,))
