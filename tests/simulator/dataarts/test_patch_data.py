from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.simulator.dataarts.studio import MIDNIGHT, PATCH_DATA, Studio, day_ms, patch_data
from tests.simulator.harness import FakeTime, milliseconds

JOB = {"name": "sales", "seconds": 60}


def a_studio(**job: object) -> Studio:
    return Studio({"dataarts": {"jobs": [{**JOB, **job}]}})


def stop(studio: Studio, name: str) -> None:
    studio.call("POST", f"{PATCH_DATA}/{name}/stop")


def test_days_run_one_after_the_other() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01", "2026-01-03")
    assert studio.statuses("2026-01-01", "2026-01-03") == ["running", "waiting", "waiting"]
    studio.advance(60)
    assert studio.statuses("2026-01-01", "2026-01-03") == ["success", "running", "waiting"]
    assert studio.status("one") == "RUNNING"
    studio.advance(120)
    assert studio.statuses("2026-01-01", "2026-01-03") == ["success"] * 3
    assert studio.status("one") == "SUCCESS"


def test_so_many_periods_run_at_once() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01", "2026-01-04", parallel=3)
    assert studio.statuses("2026-01-01", "2026-01-04") == ["running"] * 3 + ["waiting"]


def test_the_newest_day_may_come_first() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01", "2026-01-03", reverse_order=1)
    assert studio.statuses("2026-01-01", "2026-01-03") == ["waiting", "waiting", "running"]


def test_a_failed_day_does_not_hold_the_others_up() -> None:
    studio = a_studio(fail=["2026-01-01"])
    studio.create("one", "2026-01-01", "2026-01-02")
    studio.advance(60)
    assert studio.statuses("2026-01-01", "2026-01-02") == ["fail", "running"]
    assert studio.status("one") == "RUNNING"
    studio.advance(60)
    assert studio.statuses("2026-01-01", "2026-01-02") == ["fail", "success"]
    assert studio.status("one") == "FAIL"


def test_days_after_a_failure_never_start_when_that_is_asked_for() -> None:
    studio = a_studio(fail=["2026-01-01"])
    studio.create("one", "2026-01-01", "2026-01-05", is_stop_when_fail=True, parallel=2)
    studio.advance(30)
    assert studio.status("one") == "RUNNING"
    studio.advance(3600)
    states = ["fail", "success", "waiting", "waiting", "waiting"]
    assert studio.statuses("2026-01-01", "2026-01-05") == states
    assert studio.status("one") == "FAIL"


def test_jobs_that_depend_run_after_their_day() -> None:
    studio = a_studio()
    depend = [{"job_name": "mart", "workspace_id": "ws"}, {"job_name": "report"}]
    studio.create("one", "2026-01-01", "2026-01-02", depend_jobs=depend)
    studio.advance(60)
    days = ("2026-01-01", "2026-01-02")
    assert studio.statuses(*days) == ["success", "waiting"]
    assert studio.statuses(*days, job="mart") == ["running", "waiting"]
    assert studio.statuses(*days, job="report") == ["running", "waiting"]
    studio.advance(60)
    assert studio.statuses(*days, job="mart") == ["success", "waiting"]
    assert studio.statuses(*days) == ["success", "running"]
    studio.advance(120)
    assert studio.status("one") == "SUCCESS"
    assert studio.rows()[0]["job_list"] == ["sales", "mart", "report"]


def test_a_job_that_depends_on_a_failed_one_never_runs() -> None:
    studio = a_studio(fail=["2026-01-01"])
    studio.create("one", "2026-01-01", depend_jobs=[{"job_name": "mart"}])
    studio.advance(3600)
    assert studio.statuses("2026-01-01", job="mart") == ["waiting"]
    assert studio.status("one") == "FAIL"


def test_an_hourly_job_has_24_instances_on_a_day() -> None:
    studio = a_studio(schedule="hourly")
    studio.create("one", "2026-01-01", parallel=5)
    found = studio.instances("2026-01-01")
    assert [one["plan_time"] for one in found] == [
        day_ms("2026-01-01") + hour * 3_600_000 for hour in range(24)
    ]
    assert [one["status"] for one in found].count("running") == 5


