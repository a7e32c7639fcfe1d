from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.dates import DateSet
from reconciler.model.resources import Order, Rollout
from reconciler.planning.batches import batches, pieces
from tests.builders import dates, day, span

ROLLOUTS = st.builds(
    Rollout,
    canary=st.integers(0, 4),
    max_active_dates=st.none() | st.integers(1, 6),
    order=st.sampled_from(Order),
)
DATES = st.sets(st.integers(0, 25)).map(lambda days: DateSet.of_dates(map(day, days)))


def told(found: tuple[DateSet, ...]) -> list[str]:
    return [str(batch) for batch in found]


def test_the_canary_goes_first_then_groups() -> None:
    rollout = Rollout(canary=1, max_active_dates=5)
    assert told(batches(dates("2024-05-01..2024-05-12"), rollout)) == [
        "2024-05-01",
        "2024-05-02..2024-05-06",
        "2024-05-07..2024-05-11",
        "2024-05-12",
    ]


def test_the_newest_may_go_first() -> None:
    rollout = Rollout(canary=2, max_active_dates=3, order=Order.NEWEST)
    assert told(batches(dates("2024-05-01..2024-05-03", "2024-05-06..2024-05-08"), rollout)) == [
        "2024-05-07..2024-05-08",
        "2024-05-02..2024-05-03, 2024-05-06",
        "2024-05-01",
    ]


def test_without_a_rollout_everything_is_one_batch() -> None:
    wanted = dates("2024-05-01..2024-05-12")
    assert batches(wanted, Rollout()) == (wanted,)
    assert batches(DateSet(), Rollout(canary=3)) == ()


@given(DATES, ROLLOUTS)
def test_batches_are_the_dates_in_order_cut_by_position(wanted: DateSet, rollout: Rollout) -> None:
    newest = rollout.order is Order.NEWEST
    queue = sorted(wanted.days(), reverse=newest)
    expected: list[list[dt.date]] = [queue[: rollout.canary]] if rollout.canary else []
    rest = queue[rollout.canary :]
    step = rollout.max_active_dates or max(1, len(rest))
    expected += [rest[start : start + step] for start in range(0, len(rest), step)]
    assert [sorted(one) for one in expected if one] == [
        list(batch.days()) for batch in batches(wanted, rollout)
    ]


@given(st.integers(1, 30), st.none() | st.integers(1, 8), st.sampled_from(Order))
def test_a_call_that_is_smaller_goes_last(count: int, most: int | None, order: Order) -> None:
    whole = span(0, count - 1)
    found = list(pieces(whole, most, order))
    assert DateSet.of(found) == DateSet((whole,))
    assert len(found) == (1 if most is None else -(-count // most))
    first = found if order is Order.OLDEST else found[::-1]
    assert all(piece.count == (most or count) for piece in first[:-1])
