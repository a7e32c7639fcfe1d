"""Looking again right before sending: does what a call was decided on still hold?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.applying.gathering import RunsOnRecord, discover, observe_attempts
from reconciler.applying.lines import Line
from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt, RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.plan import Call
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import Discovery
from reconciler.model.seams import Clock
from reconciler.model.series import Series, Subject
from reconciler.planning.deciding import UnitFacts
from reconciler.planning.facts import facts_digest, unit_facts
from reconciler.planning.history import attempts_by_subject, history
from reconciler.planning.reading import may_change


class Known:
    """What an apply knows of runs: the record as of its lock, and what it has started since.

    Other resources of the same plan may run on the same node; their runs are none of a stranger's.
    """

    def __init__(self, recorded: RecordedState, planned: Mapping[str, Series]) -> None:
        """Start from the store's snapshot and the series the plan names."""
        self.recorded = recorded
        self.runs = RunsOnRecord(recorded)
        self.series = {**recorded.series, **planned}
        self._by_subject = attempts_by_subject(recorded)

    def attempts_on(self, subject: Subject) -> tuple[Attempt, ...]:
        """The attempts on record for a subject."""
        return tuple(self._by_subject.get(subject.fingerprint, ()))

    def unclear_dates(self, call: Call) -> DateSet:
        """The dates of a call on which it is of unknown outcome."""
        return DateSet.of(
            one.dates
            for one in self.recorded.attempts
            if one.call_id == call.id and one.state.unresolved
        )

    def tags_survive(self, home: str) -> bool | None:
        """Whether tags come back whole in a workspace; None before the first did."""
        return self.recorded.tags_survive.get(home)

    def note_tags(self, home: str, *, survives: bool) -> None:
        """Remember what was just read back."""
        tags = {**self.recorded.tags_survive, home: survives}
        self.recorded = replace(self.recorded, tags_survive=tags)

    def started(self, series: Series, run_ids: Iterable[str], dates: DateSet) -> None:
        """Remember runs that this apply has just started."""
        self.runs.add(series, run_ids, dates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listings:
    """Listings that a plan was made from under the lock that is held now, by address.

    They were begun after `taken_at`, on the clock's monotonic time.
    """

    by_address: Mapping[Address, Discovery]
    taken_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a second look at one address showed.

    `facts` cover the units of all its calls; it is empty when the look failed, which `problem` explains.
    `changed` are attempts whose record the look differs from.
    """

    facts: RangeMap[UnitFacts]
    listing: Discovery | None
    changed: tuple[Attempt, ...]
    problem: Diagnostic | None = None
    taken_at: float


async def look_again(
    address: Address,
    calls: Sequence[Call],
    series: Series,
    known: Known,
    *,
    line: Line,
    clock: Clock,
    listed: Discovery | None = None,
) -> Checked:
    """Observe and list once for all calls of one address.

    A listing that the plan was made from, under the very lock that is held now, is as good as another one,
    where nothing on record may have changed since.

    Args:
        address: Whose calls they are.
        calls: At least one; all of the same series and connection.
        series: That series.
        known: What is on record, and what the plan itself has started since.
        line: The calls' connection.
        clock: For the age of this look.
        listed: Such a listing, or None.
    """
    dates = DateSet.of(item for call in calls for item in call.dates)
    unreadable: dict[Address, Diagnostic] = {}
    concerned = known.attempts_on(series.subject)
    recorded = replace(known.recorded, attempts=concerned)
    # All that overlaps, also what a later run replaced: somebody may have restarted it in the console.
    stale = [
        one for one in concerned if may_change(one, full=False) and DateSet((one.dates,)) & dates
    ]
    lines = {calls[0].connection: line}
    changed = await observe_attempts(stale, recorded, lines, unreadable=unreadable)
    listing = listed
    if listing is None or stale or dates - listing.dates:
        listing = await discover(
            address,
            series,
            dates,
            line=line,
            recorded=known.recorded,
            on_record=known.runs,
            unreadable=unreadable,
        )
    problem = next(iter(unreadable.values()), None)
    if problem is not None:
        return Checked(
            facts=RangeMap(),
            listing=listing,
            changed=changed,
            problem=problem,
            taken_at=clock.monotonic(),
        )
    by_id = {one.id: one for one in changed}
    facts = unit_facts(
        series,
        RangeMap.of((item, call.generation) for call in calls for item in call.dates),
        past=history([by_id.get(one.id, one) for one in concerned]),
        listing=listing,
        known=known.series,
        service=line.service(series.subject, known.recorded),
    )
    return Checked(facts=facts, listing=listing, changed=changed, taken_at=clock.monotonic())


def moved(checked: Checked, call: Call) -> str | None:
    """Why a call must not be sent, or None when what it was decided on still holds."""
    if facts_digest(checked.facts, call.dates, call_id=call.id) == call.facts_digest:
        unproved = proved_absent(checked, call)[1]
        return f"{unproved}: it is no longer proved that nothing ran" if unproved else None
    parts = []
    for piece, unit in checked.facts.restricted(call.dates):
        if unit.listed is not None and unit.listed.own:
            parts.append(f"{piece}: a run of ours was found")
        elif unit.listed is not None and (unit.listed.foreign_in_flight or unit.listed.candidates):
            parts.append(f"{piece}: someone else's run was found")
        elif unit.past is not None:
            status = unit.past.status.value if unit.past.status else unit.past.state.value
            parts.append(f"{piece}: now {status}")
        elif unit.listed is not None and unit.listed.other:
            runs = ", ".join(unit.listed.other[:3])
            parts.append(f"{piece}: run {runs} of another spec was found")
    return "; ".join(parts) or "its runs changed since planning"


def proved_absent(checked: Checked, call: Call) -> tuple[dict[str, DateSet], DateSet]:
    """The unknown attempts that a call may follow because they are proved not to have run.

    Returns:
        By attempt id the dates for which the proof holds, and the dates for which it fails.
    """
    proved: dict[str, DateSet] = defaultdict(DateSet)
    unproved = []
    for piece, unit in checked.facts.restricted(call.dates):
        if unit.past is None or unit.absence is None:
            continue
        if unit.absence.proved:
            proved[unit.past.attempt] |= DateSet((piece,))
        else:
            unproved.append(piece)
    return proved, DateSet.of(unproved)
