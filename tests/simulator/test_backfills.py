from __future__ import annotations

import pytest

from tests.simulator.harness import Cloud, backfill_parameters, local_midnight

HOUR = 3_600_000


def test_each_date_has_a_dag_under_one_op_seq_and_name() -> None:
    cloud = Cloud()
    dag_ids = cloud.backfill("2020-05-20", "2020-05-22")
    rows = [cloud.dag(dag_id) for dag_id in dag_ids]
    assert len({row["OpSeq"] for row in rows}) == 1
    assert {row["Name"] for row in rows} == {"a backfill"}
    assert {row["Type"] for row in rows} == {"SUPPLY_DATA"}
    assert [row["Bizdate"] for row in rows] == [
        local_midnight("2020-05-20"),
        local_midnight("2020-05-21"),
        local_midnight("2020-05-22"),
    ]
    assert rows[0]["Gmtdate"] == local_midnight("2020-05-21")


def test_a_single_layout_has_one_dag_and_rows_with_their_own_dates() -> None:
    cloud = Cloud({"layout": "single"})
    dag_ids = cloud.backfill("2020-05-20", "2020-05-22")
    assert len(dag_ids) == 1
    assert cloud.dag(dag_ids[0])["Bizdate"] == local_midnight("2020-05-20")
    rows = cloud.instances(DagId=dag_ids[0])
    assert [row["Bizdate"] for row in rows] == [
        local_midnight(f"2020-05-{day}") for day in (20, 21, 22)
    ]
    assert cloud.statuses(dag_ids[0]) == ["RUNNING"]
    cloud.advance(180)
    assert cloud.statuses(dag_ids[0]) == ["SUCCESS"]


def test_serial_dates_stay_created_until_the_one_before_has_succeeded() -> None:
    cloud = Cloud()
    first, *_ = cloud.backfill("2020-05-20", "2020-05-22")
    assert cloud.statuses(first) == ["RUNNING", "CREATED", "CREATED"]
    cloud.advance(60)
    assert cloud.statuses(first) == ["SUCCESS", "RUNNING", "CREATED"]
    cloud.advance(120)
    assert cloud.statuses(first) == ["SUCCESS", "SUCCESS", "SUCCESS"]


def test_parallel_dates_run_as_many_at_once_as_asked_for() -> None:
    cloud = Cloud()
    three, *_ = cloud.backfill("2020-05-20", "2020-05-23", Parallelism="True", ConcurrentRuns=3)
    two, *_ = cloud.backfill("2020-05-20", "2020-05-23", Parallelism="true")
    assert cloud.statuses(three) == ["RUNNING", "RUNNING", "RUNNING", "CREATED"]
    assert cloud.statuses(two) == ["RUNNING", "RUNNING", "CREATED", "CREATED"]


def test_a_dag_shows_its_times_once_they_have_come() -> None:
    cloud = Cloud()
    first, second = cloud.backfill("2020-05-20", "2020-05-21")
    assert "FinishTime" not in cloud.dag(first)
    assert "StartTime" not in cloud.dag(second)
    cloud.advance(60)
    assert cloud.dag(first)["FinishTime"] == cloud.dag(first)["StartTime"] + 60_000


def test_rows_are_what_the_reference_describes() -> None:
    cloud = Cloud({"nodes": [{"id": 1, "name": "orders_root"}]})
    (dag_id,) = cloud.backfill("2020-05-20", NodeParams='{"1": "k=v k2=v2"}')
    cloud.advance(60)
    (row,) = cloud.instances(NodeId=1)
    created = row["CreateTime"]
    assert row == {
        "InstanceId": 300_000_000_000,
        "NodeId": 1,
        "DagId": dag_id,
        "BusinessId": 0,
        "RelatedFlowId": 0,
        "BaselineId": 0,
        "Priority": 1,
        "RepeatInterval": 24 * HOUR,
        "TaskRerunTime": 0,
        "DqcType": 0,
        "DqcDescription": "",
        "NodeName": "orders_root",
        "Status": "SUCCESS",
        "TaskType": "NORMAL(0)",
        "DagType": "SUPPLY_DATA",
        "ParamValues": "k=v k2=v2",
        "Connection": "",
        "CreateUser": "simulator",
        "ErrorMessage": "",
        "Repeatability": True,
        "Bizdate": local_midnight("2020-05-20"),
        "CycTime": local_midnight("2020-05-21"),
        "CreateTime": created,
        "ModifyTime": created + 60_000,
        "BeginWaitTimeTime": created,
        "BeginWaitResTime": created,
        "BeginRunningTime": created,
        "FinishTime": created + 60_000,
    }


