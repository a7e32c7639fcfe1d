from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.harness import Cloud, local_midnight

FLOW = {
    "project": "test_project",
    "name": "test_flow",
    "nodes": [{"id": 10, "name": "first"}, {"id": 11, "name": "second", "parents": [10]}],
}
OLD = {"ProjectName": "test_project", "FlowName": "test_flow", "Bizdate": "2018-12-12 00:00:00"}
NEW = {
    "ProjectEnv": "PROD",
    "ProjectName": "test_project",
    "FlowName": "test_flow",
    "BizDate": "2018-12-12 00:00:00",
}


def create(cloud: Cloud, **more: object) -> int:
    answer = cloud.call("CreateManualDag", version="2018-06-01", **{**OLD, **more})
    assert answer["ReturnCode"] == "0"
    dag_id: int = answer["ReturnValue"]
    return dag_id


def search(cloud: Cloud, dag_id: int, project: str = "test_project") -> dict[str, Any]:
    answer: dict[str, Any] = cloud.call(
        "SearchManualDagNodeInstance", version="2018-06-01", ProjectName=project, DagId=dag_id
    )
    return answer


def test_the_2018_envelopes() -> None:
    cloud = Cloud({"flows": [FLOW]})
    answer = cloud.call("CreateManualDag", version="2018-06-01", **OLD)
    assert answer.keys() == {
        "RequestId",
        "ReturnCode",
        "ReturnErrorSolution",
        "ReturnMessage",
        "ReturnValue",
    }
    found = search(cloud, answer["ReturnValue"])
    assert found.keys() == {"RequestId", "Success", "ErrCode", "ErrMsg", "Data"}
    assert (found["Success"], found["ErrCode"]) == (True, "0")


def test_a_manual_run_has_an_instance_for_each_node_of_the_flow() -> None:
    cloud = Cloud({"flows": [FLOW]})
    dag_id = create(cloud, DagPara="k1=v1 k2=v2", NodePara='{"11": "t=${yyyy-mm-dd}"}')
    cloud.advance(60)
    first, second = search(cloud, dag_id)["Data"]["NodeInsInfo"]
    created = first["CreateTime"]
    assert first == {
        "InstanceId": 300_000_000_000,
        "DagId": dag_id,
        "DagType": 5,
        "NodeName": "first",
        "Status": 6,
        "ParaValue": "k1=v1 k2=v2",
        "Bizdate": str(local_midnight("2018-12-12")),
        "CreateTime": created,
        "ModifyTime": str(int(created) + 60_000),
        "BeginWaitTimeTime": created,
        "BeginWaitResTime": created,
        "BeginRunningTime": created,
        "FinishTime": str(int(created) + 60_000),
    }
    assert (second["NodeName"], second["Status"]) == ("second", 4)
    assert second["ParaValue"] == "k1=v1 k2=v2 t=${yyyy-mm-dd}"
    cloud.advance(60)
    assert [row["Status"] for row in search(cloud, dag_id)["Data"]["NodeInsInfo"]] == [6, 6]


def test_a_failure_leaves_the_rest_not_run() -> None:
    nodes = [{**FLOW["nodes"][0], "fail": ["2018-12-12"]}, FLOW["nodes"][1]]  # type: ignore[dict-item]  # a mapping
    cloud = Cloud({"flows": [{**FLOW, "nodes": nodes}]})
    dag_id = create(cloud)
    cloud.advance(60)
    assert [row["Status"] for row in search(cloud, dag_id)["Data"]["NodeInsInfo"]] == [5, 1]


def test_the_2020_api_sees_the_run_too() -> None:
    cloud = Cloud({"flows": [FLOW]})
    dag_id = create(cloud, DagPara="marker=1")
    dag = cloud.dag(dag_id)
    assert (dag["Type"], dag["Name"], dag["Status"]) == ("MANUAL", "test_flow", "RUNNING")
    rows = cloud.instances(BizName="test_flow", Bizdate="2018-12-12 00:00:00")
    assert {row["DagType"] for row in rows} == {"BUSINESS_PROCESS_DAG"}
    assert {row["ParamValues"] for row in rows} == {"marker=1"}
    assert cloud.instances(BizName="another_flow") == []


@pytest.mark.parametrize("action", ["CreateManualDag", "RunManualDagNodes"])
def test_the_2020_calls_answer_bare(action: str) -> None:
    cloud = Cloud({"flows": [FLOW]})
    more = {"DagParameters": '{"k1": "v1"}', "NodeParameters": '{"10": "a=b"}'}
    answer = cloud.call(action, **NEW, **more)
    assert answer.keys() == {"RequestId", "DagId"}
    assert [row["ParamValues"] for row in cloud.instances()] == ["k1=v1 a=b", "k1=v1"]


