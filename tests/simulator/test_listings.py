from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.harness import Cloud, local_midnight

DAY = 86_400


def page(cloud: Cloud, **filters: object) -> dict[str, Any]:
    parameters = {"ProjectEnv": "PROD", "ProjectId": 112345, **filters}
    data: dict[str, Any] = cloud.call("ListInstances", **parameters)["Data"]
    return data


def test_pages_cut_the_rows_and_count_them_all() -> None:
    cloud = Cloud()
    cloud.backfill("2020-05-01", "2020-05-25")
    default = page(cloud)
    assert (default["PageNumber"], default["PageSize"], default["TotalCount"]) == (1, 10, 25)
    assert len(default["Instances"]) == 10
    assert len(page(cloud, PageNumber=3)["Instances"]) == 5
    assert page(cloud, PageNumber=4)["Instances"] == []


def test_rows_come_newest_first() -> None:
    cloud = Cloud()
    cloud.backfill("2020-05-01", "2020-05-03")
    for order in ("INSTANCE_ID_DESC", "CREATE_TIME_DESC"):
        ids = [row["InstanceId"] for row in page(cloud, OrderBy=order)["Instances"]]
        assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"PageNumber": 0},
        {"PageNumber": 101},
        {"PageSize": 0},
        {"PageSize": 101},
        {"OrderBy": "NAME"},
        {"Status": "DONE"},
        {"Bizdate": "2020-05-01"},
        {"NodeId": "x"},
        {"DagId": "x"},
    ],
    ids=str,
)
def test_wrong_filters_are_refused(wrong: dict[str, object]) -> None:
    parameters = {"ProjectEnv": "PROD", "ProjectId": 1, **wrong}
    assert Cloud().refusal("ListInstances", **parameters) == (400, "InvalidParameter")


def test_the_project_id_is_required() -> None:
    assert Cloud().refusal("ListInstances", ProjectEnv="PROD") == (400, "MissingProjectId")


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"NodeId": 2}, 3),
        ({"NodeId": 3}, 0),
        ({"NodeName": "node_1"}, 3),
        ({"NodeName": "node"}, 0),
        ({"Bizdate": "2020-05-02 00:00:00"}, 2),
        ({"BeginBizdate": "2020-05-02 00:00:00"}, 4),
        ({"EndBizdate": "2020-05-01 00:00:00"}, 2),
        ({"BeginBizdate": "2020-05-04 00:00:00"}, 0),
        ({"Status": "RUNNING"}, 2),
        ({"Status": "NOT_RUN"}, 4),
        ({"Owner": "simulator"}, 6),
        ({"Owner": "somebody"}, 0),
        ({"ProgramType": "ODPS_SQL"}, 6),
        ({"ProgramType": "SHELL"}, 0),
        ({"BizName": "a backfill"}, 0),
        ({"DagId": 20_000_000_001}, 2),
        ({"DagId": 1}, 0),
    ],
    ids=str,
)
def test_filters(filters: dict[str, object], count: int) -> None:
    cloud = Cloud()
    cloud.backfill("2020-05-01", "2020-05-03", IncludeNodeIds="1,2")
    assert page(cloud, **filters)["TotalCount"] == count


def test_the_business_dates_of_a_range_are_inclusive_on_both_sides() -> None:
    cloud = Cloud()
    cloud.backfill("2020-05-01", "2020-05-05")
    window = {"BeginBizdate": "2020-05-02 00:00:00", "EndBizdate": "2020-05-03 00:00:00"}
    dates = [row["Bizdate"] for row in cloud.instances(**window)]
    assert dates == [local_midnight("2020-05-02"), local_midnight("2020-05-03")]


def test_a_listing_lags_but_reading_by_id_does_not() -> None:
    cloud = Cloud({"listingLag": 120})
    (dag_id,) = cloud.backfill("2020-05-20")
    assert cloud.dag(dag_id)["Status"] == "RUNNING"
    assert cloud.statuses(dag_id) == ["RUNNING"]
    cloud.advance(119)
    assert page(cloud)["TotalCount"] == 0
    assert page(cloud, DagId=dag_id)["TotalCount"] == 0
    cloud.advance(1)
    assert page(cloud)["TotalCount"] == 1


def test_old_runs_are_gone_from_every_answer() -> None:
    cloud = Cloud({"retentionDays": 30})
    (dag_id,) = cloud.backfill("2020-05-20")
    dag, (row,) = cloud.dag(dag_id), cloud.instances()
    cloud.advance(30 * DAY)
    assert page(cloud)["TotalCount"] == 1
    cloud.advance(1)
    assert page(cloud)["TotalCount"] == 0
    assert cloud.call("GetDag", ProjectEnv="PROD", DagId=dag_id)["Success"] is False
    listed = cloud.call("ListDags", ProjectEnv="PROD", OpSeq=dag["OpSeq"])
    assert listed["Data"]["Dags"] == []
    gone = cloud.call("StopInstance", ProjectEnv="PROD", InstanceId=row["InstanceId"])
    assert gone["ErrorCode"] == "Invalid.Instance.NotExists"
    assert len(cloud.simulator.ledger()) == 1


def test_retention_does_not_forget_counted_executions() -> None:
    cloud = Cloud({"nodes": [{"id": 1, "fail": [{"date": "2020-05-20", "times": 1}]}]})
    cloud.backfill("2020-05-20")
    cloud.advance(31 * DAY)
    (dag_id,) = cloud.backfill("2020-05-20")
    cloud.advance(60)
    assert cloud.dag(dag_id)["Status"] == "SUCCESS"


def test_nodes_are_those_of_the_world() -> None:
    cloud = Cloud({"nodes": [{"id": 1, "name": "a"}, {"id": 2, "schedule": "hourly"}]})
    parameters = {"ProjectEnv": "PROD", "ProjectId": 1}
    every = cloud.call("ListNodes", **parameters)["Data"]
    assert [node["NodeName"] for node in every["Nodes"]] == ["a", "node_2"]
    assert every["TotalCount"] == 2
    named = cloud.call("ListNodes", **parameters, NodeName="a")["Data"]
    assert [node["NodeId"] for node in named["Nodes"]] == [1]


def test_one_node_writes_its_repeatability_as_text() -> None:
    answer = Cloud().call("GetNode", ProjectEnv="PROD", NodeId=5)
    assert (answer["Data"]["NodeName"], answer["Data"]["Repeatability"]) == ("node_5", "true")


def test_a_strict_world_knows_no_other_node() -> None:
    answer = Cloud({"strict": True}).call("GetNode", ProjectEnv="PROD", NodeId=5)
    assert answer["ErrorCode"] == "Invalid.Node.NotExists"
