"""The DataWorks adapter against the embedded simulator, whose JSON is written independently of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.attempts import Attempt
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.model.project import Secret, SimulatorEndpoint
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import Tuning
from reconciler.model.runs import Observation, Origin
from reconciler.model.series import Realm, Series
from reconciler.providers.dataworks.provider import DataWorksProvider
from reconciler.providers.signing import SigningKey
from reconciler.simulator import MANUAL, AccessKey, Simulator, open_simulator, parse_world
from tests.unit.providers.dataworks.support import (
    NOW,
    FakeClock,
    FakeIds,
    NoJitter,
    a_connection,
    a_name,
    a_series,
    an_attempt,
)

pytestmark = pytest.mark.anyio

KEY = AccessKey(id="test-access-key-id", secret="test-access-key-secret")
LAYOUTS = pytest.mark.parametrize("layout", ["per-date", "single"])
SERIES = a_series()
MANUAL_FLOW = a_series(Kind.MANUAL_FLOW)
DATES = DateRange.parse("2024-05-01..2024-05-03")


class Cloud:
    """A simulator and a provider that share one clock; the work clock moves by `advance` alone."""

    def __init__(
        self, simulator: Simulator, provider: DataWorksProvider, clock: FakeClock
    ) -> None:
        self.simulator = simulator
        self.provider = provider
        self.clock = clock

    async def create(self, series: Series = SERIES, dates: DateRange = DATES) -> CreateOutcome:
        # Real time passes between calls, so that each is newer than the last.
        self.clock.seconds += 1
        call = self.provider.wire_call(series, dates, a_name(series), Tuning())
        return await self.provider.create(self.provider.prepare(call))

    async def created(self, series: Series = SERIES, dates: DateRange = DATES) -> Attempt:
        outcome = await self.create(series, dates)
        assert isinstance(outcome, Accepted)
        return an_attempt(series, str(dates), run_ids=outcome.run_ids, age=dt.timedelta(0))

    async def observe(self, attempt: Attempt, series: Series = SERIES) -> Observation:
        (seen,) = await self.provider.observe([attempt], {series.fingerprint: series})
        return seen


@asynccontextmanager
async def a_cloud(*, ours: AccessKey = KEY, **world: Any) -> AsyncIterator[Cloud]:
    """A cloud that knows one key, and a provider that signs with another if it is told so."""
    clock = FakeClock()
    simulator = open_simulator(
        db=None,
        world=parse_world(world),
        clock=MANUAL,
        key=KEY,
        real_time=lambda: int(clock.now().timestamp() * 1000),
        sleep=clock.sleep,
    )
    key = SigningKey(access_key_id=ours.id, access_key_secret=Secret(ours.secret))
    provider = DataWorksProvider(
        a_connection(endpoint=SimulatorEndpoint(), realm=Realm.SIMULATOR),
        clock=clock,
        ids=FakeIds(),
        environ={},
        transport=simulator.transport(),
        credentials=lambda: key,
        jitter=NoJitter(),
    )
    try:
        async with provider:
            yield Cloud(simulator, provider, clock)
    finally:
        simulator.close()


def shown(coverage: Any) -> Mapping[str, str]:
    return {str(dates): status.value for dates, status in coverage}


@LAYOUTS
async def test_a_serial_backfill_is_followed_to_its_end(layout: str) -> None:
    async with a_cloud(layout=layout) as cloud:
        attempt = await cloud.created()
        cloud.simulator.advance(1)
        early = await cloud.observe(attempt)
        cloud.simulator.advance(3600)
        late = await cloud.observe(attempt)

    assert shown(early.coverage) == {
        "2024-05-01": "running",
        "2024-05-02..2024-05-03": "created",
    }
    assert shown(late.coverage) == {"2024-05-01..2024-05-03": "success"}
    assert early.took == RangeMap()
    # Of one DAG for all dates nobody knows which of them took how long.
    timed = {"2024-05-01..2024-05-03": 60} if layout == "per-date" else {}
    assert {str(dates): seconds for dates, seconds in late.took} == timed
    assert early.run_group is not None
    assert early.name == a_name(SERIES)


@LAYOUTS
async def test_a_failure_stops_the_dates_behind_it(layout: str) -> None:
    nodes = [{"id": 1234}, {"id": 74324, "parents": [1234], "fail": ["2024-05-02"]}]
    async with a_cloud(layout=layout, nodes=nodes) as cloud:
        attempt = await cloud.created()
        cloud.simulator.advance(3600)
        seen = await cloud.observe(attempt)

    assert shown(seen.coverage) == {
        "2024-05-01": "success",
        "2024-05-02": "failure",
        "2024-05-03": "created",
    }


@LAYOUTS
async def test_a_lost_answer_is_found_again_by_its_tag(layout: str) -> None:
    async with a_cloud(layout=layout) as cloud:
        cloud.simulator.put_faults(
            [{"operation": "RunCycleDagNodes", "nth": 1, "effect": "execute_then_drop"}]
        )
        outcome = await cloud.create()
        cloud.simulator.advance(1)
        found = await cloud.provider.discover(SERIES, DateSet.parse(["2024-05-02"]), known_runs={})

    assert isinstance(outcome, Unknown)
    (run,) = found.found
    assert run.tag is not None
    assert run.tag.series == SERIES.fingerprint
    assert run.dates == DateSet((DATES,))
    assert found.complete
    assert found.shows_tags


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"effect": "execute_then_drop"}, Unknown),
        ({"effect": "drop"}, Unknown),
        ({"effect": "delay", "seconds": 120}, Unknown),
        ({"effect": "http", "status": 503, "code": "ServiceUnavailable"}, Unknown),
        ({"effect": "http", "status": 400, "code": "InvalidParameter"}, Refused),
        ({"effect": "throttle"}, Refused),
        ({"effect": "reset_mid_body"}, Unknown),
        ({"effect": "garbage"}, Unknown),
    ],
    ids=str,
)
async def test_what_an_accident_proves_agrees_with_the_ledger(
    fault: dict[str, Any], kind: type
) -> None:
    async with a_cloud() as cloud:
        cloud.simulator.put_faults([{"operation": "RunCycleDagNodes", **fault}])
        outcome = await cloud.create()
        executed = len(cloud.simulator.ledger())

    assert isinstance(outcome, kind)
    if isinstance(outcome, Refused):
        assert executed == 0


async def test_the_same_prepared_create_never_runs_twice() -> None:
    async with a_cloud() as cloud:
        call = cloud.provider.wire_call(SERIES, DATES, a_name(SERIES), Tuning())
        prepared = cloud.provider.prepare(call)
        first = await cloud.provider.create(prepared)
        second = await cloud.provider.create(prepared)
        executed = len(cloud.simulator.ledger())

    assert isinstance(first, Accepted)
    assert isinstance(second, Unknown)
    assert executed == 1


async def test_a_prepared_create_is_refused_once_its_validity_has_passed() -> None:
    async with a_cloud() as cloud:
        call = cloud.provider.wire_call(SERIES, DATES, a_name(SERIES), Tuning())
        prepared = cloud.provider.prepare(call)
        cloud.clock.seconds += 2
        cloud.simulator.advance(16 * 60)
        cloud.clock.seconds -= 2
        outcome = await cloud.provider.create(prepared)
        executed = len(cloud.simulator.ledger())

    assert isinstance(outcome, Refused)
    assert outcome.code == "InvalidTimeStamp.Expired"
    assert executed == 0


async def test_a_fresh_request_is_fresh_on_an_advanced_gateway_clock() -> None:
    async with a_cloud() as cloud:
        cloud.simulator.advance(3600)
        attempt = await cloud.created()
        found = await cloud.provider.discover(
            SERIES,
            DateSet((DATES,)),
            known_runs=dict.fromkeys(attempt.run_ids, DateSet((attempt.dates,))),
        )

    assert (found.found, found.shows_tags) == ((), False)
    assert found.began_at >= NOW + dt.timedelta(hours=1)


async def test_our_clock_being_off_is_overcome_by_the_services() -> None:
    async with a_cloud() as cloud:
        cloud.provider._channel.server_clock._clock = late = FakeClock()
        late.seconds -= 7200
        report = await cloud.provider.check()
        outcome = await cloud.create()

    assert "credentials: accepted" in report.lines
    assert isinstance(outcome, Accepted)


async def test_what_was_only_skipped_is_hollow() -> None:
    nodes = [{"id": 1234}, {"id": 74324, "parents": [1234], "skip": ["2024-05-02"]}]
    async with a_cloud(nodes=nodes) as cloud:
        attempt = await cloud.created()
        cloud.simulator.advance(3600)
        hollow = await cloud.provider.hollow_dates(attempt, SERIES, DateSet((DATES,)))

    assert hollow == DateSet.parse(["2024-05-02"])


@LAYOUTS
async def test_purged_runs_are_gone(layout: str) -> None:
    async with a_cloud(layout=layout) as cloud:
        attempt = await cloud.created()
        group = (await cloud.provider.confirm(attempt)).run_group
        cloud.simulator.advance(31 * 86_400)
        cloud.clock.seconds += 31 * 86_400
        by_id = await cloud.observe(attempt)
        by_group = await cloud.observe(
            an_attempt(SERIES, str(DATES), run_ids=attempt.run_ids, run_group=group)
        )

    assert by_id.gone
    assert by_group.gone


async def test_a_manual_run_is_followed_and_found() -> None:
    day = DateRange.parse("2024-05-01")
    async with a_cloud() as cloud:
        attempt = await cloud.created(MANUAL_FLOW, day)
        cloud.simulator.advance(1)
        early = await cloud.observe(attempt, MANUAL_FLOW)
        cloud.simulator.advance(3600)
        late = await cloud.observe(attempt, MANUAL_FLOW)
        found = await cloud.provider.discover(MANUAL_FLOW, DateSet((day,)), known_runs={})

    assert shown(early.coverage) == {"2024-05-01": "running"}
    assert shown(late.coverage) == {"2024-05-01": "success"}
    assert (early.took.at(day.start), late.took.at(day.start)) == (None, 60)
    assert [(run.origin, run.run_ids, shown(run.coverage)) for run in found.found] == [
        (Origin.MANUAL, attempt.run_ids, {"2024-05-01": "success"})
    ]


@LAYOUTS
async def test_what_runs_can_be_stopped_and_the_rest_is_named(layout: str) -> None:
    async with a_cloud(layout=layout) as cloud:
        attempt = await cloud.created()
        cloud.simulator.advance(1)
        whole = DateSet((attempt.dates,))
        report = await cloud.provider.stop(attempt, SERIES, whole)
        seen = await cloud.observe(attempt)

    # The dates behind the one that was stopped will not start, so nothing of the call goes on.
    assert (str(report.dates), report.left) == ("2024-05-01..2024-05-03", ())
    assert report.stopped == 2
    assert shown(seen.coverage)["2024-05-01"] == "failure"


async def test_a_workspace_can_be_checked() -> None:
    async with a_cloud() as cloud:
        report = await cloud.provider.check()
    assert report.sound
    assert "credentials: accepted" in report.lines
