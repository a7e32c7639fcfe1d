"""What holds for every trigger, whatever it looks like and whenever one looks."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.simulator import parse_world
from reconciler.simulator.runs import InstanceState, Kind, PlannedNode, Status, Trigger
from reconciler.simulator.transitions import WorldVersion, replay

DAY = dt.date(2020, 5, 20)
repeatable = settings(deadline=None, derandomize=True)
LATER = 10_000_000  # Past the end of anything made here.


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    trigger: Trigger
    worlds: tuple[WorldVersion, ...]

    def states(self, until_ms: int) -> tuple[InstanceState, ...]:
        return replay([self.trigger], [], self.worlds, until_ms)[1]

    def by_date(self, until_ms: int) -> list[tuple[InstanceState, ...]]:
        states, size = self.states(until_ms), self.trigger.per_date
        return [states[start : start + size] for start in range(0, len(states), size)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 4))
    days = draw(st.integers(1, 5))
    dates = st.lists(st.integers(0, days - 1), max_size=2, unique=True)
    planned, nodes = [], []
    for number in range(1, count + 1):
        earlier = st.lists(st.integers(1, number - 1), max_size=2, unique=True)
        parents = draw(earlier) if number > 1 else []
        failing = draw(dates)
        skipped = [day for day in draw(dates) if day not in failing]
        planned.append(
            PlannedNode(
                id=number,
                name=str(number),
                parents=tuple(parents),
                hours=draw(st.sampled_from([None, (0, 1)])),
                excluded=draw(st.booleans()),
            )
        )
        nodes.append(
            {
                "id": number,
                "seconds": draw(st.integers(0, 100)),
                "fail": [str(DAY + dt.timedelta(days=day)) for day in failing],
                "skip": [str(DAY + dt.timedelta(days=day)) for day in skipped],
            }
        )
    trigger = Trigger(
        id=1,
        kind=Kind.BACKFILL,
        environment="PROD",
        name="x",
        nodes=tuple(planned),
        first_date=DAY,
        last_date=DAY + dt.timedelta(days=days - 1),
        concurrent_dates=draw(st.integers(1, 3)),
        op_seq=1,
        first_dag=1,
        first_instance=1,
        created_work_ms=0,
        created_gateway_ms=0,
    )
    return Case(
        trigger=trigger, worlds=(WorldVersion(from_ms=0, world=parse_world({"nodes": nodes})),)
    )


moments = st.integers(0, 600_000)


@repeatable
@given(cases(), moments)
def test_no_more_dates_run_at_once_than_asked_for(case: Case, at_ms: int) -> None:
    running = [
        date for date in case.by_date(at_ms) if any(s.status is Status.RUNNING for s in date)
    ]
    assert len(running) <= case.trigger.concurrent_dates


@repeatable
@given(cases(), moments)
def test_a_serial_date_begins_after_everything_before_it_succeeded(case: Case, at_ms: int) -> None:
    if case.trigger.concurrent_dates > 1:
        return
    dates = case.by_date(at_ms)
    for before, date in itertools.pairwise(dates):
        if any(state.status is not Status.NOT_RUN for state in date):
            assert all(state.status is Status.SUCCESS for state in before)


@repeatable
@given(cases(), moments)
def test_nothing_begins_before_its_parents_succeeded(case: Case, at_ms: int) -> None:
    places = case.trigger.places()
    for date in case.by_date(at_ms):
        for (node, hour), state in zip(places, date, strict=True):
            if state.status is Status.NOT_RUN:
                continue
            for (other, other_hour), parent in zip(places, date, strict=True):
                same_hour = None in {hour, other_hour} or hour == other_hour
                if other.id in node.parents and same_hour:
                    assert parent.status is Status.SUCCESS


@repeatable
@given(cases(), moments, moments)
def test_what_has_happened_stays_as_it_was(case: Case, one_ms: int, other_ms: int) -> None:
    early, late = sorted((one_ms, other_ms))
    for before, after in zip(case.states(early), case.states(late), strict=True):
        if before.status in {Status.SUCCESS, Status.FAILURE}:
            assert after == before


@repeatable
@given(cases())
def test_everything_comes_to_rest_with_a_failure_wherever_something_is_left(case: Case) -> None:
    statuses = [state.status for state in case.states(LATER)]
    assert Status.RUNNING not in statuses
    if Status.NOT_RUN in statuses:
        assert Status.FAILURE in statuses
