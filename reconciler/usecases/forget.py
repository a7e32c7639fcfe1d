"""Forget: take units off the record, so that the next plan looks at the service anew."""

from __future__ import annotations

from reconciler.model.addresses import UnitRange
from reconciler.model.attempts import AttemptState, RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.errors import InputError
from reconciler.model.state import Closing, Ruling
from reconciler.usecases.deciding_by_hand import Desk, at_desk, problem
from reconciler.wiring.workspace import Workspace


def forget(workspace: Workspace, units: UnitRange, *, reason: str | None) -> DateSet:
    """Forget every attempt that was made for an address, on some of its dates.

    What is in flight or of unknown outcome cannot be forgotten, nor what may not be listed yet: the next
    plan would find nothing of it and start it again.

    Returns:
        The dates on which there was something to forget.

    Raises:
        InputError: Nothing is on record there, or something may still run or not be listed yet.
        ProviderError: The service does not tell its time.
        StateError: The store cannot be used.
    """
    forgotten = DateSet()

    async def work(desk: Desk) -> None:
        nonlocal forgotten
        asked = DateSet((units.dates,))
        closings = tuple(
            Closing(attempt_id=one.id, dates=dates, state=AttemptState.FORGOTTEN)
            for one in desk.recorded.attempts
            if one.address == units.address and (dates := DateSet((one.dates,)) & asked)
        )
        if not closings:
            hint = "`reconciler explain` tells for which address it ran"
            raise InputError([problem("not_on_record", f"nothing is on record for {units}", hint)])
        _refuse_open(closings, desk.recorded)
        await _refuse_unlisted(closings, desk)
        ruling = Ruling(
            event="forgotten",
            units=(str(units),),
            reason=reason,
            at=desk.now(),
            closings=closings,
        )
        desk.store.rule(desk.lease, ruling)
        forgotten = DateSet.of(piece for closing in closings for piece in closing.dates)

    at_desk(workspace, "state forget", work)
    return forgotten


def _refuse_open(closings: tuple[Closing, ...], recorded: RecordedState) -> None:
    """Say what is to be done first; the store would refuse it, too."""
    dates = {closing.attempt_id: closing.dates for closing in closings}
    problems = []
    for one in recorded.attempts:
        asked = dates.get(one.id, DateSet())
        ended = one.coverage.where(lambda seen: seen.gone or not seen.status.in_flight)
        name = f"{one.address}@{asked}"
        if asked and one.state.unresolved and asked - ended:
            hint = f"first say what became of it: reconciler resolve {name} …"
            problems.append(problem("unknown_outcome", f"{name}: its outcome is unknown", hint))
        elif asked and one.state is AttemptState.ACCEPTED and asked - ended:
            hint = "wait for it to end (`reconciler status` reads how far it is), or stop it"
            problems.append(problem("in_flight", f"{name}: it is in flight", hint))
    if problems:
        raise InputError(problems)


async def _refuse_unlisted(closings: tuple[Closing, ...], desk: Desk) -> None:
    dates = {closing.attempt_id: closing.dates for closing in closings}
    problems = []
    for one in desk.recorded.attempts:
        line = desk.lines.runs.get(one.connection)
        if one.id not in dates or one.state.never_ran or one.valid_until is None or line is None:
            continue
        listed = one.valid_until + line.lag
        now = await line.provider.server_time()
        if now <= listed:
            name = f"{one.address}@{dates[one.id]}"
            summary = f"{name}: its run may not be listed yet, until {listed:%H:%M:%S} UTC"
            hint = f"forget it after that; the service's clock shows {now:%H:%M:%S}"
            problems.append(problem("not_listed_yet", summary, hint))
    if problems:
        raise InputError(problems)