@pytest.mark.parametrize("action", ["ListManualDagInstances", "GetManualDagInstances"])
def test_the_instances_of_a_manual_run(action: str) -> None:
    cloud = Cloud({"flows": [FLOW]})
    dag_id = create(cloud)
    parameters = {"ProjectEnv": "PROD", "ProjectName": "test_project", "DagId": dag_id}
    answer = cloud.call(action, **parameters)
    assert answer.keys() == {"RequestId", "Instances"}
    first = answer["Instances"][0]
    assert (first["NodeName"], first["Status"]) == ("first", "RUNNING")
    assert first["BizDate"] == local_midnight("2018-12-12")
    unknown = {**parameters, "DagId": 1}
    assert cloud.refusal(action, **unknown) == (400, "Invalid.Dag.NotExists")


def test_a_range_of_dates_is_one_dag() -> None:
    cloud = Cloud({"flows": [FLOW]})
    dates = {"StartBizDate": "2018-12-12 00:00:00", "EndBizDate": "2018-12-13 00:00:00"}
    parameters = {name: value for name, value in NEW.items() if name != "BizDate"}
    cloud.call("RunManualDagNodes", **parameters, **dates)
    rows = cloud.instances()
    assert len({row["DagId"] for row in rows}) == 1
    assert len({row["Bizdate"] for row in rows}) == 2


def test_included_and_excluded_nodes() -> None:
    cloud = Cloud({"flows": [FLOW]})
    cloud.call("RunManualDagNodes", **NEW, IncludeNodeIds="11")
    assert [row["NodeId"] for row in cloud.instances()] == [11]
    cloud.call("RunManualDagNodes", **NEW, IncludeNodeIds="10,11", ExcludeNodeIds="10")
    assert [row["TaskType"] for row in cloud.instances()[1:]] == ["SKIP(3)", "NORMAL(0)"]
    refused = cloud.refusal("RunManualDagNodes", **NEW, IncludeNodeIds="99")
    assert refused == (400, "10600111020399006")


def test_excluding_alone_has_no_effect() -> None:
    cloud = Cloud({"flows": [FLOW]})
    cloud.call("RunManualDagNodes", **NEW, ExcludeNodeIds="10")
    assert {row["TaskType"] for row in cloud.instances()} == {"NORMAL(0)"}


def test_in_an_open_world_any_flow_exists_with_the_nodes_that_parameters_name() -> None:
    cloud = Cloud()
    create(cloud, FlowName="anything", NodePara='{"103180025": "a=b"}')
    create(cloud, FlowName="other")
    named, assumed = cloud.instances()
    assert named["NodeId"] == 103180025
    assert assumed["NodeName"] == "other_node"


def test_the_business_date_is_yesterday_or_earlier_on_the_gateways_clock_in_shanghai() -> None:
    cloud = Cloud()
    today = {"Bizdate": "2026-11-21 00:00:00"}
    refused = cloud.refusal("CreateManualDag", version="2018-06-01", **{**OLD, **today})
    assert refused == (400, "InvalidParameter")
    create(cloud, Bizdate="2026-11-20 00:00:00")
    cloud.advance(86_400)
    create(cloud, **today)


@pytest.mark.parametrize("name", ["ProjectName", "FlowName", "Bizdate"])
def test_missing_parameters_of_the_2018_call(name: str) -> None:
    parameters = {key: value for key, value in OLD.items() if key != name}
    refused = Cloud().refusal("CreateManualDag", version="2018-06-01", **parameters)
    assert refused == (400, f"Missing{name}")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ProjectName": "nowhere"}, "10600111020399005"),
        ({"FlowName": "nothing"}, "10600111020399006"),
    ],
)
def test_a_strict_world_refuses_unknown_projects_and_flows(
    wrong: dict[str, str], code: str
) -> None:
    cloud = Cloud({"strict": True, "flows": [FLOW]})
    old = cloud.call("CreateManualDag", version="2018-06-01", **{**OLD, **wrong})
    assert old["ReturnCode"] == code
    assert "ReturnValue" not in old
    assert cloud.refusal("CreateManualDag", **{**NEW, **wrong}) == (400, code)
    assert cloud.simulator.ledger() == []


def test_a_dag_nobody_knows_has_no_rows_and_is_refused_in_a_strict_world() -> None:
    assert search(Cloud(), 1)["Data"] == {"NodeInsInfo": []}
    strict = search(Cloud({"strict": True}), 1)
    assert (strict["Success"], strict["ErrCode"]) == (False, "Invalid.Dag.NotExists")


def test_another_project_does_not_see_the_run() -> None:
    cloud = Cloud()
    assert search(cloud, create(cloud), project="elsewhere")["Data"]["NodeInsInfo"] == []


def test_the_ledger_names_the_flow() -> None:
    cloud = Cloud()
    dag_id = create(cloud)
    (entry,) = cloud.simulator.ledger()
    assert (entry["operation"], entry["name"]) == ("CreateManualDag", "test_flow")
    assert (entry["parameters"], entry["dag_ids"]) == (OLD, [dag_id])
