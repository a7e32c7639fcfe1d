from __future__ import annotations

import pytest

from reconciler.model.attempts import Attempt, AttemptState, UnitRecord
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import Discovery, Origin, Tier, UnitStatus
from reconciler.model.series import Series
from reconciler.planning.deciding import Listed, UnitFacts
from reconciler.planning.facts import Service, facts_digest, rules_of, unit_facts
from reconciler.planning.history import history
from tests.builders import (
    LAG,
    a_candidate,
    a_discovery,
    a_found_run,
    a_resource,
    a_series,
    a_subject,
    an_attempt,
    at,
    dates,
    day,
    rules,
)

SERIES = a_series()
EDITED = a_series(params={"1234": {"key": "value"}})
VARIANT = a_series(subject=a_subject(variant="eu"))
WHEN = "2024-05-01..2024-05-05"


def facts_of(
    *attempts: Attempt,
    listing: Discovery | None = None,
    when: str = WHEN,
    tier: Tier = Tier.S2,
    generation: int = 1,
) -> RangeMap[UnitFacts]:
    return unit_facts(
        SERIES,
        RangeMap.constant(dates(when), generation),
        past=history(attempts),
        listing=listing,
        known={one.fingerprint: one for one in (SERIES, EDITED, VARIANT)},
        service=Service(tier=tier, lag=LAG),
    )


def listed_of(listing: Discovery, number: int = 0) -> Listed | None:
    facts = facts_of(listing=listing).at(day(number))
    assert facts is not None
    return facts.listed


def test_units_that_are_alike_are_one_piece() -> None:
    assert [str(piece) for piece, _ in facts_of(listing=a_discovery())] == [WHEN]


def test_only_dates_that_were_asked_for_are_listed() -> None:
    facts = facts_of(listing=a_discovery(when="2024-05-02..2024-05-03"))
    assert [(str(piece), unit.listed) for piece, unit in facts] == [
        ("2024-05-01", None),
        ("2024-05-02..2024-05-03", Listed()),
        ("2024-05-04..2024-05-05", None),
    ]


def test_runs_are_told_apart_by_their_tag() -> None:
    listing = a_discovery(
        a_found_run(series=SERIES, run_ids=("own",)),
        a_found_run(series=EDITED, run_ids=("other",), call_id="edited"),
        a_found_run(series=VARIANT, run_ids=("variant",)),
        a_found_run(run_ids=("theirs",)),
    )
    assert listed_of(listing) == Listed(
        own=("own",),
        other=("other",),
        other_calls=("edited",),
        other_in_flight=True,
        foreign=("theirs",),
        foreign_in_flight=True,
    )


def test_a_tag_of_a_series_nobody_knows_may_be_of_this_subject() -> None:
    stranger: Series = a_series(include=("99",))
    run = a_found_run(series=stranger, status=UnitStatus.SUCCESS, run_ids=("other",))
    listed = listed_of(a_discovery(run))
    assert listed is not None
    assert (listed.other, listed.other_in_flight, listed.other_succeeded) == (
        ("other",),
        False,
        True,
    )


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (Origin.BACKFILL, Listed(foreign=("found-1",), foreign_in_flight=True)),
        (Origin.SCHEDULE, Listed(schedule_in_flight=True)),
        (
            Origin.MANUAL,
            Listed(candidates=(a_candidate("found-1", created_at=at(0), created_by="1822"),)),
        ),
        (Origin.OTHER, Listed()),
    ],
)
def test_runs_of_others_count_by_origin(origin: Origin, expected: Listed) -> None:
    assert listed_of(a_discovery(a_found_run(origin=origin))) == expected


@pytest.mark.parametrize("origin", [Origin.BACKFILL, Origin.SCHEDULE])
def test_finished_runs_of_others_are_not_in_flight(origin: Origin) -> None:
    listed = listed_of(a_discovery(a_found_run(origin=origin, status=UnitStatus.SUCCESS)))
    assert listed is not None
    assert not listed.foreign_in_flight
    assert not listed.schedule_in_flight


def test_a_run_counts_on_its_own_dates() -> None:
    listing = a_discovery(a_found_run("2024-05-02,2024-05-04", series=SERIES))
    assert [bool((listed_of(listing, number) or Listed()).own) for number in range(5)] == [
        False,
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("state", "judged"),
    [
        (AttemptState.UNKNOWN, True),
        (AttemptState.SENT, True),
        (AttemptState.PARTIAL, True),
        (AttemptState.ACCEPTED, False),
        (AttemptState.REFUSED, False),
        (AttemptState.ABSENT, False),
    ],
)
def test_absence_is_judged_for_what_is_unresolved(state: AttemptState, judged: bool) -> None:
    facts = facts_of(an_attempt(state=state), listing=a_discovery()).at(day(0))
    assert facts is not None
    assert (facts.absence is not None) is judged
    assert facts.absence is None or facts.absence.proved


