"""Gates: every run planned after a data date succeeded, by task or by job."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from reconciler.model.dates import DateSet
from reconciler.model.errors import InvalidRequest, ProviderError, Unavailable, UnexpectedResponse
from reconciler.model.gates import (
    DagSucceeded,
    GateReading,
    NothingUnfinished,
    RunsSucceeded,
    Scope,
)
from tests.unit.providers.dataarts.support import (
    INSTANCES,
    TASK_RUNS,
    Handler,
    Reply,
    Service,
    a_connection,
    a_provider,
    a_task_run,
    an_instance,
    error,
    instances,
    ms,
    relay,
    task_runs,
)

pytestmark = pytest.mark.anyio

TASK = RunsSucceeded(job="etl", task="937987")
JOB_GATE = RunsSucceeded(job="daily_sales")


async def read(
    handler: Handler,
    *dates: str,
    gate: RunsSucceeded = TASK,
    service: Service | None = None,
    **connection: Any,
) -> GateReading:
    service = service or Service()
    service.on(TASK_RUNS, handler)
    service.on(INSTANCES, handler)
    async with a_provider(service, connection=a_connection(**connection)) as provider:
        return await provider.evaluate(gate, DateSet.parse(dates))


def closed(reading: GateReading) -> dict[str, str]:
    return {str(dates): why for dates, why in reading.closed}


async def test_a_date_is_open_when_every_run_of_its_window_succeeded() -> None:
    rows = [
        a_task_run(1, "2024-05-02T00:00", "success"),
        a_task_run(2, "2024-05-02T23:00", "success"),
        a_task_run(3, "2024-05-03T00:00", "success"),
        a_task_run(4, "2024-05-03T12:00", "fail"),
        a_task_run(5, "2024-05-03T18:00", "running"),
    ]
    service = Service()
    reading = await read(task_runs(rows), "2024-05-01..2024-05-03", service=service)
    assert closed(reading) == {
        "2024-05-02": "2 of 3 runs of etl have not succeeded: fail, running",
        "2024-05-03": "no run of etl is to be seen yet",
    }
    assert not reading.stuck
    assert reading.problem is None
    assert reading.dates == DateSet.parse(["2024-05-01..2024-05-03"])
    (request,) = service.requests
    assert request.headers["instance"] == "i1"
    assert "workspace" not in request.headers
    assert service.asked(TASK_RUNS) == [
        {
            "task": "937987",
            "job_name": "etl",
            "workspace_id": "w1",
            "start_time": str(ms("2024-05-02T00:00") - 1),
            "end_time": str(ms("2024-05-05T00:00")),
            "offset": "0",
            "limit": "100",
        }
    ]


async def test_a_window_of_several_days() -> None:
    gate = RunsSucceeded(job="etl", task="1", offset_days=-1, days=3)
    rows = [
        a_task_run(1, "2024-04-30T01:00", "success"),
        a_task_run(2, "2024-05-02T23:59", "waiting"),
    ]
    reading = await read(task_runs(rows), "2024-05-01", "2024-05-04", gate=gate)
    assert "1 of 2 runs" in closed(reading)["2024-05-01"]
    assert closed(reading)["2024-05-04"] == "no run of etl is to be seen yet"


async def test_windows_begin_at_midnight_of_the_connections_zone() -> None:
    # 2024-05-02 07:00 in Shanghai is still the day before in UTC.
    rows = [a_task_run(1, "2024-05-02T07:00", "success")]
    here = await read(task_runs(rows), "2024-05-01")
    there = await read(task_runs(rows), "2024-05-01", timezone="UTC")
    assert not here.closed
    assert "no run" in closed(there)["2024-05-01"]


@pytest.mark.parametrize("word", ["forceSuccess", "ignoreSuccess"])
async def test_a_waived_failure_opens_and_is_remarked(word: str) -> None:
    rows = [a_task_run(1, "2024-05-02T00:00", word), a_task_run(2, "2024-05-02T01:00", "SUCCESS")]
    reading = await read(task_runs(rows), "2024-05-01")
    assert not reading.closed
    ((dates, remark),) = reading.remarks
    assert (str(dates), remark) == (
        "2024-05-01",
        "1 of 2 runs of etl count as success by a person's word",
    )


async def test_a_flag_waives_as_a_word_does() -> None:
    rows = [a_task_run(1, "2024-05-02T00:00", "success", forceSuccess=1)]
    assert (await read(task_runs(rows), "2024-05-01")).remarks


@pytest.mark.parametrize("word", ["skip-by-depend", "freeze", "manual-stop", "strange", ""])
async def test_whatever_is_not_success_closes(word: str) -> None:
    rows = [a_task_run(1, "2024-05-02T00:00", word)]
    assert (word or "unknown") in closed(await read(task_runs(rows), "2024-05-01"))["2024-05-01"]


@pytest.mark.parametrize("by_page", [False, True])
async def test_pages_are_read_whether_the_offset_counts_rows_or_pages(by_page: bool) -> None:
    rows = [a_task_run(number, "2024-05-02T00:00", "success") for number in range(1, 250)]
    rows.append(a_task_run(250, "2024-05-02T00:00", "fail"))
    service = Service()
    reading = await read(task_runs(rows, by_page=by_page), "2024-05-01", service=service)
    assert closed(reading)["2024-05-01"].startswith("1 of 250 runs")
    offsets = [asked["offset"] for asked in service.asked(TASK_RUNS)]
    assert offsets == (["0", "100", "1", "2"] if by_page else ["0", "100", "200"])


async def test_rows_that_are_missing_are_no_answer() -> None:
    row = a_task_run(1, "2024-05-02T00:00", "success")
    service = Service()
    page = relay({"msg": "success", "success": True, "total": 2, "rows": [row]})
    with pytest.raises(UnexpectedResponse):
        await read(lambda _: page, "2024-05-01", service=service)
    assert len(service.calls) <= 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (relay({"success": False, "msg": "boom", "total": 0, "rows": []}), UnexpectedResponse),
        (relay({"success": True, "total": 0, "rows": []}, 500), Unavailable),
        (relay({"success": True, "total": 0, "rows": []}, 403), ProviderError),
        ({"status_code": 502, "body": "<html>"}, Unavailable),
        ({"status_code": 200, "body": "<html>"}, UnexpectedResponse),
        ({"status_code": 200, "body": None}, UnexpectedResponse),
        ({"body": "{}"}, UnexpectedResponse),
        ({"status_code": 200, "body": '{"success": true, "total": 0}'}, UnexpectedResponse),
        ({"status_code": 200, "body": '{"success": true, "rows": []}'}, UnexpectedResponse),
        (httpx.Response(200, content=b"[]"), UnexpectedResponse),
    ],
)
async def test_an_inner_service_that_failed_is_no_answer(
    answer: Any, kind: type[ProviderError]
) -> None:
    with pytest.raises(kind) as caught:
        await read(lambda _: answer, "2024-05-01")
    assert "ShowInstanceInfos" in caught.value.summary


async def test_scattered_dates_are_asked_for_together_as_far_as_they_are_near() -> None:
    service = Service()
    await read(task_runs([]), "2024-01-01", "2024-01-05", "2024-03-20", service=service)
    assert len(service.calls) == 1
    await read(task_runs([]), "2023-01-01", "2024-03-20", service=service)
    assert len(service.calls) == 3


async def test_a_span_that_is_refused_is_asked_for_by_four_weeks() -> None:
    rows = [a_task_run(1, "2024-02-01T00:00", "fail")]

    def strict(asked: dict[str, str]) -> Reply:
        if int(asked["end_time"]) - int(asked["start_time"]) > 31 * 86_400_000:
            return error(400, "DLF.3051", "the window is too long")
        return task_runs(rows)(asked)

    service = Service()
    reading = await read(strict, "2024-01-01..2024-02-29", service=service)
    assert "1 of 1 runs" in closed(reading)["2024-01-31"]
    assert len(service.calls) == 4
    with pytest.raises(InvalidRequest):
        await read(lambda _: error(400, "DLF.3051"), "2024-01-01..2024-02-29")


async def test_a_task_needs_an_instance() -> None:
    with pytest.raises(InvalidRequest, match="`instance`"):
        await read(task_runs([]), "2024-05-01", instance=None)


async def test_without_a_task_the_jobs_scheduled_instances_are_looked_at() -> None:
    rows = [
        an_instance(1, "2024-05-02T00:00", "success", instance_type=0),
        an_instance(2, "2024-05-02T00:00", "fail"),  # a PatchData's
        an_instance(3, "2024-05-03T00:00", "success", instance_type=0, ignore_success=True),
        an_instance(4, "2024-05-04T05:00", "waiting", instance_type=0),
    ]
    service = Service()
    reading = await read(instances(rows), "2024-05-01..2024-05-03", gate=JOB_GATE, service=service)
    assert closed(reading) == {
        "2024-05-03": "1 of 1 runs of daily_sales have not succeeded: waiting"
    }
    assert str(reading.remarks.dates) == "2024-05-02"
    (asked,) = service.asked(INSTANCES)
    assert asked["instance_type"] == "0"
    assert service.requests[0].headers["workspace"] == "w1"


async def test_long_spans_of_a_job_are_cut_into_four_weeks() -> None:
    service = Service()
    await read(instances([]), "2024-01-01..2024-03-31", gate=JOB_GATE, service=service)
    widths = [
        (int(asked["max_plan_time"]) - int(asked["min_plan_time"])) // 86_400_000
        for asked in service.asked(INSTANCES)
    ]
    assert widths == [28, 28, 28, 7]


@pytest.mark.parametrize("gate", [DagSucceeded(dag="1"), NothingUnfinished(scope=Scope.ALL)])
async def test_conditions_of_other_systems_are_refused(gate: Any) -> None:
    async with a_provider(Service()) as provider:
        with pytest.raises(InvalidRequest):
            await provider.evaluate(gate, DateSet.parse(["2024-05-01"]))


async def test_a_date_is_stuck_when_all_its_runs_ended_and_one_of_them_badly() -> None:
    rows = [
        a_task_run(1, "2024-05-02T01:00", "success"),
        a_task_run(2, "2024-05-02T02:00", "fail"),
        a_task_run(3, "2024-05-03T01:00", "fail"),
        a_task_run(4, "2024-05-03T02:00", "running"),
    ]
    reading = await read(task_runs(rows), "2024-05-01..2024-05-03")
    assert list(closed(reading)) == ["2024-05-01", "2024-05-02", "2024-05-03"]
    assert str(reading.stuck) == "2024-05-01"


async def test_a_window_of_several_days_is_closed_until_its_last_day_has_begun() -> None:
    # Now is 2024-06-01.
    gate = RunsSucceeded(job="etl", task="1", offset_days=1, days=3)
    rows = [
        a_task_run(number, f"2024-0{month}-{day:02}T01:00", "success")
        for number, (month, day) in enumerate([(5, 30), (5, 31), (6, 1)], start=1)
    ]
    reading = await read(task_runs(rows), "2024-05-29..2024-05-30", gate=gate)
    assert closed(reading) == {"2024-05-30": "its window goes on until 2024-06-02"}
    assert not reading.stuck
