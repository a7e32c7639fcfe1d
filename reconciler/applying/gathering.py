"""Reading the service: what is in flight, then what is about to be started. Few calls, nothing decided.

Successes on record are not read again. Discovery is asked only for units that the plan may start or that
are of unknown outcome, in one listing per resource.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.applying.gates import GATE_VALID_SECONDS, GateBoard
from reconciler.applying.lines import Line, Lines
from reconciler.concurrency import each
from reconciler.model.addresses import Address, Kind
from reconciler.model.attempts import Attempt, RecordedState, UnitRecord
from reconciler.model.codes import UNREAD
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.errors import ProviderError
from reconciler.model.project import Freeze
from reconciler.model.rangemap import RangeMap, overlay
from reconciler.model.resources import Resource
from reconciler.model.runs import Discovery, FoundRun, KnownRuns, UnitStatus
from reconciler.model.seams import Clock
from reconciler.model.series import Series, Tag
from reconciler.planning.absence import OLDEST_PROVABLE
from reconciler.planning.blocking import concerned
from reconciler.planning.durations import succeeded, without
from reconciler.planning.facts import Service
from reconciler.planning.history import observed_attempt, sent_at, sent_order
from reconciler.planning.ownership import claims
from reconciler.planning.reading import attempts_to_read
from reconciler.planning.situation import (
    Decided,
    Situation,
    dates_behind_gates,
    dates_to_discover,
    decide_all,
)
from reconciler.ports import Provider

#: The code of a listing that lacks rows.
INCOMPLETE: Final = "listing_incomplete"

#: So many runs on record are looked for, to show that listings show them, before that is given up.
RUNS_TRIED = 3


class Refresh(enum.Enum):
    """How much to read again."""

    NORMAL = "normal"
    FULL = "full"
    """Successes, too."""
    NONE = "none"
    """Nothing of what is on record; what is to be started is still looked for."""
    OFFLINE = "offline"
    """Nothing at all."""


class Discovering(enum.Enum):
    """Around which units to look for runs that are not on record."""

    NOTHING = "nothing"
    WANTED = "wanted"
    """Those that may be started or are of unknown outcome."""
    EVERYTHING = "everything"
    """All that are declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A situation to plan from; `changed` are the attempts whose record the observation differs from."""

    situation: Situation
    changed: tuple[Attempt, ...]
    at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What keeps units from starting whatever they do: the freeze in force, and where gates are looked at.

    Without a board, gates are not looked at and count as closed.
    """

    freeze: Freeze | None = None
    board: GateBoard | None = None


NO_CONDITIONS = Conditions()


async def gather(
    resources: tuple[Resource, ...],
    recorded: RecordedState,
    lines: Lines,
    *,
    clock: Clock,
    refresh: Refresh = Refresh.NORMAL,
    selected: Callable[[Address], bool] = lambda _: True,
    discovering: Discovering = Discovering.WANTED,
    conditions: Conditions = NO_CONDITIONS,
) -> Gathered:
    """Observe what is on record and unfinished, look at gates, then discover around what may be started.

    What selected resources wait for is observed, too. What cannot be read is named in the situation and
    left undecided; the rest goes on.
    """
    at = clock.now()
    unreadable: dict[Address, Diagnostic] = {}
    changed: tuple[Attempt, ...] = ()
    if refresh in {Refresh.NORMAL, Refresh.FULL}:
        full = refresh is Refresh.FULL
        meant = concerned(claims(resources), selected)
        stale = attempts_to_read(resources, recorded, selected=meant, full=full)
        changed = await observe_attempts(stale, recorded, lines.runs, unreadable=unreadable)
    by_id = {attempt.id: attempt for attempt in changed}
    current = dataclasses.replace(
        recorded, attempts=tuple(by_id.get(one.id, one) for one in recorded.attempts)
    )
    situation = Situation(
        resources=resources,
        recorded=current,
        services=services_of(resources, recorded, lines.runs),
        unreadable=unreadable,
        selected=selected,
        freeze=conditions.freeze,
        gates={} if (board := conditions.board) is None else board.standings,
    )
    if board is not None and refresh is not Refresh.OFFLINE:
        await board.look(dates_behind_gates(situation), max_age=GATE_VALID_SECONDS)
        situation = dataclasses.replace(situation, gates=board.standings)
    if discovering is not Discovering.NOTHING and refresh is not Refresh.OFFLINE:
        everything = discovering is Discovering.EVERYTHING
        situation = await _discover(situation, lines.runs, unreadable, everything=everything)
    return Gathered(situation=situation, changed=changed, at=at)


