"""Rollouts and requirements on paper: whole stories of plans and outcomes, judged day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt, UnitRecord
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.plan import Call, Plan
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import Order, Resource, Rollout
from reconciler.model.runs import UnitStatus
from reconciler.planning.planner import build_plan
from reconciler.planning.reopening import judged_again
from reconciler.planning.situation import Situation
from tests.builders import (
    a_making,
    a_record,
    a_resource,
    a_series,
    a_situation,
    a_subject,
    an_attempt,
    day,
)
from tests.effort import examples

RATES = a_series(subject=a_subject(root="7"), include=("7",))
ORDERS = a_series()
SUCCESS, FAILURE = UnitStatus.SUCCESS, UnitStatus.FAILURE
MANY = settings(max_examples=examples(50))

DAYS = st.sets(st.integers(0, 15), min_size=1).map(lambda days: sorted(map(day, days)))
ROLLOUTS = st.builds(
    Rollout,
    canary=st.integers(0, 3),
    max_dates_per_call=st.none() | st.integers(1, 4),
    max_active_dates=st.none() | st.integers(1, 5),
    stop_after_failures=st.integers(1, 4),
    order=st.sampled_from(Order),
)
Outcome = Callable[[str, dt.date], UnitStatus]


class Story:
    """Two resources, planned and carried out round by round until nothing is open any more.

    Attributes:
        ran: How each unit ended, by resource and date.
    """

    def __init__(
        self, rates: list[dt.date], days: list[dt.date], rollout: Rollout, requires: str | None
    ) -> None:
        self.days, self.rollout, self.requires = days, rollout, requires
        self.rates = rates
        self.ran: dict[tuple[str, dt.date], UnitStatus] = {}
        self._attempts: list[Attempt] = []
        self._making = a_making()  # one for all plans: no call id is given twice
        self._resources = (
            a_resource("rates", _texts(rates), series=RATES),
            a_resource(
                "orders",
                _texts(days),
                series=ORDERS,
                rollout=rollout,
                requires=() if requires is None else (requires,),
            ),
        )

    def _situation(self, resources: Iterable[Resource]) -> Situation:
        record = a_record(*self._attempts, series=(RATES, ORDERS))
        return a_situation(*resources, recorded=record)

    def plan(self) -> Plan:
        return build_plan(self._situation(self._resources), self._making)

    def again(self, plan: Plan) -> Plan:
        return judged_again(plan, self._situation(plan.desired))

    def run(self, outcome: Outcome, next_plan: Callable[[], Plan]) -> None:
        """Send what is open, let it end, and plan again."""
        for _ in range(100):
            sent = {one.call_id for one in self._attempts}
            now = [
                call for call in next_plan().calls if not call.blocked_by and call.id not in sent
            ]
            if not now:
                return
            self._check(now)
            for call in now:
                self._send(call, outcome)
        raise AssertionError("it never ends")

    def _check(self, calls: list[Call]) -> None:
        queue = sorted(self.days, reverse=self.rollout.order is Order.NEWEST)
        for call in calls:
            name = call.address.name
            for date in call.dates.days():
                assert (name, date) not in self.ran, "never twice"
            if name == "orders":
                self._check_order(queue, list(call.dates.days()))

    def _check_order(self, queue: list[dt.date], dates: list[dt.date]) -> None:
        bound = self.rollout.max_dates_per_call
        assert bound is None or len(dates) <= bound
        numbers = {self._batch(queue.index(date)) for date in dates}
        assert len(numbers) == 1, "one call, one batch"
        (number,) = numbers
        before = [date for at, date in enumerate(queue) if self._batch(at) < number]
        ended = [self.ran.get(("orders", date)) for date in before]
        assert None not in ended, "the batches before are through"
        assert ended.count(FAILURE) < self.rollout.stop_after_failures
        assert all(one is SUCCESS for one in ended[: self.rollout.canary])
        needed = {
            None: [],
            "backfill.rates": self.rates,
            "backfill.rates@date": dates,
        }[self.requires]
        assert all(self.ran.get(("rates", date)) is SUCCESS for date in needed)

    def _batch(self, position: int) -> int:
        canary = self.rollout.canary
        if position < canary:
            return 0
        active = self.rollout.max_active_dates or 1000
        return (canary > 0) + (position - canary) // active

    def _send(self, call: Call, outcome: Outcome) -> None:
        (dates,) = call.dates
        ended = {date: outcome(call.address.name, date) for date in dates.days()}
        self.ran.update({(call.address.name, date): how for date, how in ended.items()})
        attempt = an_attempt(
            len(self._attempts) + 1,
            str(dates),
            series=RATES if call.address.name == "rates" else ORDERS,
            name=call.address.name,
            call_id=call.id,
            serial=False,
        )
        coverage = RangeMap.of(
            (DateRange.day(date), UnitRecord(how)) for date, how in ended.items()
        )
        self._attempts.append(replace(attempt, coverage=coverage))

    def started(self, name: str) -> set[dt.date]:
        return {date for resource, date in self.ran if resource == name}


def _texts(days: Iterable[dt.date]) -> str:
    return ",".join(map(str, DateSet.of_dates(days)))


@MANY
@given(DAYS, DAYS, ROLLOUTS, st.sampled_from([None, "backfill.rates"]), st.data())
def test_whatever_fails_no_batch_opens_before_its_time(
    rates: list[dt.date],
    days: list[dt.date],
    rollout: Rollout,
    requires: str | None,
    data: st.DataObject,
) -> None:
    story = Story(rates, days, rollout, requires)
    chance = data.draw(st.randoms(use_true_random=False))
    often = data.draw(st.sampled_from([0.0, 0.1, 0.4]))
    story.run(lambda *_: FAILURE if chance.random() < often else SUCCESS, story.plan)
    if FAILURE not in story.ran.values():
        assert story.started("orders") == set(days), "what can go on goes on to the end"


@MANY
@given(DAYS, ROLLOUTS, st.data())
def test_the_same_dates_of_another_resource_open_them_one_by_one(
    days: list[dt.date], rollout: Rollout, data: st.DataObject
) -> None:
    story = Story(days, days, rollout, "backfill.rates@date")
    bad = data.draw(st.sets(st.sampled_from(days), max_size=2))
    story.run(
        lambda name, date: FAILURE if name == "rates" and date in bad else SUCCESS, story.plan
    )
    assert story.started("orders").isdisjoint(bad)
    if not bad:
        assert story.started("orders") == set(days)


@MANY
@given(DAYS, DAYS, ROLLOUTS, st.sampled_from([None, "backfill.rates"]))
def test_a_saved_plan_alone_comes_to_the_same_end_with_the_same_calls(
    rates: list[dt.date], days: list[dt.date], rollout: Rollout, requires: str | None
) -> None:
    story = Story(rates, days, rollout, requires)
    saved = story.plan()
    story.run(lambda *_: SUCCESS, lambda: story.again(saved))
    assert story.started("orders") == set(days)
    assert story.started("rates") == set(rates)
    assert {call.address for call in saved.calls} == {
        Address.parse("backfill.orders"),
        Address.parse("backfill.rates"),
    }
