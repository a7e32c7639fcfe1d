"""Adopt: put a run that someone started by hand on record for a resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import InputError
from reconciler.model.plan import Decision
from reconciler.model.state import Ruling
from reconciler.usecases.deciding_by_hand import Desk, Unit, at_desk, look_at, problem
from reconciler.usecases.resolve import adopted, read_back
from reconciler.wiring.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class HandMade:
    """A run that counts for a resource, by a person's word; `reason` may be left out."""

    address: Address
    run_id: str
    reason: str | None = None


def adopt(workspace: Workspace, hand_made: HandMade) -> DateSet:
    """Read a run back and record it for those of its dates that the resource declares.

    Returns:
        Those dates.

    Raises:
        InputError: The run is unknown, on record already, or for none of the declared dates; or one of
            them has a call of unknown outcome or a run in flight. Nothing was recorded.
        StateError: The store cannot be used.
    """
    taken = DateSet()

    async def work(desk: Desk) -> None:
        nonlocal taken
        taken = await _adopt(desk, hand_made)

    at_desk(workspace, "adopt", work)
    return taken


async def _adopt(desk: Desk, hand_made: HandMade) -> DateSet:
    address, run_id = hand_made.address, hand_made.run_id
    resource = desk.resource(address)
    if resource is None:
        hint = "`reconciler status` lists the addresses of this project"
        raise InputError([problem("unknown_address", f"no spec declares {address}", hint)])
    known = {resource.series.fingerprint: resource.series}
    run = await read_back(desk, run_id, known, resource.connection, resource.dates)
    dates = run.dates & resource.dates
    if not dates:
        summary = f"run {run_id} is for {run.dates}, which {address} does not declare"
        hint = "widen its dates, or look whether another run was meant"
        raise InputError([problem("other_dates", summary, hint)])
    units = await look_at(desk, address, dates)
    problems = [found for unit in units for found in _problems(unit, hand_made)]
    if problems:
        raise InputError(problems)
    ruling = Ruling(
        event="adopted",
        units=tuple(f"{address}@{text}" for text in dates.texts()),
        reason=hand_made.reason,
        at=await desk.service_now(resource.connection),
        standings=tuple(adopted(unit, address, run) for unit in units),
        data={"run_id": run_id, "run_ids": list(run.run_ids), "name": run.name},
    )
    desk.store.rule(desk.lease, ruling)
    await desk.observe(lambda attempt: run_id in attempt.run_ids)
    return dates


def _problems(unit: Unit, hand_made: HandMade) -> Iterator[Diagnostic]:
    name = f"{hand_made.address}@{unit.dates}"
    if unit.unclear:
        # What was adopted would hide that a call of ours may run as well.
        hint = f"first say what became of that: reconciler resolve {name} …"
        yield problem("unknown_outcome", f"{name}: a call of ours is of unknown outcome", hint)
    elif unit.verdict is not None and unit.verdict.decision is Decision.NONE:
        hint = "to run it again, add a `reruns` entry to its spec"
        yield problem("succeeded", f"{name}: it has succeeded already", hint)
    elif unit.past is not None and unit.past.ran and unit.past.in_flight and not unit.past.gone:
        runs = ", ".join(unit.past.run_ids[:3])
        hint = f"wait for it to end, or stop it: reconciler stop {name} --reason …"
        yield problem("in_flight", f"{name}: a run of ours is in flight: {runs}", hint)