def test_excluded_nodes_are_skipped_and_order_still_holds() -> None:
    cloud = Cloud({"nodes": [{"id": 1}, {"id": 2, "parents": [1]}, {"id": 3, "parents": [2]}]})
    cloud.backfill("2020-05-20", IncludeNodeIds="1,2,3", ExcludeNodeIds="2")
    cloud.advance(60)
    assert [(row["NodeId"], row["Status"], row["TaskType"]) for row in cloud.instances()] == [
        (1, "SUCCESS", "NORMAL(0)"),
        (2, "SUCCESS", "SKIP(3)"),
        (3, "RUNNING", "NORMAL(0)"),
    ]


def test_a_node_excluded_without_being_included_has_a_skipped_instance() -> None:
    cloud = Cloud()
    cloud.backfill("2020-05-20", ExcludeNodeIds="9")
    assert [(row["NodeId"], row["TaskType"]) for row in cloud.instances()] == [
        (1, "NORMAL(0)"),
        (9, "SKIP(3)"),
    ]


def test_a_date_the_world_skips_is_hollow() -> None:
    cloud = Cloud({"nodes": [{"id": 1, "skip": ["2020-05-20"]}]})
    first, _ = cloud.backfill("2020-05-20", "2020-05-21")
    assert cloud.statuses(first) == ["SUCCESS", "RUNNING"]
    assert [row["TaskType"] for row in cloud.instances()] == ["SKIP(3)", "NORMAL(0)"]
    assert "BeginRunningTime" not in cloud.instances()[0]


@pytest.mark.parametrize(
    ("window", "hours"),
    [
        ({}, list(range(24))),
        ({"BizBeginTime": "00:00:00", "BizEndTime": "01:00:00"}, [0, 1]),
        ({"BizBeginTime": "00:30:00", "BizEndTime": "02:59:59"}, [1, 2]),
        ({"BizBeginTime": "22:00:00"}, [22, 23]),
        ({"BizEndTime": "00:00:00"}, [0]),
    ],
)
def test_hourly_nodes_run_at_the_hours_of_the_window(
    window: dict[str, str], hours: list[int]
) -> None:
    cloud = Cloud({"nodes": [{"id": 1, "schedule": "hourly"}]})
    cloud.backfill("2020-05-20", **window)
    midnight = local_midnight("2020-05-21")
    assert [row["CycTime"] for row in cloud.instances()] == [midnight + h * HOUR for h in hours]


def test_a_window_without_a_full_hour_is_refused() -> None:
    cloud = Cloud({"nodes": [{"id": 1, "schedule": "hourly"}]})
    window = {"BizBeginTime": "00:10:00", "BizEndTime": "00:20:00"}
    parameters = {**backfill_parameters("2020-05-20"), **window}
    assert cloud.refusal("RunCycleDagNodes", **parameters) == (400, "InvalidParameter")


@pytest.mark.parametrize(
    "name",
    [
        "ProjectEnv",
        "Name",
        "RootNodeId",
        "IncludeNodeIds",
        "StartBizDate",
        "EndBizDate",
        "Parallelism",
    ],
)
def test_a_missing_parameter_is_named(name: str) -> None:
    parameters = {k: v for k, v in backfill_parameters("2020-05-20").items() if k != name}
    assert Cloud().refusal("RunCycleDagNodes", **parameters) == (400, f"Missing{name}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"ProjectEnv": "TEST"},
        {"Name": "x" * 129},
        {"RootNodeId": "one"},
        {"RootNodeId": "-1"},
        {"RootNodeId": str(2**63)},
        {"IncludeNodeIds": "1;2"},
        {"IncludeNodeIds": "2"},
        {"ExcludeNodeIds": "x"},
        {"StartBizDate": "2020-05-20"},
        {"StartBizDate": "2020-05-20 00:00"},
        {"StartBizDate": "2020-05-20 01:00:00"},
        {"StartBizDate": "2020-02-30 00:00:00"},
        {"StartBizDate": "0001-01-01 00:00:00"},
        {"EndBizDate": "2020-05-19 00:00:00"},
        {"Parallelism": "yes"},
        {"ConcurrentRuns": "1"},
        {"ConcurrentRuns": "11"},
        {"BizBeginTime": "1:00"},
        {"BizBeginTime": "24:00:00"},
        {"BizBeginTime": "02:00:00", "BizEndTime": "01:00:00"},
        {"NodeParams": "{1: 'k=v'}"},
        {"NodeParams": '["k=v"]'},
        {"NodeParams": '{"1": 7}'},
        {"NodeParams": '{"one": "k=v"}'},
        {"NodeParams": '{"1": "\\ud800"}'},
        {"NodeParams": "[" * 100_000},
        {"AlertType": "ALWAYS"},
        {"AlertNoticeType": "PIGEON"},
        {"StartFutureInstanceImmediately": "maybe"},
        {"StartBizDate": "1900-01-01 00:00:00", "IncludeNodeIds": "1,2,3,4,5"},
    ],
    ids=lambda wrong: str(wrong)[:60],
)
def test_a_wrong_parameter_is_refused_and_nothing_is_created(wrong: dict[str, str]) -> None:
    cloud = Cloud()
    parameters = {**backfill_parameters("2020-05-20"), **wrong}
    assert cloud.refusal("RunCycleDagNodes", **parameters) == (400, "InvalidParameter")
    assert cloud.simulator.ledger() == []


