"""What holds for every situation: deciding, the record, and whole plans."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.model.attempts import Attempt, AttemptState
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.plan import Action, Decision, Plan, Reason
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import OnChange, OnFailure, Resource
from reconciler.model.runs import Discovery, Origin, Tier, UnitStatus
from reconciler.planning.absence import Absence
from reconciler.planning.deciding import Listed, Rules, UnitFacts, Verdict, decide, starts
from reconciler.planning.facts import Service, facts_digest, unit_facts
from reconciler.planning.history import Past, history, observed_attempt
from reconciler.planning.planner import build_plan
from reconciler.planning.situation import Situation
from tests.builders import (
    LAG,
    a_candidate,
    a_discovery,
    a_found_run,
    a_making,
    a_past,
    a_record,
    a_resource,
    a_series,
    a_situation,
    a_subject,
    an_attempt,
    an_observation,
    applied,
    at,
    attempts_of,
    date_sets,
    day,
    ranges,
)
from tests.effort import cases

NEW, OLD = a_series(), a_series(params={"1234": {"key": "before"}})
OTHER = a_series(subject=a_subject(root="9"))
WINDOW = 6
DAYS = [day(n) for n in range(WINDOW)]

IDS = st.sampled_from([(), ("found-1",)])
PASTS = st.builds(
    a_past,
    state=st.sampled_from(AttemptState),
    status=st.none() | st.sampled_from(UnitStatus),
    series=st.sampled_from([NEW, OLD]),
    generation=st.integers(1, 3),
    gone=st.booleans(),
    spent=st.integers(0, 4),
    code=st.none() | st.just("Code"),
    message=st.none() | st.just("message"),
    transient=st.booleans(),
)
LISTED = st.builds(
    Listed,
    own=IDS,
    other=IDS,
    other_calls=st.sampled_from([(), ("pastaa",)]),
    other_in_flight=st.booleans(),
    other_succeeded=st.booleans(),
    foreign=IDS,
    foreign_in_flight=st.booleans(),
    schedule_in_flight=st.booleans(),
    candidates=IDS.map(lambda ids: tuple(map(a_candidate, ids))),
)
ABSENCES = st.builds(Absence, proved=st.booleans(), why=st.just("because"))
FACTS = st.builds(
    UnitFacts,
    series=st.just(NEW.fingerprint),
    generation=st.integers(1, 3),
    past=st.none() | PASTS,
    listed=st.none() | LISTED,
    absence=st.none() | ABSENCES,
)
RULES = st.builds(
    Rules,
    on_failure=st.sampled_from(OnFailure),
    max_attempts=st.integers(1, 3),
    on_change=st.sampled_from(OnChange),
    tier=st.sampled_from(Tier),
)
MANY = settings(max_examples=cases(150, soak=10_000))


# One unit.


@MANY
@given(FACTS, RULES)
def test_every_unit_is_decided(facts: UnitFacts, rules: Rules) -> None:
    verdict = decide(facts, rules)
    assert isinstance(verdict, Verdict)
    assert verdict.decision not in {Decision.BLOCKED, Decision.RELEASED, Decision.SHARED}
    assert "\n" not in verdict.detail


@MANY
@given(FACTS, RULES)
def test_nothing_starts_while_the_past_is_unresolved(facts: UnitFacts, rules: Rules) -> None:
    past = facts.past
    if past is None or past.state is AttemptState.INTENT:
        return
    if past.state.unresolved and past.status is None and starts(decide(facts, rules)):
        assert facts.absence is not None
        assert facts.absence.proved
        assert facts.listed is None or not facts.listed.own


@MANY
@given(FACTS, RULES)
def test_nothing_starts_while_the_run_before_is_in_flight(facts: UnitFacts, rules: Rules) -> None:
    past = facts.past
    if past is None or past.state is not AttemptState.ACCEPTED or past.gone:
        return
    if past.in_flight:
        assert decide(facts, rules).decision is Decision.WAIT


@MANY
@given(FACTS, RULES)
def test_nothing_starts_beside_a_run_of_ours_that_was_found(
    facts: UnitFacts, rules: Rules
) -> None:
    if facts.listed is not None and facts.listed.own:
        assert not starts(decide(facts, rules))


@MANY
@given(FACTS, RULES)
def test_success_is_final_for_its_series_and_generation(facts: UnitFacts, rules: Rules) -> None:
    past = facts.past
    if past is None or past.state is not AttemptState.ACCEPTED:
        return
    same = past.series == facts.series and past.generation >= facts.generation
    if same and past.status is UnitStatus.SUCCESS:
        assert decide(facts, rules).decision is Decision.NONE


@MANY
@given(FACTS, RULES)
def test_only_success_is_satisfied(facts: UnitFacts, rules: Rules) -> None:
    if decide(facts, rules).decision is Decision.NONE:
        seen = facts.past.status is UnitStatus.SUCCESS if facts.past else False
        found = facts.listed is not None and facts.listed.other_succeeded
        assert seen or (facts.past is None and found)


# The record, against a model that looks at one day at a time.


def matters(attempts: Sequence[Attempt], date: dt.date) -> tuple[str, UnitStatus | None] | None:
    """The id of the attempt that matters on a date, and what was last seen there."""
    covering = sorted(
        (one for one in attempts if date in one.dates),
        key=lambda one: one.number,
    )
    ran = [one for one in covering if one.state is not AttemptState.INTENT]
    ran = [one for one in ran if not one.state.never_ran]
    if not covering:
        return None
    last = (ran or covering)[-1]
    record = last.coverage.at(date)
    return last.id, record.status if record else None


@given(attempts_of((NEW, OLD)))
def test_history_agrees_with_looking_at_each_day(attempts: tuple[Attempt, ...]) -> None:
    units = history(attempts)
    for date in DAYS:
        past = units.at(date)
        assert matters(attempts, date) == ((past.attempt, past.status) if past else None)


@given(attempts_of((NEW, OLD)), st.randoms(use_true_random=False))
def test_history_ignores_the_order_it_is_given(
    attempts: tuple[Attempt, ...], random: object
) -> None:
    shuffled = list(attempts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands out a Random
    assert history(shuffled) == history(attempts)


@given(attempts_of((NEW,), max_size=1), st.data())
def test_observing_the_same_twice_changes_nothing(
    attempts: tuple[Attempt, ...], data: st.DataObject
) -> None:
    for attempt in attempts:
        shown = data.draw(st.dictionaries(st.sampled_from(DAYS), st.sampled_from(UnitStatus)))
        seen = an_observation(
            attempt, {str(date): one for date, one in shown.items()}, gone=data.draw(st.booleans())
        )
        once = observed_attempt(attempt, seen, now=at(99), lag=LAG)
        assert observed_attempt(once, seen, now=at(99), lag=LAG) == once
        assert once.coverage.dates - DateSet((attempt.dates,)) == DateSet()
        assert not attempt.coverage.dates - once.coverage.dates


# Ranges against single days.


@st.composite
def listings(draw: st.DrawFn) -> Discovery:
    """A listing over part of the window with runs of ours and of others."""
    found = tuple(
        a_found_run(
            str(draw(ranges(WINDOW))),
            status=draw(st.sampled_from(UnitStatus)),
            series=draw(st.sampled_from([NEW, OLD, None])),
            generation=draw(st.integers(1, 2)),
            origin=draw(st.sampled_from(Origin)),
            run_ids=(f"found-{index}",),
            call_id=f"found{'abc'[index]}",
        )
        for index in range(draw(st.integers(0, 3)))
    )
    listing = a_discovery(
        *found,
        complete=draw(st.booleans()),
        shows_tags=draw(st.booleans()),
        minutes=draw(st.sampled_from([5, 90])),
    )
    return dataclasses.replace(listing, dates=draw(date_sets(WINDOW)))


GENERATIONS = st.lists(st.none() | st.integers(1, 3), min_size=WINDOW, max_size=WINDOW).map(
    lambda chosen: RangeMap.of(
        (DateRange.day(day(n)), generation)
        for n, generation in enumerate(chosen)
        if generation is not None
    )
)


def facts_for(
    generations: RangeMap[int], past: RangeMap[Past], listing: Discovery | None
) -> RangeMap[UnitFacts]:
    return unit_facts(
        NEW,
        generations,
        past=past,
        listing=listing,
        known={one.fingerprint: one for one in (NEW, OLD)},
        service=Service(tier=Tier.S2, lag=LAG),
    )


@settings(max_examples=cases(80, soak=4_000))
@given(attempts_of((NEW, OLD)), GENERATIONS, st.none() | listings(), RULES)
def test_deciding_by_range_is_deciding_by_day(
    attempts: tuple[Attempt, ...],
    generations: RangeMap[int],
    listing: Discovery | None,
    rules: Rules,
) -> None:
    past = history(attempts)
    facts = facts_for(generations, past, listing)
    verdicts = facts.map(lambda unit: decide(unit, rules))
    assert facts.dates == verdicts.dates == generations.dates
    for date in generations.dates.days():
        only = DateSet((DateRange.day(date),))
        alone = dataclasses.replace(listing, dates=listing.dates & only) if listing else None
        (one,) = facts_for(generations.restricted(only), past.restricted(only), alone)
        assert facts.at(date) == dataclasses.replace(one[1], listed=one[1].listed)
        assert verdicts.at(date) == decide(one[1], rules)


@given(attempts_of((NEW, OLD)), GENERATIONS, date_sets(WINDOW))
def test_facts_of_a_call_do_not_depend_on_dates_around_it(
    attempts: tuple[Attempt, ...], generations: RangeMap[int], when: DateSet
) -> None:
    past = history(attempts)
    wide = facts_for(generations, past, None)
    narrow = facts_for(generations.restricted(when), past, None)
    assert facts_digest(wide, when, call_id="mycall") == facts_digest(
        narrow, when, call_id="mycall"
    )


# Whole plans.


@st.composite
def resources(draw: st.DrawFn) -> tuple[Resource, ...]:
    """Up to three resources; those of one subject have one series, as the loader makes sure."""
    chosen = draw(st.sampled_from([NEW, OLD]))
    made = []
    for name in ("orders", "extra", "users")[: draw(st.integers(0, 3))]:
        generations = draw(GENERATIONS.filter(bool))
        base = a_resource(
            name,
            series=draw(st.sampled_from([chosen, OTHER])),
            on_failure=draw(st.sampled_from(OnFailure)),
            on_change=draw(st.sampled_from(OnChange)),
            max_attempts=draw(st.integers(1, 3)),
            parallelism=draw(st.integers(1, 2)),
        )
        made.append(dataclasses.replace(base, generations=generations))
    return tuple(made)


RECORDS = attempts_of((NEW, OLD, OTHER))


def situation_of(
    wanted: tuple[Resource, ...], attempts: tuple[Attempt, ...], listing: Discovery | None = None
) -> Situation:
    discoveries = {
        one.address: listing for one in wanted if listing and one.series.subject == NEW.subject
    }
    recorded = a_record(*attempts, series=(OLD, OTHER))
    return a_situation(*wanted, recorded=recorded, discoveries=discoveries)


@settings(max_examples=cases(80, soak=4_000))
@given(resources(), RECORDS, st.none() | listings(), st.randoms(use_true_random=False))
def test_plan_ignores_the_order_of_its_input(
    wanted: tuple[Resource, ...],
    attempts: tuple[Attempt, ...],
    listing: Discovery | None,
    random: object,
) -> None:
    shuffled = list(wanted)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands out a Random
    plan = build_plan(situation_of(wanted, attempts, listing), a_making())
    assert build_plan(situation_of(tuple(shuffled), attempts, listing), a_making()) == plan
    keys = [(one.address, one.dates.ranges[0].start) for one in plan.actions]
    assert keys == sorted(keys)


def units(plan: Plan, *decisions: Decision) -> int:
    return sum(one.dates.count for one in plan.actions if one.decision in decisions)


@settings(max_examples=cases(80, soak=4_000))
@given(resources(), RECORDS, st.none() | listings())
def test_calls_cover_what_starts_exactly_once(
    wanted: tuple[Resource, ...], attempts: tuple[Attempt, ...], listing: Discovery | None
) -> None:
    plan = build_plan(situation_of(wanted, attempts, listing), a_making())
    by_series = {one.address: one.series.subject.fingerprint for one in wanted}
    sent = [(by_series[call.address], date) for call in plan.calls for date in call.dates.days()]
    assert len(sent) == len(set(sent)) == units(plan, Decision.CREATE, Decision.RERUN)
    assert len(sent) == plan.summary.create + plan.summary.rerun
    desired = {
        (one.series.subject.fingerprint, date) for one in wanted for date in one.dates.days()
    }
    about = [one for one in Decision if one not in {Decision.RELEASED, Decision.SHARED}]
    declared = {one.address for one in wanted}
    decided = [
        (by_series[one.address], date)
        for one in plan.actions
        if one.decision in about and one.address in declared and one.detail != "no longer declared"
        for date in one.dates.days()
    ]
    assert sorted(decided) == sorted(desired)
    assert len({call.id for call in plan.calls}) == len(plan.calls)
    assert {call.series for call in plan.calls} <= set(plan.series)
    assert {one.series for one in plan.adoptions} <= set(plan.series)


def held_behind_failed(action: Action) -> bool:
    return action.decision is Decision.HOLD and action.reason is Reason.BEHIND_FAILED


def test_what_waits_behind_a_failed_date_opens_once_that_has_succeeded() -> None:
    generations = RangeMap.of([(DateRange.day(day(0)), 1), (DateRange.day(day(1)), 2)])
    resource = dataclasses.replace(
        a_resource("orders", on_failure=OnFailure.RERUN, max_attempts=1), generations=generations
    )
    seen = {str(day(0)): UnitStatus.NOT_RUN, str(day(1)): UnitStatus.FAILURE}
    attempt = an_attempt(1, f"{day(0)}..{day(1)}", serial=False, seen=seen)
    situation = situation_of((resource,), (attempt,))
    plan = build_plan(situation, a_making())
    assert [(str(one.dates), held_behind_failed(one)) for one in plan.actions] == [
        (str(day(0)), True),
        (str(day(1)), False),
    ]
    after = applied(situation.recorded, plan, status=UnitStatus.SUCCESS)
    (call,) = build_plan(a_situation(resource, recorded=after), a_making()).calls
    assert str(call.dates) == str(day(0))


@settings(max_examples=cases(80, soak=4_000))
@given(resources(), RECORDS)
def test_a_plan_right_after_an_apply_is_empty(
    wanted: tuple[Resource, ...], attempts: tuple[Attempt, ...]
) -> None:
    situation = situation_of(wanted, attempts)
    plan = build_plan(situation, a_making())
    # What waits behind a failed date opens once that has succeeded, which is a plan later.
    assume(not any(held_behind_failed(one) for one in plan.actions))
    after = applied(situation.recorded, plan, status=UnitStatus.SUCCESS)
    again = build_plan(a_situation(*wanted, recorded=after), a_making())
    assert (again.calls, again.adoptions) == ((), ())
    assert not again.changes_anything
    satisfied = plan.summary.none + plan.summary.create + plan.summary.rerun
    assert again.summary.none == satisfied
    assert again.summary.hold == plan.summary.hold
    assert again.summary.unknown == plan.summary.unknown


@settings(max_examples=cases(80, soak=4_000))
@given(resources(), RECORDS)
def test_reruns_of_failures_come_to_an_end(
    wanted: tuple[Resource, ...], attempts: tuple[Attempt, ...]
) -> None:
    recorded = situation_of(wanted, attempts).recorded
    for _ in range(10):
        plan = build_plan(a_situation(*wanted, recorded=recorded), a_making())
        if not plan.calls:
            return
        recorded = applied(recorded, plan, status=UnitStatus.FAILURE)
    raise AssertionError("still starting runs after ten applies that all failed")


@given(RECORDS)
def test_nothing_declared_starts_nothing(attempts: tuple[Attempt, ...]) -> None:
    plan = build_plan(situation_of((), attempts), a_making())
    assert (plan.calls, plan.adoptions) == ((), ())
    assert {one.decision for one in plan.actions} <= {Decision.RELEASED, Decision.UNKNOWN}
