"""The official OBShell SDK, unmodified, against a served simulator: the referee of its wire format."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.serving import Served, serving

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # The vendor's package warns about itself.
    from obshell import ClientSet
    from obshell.auth import PasswordAuth
    from obshell.request import ProtocolOptions
    from obshell.service.client_v1 import OBShellHandleError, TaskExecuteFailedError

LOCAL = "22130706433028869"
PROXY = "42130706433028861"
WORLD = """
strict: true
obshell:
  dags:
  - {id: "11", name: Backup, finishAfter: 30}
  - id: "12"
    name: Upgrade
    state: FAILED
    nodes: [{name: Check}, {name: Install, seconds: 10, fail: {times: 1}, logs: [no space left]}]
  - {id: "13", state: SUCCEED, operator: ROLLBACK}
  - {id: "14", state: FAILED, nodes: [{name: Stuck, fail: true, retryable: false, rollbackable: false}]}
  - {id: "15", maintenance: {type: none}}
  - {id: "22130706433028869", name: Cluster scale out, maintenance: {type: global}}
  - {id: "42130706433028861", name: Proxy}
"""


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK applies proxies to loopback too."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    world = tmp_path / "world.yaml"
    world.write_text(WORLD)
    with serving(world=world) as one:
        yield one


@pytest.fixture
def client(served: Served) -> Any:
    return connect(served)


def connect(served: Served, **more: Any) -> Any:
    auth = PasswordAuth(**{"password": served.key.secret, **more})
    return ClientSet("127.0.0.1", served.port, auth, 10, ProtocolOptions.http()).v1


def log(served: Served) -> list[tuple[str, str]]:
    entries = served.control("GET", "requests")
    return [(one["operation"].removeprefix("obshell."), one["verdict"]) for one in entries]


def course(dag: Any) -> tuple[str, str, int]:
    return dag.state, dag.operator, dag.stage


def refusal(method: Any, *arguments: str) -> str:
    with pytest.raises(OBShellHandleError) as caught:
        method(*arguments)
    code: str = caught.value.err_code
    return code


def test_a_fresh_client_shakes_hands_and_then_asks_once(client: Any, served: Served) -> None:
    client.get_dag("11")
    client.get_dag("11")
    assert log(served) == [
        ("get_info", "accepted"),
        ("get_info", "accepted"),
        ("get_secret", "accepted"),
        ("get_dag", "accepted"),
        ("get_dag", "accepted"),
    ]


def test_a_dag_is_read_with_and_without_details(client: Any, served: Served) -> None:
    served.advance(5)
    dag = client.get_dag("12")
    assert (dag.generic_id, dag.dag_id, dag.name) == ("12", 2, "Upgrade")
    assert (course(dag), dag.max_stage) == (("FAILED", "RUN", 2), 2)
    assert [node.name for node in dag.nodes] == ["Check", "Install"]
    (task,) = dag.nodes[1].sub_tasks
    assert (task.execute_agent, task.execute_times) == ("127.0.0.1:2886", 1)
    assert task.task_logs == ["no space left"]
    assert dag.additional_data == {}
    bare = client.get_dag("12", show_detail=False)
    assert (course(bare), bare.nodes, bare.additional_data) == (course(dag), [], None)


def test_nodes_and_sub_tasks_are_read_by_their_ids(client: Any) -> None:
    there = client.get_dag(LOCAL).nodes[0]
    node = client.get_node(there.generic_id)
    assert (node.name, node.state, node.node_id) == ("Cluster scale out", "RUNNING", 801)
    task = client.get_sub_task(there.sub_tasks[0].generic_id)
    assert (task.task_id, task.state, task.execute_agent) == (801, "RUNNING", "127.0.0.1:2886")
    assert refusal(client.get_node, "199") == "Task.NotFound"
    assert refusal(client.get_sub_task, "71") == "Task.GenericID.Invalid"


def test_a_failed_dag_is_retried_to_success(client: Any, served: Served) -> None:
    client.operate_dag("12", "RETRY")
    assert course(client.get_dag("12")) == ("READY", "RUN", 2)
    served.advance(11)
    assert course(client.get_dag("12")) == ("SUCCEED", "RUN", 2)


def test_a_rolled_back_dag_looks_like_a_success_to_the_sdk(client: Any, served: Served) -> None:
    client.operate_dag("12", "ROLLBACK")
    served.advance(71)
    dag = client.get_dag("12")
    assert course(dag) == ("SUCCEED", "ROLLBACK", 1)
    assert dag.is_succeed()
    assert client.wait_dag_succeed("13").operator == "ROLLBACK"


def test_a_running_dag_is_cancelled(client: Any, served: Served) -> None:
    client.operate_dag("11", "CANCEL")
    served.advance(2)
    dag = client.get_dag("11")
    assert course(dag) == ("FAILED", "CANCEL", 1)
    with pytest.raises(TaskExecuteFailedError, match="canceled"):
        client.wait_dag_succeed("11")


def test_a_failed_dag_is_passed_although_the_sdk_stumbles_over_it(client: Any) -> None:
    with pytest.raises(AttributeError, match="is_pass"):
        client.operate_dag_sync("12", "PASS")
    assert course(client.get_dag("12")) == ("SUCCEED", "PASS", 2)


def test_the_reason_of_a_failure_reaches_whoever_waits(client: Any) -> None:
    with pytest.raises(TaskExecuteFailedError, match="no space left"):
        client.wait_dag_succeed("12")


@pytest.mark.parametrize(
    ("dag_id", "operator", "code"),
    [
        ("11", "RETRY", "RetryNotFailedDag"),
        ("11", "ROLLBACK", "RollbackNotFailedDag"),
        ("11", "PASS", "PassNotFailedDag"),
        ("13", "CANCEL", "CancelFinishedDag"),
        ("14", "RETRY", "RetryNotAllowed"),
        ("14", "ROLLBACK", "RollbackNotAllowed"),
        ("14", "RUN", "NotSupport"),
    ],
)
def test_what_an_operator_may_not_do_is_refused(
    client: Any, dag_id: str, operator: str, code: str
) -> None:
    assert refusal(client.operate_dag, dag_id, operator) == f"Task.Dag.Operator.{code}"


def test_every_refusal_is_asked_for_twice(client: Any, served: Served) -> None:
    assert refusal(client.get_dag, "199") == "Task.NotFound"
    assert log(served)[-2:] == [("get_dag", "Task.NotFound")] * 2


def test_a_wrong_password_is_refused_after_another_handshake(served: Served) -> None:
    client = connect(served, password="wrong")
    code = "Security.Authentication.IncorrectOceanbasePassword"
    assert refusal(client.get_dag, "11") == code
    assert (
        log(served)
        == [
            ("get_info", "accepted"),
            ("get_info", "accepted"),
            ("get_secret", "accepted"),
            ("get_dag", code),
        ]
        * 2
    )


def test_a_client_recovers_from_a_rotated_key(client: Any, served: Served) -> None:
    client.get_dag("11")
    served.control("POST", "obshell", {"rotate_key": True})
    assert client.get_dag("11").generic_id == "11"
    assert log(served)[4:] == [
        ("get_dag", "Security.Authentication.Header.DecryptFailed"),
        ("get_info", "accepted"),
        ("get_secret", "accepted"),
        ("get_dag", "accepted"),
        ("get_dag", "accepted"),
    ]


def test_a_fresh_request_is_fresh_after_any_advance(client: Any, served: Served) -> None:
    client.get_dag("11")
    served.advance(3600)
    assert course(client.get_dag("11")) == ("SUCCEED", "RUN", 1)
    assert log(served)[-1] == ("get_dag", "accepted")


def test_unfinished_dags_are_listed_by_where_they_live(client: Any, served: Served) -> None:
    def ids(dags: list[Any]) -> list[str]:
        return [dag.generic_id for dag in dags]

    assert ids(client.get_cluster_unfinished_dag()) == ["11", "12", "14", "15"]
    assert ids(client.get_agent_unfinished_dag()) == [LOCAL, PROXY]
    assert ids(client.get_unfinished_dags(show_detail=False)) == [
        "11",
        "12",
        "14",
        "15",
        LOCAL,
        PROXY,
    ]
    served.advance(30)
    client.operate_dag("14", "PASS")
    client.operate_dag("15", "CANCEL")
    served.advance(2)
    assert ids(client.get_cluster_unfinished_dag()) == ["12"]


def test_the_last_maintenance_is_told_by_where_it_was(client: Any) -> None:
    assert client.get_agent_last_maintenance_dag().generic_id == PROXY
    assert [dag.generic_id for dag in client.get_all_agent_last_maintenance_dag()] == [PROXY]
    # The SDK looks for a list where the server sends one DAG.
    assert client.get_ob_last_maintenance_dag() == []


def test_the_agents_password_opens_a_proxys_tasks(served: Served) -> None:
    code = "Security.Authentication.WithAgentPassword"
    assert refusal(connect(served).get_dag, PROXY) == code
    client = connect(served, agent_password=served.key.secret)
    assert client.get_dag(PROXY).name == "Proxy"
    wrong = connect(served, agent_password="wrong")
    assert refusal(wrong.get_dag, "11") == "Security.Authentication.IncorrectAgentPassword"


def test_a_client_of_a_pinned_version_is_answered(served: Served) -> None:
    assert connect(served, version="v2").get_dag("11").generic_id == "11"
    with pytest.raises(Exception, match="not supported by agent"):
        connect(served, version="v1").get_dag("11")


def test_the_agent_tells_about_itself(client: Any, served: Served) -> None:
    info = client.get_info()
    assert (info.identity, info.version, info.port) == ("CLUSTER AGENT", "4.5.0.0", 2886)
    status = client.get_status()
    assert (status.ob_state, status.agent.identity) == (3, "CLUSTER AGENT")
    served.control("PUT", "world", {"obshell": {"database": "down"}})
    assert client.get_status().ob_state == 1
    assert refusal(client.get_dag, "11") == "Task.NotFound"


def test_without_a_world_every_dag_succeeds_after_a_minute() -> None:
    with serving() as served:
        client = connect(served)
        assert course(client.get_dag(LOCAL)) == ("RUNNING", "RUN", 1)
        assert [dag.generic_id for dag in client.get_unfinished_dags()] == [LOCAL]
        served.advance(60)
        assert client.wait_dag_succeed(LOCAL).operator == "RUN"
        assert client.get_unfinished_dags() == []