def services_of(
    resources: tuple[Resource, ...], recorded: RecordedState, lines: Mapping[str, Line]
) -> dict[tuple[str, Kind], Service]:
    """By connection and kind; what a spec says of a connection goes before what ran there once."""
    subjects = {
        (attempt.connection, attempt.address.kind): recorded.series[attempt.series].subject
        for attempt in recorded.attempts
    }
    subjects.update({(one.connection, one.address.kind): one.series.subject for one in resources})
    return {
        key: lines[key[0]].service(subject, recorded)
        for key, subject in subjects.items()
        if key[0] in lines
    }


async def observe_attempts(
    attempts: Iterable[Attempt],
    recorded: RecordedState,
    lines: Mapping[str, Line],
    *,
    unreadable: dict[Address, Diagnostic],
) -> tuple[Attempt, ...]:
    """Read how far attempts are, and check first successes for included nodes that were skipped.

    Attempts of one group of runs are read together, as one call shows them all. Those made through a
    connection that is not among `lines` (any more) stay as they are.

    Returns:
        The attempts as they are now, those that did not change left out. Addresses of which a read
        failed are added to `unreadable`.
    """
    calls: dict[str, list[Attempt]] = defaultdict(list)
    for part in recorded.attempts:
        calls[part.call_id].append(part)

    groups: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        if attempt.connection in lines:
            groups[(attempt.connection, attempt.run_group or attempt.id)].append(attempt)

    async def together(group: Sequence[Attempt]) -> list[Attempt]:
        line = lines[group[0].connection]
        try:
            observed = await line.provider.observe(group, recorded.series)
            server_time = await line.provider.server_time()
            now = [
                observed_attempt(
                    attempt,
                    seen,
                    now=server_time,
                    lag=line.lag,
                    beside=_beside(attempt, calls[attempt.call_id]),
                )
                for attempt, seen in zip(group, observed, strict=True)
            ]
            checked = [
                await _with_hollow(before, after, recorded, line.provider, told=seen.took)
                for before, after, seen in zip(group, now, observed, strict=True)
            ]
        except ProviderError as error:
            for attempt in group:
                unreadable[attempt.address] = unreadable_diagnostic(attempt.address, error)
            return []
        return [after for before, after in zip(group, checked, strict=True) if after != before]

    seen = await each(groups.values(), together)
    return tuple(attempt for group in seen for attempt in group)


def _beside(attempt: Attempt, call: Iterable[Attempt]) -> RangeMap[UnitRecord]:
    return overlay(item for part in call if part.id != attempt.id for item in part.coverage)


async def _with_hollow(
    before: Attempt,
    now: Attempt,
    recorded: RecordedState,
    provider: Provider,
    *,
    told: RangeMap[int],
) -> Attempt:
    """Check successes once: all of an attempt's together, when nothing of it is in flight any more.

    Asking date by date as a serial call goes on would cost a listing per date. `told` is how long dates
    took, as the service shows it now.
    """
    if now.flying:
        return now
    checked = DateSet() if before.flying else succeeded(before.coverage)
    fresh = succeeded(now.coverage) - checked
    if not fresh:
        return now
    hollow = fresh & await provider.hollow_dates(now, recorded.series[now.series], fresh)
    if not hollow:
        return now
    marks = [(dates, UnitRecord(UnitStatus.HOLLOW)) for dates in hollow]
    return dataclasses.replace(
        now,
        coverage=overlay((*now.coverage, *marks)),
        took=without(now, hollow, told),
    )


async def _discover(
    situation: Situation,
    lines: Mapping[str, Line],
    unreadable: dict[Address, Diagnostic],
    *,
    everything: bool,
) -> Situation:
    """Look around what may be started; what is found there may open more, which is looked at next."""
    on_record = RunsOnRecord(situation.recorded)
    wanted = [
        (decided, dates)
        for decided in decide_all(situation)
        if (dates := decided.facts.dates if everything else dates_to_discover(decided))
    ]

    async def one(item: tuple[Decided, DateSet]) -> tuple[Address, Discovery] | None:
        resource, dates = item[0].resource, item[1]
        found = await discover(
            resource.address,
            resource.series,
            dates,
            line=lines[resource.connection],
            recorded=situation.recorded,
            on_record=on_record,
            unreadable=unreadable,
        )
        return (resource.address, found) if found is not None else None

    while wanted:
        listed = dict(situation.discoveries)
        for item in await each(wanted, one):
            if item is not None:
                address, found = item
                before = listed.get(address)
                listed[address] = found if before is None else before.joined(found)
        situation = dataclasses.replace(situation, discoveries=listed, unreadable=unreadable)
        wanted = [
            (decided, dates)
            for decided in decide_all(situation)
            if (dates := dates_to_discover(decided)) and not everything
        ]
    return situation


