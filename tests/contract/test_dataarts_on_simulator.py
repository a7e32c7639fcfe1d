"""The DataArts adapter against the embedded simulator, whose JSON is written independently of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from reconciler.model.attempts import Attempt, UnitRecord
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import Unauthenticated
from reconciler.model.gates import RunsSucceeded
from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.model.project import Secret, SimulatorEndpoint, StaticCredentials
from reconciler.model.rangemap import RangeMap
from reconciler.model.resources import Tuning
from reconciler.model.runs import Discovery, Observation
from reconciler.model.series import Realm, Series
from reconciler.providers.dataarts.provider import DataArtsProvider
from reconciler.simulator import MANUAL, AccessKey, Simulator, open_simulator, parse_world
from tests.unit.providers.dataarts.support import (
    CREATE,
    SERIES,
    USER,
    a_connection,
    a_name,
    a_series,
    an_attempt,
)
from tests.unit.providers.dataworks.support import FakeClock, NoJitter

pytestmark = pytest.mark.anyio

KEY = AccessKey(id="test-access-key-id", secret="test-access-key-secret")
DATES = DateRange.parse("2024-05-01..2024-05-03")
WHOLE = DateSet((DATES,))


class Cloud:
    """A simulator and a provider that share one clock; the work clock moves by `advance` alone."""

    def __init__(self, simulator: Simulator, provider: DataArtsProvider, clock: FakeClock) -> None:
        self.simulator = simulator
        self.provider = provider
        self.clock = clock

    async def create(
        self,
        series: Series = SERIES,
        dates: DateRange = DATES,
        *,
        name: str | None = None,
        parallelism: int = 1,
    ) -> CreateOutcome:
        # Real time passes between calls, so that each is newer than the last.
        self.clock.seconds += 1
        call = self.provider.wire_call(
            series, dates, name or a_name(series), Tuning(parallelism=parallelism)
        )
        await self.provider.take_create_turn(call.operation)
        return await self.provider.create(self.provider.prepare(call))

    async def created(
        self, series: Series = SERIES, dates: DateRange = DATES, **how: Any
    ) -> Attempt:
        outcome = await self.create(series, dates, **how)
        assert isinstance(outcome, Accepted)
        return an_attempt(str(dates), series=series, name=outcome.run_ids[0])

    async def observe(self, attempt: Attempt, series: Series = SERIES) -> Observation:
        (seen,) = await self.provider.observe([attempt], {series.fingerprint: series})
        return seen

    async def discover(self) -> Discovery:
        return await self.provider.discover(SERIES, WHOLE, known_runs={})

    def ran(self) -> list[str]:
        """The names of the creates that were executed."""
        return [str(entry["name"]) for entry in self.simulator.ledger()]


@asynccontextmanager
async def a_cloud(*, user: bool = False, **world: Any) -> AsyncIterator[Cloud]:
    clock = FakeClock()
    simulator = open_simulator(
        db=None,
        world=parse_world(world),
        clock=MANUAL,
        key=KEY,
        real_time=lambda: int(clock.now().timestamp() * 1000),
        sleep=clock.sleep,
    )
    keys = StaticCredentials(access_key_id=Secret(KEY.id), access_key_secret=Secret(KEY.secret))
    password = dataclasses.replace(USER, password=Secret(KEY.secret))
    provider = DataArtsProvider(
        a_connection(
            endpoint=SimulatorEndpoint(),
            realm=Realm.SIMULATOR,
            credentials=password if user else keys,
        ),
        clock=clock,
        environ={},
        transport=simulator.transport(),
        jitter=NoJitter(),
    )
    try:
        async with provider:
            yield Cloud(simulator, provider, clock)
    finally:
        simulator.close()


def a_world(**job: Any) -> dict[str, Any]:
    return {"dataarts": {"jobs": [{"name": "daily_sales", "task": "937987", **job}]}}


def shown(coverage: Any) -> Mapping[str, str]:
    return {str(dates): status.value for dates, status in coverage}


async def test_a_serial_backfill_is_followed_to_its_end() -> None:
    async with a_cloud(**a_world(seconds=60)) as cloud:
        attempt = await cloud.created()
        confirmed = await cloud.provider.confirm(attempt)
        cloud.simulator.advance(70)
        early = await cloud.observe(attempt)
        cloud.simulator.advance(3600)
        late = await cloud.observe(attempt)

    assert (confirmed.name, confirmed.run_ids) == (a_name(), (a_name(),))
    assert shown(early.coverage) == {
        "2024-05-01": "success",
        "2024-05-02": "running",
        "2024-05-03": "created",
    }
    assert shown(late.coverage) == {"2024-05-01..2024-05-03": "success"}
    assert early.took == RangeMap.of([(DateRange.day(DATES.start), 60)])
    assert late.took == RangeMap.constant(WHOLE, 60)


async def test_a_failure_stops_the_dates_behind_it() -> None:
    async with a_cloud(**a_world(fail=["2024-05-02"])) as cloud:
        attempt = await cloud.created()
        cloud.simulator.advance(3600)
        seen = await cloud.observe(attempt)
    assert shown(seen.coverage) == {
        "2024-05-01": "success",
        "2024-05-02": "failure",
        "2024-05-03": "not_run",
    }


async def test_a_parallel_backfill_goes_on_after_a_failure() -> None:
    async with a_cloud(**a_world(fail=["2024-05-02"])) as cloud:
        attempt = await cloud.created(parallelism=3)
        cloud.simulator.advance(3600)
        seen = await cloud.observe(attempt)
        told = await cloud.provider.failures(attempt, SERIES, WHOLE)
    assert shown(seen.coverage) == {
        "2024-05-01": "success",
        "2024-05-02": "failure",
        "2024-05-03": "success",
    }
    assert {str(failure.date) for failure in told} == {"2024-05-02"}
    assert all(failure.node_name for failure in told)
    assert all("obs://" in failure.log_problem for failure in told)


async def test_plan_days_may_lie_a_day_after_data_dates() -> None:
    series = a_series(offset=1)
    async with a_cloud(**a_world(fail=["2024-05-03"])) as cloud:
        attempt = await cloud.created(series)
        cloud.simulator.advance(3600)
        seen = await cloud.observe(attempt, series)
    assert shown(seen.coverage) == {
        "2024-05-01": "success",
        "2024-05-02": "failure",
        "2024-05-03": "not_run",
    }


async def test_an_hourly_job_is_done_when_its_last_hour_is() -> None:
    async with a_cloud(**a_world(schedule="hourly", seconds=60)) as cloud:
        attempt = await cloud.created(dates=DateRange.parse("2024-05-01..2024-05-02"))
        cloud.simulator.advance(60 * 23 + 1)
        early = await cloud.observe(attempt)
        cloud.simulator.advance(60 * 2)
        between = await cloud.observe(attempt)
        cloud.simulator.advance(60 * 24)
        late = await cloud.observe(attempt)
    assert shown(early.coverage) == {"2024-05-01": "running", "2024-05-02": "created"}
    assert shown(between.coverage) == {"2024-05-01": "success", "2024-05-02": "running"}
    assert shown(late.coverage) == {"2024-05-01..2024-05-02": "success"}


async def test_a_run_that_is_created_later_is_neither_gone_nor_absent_for_good() -> None:
    async with a_cloud(dataarts={"creationLag": 30, "jobs": []}) as cloud:
        attempt = await cloud.created()
        confirmed = await cloud.provider.confirm(attempt)
        seen = await cloud.observe(attempt)
        hidden = await cloud.discover()
        cloud.simulator.advance(31)
        found = await cloud.discover()
    assert (confirmed.name, confirmed.gone) == (None, False)
    assert (shown(seen.coverage), seen.gone) == ({}, False)
    assert (hidden.found, hidden.complete, hidden.shows_tags) == ((), True, False)
    assert [run.name for run in found.found] == [a_name()]


async def test_a_lost_answer_is_found_again_by_its_tag() -> None:
    async with a_cloud() as cloud:
        cloud.simulator.put_faults(
            [{"operation": CREATE, "nth": 1, "effect": "execute_then_drop"}]
        )
        outcome = await cloud.create()
        found = await cloud.discover()
        ran = cloud.ran()
    assert isinstance(outcome, Unknown)
    assert ran == [a_name()]
    (run,) = found.found
    assert run.tag is not None
    assert run.tag.series == SERIES.fingerprint
    assert run.dates == WHOLE
    assert (found.complete, found.shows_tags) == (True, True)


async def test_a_dropped_request_leaves_nothing_behind() -> None:
    async with a_cloud() as cloud:
        cloud.simulator.put_faults([{"operation": CREATE, "nth": 1, "effect": "drop"}])
        outcome = await cloud.create()
        found = await cloud.discover()
        ran = cloud.ran()
    assert isinstance(outcome, Unknown)
    assert (ran, found.found, found.complete) == ([], (), True)


async def test_a_name_runs_once() -> None:
    async with a_cloud() as cloud:
        first = await cloud.create()
        second = await cloud.create()
        ran = cloud.ran()
    assert isinstance(first, Accepted)
    assert isinstance(second, Unknown)
    assert second.code == "DLF.0102"
    assert ran == [a_name()]


async def test_two_ranges_of_one_job_may_be_open_at_once() -> None:
    async with a_cloud() as cloud:
        one = await cloud.created()
        other = await cloud.created(
            dates=DateRange.parse("2024-05-04..2024-05-05"), name=a_name(call_id="bbbbbb")
        )
        cloud.simulator.advance(70)
        seen = await cloud.provider.observe([one, other], {SERIES.fingerprint: SERIES})
    assert [shown(run.coverage) for run in seen] == [
        {"2024-05-01": "success", "2024-05-02": "running", "2024-05-03": "created"},
        {"2024-05-04": "success", "2024-05-05": "running"},
    ]


async def test_a_date_that_runs_again_is_told_from_its_first_run() -> None:
    world = a_world(fail=[{"date": "2024-05-02", "times": 1}])
    async with a_cloud(**world) as cloud:
        first = await cloud.created()
        cloud.simulator.advance(3600)
        again = await cloud.created(
            dates=DateRange.parse("2024-05-02..2024-05-03"), name=a_name(call_id="bbbbbb")
        )
        cloud.simulator.advance(70)
        during = await cloud.provider.observe([first, again], {SERIES.fingerprint: SERIES})
    assert [shown(run.coverage) for run in during] == [
        {"2024-05-01": "success", "2024-05-02": "failure", "2024-05-03": "not_run"},
        {"2024-05-02": "success", "2024-05-03": "running"},
    ]


async def test_a_run_is_stopped_as_a_whole_or_not_at_all() -> None:
    async with a_cloud() as cloud:
        attempt = await cloud.created()
        cloud.simulator.advance(70)
        part = await cloud.provider.stop(attempt, SERIES, DateSet.parse(["2024-05-02"]))
        still = await cloud.observe(attempt)
        all_of_it = await cloud.provider.stop(attempt, SERIES, WHOLE)
        ended = await cloud.observe(attempt)
    assert part.stopped == 0
    assert "2024-05-03" in part.left[0]
    assert shown(still.coverage)["2024-05-02"] == "running"
    assert (str(all_of_it.dates), all_of_it.stopped, all_of_it.left) == (
        "2024-05-02..2024-05-03",
        1,
        (),
    )
    ends = ended.coverage.where(lambda status: not status.in_flight)
    assert ends == WHOLE
    assert shown(ended.coverage)["2024-05-01"] == "success"


async def test_what_was_seen_and_is_past_retention_is_gone() -> None:
    async with a_cloud(retentionDays=1) as cloud:
        attempt = await cloud.created()
        seen = await cloud.observe(attempt)
        attempt = dataclasses.replace(
            attempt, coverage=RangeMap.of((item, UnitRecord(was)) for item, was in seen.coverage)
        )
        cloud.simulator.advance(2 * 86400)
        gone = await cloud.observe(attempt)
    assert gone.gone


async def test_what_the_service_refuses() -> None:
    async with a_cloud(strict=True, **a_world(trigger=False)) as cloud:
        loose = await cloud.create()
        missing = await cloud.create(a_series(root="elsewhere"))
    assert isinstance(loose, Refused)
    assert (loose.code, loose.transient) == ("DLF.30111", False)
    assert isinstance(missing, Refused)
    assert missing.code == "DLF.0100"


async def test_throttled_creates_pass_later_under_the_same_name() -> None:
    async with a_cloud() as cloud:
        cloud.simulator.put_faults([{"operation": CREATE, "nth": 1, "effect": "throttle"}])
        first = await cloud.create()
        second = await cloud.create()
        ran = cloud.ran()
    assert isinstance(first, Refused)
    assert (first.code, first.transient) == ("APIG.0308", True)
    assert isinstance(second, Accepted)
    assert ran == [a_name()]


async def test_throttled_reads_are_asked_again() -> None:
    async with a_cloud() as cloud:
        cloud.simulator.put_faults(
            [{"operation": "ShowFactorySupplementData", "nth": 1, "effect": "throttle"}]
        )
        assert (await cloud.discover()).complete
        assert cloud.provider.calls_made == 2


async def test_a_clock_that_is_an_hour_behind_is_set_right_by_the_service() -> None:
    slow = FakeClock()
    slow.seconds = -3600
    async with a_cloud() as cloud:
        keys = StaticCredentials(
            access_key_id=Secret(KEY.id), access_key_secret=Secret(KEY.secret)
        )
        provider = DataArtsProvider(
            a_connection(endpoint=SimulatorEndpoint(), credentials=keys),
            clock=slow,
            environ={},
            transport=cloud.simulator.transport(),
            jitter=NoJitter(),
        )
        async with provider:
            found = await provider.discover(SERIES, WHOLE, known_runs={})
            assert provider.calls_made == 2
    assert found.complete


async def test_a_user_is_served_by_tokens_which_are_renewed_in_time() -> None:
    async with a_cloud(user=True) as cloud:
        attempt = await cloud.created()
        call = cloud.provider.wire_call(SERIES, DATES, "x", Tuning())
        prepared = cloud.provider.prepare(call)
        cloud.simulator.advance(25 * 3600)
        late = await cloud.observe(attempt)
        report = await cloud.provider.check()
    assert dt.timedelta(hours=23) < prepared.valid_until - prepared.signed_at
    assert shown(late.coverage) == {"2024-05-01..2024-05-03": "success"}
    assert report.sound
    assert KEY.secret not in str(report.lines)


async def test_a_wrong_password_is_told() -> None:
    clock = FakeClock()
    async with a_cloud() as cloud:
        provider = DataArtsProvider(
            a_connection(endpoint=SimulatorEndpoint(), credentials=USER),
            clock=clock,
            environ={},
            transport=cloud.simulator.transport(),
            jitter=NoJitter(),
        )
        async with provider:
            with pytest.raises(Unauthenticated, match="wrong"):
                await provider.discover(SERIES, WHOLE, known_runs={})


async def test_gates_by_task_and_by_job() -> None:
    world = a_world(fail=["2024-05-03"], absent=["2024-05-04"], operator="ETL_Job")
    days = DateSet.parse(["2024-05-01..2024-05-03"])
    async with a_cloud(strict=True, **world) as cloud:
        by_task = await cloud.provider.evaluate(RunsSucceeded(job="ETL_Job", task="937987"), days)
        by_job = await cloud.provider.evaluate(RunsSucceeded(job="daily_sales"), days)
    for reading in (by_task, by_job):
        assert str(reading.closed.dates) == "2024-05-02..2024-05-03"
        assert "1 of 1 runs" in (reading.closed.at(dt.date(2024, 5, 2)) or "")
        assert "no run" in (reading.closed.at(dt.date(2024, 5, 3)) or "")


async def test_gates_over_more_hours_than_fit_on_a_page() -> None:
    days = DateSet.parse(["2024-03-01..2024-05-10"])
    world = a_world(schedule="hourly", running=["2024-05-10"], operator="ETL_Job")
    async with a_cloud(strict=True, **world) as cloud:
        by_task = await cloud.provider.evaluate(RunsSucceeded(job="ETL_Job", task="937987"), days)
        by_job = await cloud.provider.evaluate(RunsSucceeded(job="daily_sales"), days)
    for reading in (by_task, by_job):
        assert str(reading.closed.dates) == "2024-05-09"


async def test_a_gate_whose_inner_service_fails_is_not_open() -> None:
    world = a_world(relay={"status": 500, "msg": "down"}, operator="ETL_Job")
    async with a_cloud(**world) as cloud:
        with pytest.raises(Exception, match="down"):
            await cloud.provider.evaluate(
                RunsSucceeded(job="ETL_Job", task="937987"), DateSet.parse(["2024-05-01"])
            )