def test_a_range_may_begin_and_end_within_days() -> None:
    studio = a_studio(schedule="hourly")
    body = patch_data(
        "one", "x", start_date="2026-01-01T22:30:00 +08", end_date="2026-01-02T01:00:00 +08"
    )
    studio.call("POST", PATCH_DATA, body=body)
    hours = [one["plan_time"] for one in studio.instances("2026-01-01", "2026-01-02")]
    assert hours == [day_ms("2026-01-02") + hour * 3_600_000 for hour in (-1, 0, 1)]


def test_counted_failures_count_over_all_runs_in_the_order_of_their_creation() -> None:
    studio = a_studio(fail=[{"date": "2026-01-01", "times": 2}])
    for name in ("first", "second", "third"):
        studio.create(name, "2026-01-01", force="true")
    studio.advance(60)
    assert [row["status"] for row in studio.rows()] == ["FAIL", "FAIL", "SUCCESS"]


def test_counted_failures_of_one_workspace_leave_another_alone() -> None:
    studio = a_studio(fail=[{"date": "2026-01-01", "times": 1}])
    studio.create("one", "2026-01-01")
    studio.workspace = "other"
    studio.create("one", "2026-01-01")
    studio.advance(60)
    assert studio.status("one") == "FAIL"


def test_the_world_that_holds_when_a_day_starts_decides() -> None:
    studio = a_studio(fail=["2026-01-01", "2026-01-02"])
    studio.create("one", "2026-01-01", "2026-01-02")
    studio.simulator.put_world({"dataarts": {"jobs": [JOB]}})
    studio.advance(120)
    assert studio.statuses("2026-01-01", "2026-01-02") == ["fail", "success"]


def test_stopping_ends_what_has_not_ended() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01", "2026-01-03")
    studio.advance(90)
    stop(studio, "one")
    studio.advance(3600)
    assert studio.statuses("2026-01-01", "2026-01-03") == ["success", "manual-stop", "manual-stop"]
    assert studio.status("one") == "CANCEL"
    assert studio.code("POST", f"{PATCH_DATA}/one/stop") == (400, "DLF.3051")


def test_an_unknown_name_cannot_be_stopped() -> None:
    assert a_studio().code("POST", f"{PATCH_DATA}/none/stop") == (400, "DLF.0113")


def test_a_name_can_be_used_once_in_a_workspace() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01")
    assert studio.refusal("one", "2026-01-05", force="true") == "DLF.0102"
    studio.advance(3600)
    assert studio.refusal("one", "2026-01-01") == "DLF.0102"
    assert len(studio.simulator.ledger()) == 1
    studio.workspace = "other"
    studio.create("one", "2026-01-01")
    studio.advance(31 * 86_400)
    assert studio.rows() == []
    studio.create("one", "2026-01-01")
    assert studio.status("one") == "RUNNING"


def test_a_patch_data_shows_some_time_after_it_was_accepted() -> None:
    jobs = {"dataarts": {"creationLag": 5, "jobs": [JOB]}, "listingLag": 2}
    studio = Studio(jobs)
    studio.create("one", "2026-01-01")
    assert len(studio.simulator.ledger()) == 1
    for seconds in (0, 4.9):
        studio.advance(seconds)
        assert studio.rows() == []
        assert studio.instances("2026-01-01") == []
        assert studio.code("POST", f"{PATCH_DATA}/one/stop") == (400, "DLF.0113")
        assert studio.refusal("one", "2026-01-01") == "DLF.0102"
    studio.advance(2)
    assert studio.rows() == []
    studio.advance(0.1)
    assert studio.status("one") == "RUNNING"
    assert studio.statuses("2026-01-01") == ["running"]