def test_several_included_nodes_need_not_hold_the_root() -> None:
    cloud = Cloud()
    cloud.backfill("2020-05-20", RootNodeId=9, IncludeNodeIds="1,2")
    assert [row["NodeId"] for row in cloud.instances()] == [1, 2]


def test_a_strict_world_refuses_unknown_nodes_inside_an_answer() -> None:
    cloud = Cloud({"strict": True, "nodes": [{"id": 1}]})
    answer = cloud.call(
        "RunCycleDagNodes", **backfill_parameters("2020-05-20") | {"IncludeNodeIds": "1,7"}
    )
    assert (answer["Success"], answer["ErrorCode"]) == (False, "Invalid.Node.NotExists")
    assert "7" in answer["ErrorMessage"]
    assert "Data" not in answer
    assert cloud.simulator.ledger() == []


def test_the_ledger_has_what_was_executed() -> None:
    cloud = Cloud()
    answer = cloud.call("RunCycleDagNodes", **backfill_parameters("2020-05-20", "2020-05-21"))
    assert cloud.simulator.ledger() == [
        {
            "seq": 1,
            "time": "2026-11-21T02:25:40.000Z",
            "operation": "RunCycleDagNodes",
            "name": "a backfill",
            "parameters": {
                name: str(value)
                for name, value in backfill_parameters("2020-05-20", "2020-05-21").items()
            },
            "dag_ids": answer["Data"],
            "request_id": answer["RequestId"],
        }
    ]


def test_environments_do_not_see_one_another() -> None:
    cloud = Cloud()
    (dag_id,) = cloud.backfill("2020-05-20", ProjectEnv="DEV")
    assert cloud.call("GetDag", ProjectEnv="PROD", DagId=dag_id)["Success"] is False
    assert cloud.call("GetDag", ProjectEnv="DEV", DagId=dag_id)["Success"] is True
    assert cloud.instances() == []
    assert len(cloud.instances(ProjectEnv="DEV")) == 1


def test_an_unknown_dag_is_refused_inside_the_answer() -> None:
    answer = Cloud().call("GetDag", ProjectEnv="PROD", DagId=1)
    assert (answer["Success"], answer["ErrorCode"]) == (False, "Invalid.Dag.NotExists")


def test_an_unknown_op_seq_has_no_dags_and_is_refused_in_a_strict_world() -> None:
    open_answer = Cloud().call("ListDags", ProjectEnv="PROD", OpSeq=1)
    assert open_answer["Data"] == {"Dags": []}
    strict = Cloud({"strict": True}).call("ListDags", ProjectEnv="PROD", OpSeq=1)
    assert strict["ErrorCode"] == "Invalid.OpSeq.NotExists"


def test_ids_past_the_last_run_are_unknown() -> None:
    cloud = Cloud()
    (dag_id,) = cloud.backfill("2020-05-20")
    assert cloud.call("GetDag", ProjectEnv="PROD", DagId=dag_id + 1)["Success"] is False
    assert cloud.instances(DagId=dag_id + 1) == []


def test_stopping_fails_the_instance_and_holds_later_dates() -> None:
    cloud = Cloud()
    first, _ = cloud.backfill("2020-05-20", "2020-05-21")
    (running, _) = cloud.instances()
    answer = cloud.call("StopInstance", ProjectEnv="PROD", InstanceId=running["InstanceId"])
    assert answer["Data"] is True
    cloud.advance(600)
    assert cloud.statuses(first) == ["FAILURE", "CREATED"]


