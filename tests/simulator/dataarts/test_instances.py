from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator.dataarts.studio import MIDNIGHT, PROJECT, Studio, day_ms
from tests.simulator.harness import milliseconds

JOB = {"name": "sales", "task": "937987", "operator": "ETL_sales", "seconds": 60}
NODES = "/v1/{p}/datamap/node"
JOBS = "/v1/{p}/jobs"


def a_studio(**job: object) -> Studio:
    return Studio({"dataarts": {"jobs": [{**JOB, **job}]}})


def scheduled(studio: Studio, first: str, last: str | None = None) -> list[str]:
    return studio.statuses(first, last, instance_type=0)


def infos(studio: Studio, first: str, last: str | None = None, **query: object) -> dict[str, Any]:
    """The inner document of ShowInstanceInfos."""
    asked = {
        "job_name": "ETL_sales",
        "start_time": day_ms(first),
        "end_time": day_ms(last or first) + 86_399_999,
        "offset": 0,
        "limit": 100,
        **query,
    }
    outer = studio.call("GET", f"{NODES}/937987/instances", asked)
    assert outer["status_code"] == 200
    inner: dict[str, Any] = json.loads(outer["body"])
    return inner


def test_a_daily_job_has_run_on_every_day_up_to_today() -> None:
    studio = a_studio()
    states = ["success", "success", "running"]
    assert scheduled(studio, "2026-11-19", "2026-11-22") == states
    studio.advance(86_400)
    assert scheduled(studio, "2026-11-19", "2026-11-22") == [*states[:2], "success", "running"]


def test_an_hourly_job_has_run_at_every_hour() -> None:
    studio = a_studio(schedule="hourly")
    studio.advance(2 * 3600)
    found = studio.instances("2026-11-21", instance_type=0)
    assert [one["status"] for one in found] == ["success", "success", "running"]
    assert len(scheduled(studio, "2026-11-20")) == 24


def test_what_the_world_says_of_single_days() -> None:
    job = {
        "fail": ["2026-11-01", {"date": "2026-11-02", "times": 1}],
        "running": ["2026-11-03"],
        "absent": ["2026-11-04"],
    }
    studio = a_studio(**job)
    states = ["fail", "fail", "running", "success"]
    assert scheduled(studio, "2026-11-01", "2026-11-05") == states
    studio.advance(86_400)
    assert scheduled(studio, "2026-11-01", "2026-11-05") == states
    studio.simulator.put_world({"dataarts": {"jobs": [JOB]}})
    assert scheduled(studio, "2026-11-01", "2026-11-05") == ["success"] * 5


def test_scheduled_failures_leave_the_count_of_a_backfill_alone() -> None:
    studio = a_studio(fail=[{"date": "2026-11-02", "times": 1}])
    assert scheduled(studio, "2026-11-02") == ["fail"]
    studio.create("one", "2026-11-02")
    studio.advance(60)
    studio.create("two", "2026-11-02")
    studio.advance(60)
    assert [row["status"] for row in studio.rows()] == ["FAIL", "SUCCESS"]


def test_a_job_without_a_trigger_has_no_scheduled_runs() -> None:
    assert scheduled(a_studio(trigger=False), "2026-11-01", "2026-11-05") == []


def test_every_job_exists_in_an_open_world_and_none_else_in_a_strict_one() -> None:
    path = "/v2/{p}/factory/jobs/nobody/instances/detail"
    assert Studio().call("GET", path)["total"] == 1
    assert Studio({"strict": True}).code("GET", path) == (400, "DLF.0100")


def test_by_default_todays_instances_until_now_are_listed() -> None:
    studio = a_studio(schedule="hourly")
    studio.advance(90 * 60)
    answer = studio.call("GET", "/v2/{p}/factory/jobs/sales/instances/detail")
    plan_times = [one["plan_time"] for one in answer["instances"]]
    assert plan_times == [day_ms("2026-11-21") + 3_600_000, day_ms("2026-11-21")]


