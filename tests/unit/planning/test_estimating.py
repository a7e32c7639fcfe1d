"""How long starts would run: what goes one after another, and which runs on record are the basis."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.attempts import Attempt
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.durations import Took
from reconciler.model.estimates import Basis, Estimate
from reconciler.model.plan import Call
from reconciler.model.resources import Resource
from reconciler.planning.estimating import estimates, in_turn
from tests.builders import NOON, a_record, a_resource, a_series, a_subject, an_attempt, day
from tests.unit.formats.plans import a_call

MINUTE = Took(dates=5, least=40, most=90, total=300)
OTHER_PARAMS = a_series(params={"1234": {"key": "val"}})
ELSEWHERE = a_series(subject=a_subject(root="99"))


def timed(attempt: Attempt, took: Took | None = MINUTE) -> Attempt:
    return dataclasses.replace(attempt, took=took)


def calls_for(resource: Resource, *counts: int, batch: int = 0) -> list[Call]:
    """Calls of so many dates each."""
    return [
        dataclasses.replace(
            a_call(resource.address, call_id=f"call{batch}{number}"),
            dates=DateSet((DateRange.inclusive(day(0), day(count - 1)),)),
            batch=batch,
        )
        for number, count in enumerate(counts)
    ]


def the_estimate(resource: Resource, *attempts: Attempt, calls: Sequence[Call]) -> Estimate | None:
    found = estimates([resource], calls, a_record(*attempts, series=[OTHER_PARAMS, ELSEWHERE]))
    assert len(found) <= 1
    return next(iter(found), None)


@pytest.mark.parametrize(
    ("parallelism", "counts", "expected"),
    [(1, (5,), 5), (2, (5,), 3), (10, (5,), 1), (1, (5, 6), 6), (3, (7, 4), 3), (1, (1, 1, 1), 1)],
)
def test_dates_of_a_call_follow_one_another_and_calls_run_beside_each_other(
    parallelism: int, counts: tuple[int, ...], expected: int
) -> None:
    resource = a_resource(parallelism=parallelism)
    found = the_estimate(resource, timed(an_attempt()), calls=calls_for(resource, *counts))
    assert found is not None
    assert (found.dates, found.in_turn) == (sum(counts), expected)
    assert (found.least, found.most) == (expected * 40, expected * 90)
    assert found.average == expected * 60


def test_batches_follow_one_another() -> None:
    resource = a_resource(parallelism=2)
    calls = [*calls_for(resource, 1), *calls_for(resource, 4, 3, batch=1)]
    calls += calls_for(resource, 2, batch=4)
    found = the_estimate(resource, timed(an_attempt()), calls=calls)
    assert found is not None
    assert (found.dates, found.in_turn) == (10, 1 + 2 + 1)


@given(
    counts=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), min_size=1, max_size=5),
    at_once=st.integers(1, 10),
)
def test_it_agrees_with_running_them_minute_by_minute(
    counts: list[tuple[int, int]], at_once: int
) -> None:
    resource = a_resource()
    calls = [call for count, batch in counts for call in calls_for(resource, count, batch=batch)]
    left = [[call.batch, call.dates.count] for call in calls]
    minutes = 0
    while any(count for _, count in left):
        minutes += 1
        now = min(batch for batch, count in left if count)
        for one in left:
            if one[0] == now:
                one[1] -= min(at_once, one[1])
    assert in_turn(calls, at_once=at_once) == minutes


def test_the_very_same_work_is_the_basis_wherever_it_is_on_record() -> None:
    resource = a_resource()
    found = the_estimate(
        resource,
        timed(an_attempt(1, series=OTHER_PARAMS), Took(dates=1, least=7, most=7, total=7)),
        timed(an_attempt(2, "2024-05-06", name="renamed")),
        timed(an_attempt(3, "2024-05-07"), Took(dates=1, least=30, most=30, total=30)),
        timed(an_attempt(4, "2024-05-08"), None),
        calls=calls_for(resource, 1),
    )
    assert found is not None
    assert (found.basis, list(map(str, found.ran_for))) == (
        Basis.SERIES,
        ["backfill.orders", "backfill.renamed"],
    )
    assert found.took == Took(dates=6, least=30, most=90, total=330)
    assert (found.last_sent, found.ran_for_count) == (NOON.date(), 2)


def test_the_last_of_those_that_were_timed_says_how_old_the_basis_is() -> None:
    resource = a_resource()
    found = the_estimate(
        resource,
        timed(an_attempt(1, minutes=12 * 60 - 1)),
        timed(an_attempt(2, "2024-05-06", minutes=-30 * 24 * 60)),
        timed(an_attempt(3, "2024-05-07", minutes=30 * 24 * 60), None),
        timed(an_attempt(4, "2024-05-08", minutes=40 * 24 * 60, series=OTHER_PARAMS)),
        calls=calls_for(resource, 1),
    )
    assert found is not None
    assert found.last_sent == NOON.date()


def test_of_many_addresses_that_were_timed_a_few_are_named() -> None:
    resource = a_resource()
    ran = [timed(an_attempt(number, name=f"other-{number:02}")) for number in range(1, 13)]
    found = the_estimate(resource, *ran, calls=calls_for(resource, 1))
    assert found is not None
    assert (len(found.ran_for), found.ran_for_count) == (10, 12)
    assert str(found.ran_for[0]) == "backfill.other-01"


def test_other_params_in_the_same_place_are_the_basis_where_the_same_work_was_never_timed() -> (
    None
):
    resource = a_resource()
    other = timed(an_attempt(1, series=OTHER_PARAMS))
    alike = timed(an_attempt(2, "2024-05-06"), None)
    found = the_estimate(resource, other, alike, calls=calls_for(resource, 1))
    assert found is not None
    assert (found.basis, found.took) == (Basis.SUBJECT, MINUTE)


@pytest.mark.parametrize(
    "attempts",
    [(), (timed(an_attempt(), None),), (timed(an_attempt(series=ELSEWHERE)),)],
    ids=["nothing on record", "nothing timed", "timed elsewhere"],
)
def test_without_durations_nothing_is_estimated(attempts: tuple[Attempt, ...]) -> None:
    resource = a_resource()
    assert the_estimate(resource, *attempts, calls=calls_for(resource, 3)) is None


def test_what_starts_nothing_has_no_estimate_and_the_others_stand_by_address() -> None:
    resources = [a_resource(name) for name in ("c", "a", "b")]
    calls = [*calls_for(resources[0], 1), *calls_for(resources[1], 2)]
    found = estimates(resources, calls, a_record(timed(an_attempt())))
    assert [str(one.address) for one in found] == ["backfill.a", "backfill.c"]