class RunsOnRecord:
    """The runs the store knows, by the service that gave their ids out: they are unique within one.

    A run is on record for the dates of its attempts and for no others: an id that names several dates must
    not hide one that nobody recorded.
    """

    def __init__(self, recorded: RecordedState) -> None:
        """Collect them once; a project may have many."""
        self._runs: dict[tuple[object, ...], dict[str, DateSet]] = defaultdict(dict)
        for attempt in recorded.attempts:
            series = recorded.series[attempt.series]
            self.add(series, attempt.run_ids, DateSet((attempt.dates,)))

    def add(self, series: Series, run_ids: Iterable[str], dates: DateSet) -> None:
        """Add runs of the service on which a series runs."""
        runs = self._runs[_service_of(series)]
        for run_id in run_ids:
            known = runs.get(run_id)
            runs[run_id] = dates if known is None else known | dates

    def of(self, series: Series) -> KnownRuns:
        """Those of the service on which a series runs."""
        return dict(self._runs[_service_of(series)])

    def cover(self, series: Series, run: FoundRun) -> bool:
        """Whether a run is on record for all of its dates."""
        runs = self.of(series)
        return all(not run.dates - runs.get(run_id, DateSet()) for run_id in run.run_ids)


def _service_of(series: Series) -> tuple[object, ...]:
    return (series.subject.realm, series.subject.provider, series.subject.region)


async def discover(
    address: Address,
    series: Series,
    dates: DateSet,
    *,
    line: Line,
    recorded: RecordedState,
    on_record: RunsOnRecord,
    unreadable: dict[Address, Diagnostic],
) -> Discovery | None:
    """List the runs around units that may be started.

    Returns:
        The listing, or None when it failed. An address whose listing failed, or is incomplete where
        completeness is what keeps a run from being started twice, is added to `unreadable`.
    """
    known = on_record.of(series)
    try:
        found = await line.provider.discover(series, dates, known_runs=known)
        if not found.shows_tags and _holds_unknown(recorded, series, dates):
            shows = await _shows_known_run(series, recorded, line, known, found.began_at)
            found = dataclasses.replace(found, shows_tags=shows)
    except ProviderError as error:
        unreadable[address] = unreadable_diagnostic(address, error)
        return None
    if not found.complete and found.possible:
        unreadable[address] = _incomplete(address)
    return found


def _holds_unknown(recorded: RecordedState, series: Series, dates: DateSet) -> bool:
    return any(
        attempt.state.unresolved
        and attempt.subject == series.subject.fingerprint
        and DateSet((attempt.dates,)) & dates
        for attempt in recorded.attempts
    )


async def _shows_known_run(
    series: Series,
    recorded: RecordedState,
    line: Line,
    known: KnownRuns,
    now: dt.datetime,
) -> bool:
    """Whether a listing of this workspace shows a run that we know to be there, by its tag.

    Only then does it mean anything that one does not show another.
    """
    tried = 0
    for attempt in sorted(recorded.attempts, key=sent_order, reverse=True):
        theirs = recorded.series[attempt.series]
        listed = line.lag < now - sent_at(attempt) < OLDEST_PROVABLE
        tagged = attempt.run_ids and Tag.parse(attempt.name) is not None
        if tagged and listed and theirs.subject.home == series.subject.home:
            others = {run: on for run, on in known.items() if run not in attempt.run_ids}
            dates = DateSet((attempt.dates,))
            seen = await line.provider.discover(theirs, dates, known_runs=others)
            tried += 1
            if seen.shows_tags or tried == RUNS_TRIED:
                return seen.shows_tags
    return False


def unreadable_diagnostic(address: Address, error: ProviderError) -> Diagnostic:
    """What is said when runs could not be read."""
    return Diagnostic(
        severity=Severity.ERROR,
        code=UNREAD[error.code],
        summary=f"the runs of {address} could not be read: {error.summary}",
        detail=error.trace,
        address=str(address),
        hint=error.hint,
    )


def _incomplete(address: Address) -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        code=INCOMPLETE,
        summary=f"the service did not list all runs of {address}",
        detail="nothing is started while a run of ours might be hidden",
        address=str(address),
        hint="try again, or narrow the dates",
    )