def test_a_row_of_a_finished_instance() -> None:
    (row,) = a_studio().instances("2026-11-20", instance_type=0)
    midnight = day_ms("2026-11-20")
    assert isinstance(row.pop("instance_id"), int)
    assert isinstance(row.pop("job_id"), int)
    assert row == {
        "job_name": "sales",
        "job_instance_name": f"sales_{midnight}",
        "instance_type": 0,
        "status": "success",
        "plan_time": midnight,
        "submit_time": midnight,
        "start_time": midnight,
        "end_time": midnight + 60_000,
        "execute_time": 60_000,
        "version": 1,
        "force_success": False,
        "ignore_success": False,
    }


def test_an_instance_of_a_patch_data_does_not_carry_its_name() -> None:
    studio = a_studio()
    studio.create("our_own_name", "2026-01-01", "2026-01-02")
    studio.advance(30)
    first, second = studio.instances("2026-01-01", "2026-01-02")
    assert first["job_instance_name"] == f"P_sales_{milliseconds(MIDNIGHT)}"
    assert first["submit_time"] == milliseconds(MIDNIGHT)
    assert (first["plan_time"], first["execute_time"]) == (day_ms("2026-01-01"), 30_000)
    assert "end_time" not in first
    assert "start_time" not in second


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"instance_type": 0}, 2),
        ({"instance_type": 5}, 2),
        ({"instance_type": 2}, 0),
        ({"instance_type": 7}, 0),
        ({"instance_type": "", "status": "running"}, 1),
        ({"instance_type": "", "status": "success"}, 2),
        ({"instance_type": "", "status": "success", "force_success": "true"}, 0),
        ({"instance_type": "", "status": "success", "ignore_success": "true"}, 0),
        ({"instance_type": "", "limit": 3, "offset": 1}, 1),
        ({"instance_type": "", "limit": 3, "offset": 2}, 0),
    ],
    ids=str,
)
def test_filters_and_pages(query: dict[str, Any], count: int) -> None:
    studio = a_studio()
    studio.create("one", "2026-11-01", "2026-11-02")
    assert len(studio.instances("2026-11-01", "2026-11-02", **query)) == count


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"offset": -1},
        {"status": "done"},
        {"instance_type": 9},
        {"force_success": "perhaps"},
        {"min_plan_time": "today"},
        {"min_plan_time": day_ms("2026-01-01"), "max_plan_time": day_ms("2026-02-02")},
    ],
    ids=str,
)
def test_bad_questions_are_refused(query: dict[str, object]) -> None:
    path = "/v2/{p}/factory/jobs/sales/instances/detail"
    assert a_studio().code("GET", path, query) == (400, "DLF.3051")


def test_a_workspace_does_not_show_the_runs_of_another() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01")
    studio.workspace = "other"
    assert studio.instances("2026-01-01") == []
    assert studio.rows() == []


def test_a_call_without_a_workspace_is_for_the_default_one() -> None:
    studio = a_studio()
    studio.workspace = ""
    studio.create("one", "2026-01-01")
    studio.workspace = "default"
    assert studio.status("one") == "RUNNING"


def test_a_manual_run_from_start_to_end() -> None:
    studio = a_studio()
    body = {"jobParams": [{"name": "day", "value": "2026-01-01", "type": "constants"}]}
    number = studio.call("POST", f"{JOBS}/sales/run-immediate", body=body)["instanceId"]
    shown = studio.call("GET", f"{JOBS}/sales/instances/{number}")
    assert (shown["status"], shown["instanceType"], shown["total"]) == ("running", 2, 1)
    studio.advance(60)
    shown = studio.call("GET", f"{JOBS}/sales/instances/{number}")
    assert (shown["status"], shown["executeTime"]) == ("success", 60_000)
    assert [(node["nodeName"], node["status"]) for node in shown["nodes"]] == [
        ("ETL_sales", "success")
    ]
    (entry,) = studio.simulator.ledger()
    assert (entry["operation"], entry["name"], entry["dag_ids"]) == ("RunOnce", "sales", [number])
    assert json.loads(entry["parameters"]["jobParams"]) == body["jobParams"]