def test_a_second_one_of_a_job_has_to_be_forced_while_the_first_runs() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01")
    assert studio.refusal("two", "2026-01-02") == "DLF.30119"
    assert studio.refusal("two", "2026-01-02", force="false") == "DLF.30119"
    studio.create("other", "2026-01-02", job_name="mart")
    studio.create("three", "2026-01-02", force="true")
    studio.advance(60)
    studio.create("four", "2026-01-02")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", None, "DLF.3051"),
        ("name", "", "DLF.3051"),
        ("job_name", None, "DLF.3051"),
        ("job_name", "nobody", "DLF.0100"),
        ("job_name", "loose", "DLF.30111"),
        ("depend_jobs", [{"job_name": "nobody"}], "DLF.0100"),
        ("depend_jobs", ["mart"], "DLF.3051"),
        ("start_date", None, "DLF.3051"),
        ("start_date", "2026-01-01", "DLF.30121"),
        ("start_date", "2026-01-01T00:00:00", "DLF.30121"),
        ("start_date", "2026-01-01T00:00:00+08:00", "DLF.30121"),
        ("start_date", "2026-01-01T00:00:00 +08:00", "DLF.30121"),
        ("start_date", "2026-01-01 00:00:00 +08", "DLF.30121"),
        ("start_date", "2026-02-30T00:00:00 +08", "DLF.30121"),
        ("start_date", "2026-01-01T00:00:00 +99", "DLF.30121"),
        ("start_date", "2026-01-02T00:00:00 +08", "DLF.30121"),
        ("end_date", "2025-12-31T00:00:00 +08", "DLF.30121"),
        ("parallel", None, "DLF.3051"),
        ("parallel", 0, "DLF.3051"),
        ("parallel", 6, "DLF.3051"),
        ("parallel", "2", "DLF.3051"),
        ("parallel", True, "DLF.3051"),
        ("force", True, "DLF.3051"),
        ("force", "yes", "DLF.3051"),
        ("reverse_order", 2, "DLF.3051"),
        ("is_stop_when_fail", "true", "DLF.3051"),
        ("supplement_data_instance_time", {"days": ["2026-01-01"]}, "DLF.3051"),
        ("end_date", "2099-12-31T00:00:00 +08", "DLF.0101"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(field: str, value: object, code: str) -> None:
    jobs = [{**JOB, "schedule": "hourly" if code == "DLF.0101" else "daily"}]
    studio = Studio(
        {
            "strict": True,
            "dataarts": {"jobs": [*jobs, {"name": "loose", "trigger": False}, {"name": "mart"}]},
        }
    )
    good = patch_data("one", "2026-01-01")
    bad = {name: item for name, item in {**good, field: value}.items() if item is not None}
    assert studio.code("POST", PATCH_DATA, body=bad) == (400, code)
    assert studio.simulator.ledger() == []


def test_a_body_that_is_no_json_object_is_refused() -> None:
    assert a_studio().code("POST", PATCH_DATA, body=["one"]) == (400, "DLF.3051")


def test_the_ledger_has_the_call_as_it_was_made() -> None:
    studio = a_studio()
    studio.create("one", "2026-01-01", "2026-01-02", is_stop_when_fail=True)
    (entry,) = studio.simulator.ledger()
    assert (entry["operation"], entry["name"]) == ("CreateFactorySupplementDataInstance", "one")
    assert entry["parameters"] == {
        "name": "one",
        "job_name": "sales",
        "start_date": "2026-01-01T00:00:00 +08",
        "end_date": "2026-01-02T23:59:59 +08",
        "parallel": "1",
        "is_stop_when_fail": "true",
    }
    found = studio.instances("2026-01-01", "2026-01-02")
    assert entry["dag_ids"] == [one["instance_id"] for one in found]


def test_a_row_of_the_listing() -> None:
    studio = a_studio()
    hours = {"time_of_day": "10:15-23:30"}
    studio.create("one", "2026-01-01", "2026-01-02", parallel=2, supplement_data_run_time=hours)
    assert studio.rows() == [
        {
            "name": "one",
            "job_list": ["sales"],
            "status": "RUNNING",
            "parallel": 2,
            "type": 0,
            "user_name": "simulator",
            "start_date": day_ms("2026-01-01"),
            "end_date": day_ms("2026-01-03") - 1000,
            "submitted_date": milliseconds(MIDNIGHT),
            "supplement_data_run_time": hours,
            "supplement_data_instance_time": None,
        }
    ]


def test_listings_are_paged_from_zero_and_filtered() -> None:
    studio = a_studio()
    for number in range(12):
        studio.create(f"n{number:02d}", f"2026-01-{number + 1:02d}", force="true")
        studio.advance(10)
    answer = studio.call("GET", PATCH_DATA)
    assert (answer["success"], answer["msg"], answer["total"]) == (True, "success", 12)
    assert [row["name"] for row in answer["rows"]] == [f"n{n:02d}" for n in range(11, 1, -1)]
    second = studio.call("GET", PATCH_DATA, {"page": 1})
    assert [row["name"] for row in second["rows"]] == ["n01", "n00"]
    assert studio.call("GET", PATCH_DATA, {"page": 2})["rows"] == []
    assert [row["name"] for row in studio.rows(name="n0")] == []
    assert [row["name"] for row in studio.rows(name="n03")] == ["n03"]
    assert len(studio.rows(status="SUCCESS")) == 7
    assert len(studio.rows(status="RUNNING")) == 5
    assert studio.rows(status="CANCLE") == []
    window = {"start_date": day_ms("2026-01-03"), "end_date": day_ms("2026-01-05")}
    assert [row["name"] for row in studio.rows(**window)] == ["n02", "n03"]
    assert studio.rows(user_name="somebody") == []
    assert studio.code("GET", PATCH_DATA, {"status": "success"}) == (400, "DLF.3051")
    assert studio.code("GET", PATCH_DATA, {"page": -1}) == (400, "DLF.3051")


def test_runs_outlive_the_process_and_two_processes_see_the_same(tmp_path: Path) -> None:
    time = FakeTime(MIDNIGHT)
    world = {"dataarts": {"jobs": [JOB]}}
    first = Studio(world, db=tmp_path / "sim.db", time=time)
    second = Studio(db=tmp_path / "sim.db", time=time)
    first.create("one", "2026-01-01", "2026-01-02", depend_jobs=[{"job_name": "mart"}])
    assert second.refusal("one", "2026-01-01") == "DLF.0102"
    second.advance(60)
    assert second.rows() == first.rows()
    stop(second, "one")
    second.simulator.close()
    first.simulator.close()
    again = Studio(db=tmp_path / "sim.db", time=time)
    assert again.status("one") == "CANCEL"
    assert again.statuses("2026-01-01", "2026-01-02") == ["success", "manual-stop"]
    assert again.statuses("2026-01-01", job="mart") == ["manual-stop"]


@pytest.mark.parametrize("effect", ["execute_then_drop", "reset_mid_body"])
def test_answers_that_are_lost_after_execution(effect: str) -> None:
    studio = a_studio()
    operation = "CreateFactorySupplementDataInstance"
    studio.simulator.put_faults([{"operation": operation, "effect": effect, "nth": 1}])
    with pytest.raises(httpx.TransportError):
        studio.ask("POST", PATCH_DATA, body=patch_data("one", "2026-01-01"))
    assert studio.status("one") == "RUNNING"


def test_an_answer_that_is_garbage_after_execution() -> None:
    studio = a_studio()
    operation = "CreateFactorySupplementDataInstance"
    studio.simulator.put_faults([{"operation": operation, "effect": "garbage"}])
    response = studio.ask("POST", PATCH_DATA, body=patch_data("one", "2026-01-01"))
    assert response.text == "<html>this is not the answer</html>"
    assert studio.status("one") == "RUNNING"


def test_a_listing_that_is_cut_in_two() -> None:
    studio = a_studio()
    fault = {"operation": "ShowFactorySupplementData", "effect": "reset_mid_body"}
    studio.simulator.put_faults([fault])
    with pytest.raises(httpx.ReadError):
        studio.rows()


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"effect": "throttle"}, 429, "APIG.0308"),
        ({"effect": "http", "status": 401}, 401, "APIG.0301"),
        ({"effect": "http", "status": 403}, 403, "APIG.0304"),
        ({"effect": "http", "status": 404}, 404, "APIG.0101"),
        ({"effect": "http", "status": 504}, 504, "APIG.0201"),
        ({"effect": "http", "status": 400, "code": "DLF.0102"}, 400, "DLF.0102"),
    ],
    ids=str,
)
def test_faults_instead_of_execution(fault: dict[str, object], status: int, code: str) -> None:
    studio = a_studio()
    operation = "CreateFactorySupplementDataInstance"
    studio.simulator.put_faults([{"operation": operation, **fault}])
    body = patch_data("one", "2026-01-01")
    assert studio.code("POST", PATCH_DATA, body=body) == (status, code)
    assert studio.simulator.ledger() == []
