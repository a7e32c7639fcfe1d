"""Resolve: a person's recorded decision on units that nobody but a person can help.

word         unknown outcome                            held, hollow or lost
never ran    absent, once the signature has expired     start it, where only strangers' runs were found
run id       that run, read back, is what the call made that run, read back, counts from now on
succeeded    settled as success                         settled as success
rerun        settled as lost, once it has expired;      run it again
             then run it again
"""

from __future__ import annotations

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.applying.gathering import INCOMPLETE, Discovering, RunsOnRecord
from reconciler.model.addresses import Address, UnitRange
from reconciler.model.attempts import AttemptState, UnitRecord
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import InputError
from reconciler.model.plan import Decision, Reason
from reconciler.model.runs import FoundRun, UnitStatus
from reconciler.model.series import Series
from reconciler.model.state import Closing, Ruling, Standing
from reconciler.usecases.deciding_by_hand import Desk, Unit, at_desk, look_at, problem
from reconciler.wiring.workspace import Workspace


class Word(enum.Enum):
    """What a person may say of units."""

    RUN_ID = "run_id"
    NEVER_RAN = "never_ran"
    SUCCEEDED = "succeeded"
    RERUN = "rerun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """A person's decision. `run_id` goes with `Word.RUN_ID` and with no other."""

    units: UnitRange
    word: Word
    reason: str
    run_id: str | None = None


_SUCCEEDED = UnitRecord(UnitStatus.SUCCESS)
#: What a call of unknown outcome is taken for when a person wants another one all the same.
_LOST = UnitRecord(UnitStatus.CREATED, gone=True)

#: Holds on which nothing of ours is on record, so that there is no run to say anything about.
_STRANGERS = {Reason.CANDIDATE, Reason.FOREIGN_IN_FLIGHT}


def resolve(workspace: Workspace, resolution: Resolution) -> None:
    """Record a decision on all of the units, or on none.

    Raises:
        InputError: Some of the units need no decision, or not this one; nothing was recorded.
        StateError: The store cannot be used.
    """

    async def work(desk: Desk) -> None:
        units = await _look(resolution, desk)
        problems = [found for unit in units for found in await _problems(unit, resolution, desk)]
        if problems:
            raise InputError(problems)
        if resolution.word is Word.RUN_ID:
            ruling = await _by_run(units, resolution, desk)
        else:
            ruling = _by_word(units, resolution, await desk.service_now(units[0].connection))
        desk.store.rule(desk.lease, ruling)
        if resolution.run_id is not None:
            run_id = resolution.run_id
            await desk.observe(lambda attempt: run_id in attempt.run_ids)

    at_desk(workspace, "resolve", work)


async def _look(resolution: Resolution, desk: Desk) -> tuple[Unit, ...]:
    """Look at the units; words that start nothing count also where the service lists only a part."""
    address, dates = resolution.units.address, DateSet((resolution.units.dates,))
    try:
        return await look_at(desk, address, dates)
    except InputError as error:
        starts_nothing = resolution.word in {Word.SUCCEEDED, Word.RUN_ID}
        if not starts_nothing or any(one.code != INCOMPLETE for one in error.diagnostics):
            raise
    return await look_at(desk, address, dates, discovering=Discovering.NOTHING)


async def _problems(unit: Unit, resolution: Resolution, desk: Desk) -> list[Diagnostic]:
    name = f"{resolution.units.address}@{unit.dates}"
    if not unit.unclear:
        return _needless(unit, resolution, name)
    if unit.verdict is not None and unit.verdict.decision is Decision.ADOPT:
        summary = f"{name}: its run was found; the next apply adopts it by itself"
        return [problem("needs_nobody", summary, "run `reconciler apply`")]
    if resolution.word in {Word.NEVER_RAN, Word.RERUN}:
        return await _still_valid(unit, desk, name)
    return []


def _needless(unit: Unit, resolution: Resolution, name: str) -> list[Diagnostic]:
    verdict = unit.verdict
    asked = unit.past is not None and unit.past.state is AttemptState.REQUESTED
    if asked and resolution.word is Word.SUCCEEDED:
        return []  # it takes an earlier --rerun back
    if verdict is None:
        summary = f"{name}: no spec declares it, and its outcome is known"
        hint = "to run it again, declare it in a spec"
        return [problem("needs_nobody", summary, hint)]
    if verdict.decision is not Decision.HOLD:
        summary = f"{name}: nothing to decide: {verdict.reason.value.replace('_', ' ')}"
        hint = {
            Decision.NONE: "to run it again, add a `reruns` entry to its spec",
            Decision.WAIT: "wait for it to end, or stop it: reconciler stop",
        }.get(verdict.decision, "the next apply goes on with it")
        return [problem("needs_nobody", summary, hint)]
    if resolution.word is Word.NEVER_RAN and verdict.reason not in _STRANGERS:
        summary = f"{name}: it ran: {verdict.reason.value}"
        return [problem("ran", summary, "to start it again, say --rerun")]
    return []


async def _still_valid(unit: Unit, desk: Desk, name: str) -> list[Diagnostic]:
    """Whether a late copy of the request might still be executed after what a person says."""
    assert unit.past is not None  # noqa: S101 - nothing unclear without one
    until = unit.past.valid_until
    line = desk.line(unit.connection)
    now = await line.provider.server_time()
    if until is not None:
        until += line.lag
        if now > until:
            return []
    when = (
        f"{until:%H:%M:%S} UTC by the service's clock"
        if until is not None
        else "nobody knows when"
    )
    summary = f"{name}: its request may still be executed, or its run be listed, until {when}"
    hint = f"look again and say so after that; the service's clock shows {now:%H:%M:%S}"
    return [problem("still_valid", summary, hint)]