def test_absence_is_not_judged_for_dates_that_were_seen() -> None:
    partial = an_attempt(state=AttemptState.PARTIAL, seen={"2024-05-01": UnitStatus.SUCCESS})
    facts = facts_of(partial, listing=a_discovery())
    assert [(str(piece), unit.absence is not None) for piece, unit in facts] == [
        ("2024-05-01", False),
        ("2024-05-02..2024-05-05", True),
    ]


def test_rules_come_from_the_spec_and_the_service() -> None:
    assert rules_of(a_resource(), Service(tier=Tier.S3, lag=LAG)) == rules(tier=Tier.S3)


# What a call of a plan file is bound to.


def told(facts: RangeMap[UnitFacts], when: str = WHEN, call_id: str = "mycall") -> str:
    return facts_digest(facts, dates(when), call_id=call_id)


NOTHING = facts_of(listing=a_discovery())


def test_digest_depends_on_values_only() -> None:
    assert told(facts_of(listing=a_discovery())) == told(NOTHING)


@pytest.mark.parametrize(
    "moved",
    [
        facts_of(an_attempt()),
        facts_of(an_attempt(state=AttemptState.UNKNOWN)),
        facts_of(an_attempt(1, "2024-05-03", seen=UnitStatus.SUCCESS)),
        facts_of(an_attempt(state=AttemptState.REFUSED)),
        facts_of(listing=a_discovery(a_found_run(series=SERIES))),
        facts_of(listing=a_discovery(a_found_run(series=EDITED))),
        facts_of(listing=a_discovery(a_found_run("2024-05-05"))),
        facts_of(listing=a_discovery(a_found_run(origin=Origin.MANUAL))),
    ],
    ids=["accepted", "unknown", "one date", "refused", "own", "other", "foreign", "candidate"],
)
def test_digest_moves_when_something_happened_to_the_dates(moved: RangeMap[UnitFacts]) -> None:
    assert told(moved) != told(NOTHING)


def test_digest_moves_with_each_thing_known_of_a_run() -> None:
    digests = [
        told(facts_of(*attempts))
        for attempts in (
            (an_attempt(1),),
            (an_attempt(2),),
            (an_attempt(1, seen=UnitStatus.RUNNING),),
            (an_attempt(1, seen=UnitStatus.FAILURE),),
            (an_attempt(1, seen={WHEN: UnitRecord(UnitStatus.FAILURE, gone=True)}),),
            (an_attempt(1, state=AttemptState.PARTIAL),),
            (an_attempt(0, seen=UnitStatus.FAILURE), an_attempt(1, seen=UnitStatus.FAILURE)),
        )
    ]
    assert len(set(digests)) == len(digests)


def test_digest_is_of_the_dates_of_the_call_only() -> None:
    elsewhere = facts_of(an_attempt(1, "2024-05-04..2024-05-05"), listing=a_discovery())
    assert told(elsewhere, "2024-05-01..2024-05-03") == told(NOTHING, "2024-05-01..2024-05-03")
    assert told(elsewhere, "2024-05-01..2024-05-04") != told(NOTHING, "2024-05-01..2024-05-04")


def test_digest_leaves_out_whether_the_service_was_asked() -> None:
    assert told(facts_of()) == told(NOTHING)


@pytest.mark.parametrize("when", [WHEN, "2024-05-02", "2024-05-01,2024-05-05"])
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (Origin.SCHEDULE, UnitStatus.RUNNING),
        (Origin.BACKFILL, UnitStatus.SUCCESS),
        (Origin.OTHER, UnitStatus.RUNNING),
    ],
    ids=["daily run", "foreign finished", "other"],
)
def test_digest_leaves_out_what_only_warns(when: str, origin: Origin, status: UnitStatus) -> None:
    run = a_found_run(when, origin=origin, status=status)
    assert told(facts_of(listing=a_discovery(run))) == told(NOTHING)


@pytest.mark.parametrize("state", [AttemptState.REFUSED, AttemptState.VOID, AttemptState.ABSENT])
@pytest.mark.parametrize("when", [WHEN, "2024-05-02..2024-05-03"])
def test_digest_leaves_out_an_earlier_try_of_the_call_that_never_ran(
    state: AttemptState, when: str
) -> None:
    tried = facts_of(an_attempt(1, when, state=state, call_id="mycall"))
    assert told(tried) == told(NOTHING)
    assert told(tried, call_id="another") != told(NOTHING, call_id="another")


@pytest.mark.parametrize("state", [AttemptState.UNKNOWN, AttemptState.SENT, AttemptState.ACCEPTED])
def test_digest_keeps_an_earlier_try_of_the_call_that_may_have_run(state: AttemptState) -> None:
    assert told(facts_of(an_attempt(state=state, call_id="mycall"))) != told(NOTHING)
