"""Bringing together what decides each unit of a resource: record, listing, proof of absence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.model.attempts import AttemptState
from reconciler.model.canonical import digest
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.rangemap import RangeMap, cut, sweep
from reconciler.model.resources import Resource
from reconciler.model.runs import Discovery, FoundRun, Origin, Tier, UnitStatus
from reconciler.model.series import Series
from reconciler.planning.absence import Absence, judge_absence
from reconciler.planning.deciding import Candidate, Listed, Rules, UnitFacts
from reconciler.planning.history import Past


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What planning must know of a connection: the tier of a resource's operation and the listing lag."""

    tier: Tier
    lag: dt.timedelta


def rules_of(resource: Resource, service: Service) -> Rules:
    """The rules that hold for all units of a resource."""
    return Rules(
        on_failure=resource.on_failure,
        max_attempts=resource.max_attempts,
        on_change=resource.on_change,
        tier=service.tier,
    )


def unit_facts(
    series: Series,
    generations: RangeMap[int],
    *,
    past: RangeMap[Past],
    listing: Discovery | None,
    known: Mapping[str, Series],
    service: Service,
) -> RangeMap[UnitFacts]:
    """What decides each unit of `generations`, one value per stretch of units that are alike.

    Args:
        series: What shall run.
        generations: The desired generation of each unit.
        past: The record of the series' subject.
        listing: A discovery over that subject, or None when there was none.
        known: Series by fingerprint, to tell whose tags were found.
        service: Of the resource's connection.
    """
    # Not `RangeMap[Listed]()`: Python 3.11 cannot note the type argument on a frozen class with slots.
    seen: RangeMap[Listed] = RangeMap()
    if listing is not None:
        seen = _listed(listing, series, known, service.tier)
    return RangeMap.of(
        _facts_of_pieces(series, generations, past, seen, listing=listing, service=service)
    )


def _facts_of_pieces(
    series: Series,
    generations: RangeMap[int],
    past: RangeMap[Past],
    seen: RangeMap[Listed],
    *,
    listing: Discovery | None,
    service: Service,
) -> Iterator[tuple[DateRange, UnitFacts]]:
    asked: RangeMap[Discovery] = RangeMap()
    if listing is not None:
        asked = RangeMap.constant(listing.dates, listing)
    maps: tuple[RangeMap[int | Past | Listed | Discovery], ...] = (generations, past, seen, asked)  # type: ignore[assignment]  # a RangeMap only gives values out
    for piece, (generation, before, shown, covering) in cut(generations.dates, maps):
        assert isinstance(generation, int)  # noqa: S101 - each piece is desired
        assert not isinstance(before, int | Listed | Discovery)  # noqa: S101 - by position
        assert not isinstance(shown, int | Past | Discovery)  # noqa: S101 - by position
        assert not isinstance(covering, int | Past | Listed)  # noqa: S101 - by position
        yield (
            piece,
            UnitFacts(
                series=series.fingerprint,
                generation=generation,
                past=before,
                listed=(shown or Listed()) if covering is not None else None,
                absence=_absence(before, covering, service) if before is not None else None,
            ),
        )


def _absence(past: Past, listing: Discovery | None, service: Service) -> Absence | None:
    if not past.state.unresolved or past.status is not None:
        return None
    return judge_absence(
        sent_at=past.sent_at,
        valid_until=past.valid_until,
        listing=listing,
        lag=service.lag,
        # What was sent without a tag cannot be told apart, whatever is sent with one by now.
        tier=service.tier if past.tagged else Tier.S3,
    )


def _listed(
    listing: Discovery, series: Series, known: Mapping[str, Series], tier: Tier
) -> RangeMap[Listed]:
    pieces = [
        (dates, (run, status))
        for run in listing.found
        if _concerns(run, series, known)
        for dates, status in run.coverage.restricted(listing.dates)
    ]
    return RangeMap.of((dates, _shown(stack, series, tier)) for dates, stack in sweep(pieces))


def _concerns(run: FoundRun, series: Series, known: Mapping[str, Series]) -> bool:
    """Whether a found run has to do with this subject; another variant's run has not."""
    if run.tag is None:
        return True
    theirs = known.get(run.tag.series)
    return theirs is None or theirs.subject == series.subject


def _shown(stack: tuple[tuple[FoundRun, UnitStatus], ...], series: Series, tier: Tier) -> Listed:
    shown = Listed()
    for run, status in stack:
        shown = _with_run(shown, run, status, series)
        if run.tag is None and _may_be_ours(run, tier):
            shown = replace(shown, candidates=(*shown.candidates, Candidate.of(run)))
    return shown


def _may_be_ours(run: FoundRun, tier: Tier) -> bool:
    """A run without a tag may be ours where runs bear none, or where tags do not survive."""
    by_hand = run.origin is Origin.MANUAL
    return by_hand or (tier is Tier.S3 and run.origin is Origin.BACKFILL)


def _with_run(shown: Listed, run: FoundRun, status: UnitStatus, series: Series) -> Listed:
    flying = status.in_flight
    if run.tag is not None and run.tag.series == series.fingerprint:
        return replace(shown, own=(*shown.own, *run.run_ids))
    if run.tag is not None:
        return replace(
            shown,
            other=(*shown.other, *run.run_ids),
            other_calls=(*shown.other_calls, run.tag.call_id),
            other_in_flight=shown.other_in_flight or flying,
            other_succeeded=shown.other_succeeded or status is UnitStatus.SUCCESS,
        )
    match run.origin:
        case Origin.BACKFILL:
            return replace(
                shown,
                foreign=(*shown.foreign, *run.run_ids),
                foreign_in_flight=shown.foreign_in_flight or flying,
            )
        case Origin.SCHEDULE:
            return replace(shown, schedule_in_flight=shown.schedule_in_flight or flying)
        case Origin.MANUAL | Origin.OTHER:
            return shown


def facts_digest(facts: RangeMap[UnitFacts], dates: DateSet, *, call_id: str) -> str:
    """A digest of what `dates` were decided on, for a plan file to be bound to.

    An earlier try of the very call (`call_id`) that is proved not to have run does not count: the call
    may be sent again. Neither do finished foreign runs and daily runs, which only warn.
    """
    # What does not count must not cut the dates either, so pieces that read alike are joined first.
    told = facts.restricted(dates).map(
        lambda unit: [_past_document(unit.past, call_id), _listed_document(unit.listed)]
    )
    return digest([[str(piece), *document] for piece, document in told])


def _past_document(past: Past | None, call_id: str) -> list[object] | None:
    if past is None or (past.call_id == call_id and past.state.never_ran):
        return None
    return [
        past.attempt,
        _state_word(past),
        past.status.value if past.status else None,
        past.gone,
        past.spent,
    ]


def _state_word(past: Past) -> str:
    """How an attempt stands, as far as it matters to what is decided on it.

    An unknown attempt that an interrupted apply has since marked absent is the same basis as before: the
    proof is asked for again before anything is sent.
    """
    if past.status is not None or past.state is AttemptState.ACCEPTED:
        return "ran"
    if past.state is AttemptState.REQUESTED:
        return "requested"
    return "refused" if past.state in {AttemptState.REFUSED, AttemptState.VOID} else "unclear"


def _listed_document(listed: Listed | None) -> list[object]:
    seen = listed or Listed()
    return [
        sorted(seen.own),
        sorted(seen.other),
        sorted(seen.foreign) if seen.foreign_in_flight else [],
        sorted(run for one in seen.candidates for run in one.run_ids),
    ]
