"""What the commands share with which a person decides something: the lock, the reads, the units."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.applying.gathering import Discovering, gather, observe_attempts
from reconciler.applying.lines import Line, Lines
from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt, RecordedState
from reconciler.model.codes import Code
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.errors import InputError
from reconciler.model.resources import Resource
from reconciler.model.series import Series
from reconciler.model.state import Lease
from reconciler.planning.deciding import Verdict
from reconciler.planning.history import Past, attempts_by_subject, history
from reconciler.planning.situation import Situation, decide_all, explained
from reconciler.usecases.locking import locked
from reconciler.usecases.metering import metered
from reconciler.usecases.plan import connections_in_use, sound_specs
from reconciler.wiring.workspace import Workspace

if TYPE_CHECKING:
    from reconciler.state.store import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Units of one address that are alike, with all that is known of them.

    `verdict` is None where no spec declares them (any more); `past` where nothing is on record.
    """

    dates: DateRange
    connection: str
    series: Series
    generation: int
    past: Past | None
    verdict: Verdict | None

    @property
    def unclear(self) -> bool:
        """Whether nobody knows if a call for it ran."""
        past = self.past
        return past is not None and past.ran and past.state.unresolved and past.status is None


_WHOLE_SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a decision is made with, under the lock."""

    workspace: Workspace
    store: SqlStore
    lease: Lease
    lines: Lines
    resources: tuple[Resource, ...]
    recorded: RecordedState

    def resource(self, address: Address) -> Resource | None:
        """What a spec declares at an address."""
        return next((one for one in self.resources if one.address == address), None)

    def line(self, connection: str) -> Line:
        """A connection that something on record was made through.

        Raises:
            InputError: The project has it no more.
        """
        if connection not in self.lines.runs:
            summary = f"the project has no connection {connection} any more"
            hint = "put it back into reconciler.yaml: what is on record was made through it"
            raise InputError([problem("unknown_connection", summary, hint)])
        return self.lines.runs[connection]

    def now(self) -> dt.datetime:
        """This moment, by our clock."""
        return self.workspace.clock.now()

    async def service_now(self, connection: str) -> dt.datetime:
        """This moment, or up to a second later, by the clock that tells when runs were made.

        Services tell whole seconds, rounded down: what a person has just seen must not look newer than
        their word on it.

        Raises:
            InputError: The project has no such connection any more.
            ProviderError: The service does not tell.
        """
        return await self.line(connection).provider.server_time() + _WHOLE_SECOND

    async def observe(self, concerns: Callable[[Attempt], bool]) -> None:
        """Read runs that were just put on record, so that it says how far they are."""
        recorded = self.store.snapshot()
        fresh = [one for one in recorded.attempts if concerns(one)]
        at = self.workspace.clock.now()
        changed = await observe_attempts(fresh, recorded, self.lines.runs, unreadable={})
        self.store.observe(changed, at=at)


def at_desk(
    workspace: Workspace,
    command: str,
    work: Callable[[Desk], Awaitable[None]],
    *,
    broken_specs: bool = False,
) -> None:
    """Do something under the lock, with the specs, the record and every connection at hand.

    Args:
        workspace: The project.
        command: For the journal.
        work: What to do.
        broken_specs: Go on with the specs that are sound, and the record, where others are not.

    Raises:
        InputError: The specs are wrong.
        StateError: There is no store, it cannot be used, or someone else holds its lock.
    """
    loaded = workspace.load_specs() if broken_specs else sound_specs(workspace)
    resources = loaded.resources
    store = workspace.store_to_write(command, create=False)

    async def run() -> None:
        async with _desk(workspace, store, resources) as desk:
            await work(desk)

    try:
        asyncio.run(run())
    finally:
        store.close()


@asynccontextmanager
async def _desk(
    workspace: Workspace, store: SqlStore, resources: tuple[Resource, ...]
) -> AsyncIterator[Desk]:
    names = connections_in_use(workspace, resources, store.snapshot())
    async with (
        metered(workspace, store, names) as meter,
        locked(store, workspace.clock) as lease,
    ):
        yield Desk(
            workspace=workspace,
            store=store,
            lease=lease,
            lines=meter.lines,
            resources=resources,
            recorded=store.snapshot(),
        )


async def look_at(
    desk: Desk,
    address: Address,
    dates: DateSet,
    *,
    discovering: Discovering = Discovering.WANTED,
) -> tuple[Unit, ...]:
    """Read everything about some units as a plan would, and record what was seen.

    Who starts nothing need not be kept by a listing that cannot be had: see `discovering`.

    Raises:
        InputError: Some of them are neither declared nor on record, or could not be read.
    """
    gathered = await gather(
        desk.resources,
        desk.recorded,
        desk.lines,
        clock=desk.workspace.clock,
        selected=lambda one: one == address,
        discovering=discovering,
    )
    desk.store.observe(gathered.changed, at=gathered.at)
    unreadable = gathered.situation.unreadable.values()
    if unreadable:
        raise InputError(unreadable)
    found = _units(gathered.situation, address, dates)
    units = tuple(sorted(found, key=lambda unit: unit.dates))
    missing = dates - DateSet.of(unit.dates for unit in units)
    if missing:
        summary = f"{address}@{missing}: neither declared there nor on record for it"
        hint = (
            "`reconciler status` shows what is declared, `reconciler state list` what is on record"
        )
        raise InputError([problem("unknown_unit", summary, hint)])
    return units


def _units(situation: Situation, address: Address, dates: DateSet) -> Iterator[Unit]:
    seen = DateSet()
    for decided in decide_all(situation):
        resource = decided.resource
        if resource.address != address:
            continue
        for piece, facts, verdict in explained(decided):
            for part in DateSet((piece,)) & dates:
                seen |= DateSet((part,))
                yield Unit(
                    dates=part,
                    connection=resource.connection,
                    series=resource.series,
                    generation=facts.generation,
                    past=facts.past,
                    verdict=verdict,
                )
    yield from _undeclared(situation.recorded, address, dates - seen)


def _undeclared(recorded: RecordedState, address: Address, left: DateSet) -> Iterator[Unit]:
    """Units that were declared once: what is on record for the address."""
    for attempts in attempts_by_subject(recorded).values():
        by_id = {one.id: one for one in attempts}
        for piece, past in history(attempts).restricted(left):
            if past.address == address:
                yield Unit(
                    dates=piece,
                    connection=by_id[past.attempt].connection,
                    series=recorded.series[past.series],
                    generation=past.generation,
                    past=past,
                    verdict=None,
                )


def problem(code: Code, summary: str, hint: str) -> Diagnostic:
    """Why a decision was not recorded."""
    return Diagnostic(severity=Severity.ERROR, code=code, summary=summary, hint=hint)
