"""Which runs on record are worth reading again. Every read is metered, so it is few of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt, AttemptState, RecordedState
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.resources import Resource
from reconciler.model.runs import UnitStatus
from reconciler.planning.history import Past, attempts_by_subject, history

_FINAL = frozenset({UnitStatus.SUCCESS, UnitStatus.HOLLOW})


def attempts_to_read(
    resources: Iterable[Resource],
    recorded: RecordedState,
    *,
    selected: Callable[[Address], bool],
    full: bool,
) -> Iterator[Attempt]:
    """The attempts that a plan has to observe.

    They matter for a unit that a selected resource declares, whatever address they were made for, or are
    in flight for a selected address that declares the unit no longer.
    """
    declared: dict[str, DateSet] = defaultdict(DateSet)
    for resource in resources:
        if selected(resource.address):
            declared[resource.series.subject.fingerprint] |= resource.dates

    for subject, attempts in attempts_by_subject(recorded).items():

        def wanted(piece: DateRange, past: Past, dates: DateSet = declared[subject]) -> bool:
            if DateSet((piece,)) & dates:
                return True
            return past.in_flight and selected(past.address)

        yield from unsettled(attempts, wanted, full=full)


def unsettled(
    attempts: Iterable[Attempt], wanted: Callable[[DateRange, Past], bool], *, full: bool
) -> Iterator[Attempt]:
    """Those attempts of one subject that matter for a wanted unit which may still change.

    Only success is final; failures may have been repaired in the console. With `full`, successes are
    read as well. What the service has forgotten is not asked for, nor is what a later run replaced.
    """
    known = tuple(attempts)
    if not any(may_change(one, full=full) for one in known):
        return  # the usual case, and a cheap one
    matter = {
        past.attempt
        for piece, past in history(known)
        if not past.gone and (full or past.status not in _FINAL) and wanted(piece, past)
    }
    yield from (one for one in known if one.id in matter and may_change(one, full=full))


def may_change(attempt: Attempt, *, full: bool) -> bool:
    """Whether some date of an attempt is not final on record, and its runs can be asked for."""
    if attempt.state not in {AttemptState.ACCEPTED, AttemptState.PARTIAL} or not attempt.run_ids:
        return False
    settled = attempt.coverage.where(
        lambda seen: seen.gone or (not full and seen.status in _FINAL)
    )
    return bool(DateSet((attempt.dates,)) - settled)