def test_a_console_restart_repairs_a_serial_backfill() -> None:
    cloud = Cloud({"nodes": [{"id": 1, "fail": [{"date": "2020-05-20", "times": 1}]}]})
    first, _ = cloud.backfill("2020-05-20", "2020-05-21")
    cloud.advance(60)
    assert cloud.statuses(first) == ["FAILURE", "CREATED"]
    failed = cloud.instances()[0]["InstanceId"]
    cloud.call("RestartInstance", ProjectEnv="PROD", InstanceId=failed)
    assert cloud.statuses(first) == ["RUNNING", "CREATED"]
    cloud.advance(120)
    assert cloud.statuses(first) == ["SUCCESS", "SUCCESS"]
    assert cloud.instances()[0]["TaskRerunTime"] == 1
    log = cloud.call("GetInstanceLog", ProjectEnv="PROD", InstanceId=failed)["Data"]
    assert "execution 1 ends: FAILURE" in log
    assert "execution 2 ends: SUCCESS" in log


def test_setting_success_repairs_without_running() -> None:
    cloud = Cloud({"nodes": [{"id": 1, "fail": ["2020-05-20"]}]})
    first, _ = cloud.backfill("2020-05-20", "2020-05-21")
    cloud.advance(60)
    failed = cloud.instances()[0]["InstanceId"]
    cloud.call("SetSuccessInstance", ProjectEnv="PROD", InstanceId=failed)
    assert cloud.statuses(first) == ["SUCCESS", "RUNNING"]


@pytest.mark.parametrize(
    ("verb", "after"),
    [
        ("StopInstance", 60),
        ("SetSuccessInstance", 0),
        ("SetSuccessInstance", 60),
        ("RestartInstance", 0),
    ],
)
def test_what_a_state_does_not_allow_is_refused(verb: str, after: int) -> None:
    cloud = Cloud()
    cloud.backfill("2020-05-20")
    (row,) = cloud.instances()
    cloud.advance(after)
    parameters = {"ProjectEnv": "PROD", "InstanceId": row["InstanceId"]}
    assert cloud.refusal(verb, **parameters) == (400, "InvalidParameter")


def test_counted_failures_count_over_runs() -> None:
    cloud = Cloud({"nodes": [{"id": 1, "fail": [{"date": "2020-05-20", "times": 2}]}]})
    outcomes = []
    for _ in range(3):
        (dag_id,) = cloud.backfill("2020-05-20")
        cloud.advance(60)
        outcomes.append(cloud.dag(dag_id)["Status"])
    assert outcomes == ["FAILURE", "FAILURE", "SUCCESS"]


def test_an_instance_can_be_read_alone() -> None:
    cloud = Cloud({"nodes": [{"id": 1, "schedule": "hourly"}]})
    cloud.backfill("2020-05-20", BizBeginTime="05:00:00", BizEndTime="05:00:00")
    (row,) = cloud.instances()
    answer = cloud.call("GetInstance", ProjectEnv="PROD", InstanceId=row["InstanceId"])
    assert answer["Data"] == {**row, "Owner": "simulator", "PeriodNumber": 6}


def test_an_unknown_instance_is_refused_inside_the_answer() -> None:
    answer = Cloud().call("GetInstance", ProjectEnv="PROD", InstanceId=5)
    assert (answer["Success"], answer["ErrorCode"]) == (False, "Invalid.Instance.NotExists")


def test_a_change_of_the_world_leaves_what_runs_as_it_is_and_holds_at_once_for_the_rest() -> None:
    cloud = Cloud()
    (before,) = cloud.backfill("2020-05-20")
    cloud.simulator.put_world({"nodes": [{"id": 1, "fail": ["2020-05-20"]}]})
    (after,) = cloud.backfill("2020-05-20")
    cloud.advance(60)
    assert cloud.dag(before)["Status"] == "SUCCESS"
    assert cloud.dag(after)["Status"] == "FAILURE"
    cloud.simulator.put_world({})
    (failed,) = cloud.instances(Status="FAILURE")
    cloud.call("RestartInstance", ProjectEnv="PROD", InstanceId=failed["InstanceId"])
    cloud.advance(60)
    assert cloud.dag(after)["Status"] == "SUCCESS"
