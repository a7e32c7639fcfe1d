from __future__ import annotations

from reconciler.providers.protecting import (
    CALLS_LOOKED_AT,
    FAILURES_IN_A_ROW,
    OPEN_SECONDS,
    RETRIES_AT_ONCE,
    Breaker,
    RetryBudget,
)
from tests.unit.providers.dataworks.support import FakeClock


def test_one_retry_is_earned_by_ten_reads_after_a_few_that_are_free() -> None:
    budget = RetryBudget()
    assert [budget.spend() for _ in range(6)] == [True] * int(RETRIES_AT_ONCE) + [False]
    for _ in range(9):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    assert budget.spend()
    assert not budget.spend()


def test_what_is_earned_in_good_times_does_not_pile_up() -> None:
    budget = RetryBudget()
    for _ in range(1000):
        budget.earn()
    assert sum(budget.spend() for _ in range(100)) == int(RETRIES_AT_ONCE)


def opened(clock: FakeClock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(FAILURES_IN_A_ROW):
        assert breaker.closed_for() == 0
        breaker.failed()
    return breaker


def test_failures_in_a_row_open_it_and_one_call_looks_whether_the_service_is_back() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    assert breaker.closed_for() == OPEN_SECONDS
    clock.seconds += OPEN_SECONDS
    assert breaker.closed_for() == 0, "the probe"
    assert breaker.closed_for() > 0, "one at a time"
    breaker.passed()
    assert breaker.closed_for() == 0


def test_a_probe_that_fails_opens_it_again_and_one_that_is_lost_is_followed_by_the_next() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.seconds += OPEN_SECONDS
    assert breaker.closed_for() == 0
    breaker.failed()
    assert breaker.closed_for() == OPEN_SECONDS
    clock.seconds += OPEN_SECONDS
    assert breaker.closed_for() == 0
    clock.seconds += OPEN_SECONDS
    assert breaker.closed_for() == 0


def test_half_of_the_last_calls_failing_opens_it_though_never_many_in_a_row() -> None:
    breaker = Breaker(FakeClock())
    for _ in range(CALLS_LOOKED_AT // 2):
        assert breaker.closed_for() == 0
        breaker.passed()
        breaker.failed()
    assert breaker.closed_for() > 0


def test_now_and_then_a_failure_opens_nothing() -> None:
    breaker = Breaker(FakeClock())
    for number in range(1000):
        assert breaker.closed_for() == 0
        if number % 3:
            breaker.passed()
        else:
            breaker.failed()