def _by_word(units: tuple[Unit, ...], resolution: Resolution, at: dt.datetime) -> Ruling:
    closings: dict[str, DateSet] = defaultdict(DateSet)
    standings = []
    for unit in units:
        if unit.unclear and unit.past is not None:
            closings[unit.past.attempt] |= DateSet((unit.dates,))
        if not unit.unclear or resolution.word is Word.RERUN:
            standings.append(_standing(unit, resolution))
    state, seen = {
        Word.NEVER_RAN: (AttemptState.ABSENT, None),
        Word.SUCCEEDED: (AttemptState.SETTLED, _SUCCEEDED),
        Word.RERUN: (AttemptState.SETTLED, _LOST),
    }[resolution.word]
    return replace(
        _ruling(resolution, at),
        closings=tuple(
            Closing(
                attempt_id=attempt_id, dates=dates, state=state, seen=seen, why=resolution.reason
            )
            for attempt_id, dates in closings.items()
        ),
        standings=tuple(standings),
    )


def _standing(unit: Unit, resolution: Resolution) -> Standing:
    state, seen = {
        Word.NEVER_RAN: (AttemptState.ABSENT, None),
        Word.SUCCEEDED: (AttemptState.SETTLED, _SUCCEEDED),
        Word.RERUN: (AttemptState.REQUESTED, None),
    }[resolution.word]
    return Standing(
        address=resolution.units.address,
        connection=unit.connection,
        series=unit.series,
        generation=unit.generation,
        dates=unit.dates,
        state=state,
        seen=seen,
    )


async def _by_run(units: tuple[Unit, ...], resolution: Resolution, desk: Desk) -> Ruling:
    assert resolution.run_id is not None  # noqa: S101 - goes with this word
    asked = DateSet((resolution.units.dates,))
    series = {unit.series.fingerprint: unit.series for unit in units}
    series.update(
        (unit.past.series, desk.recorded.series[unit.past.series])
        for unit in units
        if unit.past is not None
    )
    run = await read_back(desk, resolution.run_id, series, units[0].connection, asked)
    missing = asked - run.dates
    if missing:
        summary = f"run {resolution.run_id} does not run for {missing}, but for {run.dates}"
        hint = "name just the dates that it runs for, or another run"
        raise InputError([problem("other_dates", summary, hint)])
    found: dict[str, DateSet] = defaultdict(DateSet)
    standings = []
    for unit in units:
        if unit.unclear and unit.past is not None:
            if run.tag is not None and run.tag.call_id != unit.past.call_id:
                summary = f"run {resolution.run_id} was made by another call of ours, {run.tag}"
                hint = "name the run of this call; `reconciler explain` shows its name"
                raise InputError([problem("other_call", summary, hint)])
            found[unit.past.attempt] |= DateSet((unit.dates,))
        else:
            standings.append(adopted(unit, resolution.units.address, run))
    for attempt in desk.recorded.attempts:
        # The run shows what became of its whole call, also where nobody was asked for a word.
        if run.tag is not None and run.tag.call_id == attempt.call_id and attempt.state.unresolved:
            shown = run.dates & DateSet((attempt.dates,))
            if unclear := shown - attempt.coverage.dates:
                found[attempt.id] |= unclear
    return replace(
        _ruling(resolution, await desk.service_now(units[0].connection)),
        closings=tuple(
            Closing(attempt_id=one, dates=dates, state=AttemptState.ACCEPTED, run=run)
            for one, dates in found.items()
        ),
        standings=tuple(standings),
    )


def adopted(unit: Unit, address: Address, run: FoundRun) -> Standing:
    """The entry of a run that counts for some units from now on."""
    return Standing(
        address=address,
        connection=unit.connection,
        series=unit.series,
        generation=unit.generation,
        dates=unit.dates,
        state=AttemptState.ACCEPTED,
        run=run,
    )


async def read_back(
    desk: Desk, run_id: str, series: Mapping[str, Series], connection: str, dates: DateSet
) -> FoundRun:
    """Read a run that a person named, and make sure that it can be what they say.

    Args:
        desk: Everything at hand.
        run_id: As the console shows it.
        series: By fingerprint, what it may have run; at least one, all of one subject.
        connection: Through which to read it.
        dates: Those it may be for.

    Raises:
        InputError: Nobody knows it, it is on record already, or it bears the tag of another series.
        ProviderError: It could not be read, or runs on something else.
    """
    first = next(iter(series.values()))
    run = await desk.line(connection).provider.find_run(first, run_id, dates)
    if run is None:
        summary = f"the service does not know a run {run_id}"
        raise InputError(
            [
                problem(
                    "unknown_run", summary, "check the id; runs are forgotten after about 30 days"
                )
            ]
        )
    if RunsOnRecord(desk.recorded).cover(first, replace(run, run_ids=(run_id,))):
        summary = f"run {run_id} is on record already"
        raise InputError([problem("on_record", summary, "`reconciler history` tells since when")])
    if run.tag is not None and run.tag.series not in series:
        summary = f"run {run_id} bears the tag of another series, {run.tag}"
        hint = "name a run of these units; `reconciler explain` shows what they are called"
        raise InputError([problem("other_series", summary, hint)])
    return run


def _ruling(resolution: Resolution, at: dt.datetime) -> Ruling:
    data: dict[str, object] = {"word": resolution.word.value}
    if resolution.run_id is not None:
        data["run_id"] = resolution.run_id
    return Ruling(
        event="resolved",
        units=(str(resolution.units),),
        reason=resolution.reason,
        at=at,
        data=data,
    )
