"""How often runs are looked at, on a clock of the test's own."""

from __future__ import annotations

import pytest

from reconciler.applying.polling import FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS, Rhythms

HOUR = 3600.0


def looks(changes: list[float], until: float, *, least: float = 0.0) -> list[float]:
    """When one group is looked at that changes at these moments."""
    rhythms, now, seen, taken = Rhythms(), 0.0, 0, []
    rhythms.keep(["run"], now, least=least)
    while (now := rhythms.next_due()) <= until:
        taken.append(now)
        happened = sum(change <= now for change in changes)
        rhythms.read("run", now, changed=happened > seen, least=least)
        seen = happened
    return taken


@pytest.mark.parametrize("changes", [[], [0.1], [0.1, 30.0], [0.1, 60.0], [0.1, 600.0]])
def test_an_hour_of_a_run_that_takes_six_costs_at_most_twenty_looks(changes: list[float]) -> None:
    assert len(looks(changes, HOUR)) <= 20


def test_every_later_hour_costs_six() -> None:
    taken = looks([0.1], 6 * HOUR)
    assert len([at for at in taken if at > HOUR]) <= 5 * HOUR / LONGEST_POLL_SECONDS


def test_a_serial_run_of_many_dates_is_looked_at_in_their_rhythm() -> None:
    each_takes = 1200.0
    taken = looks([number * each_takes for number in range(12)], 12 * each_takes)
    assert len(taken) < 12 * 10


@pytest.mark.parametrize("ends", [3.0, 60.0, 1000.0, 20000.0])
def test_an_end_is_seen_soon_after_it_compared_with_how_long_it_took(ends: float) -> None:
    seen = next(at for at in looks([ends], ends * 3 + 10) if at >= ends)
    assert seen - ends <= min(max(ends, FIRST_POLL_SECONDS), LONGEST_POLL_SECONDS)


def test_a_quick_run_is_looked_at_soon() -> None:
    assert looks([], 2.0)[0] == FIRST_POLL_SECONDS


def test_what_the_day_allows_comes_first() -> None:
    taken = looks([0.1, 100.0], HOUR, least=900.0)
    assert taken == [900.0, 1800.0, 2700.0, 3600.0]


def test_groups_have_rhythms_of_their_own_and_are_taken_together_when_due_together() -> None:
    rhythms = Rhythms()
    rhythms.keep(["a", "b"], 0.0)
    assert set(rhythms.due(0.5)) == {"a", "b"}
    rhythms.read("a", 0.5, changed=True)
    rhythms.read("b", 100.0, changed=False)
    assert (rhythms.next_due(), rhythms.due(1.0)) == (1.0, ("a",))
    rhythms.keep(["b"], 1.0)
    assert rhythms.next_due() == 200.0