def test_a_fresh_run_shows_by_its_id_before_any_listing_does() -> None:
    studio = Studio({"listingLag": 10})
    number = studio.call("POST", f"{JOBS}/sales/run-immediate")["instanceId"]
    assert studio.instances("2026-11-21", instance_type=2) == []
    assert studio.call("GET", f"{JOBS}/sales/instances/{number}")["status"] == "running"
    studio.advance(10)
    assert len(studio.instances("2026-11-21", instance_type=2)) == 1


def test_instances_are_stopped_and_repeated() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01", "2026-01-02")
    first, second = (one["instance_id"] for one in studio.instances("2026-01-01", "2026-01-02"))
    assert studio.code("POST", f"{JOBS}/sales/instances/{second}/stop") == (400, "DLF.3051")
    assert studio.code("POST", f"{JOBS}/sales/instances/{first}/restart") == (400, "DLF.3051")
    studio.call("POST", f"{JOBS}/sales/instances/{first}/stop")
    assert studio.statuses("2026-01-01", "2026-01-02") == ["manual-stop", "running"]
    studio.advance(60)
    assert studio.status("one") == "CANCEL"
    studio.call("POST", f"{JOBS}/sales/instances/{first}/restart")
    assert studio.status("one") == "RUNNING"
    studio.advance(60)
    assert studio.status("one") == "SUCCESS"
    shown = studio.call("GET", f"{JOBS}/sales/instances/{first}")
    assert shown["nodes"][0]["retryTimes"] == 1


def test_an_instance_that_was_stopped_does_not_end_again() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01")
    (one,) = studio.instances("2026-01-01")
    studio.advance(30)
    studio.call("POST", f"{JOBS}/sales/instances/{one['instance_id']}/stop")
    studio.call("POST", f"{JOBS}/sales/instances/{one['instance_id']}/restart")
    studio.advance(30)
    assert studio.statuses("2026-01-01") == ["running"]
    studio.advance(30)
    assert studio.statuses("2026-01-01") == ["success"]


