"""The vendor's own clients, unmodified, against a served simulator: the referees of its wire format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from reconciler.simulator import AccessKey
from tests.simulator.dataarts.official_sdks import (
    PROJECT,
    SdkConnectionException,
    ServiceResponseException,
    dgc,
    dgc_client,
    studio,
    studio_client,
)
from tests.simulator.dataarts.studio import day_ms
from tests.simulator.serving import Served, serving

WORLD = """
strict: true
dataarts:
  creationLag: 5
  jobs:
    - {name: etl-dli2dws, task: "937987", operator: ETL_Job_dli2dws, tables: [guid-1]}
    - {name: hourly, schedule: hourly}
    - {name: down}
    - {name: loose, trigger: false}
    - {name: broken, task: "5", relay: {status: 500, msg: boom}}
"""


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK applies proxies to loopback too."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    world = tmp_path_factory.mktemp("world") / "world.yaml"
    world.write_text(WORLD)
    with serving(world=world) as one:
        yield one


def create(served: Served, name: str, **more: Any) -> Any:
    fields = {
        "name": name,
        "job_name": "etl-dli2dws",
        "start_date": "2026-01-01T00:00:00 +08",
        "end_date": "2026-01-02T23:59:59 +08",
        "parallel": 1,
        "force": "true",
        **more,
    }
    body = studio.CreateFactorySupplementDataInstanceRequestBody(**fields)
    request = studio.CreateFactorySupplementDataInstanceRequest(workspace="ws", body=body)
    return studio_client(served).create_factory_supplement_data_instance(request)


def rows(served: Served, **query: Any) -> list[Any]:
    request = studio.ShowFactorySupplementDataRequest(workspace="ws", **query)
    answer = studio_client(served).show_factory_supplement_data(request)
    assert answer.success is True
    found: list[Any] = answer.rows
    return found


def instances(served: Served, **query: Any) -> Any:
    asked = {
        "workspace": "ws",
        "job_name": "etl-dli2dws",
        "min_plan_time": day_ms("2026-01-01"),
        "max_plan_time": day_ms("2026-01-02"),
        **query,
    }
    request = studio.ListFactoryJobInstancesByNameRequest(**asked)
    return studio_client(served).list_factory_job_instances_by_name(request)


def infos(served: Served, **query: Any) -> Any:
    asked = {
        "instance": "0833a5737480d53b2f25c010dc1a7b88",
        "task_id": "937987",
        "job_name": "ETL_Job_dli2dws",
        "start_time": day_ms("2026-01-01"),
        "end_time": day_ms("2026-01-03") - 1,
        "offset": 0,
        "limit": 100,
        **query,
    }
    return studio_client(served).show_instance_infos(studio.ShowInstanceInfosRequest(**asked))


def test_a_backfill_from_creation_to_success(served: Served) -> None:
    depend = studio.CreateFactorySupplementDataInstanceRequestBodyDependJobs(
        job_name="down", workspace_id="ws"
    )
    hours = studio.CreateFactorySupplementDataInstanceRequestBodySupplementDataRunTime(
        time_of_day="00:00-00:00"
    )
    created = create(
        served,
        "first",
        depend_jobs=[depend],
        is_stop_when_fail=True,
        is_day_granularity=True,
        reverse_order=0,
        priority=0,
        supplement_data_run_time=hours,
    )
    assert created.x_request_id
    assert rows(served, name="first") == []
    served.advance(5)
    (row,) = rows(served, name="first")
    assert (row.status, row.job_list, row.parallel) == ("RUNNING", ["etl-dli2dws", "down"], 1)
    assert (row.start_date, row.type) == (day_ms("2026-01-01"), 0)
    assert row.supplement_data_run_time.time_of_day == "00:00-00:00"
    submitted = row.submitted_date
    found = instances(served, instance_type="5")
    assert [(one.status, one.plan_time) for one in found.instances] == [
        ("waiting", day_ms("2026-01-02")),
        ("running", day_ms("2026-01-01")),
    ]
    assert found.instances[0].job_instance_name == f"P_etl-dli2dws_{submitted}"
    served.advance(240)
    (row,) = rows(served, name="first")
    assert row.status == "SUCCESS"
    done = instances(served, instance_type="5").instances
    assert {(one.status, one.execute_time, one.force_success) for one in done} == {
        ("success", 60_000, False)
    }
    assert instances(served, instance_type="5", job_name="down").total == 2


def test_a_name_is_used_up_at_once(served: Served) -> None:
    create(served, "unique")
    with pytest.raises(ServiceResponseException) as caught:
        create(served, "unique")
    assert (caught.value.status_code, caught.value.error_code) == (400, "DLF.0102")
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("job_name", "nobody", "DLF.0100"),
        ("job_name", "loose", "DLF.30111"),
        ("start_date", "2026-01-01", "DLF.30121"),
        ("parallel", 6, "DLF.3051"),
    ],
)
def test_the_services_codes_reach_the_caller(
    served: Served, field: str, value: object, code: str
) -> None:
    with pytest.raises(ServiceResponseException) as caught:
        create(served, f"bad-{code}", **{field: value})
    assert (caught.value.status_code, caught.value.error_code) == (400, code)


def test_a_backfill_is_stopped(served: Served) -> None:
    create(served, "stopped")
    served.advance(5)
    request = studio.StopFactorySupplementDataInstanceRequest(
        workspace="ws", instance_name="stopped"
    )
    assert studio_client(served).stop_factory_supplement_data_instance(request).x_request_id
    (row,) = rows(served, name="stopped")
    assert row.status == "CANCEL"
    request.instance_name = "nobody"
    with pytest.raises(ServiceResponseException, match=r"DLF\.0113"):
        studio_client(served).stop_factory_supplement_data_instance(request)


def test_runs_of_a_table_by_way_of_the_catalog(served: Served) -> None:
    request = studio.ShowNodesRequest(instance="i", guid="guid-1")
    (node,) = [
        one
        for one in studio_client(served).show_nodes(request).body
        if one.job_name == "ETL_Job_dli2dws"
    ]
    assert node.task_id == "937987"
    answer = infos(served, task_id=node.task_id, job_name=node.job_name, workspace_id="new")
    assert answer.status_code == 200
    inner = json.loads(answer.body)
    assert (inner["success"], inner["total"]) == (True, 2)
    assert [row["planTime"] for row in inner["rows"]] == [
        day_ms("2026-01-02"),
        day_ms("2026-01-01"),
    ]
    assert {row["taskName"] for row in inner["rows"]} == {"etl-dli2dws"}


def test_times_that_went_out_as_floats_are_understood(served: Served) -> None:
    answer = infos(served, start_time=float(day_ms("2026-01-01")), workspace_id="new")
    assert json.loads(answer.body)["total"] == 2


def test_a_relayed_failure_shows_only_in_the_raw_answer(served: Served) -> None:
    answer = infos(served, task_id="5", job_name="broken")
    assert answer.status_code == 200
    assert json.loads(answer.raw_content)["status_code"] == 500
    assert json.loads(answer.body) == {"msg": "boom", "success": False, "total": 0, "rows": []}


def test_jobs_are_listed(served: Served) -> None:
    request = studio.ListFactoryJobsRequest(workspace="ws", job_name="hourly")
    (job,) = studio_client(served).list_factory_jobs(request).jobs
    assert (job.name, job.job_type, job.status) == ("hourly", "BATCH", "SCHEDULING")
    listed = dgc_client(served).list_jobs(dgc.ListJobsRequest(workspace="ws"))
    assert listed.total == 5


def test_a_manual_run_with_the_dgc_client(served: Served) -> None:
    client = dgc_client(served)
    body = dgc.StartJobReq(
        job_params=[dgc.JobParam(name="bizdate", value="2026-01-01", type="constants")]
    )
    started = client.run_once(
        dgc.RunOnceRequest(workspace="ws", job_name="down", body=body)
    ).instance_id
    where = {"workspace": "ws", "job_name": "down", "instance_id": started}
    assert client.show_job_instance(dgc.ShowJobInstanceRequest(**where)).status == "running"
    client.stop_job_instance(dgc.StopJobInstanceRequest(**where))
    assert client.show_job_instance(dgc.ShowJobInstanceRequest(**where)).status == "manual-stop"
    client.restore_job_instance(dgc.RestoreJobInstanceRequest(**where))
    served.advance(60)
    shown = client.show_job_instance(dgc.ShowJobInstanceRequest(**where))
    assert (shown.status, shown.execute_time, shown.instance_type) == ("success", 60_000, 2)
    assert [(node.status, node.retry_times) for node in shown.nodes] == [("success", 1)]
    listed = client.list_job_instances(
        dgc.ListJobInstancesRequest(
            workspace="ws", job_name="down", precise_query=True, instance_type=2
        )
    )
    assert [(one.instance_id, one.status) for one in listed.instances] == [(started, "success")]


def test_schedules_are_started_and_stopped(served: Served) -> None:
    client = dgc_client(served)
    body = dgc.StartJobReq(job_params=[])
    client.start_job(dgc.StartJobRequest(workspace="ws", job_name="down", body=body))
    client.stop_job(dgc.StopJobRequest(workspace="ws", job_name="down"))


def test_a_failed_instance_is_repeated(served: Served) -> None:
    create(served, "repeated", job_name="hourly", end_date="2026-01-01T00:00:00 +08")
    served.advance(60)
    (one,) = instances(served, job_name="hourly", instance_type="5").instances
    retry = studio.RetryFactoryJobInstanceBody(
        retry_location="firstNode",
        task_retrys=[
            studio.RetryFactoryJobInstanceBodyTaskRetrys(
                job_id=one.job_id, plan_time=one.plan_time, submit_time=one.submit_time
            )
        ],
    )
    request = studio.RetryFactoryJobInstanceRequest(workspace="ws", job_name="hourly", body=retry)
    studio_client(served).retry_factory_job_instance(request)
    (again,) = instances(served, job_name="hourly", instance_type="5").instances
    assert (one.status, again.status) == ("success", "running")


def ask_studio(served: Served, key: AccessKey) -> None:
    studio_client(served, key=key).list_factory_jobs(studio.ListFactoryJobsRequest())


def ask_dgc(served: Served, key: AccessKey) -> None:
    dgc_client(served, key=key).list_jobs(dgc.ListJobsRequest())


@pytest.mark.parametrize("ask", [ask_studio, ask_dgc])
@pytest.mark.parametrize("wrong", ["id", "secret"])
def test_a_wrong_key_is_refused(
    served: Served, ask: Callable[[Served, AccessKey], None], wrong: str
) -> None:
    parts = {"id": served.key.id, "secret": served.key.secret, wrong: "wrong"}
    with pytest.raises(ServiceResponseException) as caught:
        ask(served, AccessKey(**parts))
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIG.0301")


def test_a_temporary_key_is_accepted(served: Served) -> None:
    client = studio_client(served)
    client._credentials.with_security_token("any token")
    assert client.list_factory_jobs(studio.ListFactoryJobsRequest()).total == 5


def test_the_project_is_asked_of_iam(served: Served) -> None:
    client = studio_client(served, region="cn-north-4")
    assert client.list_factory_jobs(studio.ListFactoryJobsRequest()).total == 5
    assert client._credentials.project_id not in {None, PROJECT}


def test_a_token_opens_what_the_sdk_signs_for(served: Served) -> None:
    user = {"name": "me", "password": served.key.secret, "domain": {"name": "mine"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    auth = {"identity": identity, "scope": {"project": {"id": PROJECT}}}
    path = f"{served.url}/v1/{PROJECT}/jobs"
    with httpx.Client(trust_env=False) as client:
        assert client.get(path).status_code == 401
        issued = client.post(f"{served.url}/v3/auth/tokens", json={"auth": auth})
        assert issued.status_code == 201
        headers = {"X-Auth-Token": issued.headers["X-Subject-Token"]}
        assert client.get(path, headers=headers).json()["total"] == 5


def test_throttling(served: Served) -> None:
    operations = ("RunOnce", "ListJobs")
    served.control(
        "PUT", "faults", [{"operation": name, "effect": "throttle"} for name in operations]
    )
    client = dgc_client(served)
    try:
        with pytest.raises(ServiceResponseException) as caught:
            client.run_once(dgc.RunOnceRequest(workspace="ws", job_name="down"))
        assert (caught.value.status_code, caught.value.error_code) == (429, "APIG.0308")
        # Of a GET the SDK hides the code.
        with pytest.raises(ServiceResponseException) as caught:
            client.list_jobs(dgc.ListJobsRequest())
        assert (caught.value.status_code, caught.value.error_code) == (429, "429")
    finally:
        served.control("PUT", "faults", [])


@pytest.mark.parametrize("effect", ["execute_then_drop", "reset_mid_body"])
def test_an_answer_without_a_body_is_lost_as_well(served: Served, effect: str) -> None:
    operation = "CreateFactorySupplementDataInstance"
    served.control("PUT", "faults", [{"operation": operation, "effect": effect}])
    try:
        with pytest.raises(SdkConnectionException):
            create(served, effect)
    finally:
        served.control("PUT", "faults", [])
    assert served.control("GET", "ledger")[-1]["name"] == effect


def test_the_ledger_has_what_the_sdk_sent(served: Served) -> None:
    create(served, "in the ledger 补数")
    entry = served.control("GET", "ledger")[-1]
    assert (entry["operation"], entry["name"]) == (
        "CreateFactorySupplementDataInstance",
        "in the ledger 补数",
    )
    assert len(entry["dag_ids"]) == 2