def test_failed_instances_are_repeated_by_their_times() -> None:
    studio = a_studio(fail=[{"date": "2026-01-01", "times": 1}])
    studio.create("one", "2026-01-01")
    studio.advance(60)
    (one,) = studio.instances("2026-01-01")
    times = {name: one[name] for name in ("job_id", "plan_time", "submit_time")}
    body = {"retry_location": "errorNode", "task_retrys": [times]}
    studio.call("POST", "/v2/{p}/factory/jobs/sales/instances/retry", body=body)
    studio.advance(60)
    assert studio.status("one") == "SUCCESS"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "DLF.3051"),
        ({"retry_location": "somewhere"}, "DLF.3051"),
        ({"retry_location": "firstNode", "jobs": [{"job_name": "sales"}]}, "DLF.3051"),
        (
            {
                "retry_location": "firstNode",
                "task_retrys": [{"job_id": 1, "plan_time": 1, "submit_time": 1}],
            },
            "DLF.30137",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_repeated(body: dict[str, object], code: str) -> None:
    path = "/v2/{p}/factory/jobs/sales/instances/retry"
    assert a_studio().code("POST", path, body=body) == (400, code)


def test_a_scheduled_instance_shows_by_its_id_and_only_changes_with_the_world() -> None:
    studio = a_studio()
    (one,) = studio.instances("2026-11-20", instance_type=0)
    path = f"{JOBS}/sales/instances/{one['instance_id']}"
    shown = studio.call("GET", path)
    assert (shown["planTime"], shown["status"]) == (day_ms("2026-11-20"), "success")
    assert studio.code("POST", f"{path}/restart") == (400, "DLF.3051")


@pytest.mark.parametrize("number", ["1", "x", "999999999999", str(2**52), "9" * 30])
def test_an_unknown_instance_is_refused(number: str) -> None:
    assert a_studio().code("GET", f"{JOBS}/sales/instances/{number}") == (400, "DLF.0137")


def test_an_instance_belongs_to_its_job() -> None:
    studio = a_studio()
    number = studio.call("POST", f"{JOBS}/sales/run-immediate")["instanceId"]
    assert studio.code("GET", f"{JOBS}/mart/instances/{number}") == (400, "DLF.0137")


def test_an_instance_belongs_to_its_workspace() -> None:
    studio = a_studio()
    number = studio.call("POST", f"{JOBS}/sales/run-immediate")["instanceId"]
    studio.workspace = "other"
    assert studio.code("GET", f"{JOBS}/sales/instances/{number}") == (400, "DLF.0137")


def test_a_schedule_is_started_and_stopped_without_effect() -> None:
    studio = Studio({"strict": True, "dataarts": {"jobs": [JOB]}})
    studio.call("POST", f"{JOBS}/sales/start", body={"jobParams": []})
    studio.call("POST", f"{JOBS}/sales/stop")
    assert studio.code("POST", f"{JOBS}/nobody/stop") == (400, "DLF.0100")


def test_jobs_are_listed_by_both_versions() -> None:
    studio = Studio({"dataarts": {"jobs": [JOB, {"name": "loose", "trigger": False}]}})
    answer = studio.call("GET", "/v2/{p}/factory/jobs")
    assert [(job["name"], job["status"]) for job in answer["jobs"]] == [
        ("sales", "SCHEDULING"),
        ("loose", "STOPPED"),
    ]
    for name in ("sales", "mart"):
        found = studio.call("GET", "/v2/{p}/factory/jobs", {"job_name": name})
        assert [job["name"] for job in found["jobs"]] == [name]
    assert studio.call("GET", "/v2/{p}/factory/jobs", {"job_type": "REAL_TIME"})["total"] == 0
    assert studio.call("GET", "/v2/{p}/factory/jobs", {"status": "STOPPED,PAUSED"})["total"] == 1
    second = studio.call("GET", JOBS, {"limit": 1, "offset": 1})
    assert (second["total"], [job["name"] for job in second["jobs"]]) == (2, ["loose"])


def test_instances_of_several_jobs_in_the_first_version() -> None:
    studio = Studio({"dataarts": {"jobs": [JOB, {"name": "sales_mart"}]}})
    window = {"minPlanTime": day_ms("2026-11-20"), "maxPlanTime": day_ms("2026-11-20")}
    for query, names in (
        ({}, {"sales", "sales_mart"}),
        ({"jobName": "sales"}, {"sales", "sales_mart"}),
        ({"jobName": "sales", "preciseQuery": "true"}, {"sales"}),
    ):
        found = studio.call("GET", f"{JOBS}/instances/detail", {**window, **query})["instances"]
        assert {one["jobName"] for one in found} == names
        assert {(one["planTime"], one["errorMessage"]) for one in found} == {
            (day_ms("2026-11-20"), "")
        }
    long = {"minPlanTime": day_ms("2026-11-01"), "maxPlanTime": day_ms("2026-11-09")}
    assert studio.code("GET", f"{JOBS}/instances/detail", long) == (400, "DLF.3051")


def test_the_catalog_names_the_tasks_of_a_table() -> None:
    jobs = [JOB, {"name": "mart", "tables": ["guid-1"]}, {"name": "other", "tables": ["guid-2"]}]
    studio = Studio({"dataarts": {"jobs": jobs}})
    nodes = studio.call("GET", "/v1/{p}/datamap/table/guid-1/node")
    assert [node["job_name"] for node in nodes] == ["ETL_sales", "mart"]
    assert nodes[0] == {"task_id": "937987", "job_name": "ETL_sales", "workspace_id": "default"}
    # The id of a task without one leads to its job as well.
    path = f"{NODES}/{nodes[1]['task_id']}/instances"
    query = {"job_name": "mart", "start_time": 0, "end_time": 1, "offset": 0, "limit": 10}
    assert studio.call("GET", path, query)["status_code"] == 200


def test_a_row_of_the_catalog() -> None:
    studio = a_studio()
    inner = infos(studio, "2026-11-20", "2026-11-21")
    assert (inner["success"], inner["msg"], inner["total"]) == (True, "success", 2)
    running, ended = inner["rows"]
    assert (running["status"], running["endTime"]) == ("running", 0)
    assert ended["endTime"] == day_ms("2026-11-20") + 60_000
    assert (ended["taskId"], ended["taskName"], ended["jobName"]) == (937987, "sales", "ETL_sales")
    assert (ended["failCount"], ended["forceSuccess"], ended["speed"]) == (-1, 0, 0.0)
    assert ended["executionLogPath"] == (
        f"obs://dlf-log-{PROJECT}/ws/sales/2026-11-20_00_00_00.000/ETL_sales/ETL_sales.job"
    )
    assert json.loads(ended["runningParam"]) == {"instanceType": 0}
    assert json.loads(ended["runningData"]) == {"jobInstanceName": f"sales_{day_ms('2026-11-20')}"}


def test_the_catalog_shows_runs_of_every_kind_each_under_an_id_that_stays() -> None:
    studio = a_studio()
    studio.create("one", "2026-11-20")
    studio.call("POST", f"{JOBS}/sales/run-immediate")
    before = {
        row["taskRunningLogId"]: row["planTime"]
        for row in infos(studio, "2026-11-20", "2026-11-21")["rows"]
    }
    assert len(before) == 4
    studio.advance(3600)
    rows = infos(studio, "2026-11-20", "2026-11-21")["rows"]
    assert {row["taskRunningLogId"]: row["planTime"] for row in rows} == before
    assert {row["status"] for row in rows} == {"success"}


def test_the_catalogs_offset_counts_records() -> None:
    studio = a_studio()
    days = [row["planTime"] for row in infos(studio, "2026-11-01", "2026-11-10")["rows"]]
    inner = infos(studio, "2026-11-01", "2026-11-10", offset=3, limit=2)
    assert [row["planTime"] for row in inner["rows"]] == days[3:5]
    assert inner["total"] == 10


def test_the_catalog_can_be_asked_for_one_workspace() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01")
    both = infos(studio, "2026-01-01", workspace_id="ws")["rows"]
    assert [row["status"] for row in both] == ["running", "success"]
    assert infos(studio, "2026-01-01", workspace_id="other")["total"] == 1


def test_an_operator_of_another_name_has_no_runs() -> None:
    assert infos(a_studio(), "2026-11-20", job_name="sales")["total"] == 0
    assert infos(Studio(), "2026-11-20")["total"] == 1
    assert infos(Studio({"strict": True}), "2026-11-20")["total"] == 0


def test_a_failure_is_relayed_inside_the_answer() -> None:
    studio = a_studio(relay={"status": 500, "msg": "boom"})
    query = {"job_name": "ETL_sales", "start_time": 1, "end_time": 2, "offset": 0, "limit": 1}
    outer = studio.call("GET", f"{NODES}/937987/instances", query)
    assert outer["status_code"] == 500
    inner = {"msg": "boom", "success": False, "total": 0, "rows": []}
    assert json.loads(outer["body"]) == inner


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("job_name", "", "APIG.0106"),
        ("start_time", "", "APIG.0106"),
        ("limit", "", "APIG.0106"),
        ("limit", 0, "DLF.3051"),
        ("end_time", "1705311669796.5", "DLF.3051"),
        ("end_time", day_ms("2026-11-20"), "DLF.3051"),
    ],
)
def test_what_the_catalog_refuses(field: str, value: object, code: str) -> None:
    good = {"job_name": "x", "start_time": 1, "end_time": "2.0", "offset": 0, "limit": 1}
    studio = a_studio()
    assert studio.call("GET", f"{NODES}/5/instances", good)["status_code"] == 200
    bad = {**good, field: value}
    assert studio.code("GET", f"{NODES}/5/instances", bad) == (400, code)
