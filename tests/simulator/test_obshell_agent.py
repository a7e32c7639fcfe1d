"""The OBShell agent's envelope, headers, lists and faults, without a server."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import open_simulator, parse_world
from reconciler.simulator.clocks import MANUAL
from reconciler.simulator.messages import Delivery, Request
from reconciler.simulator.obshell.service import OBShell
from reconciler.simulator.world_file import build_world, world_document
from tests.simulator.harness import KEY, Cloud
from tests.simulator.obshell_agent import DAG, ClusterAgent
from tests.simulator.serving import ROOT

SECURITY = "Security.Authentication."
LOCAL = "22130706433028869"
IPV6 = "3" + str(1).zfill(39) + "02886" + "7"
PROXY = "42130706433028861"
UNFINISHED = "/api/v1/task/dag/unfinish"
MAINTAIN = "/api/v1/task/dag/maintain/"


def test_an_answer_has_its_envelope_in_the_order_of_the_wire() -> None:
    agent = ClusterAgent(
        {"id": "11", "name": "Backup", "maintenance": {"type": "tenant", "tenant": "orders"}}
    )
    status, body = agent.handle(agent.request("GET", f"{DAG}11"))
    assert status == 200
    assert list(body) == ["successful", "timestamp", "duration", "status", "traceId", "data"]
    assert (body["successful"], body["status"]) == (True, 200)
    assert body["timestamp"] == "2026-11-21T10:25:40.000000000+08:00"
    assert re.fullmatch("[0-9a-f]{16}", body["traceId"])
    node_times = {
        "start_time": body["data"]["start_time"],
        "end_time": "1970-01-01T08:00:00+08:00",
    }
    common = {"state": "RUNNING", "operator": "RUN", **node_times, "additional_data": None}
    task = {
        "id": "11",
        "task_id": 1,
        "name": "Backup",
        **common,
        "execute_times": 1,
        "execute_agent": {"ip": "127.0.0.1", "port": 2886},
        "task_logs": ["2026-11-21T02:25:40.000Z RUN 1 of Backup begins"],
    }
    node = {"id": "11", "node_id": 1, "name": "Backup", **common, "sub_tasks": [task]}
    dag = {
        "id": "11",
        "dag_id": 1,
        "name": "Backup",
        "stage": 1,
        "max_stage": 1,
        "maintenance_type": 3,
        "maintenance_key": "orders",
        **common,
        "nodes": [node],
    }
    # As text: the order of members counts.
    assert json.dumps(body["data"]) == json.dumps(dag)
    assert json.dumps(agent.get("/api/v1/task/node/11")) == json.dumps(node)
    assert json.dumps(agent.get("/api/v1/task/sub_task/11")) == json.dumps(task)


def test_a_refusal_has_both_codes_where_the_server_has_two() -> None:
    agent = ClusterAgent(strict=True)
    status, body = agent.handle(agent.request("GET", f"{DAG}19"))
    assert status == body["status"] == 404
    assert body["successful"] is False
    assert "data" not in body
    assert body["error"] == {"errCode": "Task.NotFound", "message": "Task not found: 19"}
    _, body = agent.handle(agent.request("GET", f"{DAG}19", auth="no"))
    assert list(body["error"]) == ["code", "errCode", "message"]
    assert body["error"]["code"] == 10008
    request = Request(method="GET", path=f"{DAG}19", headers={"x-ocs-header": "AAAA"})
    _, body = agent.handle(request)
    assert (body["error"]["code"], body["error"]["errCode"]) == (
        1,
        f"{SECURITY}Header.DecryptFailed",
    )


def test_the_client_may_name_the_trace() -> None:
    agent = ClusterAgent()
    request = agent.request("GET", f"{DAG}11", headers={"x-obshell-trace-id": "my-trace"})
    assert agent.handle(request)[1]["traceId"] == "my-trace"


@pytest.mark.parametrize("word", ["1", "t", "T", "true", "TRUE", "True"])
def test_details_are_shown_for_every_way_to_say_yes(word: str) -> None:
    dag = ClusterAgent().get(f"{DAG}11?show_details={word}")
    assert len(dag["nodes"]) == 1


@pytest.mark.parametrize("word", ["0", "f", "F", "false", "FALSE", "False"])
def test_details_are_null_for_every_way_to_say_no(word: str) -> None:
    agent = ClusterAgent()
    dag = agent.get(f"{DAG}11?show_details={word}")
    assert (dag["nodes"], dag["additional_data"]) == (None, None)
    assert agent.get(f"{UNFINISHED}?show_details={word}")["contents"] == [dag]
    node = f"/api/v1/task/node/11?show_details={word}"
    assert agent.refusal("GET", node) == (500, "Common.Unexpected")


def test_details_neither_true_nor_false_are_unexpected() -> None:
    agent = ClusterAgent()
    assert agent.refusal("GET", f"{DAG}11?show_details=yes") == (500, "Common.Unexpected")


def test_only_a_dag_of_several_nodes_has_additional_data() -> None:
    nodes = [{"name": "a"}, {"name": "b"}]
    agent = ClusterAgent({"id": "11", "nodes": nodes}, {"id": "12", "nodes": nodes[:1]})
    assert agent.dag("11")["additional_data"] == {}
    assert agent.dag("12")["additional_data"] is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"uri": f"{DAG}12"}, "Header.UriMismatch"),
        ({"uri": None}, "Header.UriMismatch"),
        ({"uri": f"{DAG}11?"}, "Header.UriMismatch"),
        ({"auth": "another"}, "IncorrectOceanbasePassword"),
        ({"auth": None}, "IncorrectOceanbasePassword"),
        ({"auth": "another", "agent": True}, "IncorrectAgentPassword"),
        ({"ts": "soon"}, "Timestamp.Invalid"),
        ({"ts": ""}, "Timestamp.Invalid"),
        ({"ts": "1_000"}, "Timestamp.Invalid"),
        ({"ts": "9" * 20}, "Timestamp.Invalid"),
        ({"ts": "1"}, "Expired"),
        ({"ts": 1795225259}, "Header.DecryptFailed"),
    ],
    ids=str,
)
def test_a_header_that_does_not_admit_is_refused(changes: dict[str, Any], code: str) -> None:
    agent = ClusterAgent()
    assert agent.refusal("GET", f"{DAG}11", **changes) == (401, SECURITY + code)
    assert agent.log()[-1] == ("obshell.get_dag", SECURITY + code)


@pytest.mark.parametrize("ts", ["9223372036854775807", "999999999999"])
def test_a_header_may_live_for_ever(ts: str) -> None:
    assert ClusterAgent().get(f"{DAG}11", ts=ts)["state"] == "RUNNING"


def test_the_agents_password_opens_everything_and_a_proxys_tasks_need_it() -> None:
    agent = ClusterAgent({"id": PROXY})
    assert agent.get(f"{DAG}11", agent=True)["id"] == "11"
    assert agent.get(f"{DAG}{PROXY}", agent=True)["maintenance_type"] == 4
    needed = (401, f"{SECURITY}WithAgentPassword")
    assert agent.refusal("GET", f"{DAG}{PROXY}") == needed
    assert agent.refusal("GET", f"{DAG}5{IPV6[1:]}") == needed


def test_a_protected_path_needs_a_header_and_an_open_one_does_not() -> None:
    agent = ClusterAgent()
    bare = Request(method="GET", path=f"{DAG}11", headers={"x-ocs-auth": "v1"})
    status, body = agent.handle(bare)
    assert (status, body["error"]["errCode"]) == (400, "Request.Header.NotFound")
    for method, path in [
        ("GET", "time"),
        ("GET", "info"),
        ("GET", "git-info"),
        ("GET", "status"),
        ("POST", "status"),
        ("GET", "secret"),
    ]:
        assert agent.handle(Request(method=method, path=f"/api/v1/{path}"))[0] == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1"),
        ("GET", "/api/v1/task/11"),
        ("GET", "/api/v1/task/dag/"),
        ("GET", "/api/v1/task/sub_task/11/log"),
        ("POST", "/api/v1/task/sub_task/11"),
        ("DELETE", "/api/v1/task/dag/11"),
        ("POST", "/api/v1/login"),
    ],
)
def test_nothing_is_found_at_an_unknown_path(method: str, path: str) -> None:
    status, body = ClusterAgent().handle(Request(method=method, path=path))
    assert (status, body["error"]["errCode"]) == (404, "Common.NotFound")


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "61",
        "x",
        "2213070643302886",
        "1-1",
        "24294967296028861",
        "22130706433655361",
        "3" * 40,
    ],
)
@pytest.mark.parametrize("kind", ["dag", "node", "sub_task"])
def test_a_malformed_id_is_refused(text: str, kind: str) -> None:
    uri = f"/api/v1/task/{kind}/{text}"
    assert ClusterAgent().refusal("GET", uri) == (400, "Task.GenericID.Invalid")


def test_an_id_says_which_agent_runs_the_task() -> None:
    agent = ClusterAgent()
    assert agent.dag(LOCAL)["dag_id"] == 9
    (node,) = agent.dag(IPV6)["nodes"]
    assert node["sub_tasks"][0]["execute_agent"] == {"ip": "::1", "port": 2886}
    assert agent.refusal("GET", f"{DAG}10") == (404, "Task.NotFound")


@pytest.mark.parametrize(
    "body", [{}, {"operator": ""}, {"operator": 1}, {"op": "RETRY"}, [], "RETRY", None]
)
def test_a_body_without_an_operator_is_refused(body: object) -> None:
    code = (400, "Common.BindJsonFailed")
    agent = ClusterAgent()
    assert agent.refusal("POST", f"{DAG}11", body) == code
    assert agent.refusal("POST", "/api/v1/task/node/11", body) == code


def test_a_clear_body_is_refused() -> None:
    agent = ClusterAgent()
    request = agent.request("POST", f"{DAG}11")
    clear = Request(
        method="POST", path=request.path, headers=request.headers, body=b'{"operator": "PASS"}'
    )
    assert agent.handle(clear)[0] == 400


def test_names_of_members_may_have_any_case_and_blocks_any_size() -> None:
    agent = ClusterAgent({"id": "11", "state": "FAILED"})
    plain = agent.plain(f"{DAG}11")
    text = json.dumps({name.capitalize(): value for name, value in plain.items()})
    headers = {"x-ocs-header": agent.sealed(text, block=117)}
    request = agent.request("POST", f"{DAG}11", {"Operator": "pass"}, keys=plain["keys"])
    status, body = agent.handle(
        Request(method="POST", path=request.path, headers=headers, body=request.body)
    )
    assert status == 200, body


def test_a_fresh_header_is_accepted_after_an_advance_and_one_from_before_it_is_not() -> None:
    agent = ClusterAgent()
    before = agent.request("GET", f"{DAG}11")
    assert agent.handle(before)[0] == 200
    agent.advance(3600)
    status, body = agent.handle(before)
    assert (status, body["error"]["errCode"]) == (401, f"{SECURITY}Expired")
    assert agent.get(f"{DAG}11")["state"] == "SUCCEED"


def test_a_header_ages_by_an_advance_and_no_more() -> None:
    agent = ClusterAgent()
    before = agent.request("GET", f"{DAG}11")
    agent.advance(50)
    agent.time.pass_seconds(9)
    assert agent.handle(before)[0] == 200
    agent.time.pass_seconds(1)
    assert agent.handle(before)[0] == 401


def test_a_client_may_count_on_the_agents_time() -> None:
    agent = ClusterAgent()
    agent.advance(3600)
    ts = str(agent.time.ms // 1000 + 3600 + 10)
    assert agent.get(f"{DAG}11", ts=ts)["id"] == "11"


def test_the_key_stays_in_the_database_until_it_is_rotated(tmp_path: Path) -> None:
    agent = ClusterAgent(db=tmp_path / "state.db")
    before = agent.request("GET", f"{DAG}11")
    agent.engine.close()
    agent = ClusterAgent(db=tmp_path / "state.db")
    assert agent.handle(before)[0] == 200
    status, body = agent.control("POST", "obshell", {"rotate_key": True})
    assert status == 200
    der = base64.b64decode(body["public_key"])
    assert agent.public_key().key_size == 1024
    assert len(der) == 140
    assert agent.handle(before)[1]["error"]["code"] == 1
    assert agent.get(f"{DAG}11")["id"] == "11"


def test_a_block_with_too_little_padding_is_refused() -> None:
    agent = ClusterAgent()
    numbers = agent.public_key().public_numbers()
    plain = json.dumps(agent.plain(f"{DAG}11")).encode()
    assert len(plain) > 108

    def refused(padding: int) -> bool:
        head = b"\0\2" + b"\1" * padding + b"\0"
        room = 128 - len(head)
        first = int.from_bytes(head + plain[:room])
        rest = base64.b64decode(agent.sealed(plain[room:].decode()))
        sealed = pow(first, numbers.e, numbers.n).to_bytes(128) + rest
        headers = {"x-ocs-header": base64.b64encode(sealed).decode()}
        request = Request(method="GET", path=f"{DAG}11", headers=headers)
        return agent.handle(request)[0] == 401

    assert [refused(7), refused(8)] == [True, False]


def test_cryptography_is_not_loaded_until_a_header_or_a_key_is_asked_for() -> None:
    code = (
        "import sys\n"
        "from reconciler.simulator import MANUAL, open_simulator\n"
        "open_simulator(db=None, world=None, clock=MANUAL)\n"
        "sys.exit('cryptography' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_operators_are_durable_and_looking_need_not_be() -> None:
    service = OBShell()
    for kind in ("dag", "node"):
        path = f"/api/v1/task/{kind}/11"
        assert service.writes(Request(method="POST", path=path))
        assert not service.writes(Request(method="GET", path=path))
    assert not service.writes(Request(method="POST", path="/api/v1/status"))


def test_a_simulator_in_process_rotates_the_key_too() -> None:
    simulator = open_simulator(db=None, world=None, clock=MANUAL, key=KEY)
    engine = simulator._engine
    secret = Request(method="GET", path="/api/v1/secret")
    before = json.loads(engine.handle(secret).answer.body)["data"]["public_key"]
    simulator.rotate_obshell_key()
    assert json.loads(engine.handle(secret).answer.body)["data"]["public_key"] != before


@pytest.mark.parametrize("value", [{}, {"rotate_key": False}, {"rotate_key": True, "more": 1}, []])
def test_only_a_rotation_can_be_asked_for(value: object) -> None:
    status, body = ClusterAgent().control("POST", "obshell", value)
    assert status == 400
    assert "rotate_key" in body["error"]


def test_lists_have_what_belongs_to_the_cluster_or_to_agents() -> None:
    there = "2" + "3232235777" + "02886" + "4"  # 192.168.1.1
    agent = ClusterAgent(
        {"id": "11", "state": "SUCCEED"},
        {"id": "12"},
        {"id": "13", "maintenance": {"type": "none"}},
        {"id": LOCAL, "maintenance": {"type": "global"}, "state": "SUCCEED"},
        {"id": there, "maintenance": {"type": "global"}},
        {"id": "22130706433028868"},
        {"id": PROXY},
    )
    path = "/api/v1/task/dag"
    assert agent.ids(f"{path}s/ob") == ["11", "12", "13"]
    assert agent.ids(f"{path}s/agent") == [LOCAL, there, "22130706433028868", PROXY]
    assert agent.ids(f"{path}/ob/unfinish") == ["12", "13"]
    assert agent.ids(f"{path}/agent/unfinish") == [there, "22130706433028868", PROXY]
    assert agent.ids(UNFINISHED) == ["12", "13", there, "22130706433028868", PROXY]
    assert agent.get(f"{MAINTAIN}ob")["id"] == "12"
    assert agent.get(f"{MAINTAIN}agent")["id"] == PROXY
    assert agent.ids(f"{MAINTAIN}agents") == [PROXY, there]
    assert agent.ids(f"{path}/agent/main_dags") == []


@pytest.mark.parametrize("where", ["ob", "agent"])
def test_without_maintenance_the_last_one_is_not_found(where: str) -> None:
    agent = ClusterAgent({"id": "11", "maintenance": {"type": "none"}}, {"id": LOCAL})
    assert agent.refusal("GET", MAINTAIN + where) == (404, "Task.NotFound")
    assert agent.ids(f"{MAINTAIN}agents") == []


def test_while_the_database_is_down_the_clusters_dags_seem_gone() -> None:
    agent = ClusterAgent({"id": "11"}, {"id": LOCAL}, database="down")
    status = "/api/v1/status"
    assert agent.get(status)["obState"] == 1
    for uri in (f"{DAG}11", f"{DAG}12", "/api/v1/task/node/11", f"{MAINTAIN}ob"):
        assert agent.refusal("GET", uri) == (404, "Task.NotFound")
    assert agent.refusal("GET", UNFINISHED) == (400, "MySQL.Error")
    assert agent.dag(LOCAL)["state"] == "RUNNING"
    agent.control("PUT", "world", {"obshell": {"dags": [{"id": "11"}]}})
    assert agent.get(status)["obState"] == 3
    assert agent.dag("11")["state"] == "RUNNING"


def test_the_status_tells_of_global_maintenance() -> None:
    tenant = {"id": "11", "maintenance": {"type": "tenant", "tenant": "a"}}
    assert ClusterAgent(tenant).get("/api/v1/status")["underMaintenance"] is False
    agent = ClusterAgent(tenant, {"id": "12", "finishAfter": 5})
    assert agent.get("/api/v1/status")["underMaintenance"] is True
    agent.advance(5)
    assert agent.get("/api/v1/status")["underMaintenance"] is False


def test_faults_answer_in_the_agents_envelope() -> None:
    agent = ClusterAgent()
    faults = [
        {"operation": "obshell.get_dag", "nth": 1, "effect": "http", "status": 503},
        {"operation": "obshell.get_dag", "nth": 2, "effect": "http", "status": 404},
        {
            "operation": "obshell.get_dag",
            "nth": 3,
            "effect": "http",
            "status": 401,
            "code": f"{SECURITY}Header.DecryptFailed",
        },
        {"operation": "obshell.get_dag", "nth": 4, "effect": "throttle"},
    ]
    agent.control("PUT", "faults", faults)
    answers = [agent.handle(agent.request("GET", f"{DAG}11"))[1] for _ in range(5)]
    assert [(one["status"], one.get("error", {}).get("errCode")) for one in answers] == [
        (503, "Common.Unexpected"),
        (404, "Common.NotFound"),
        (401, f"{SECURITY}Header.DecryptFailed"),
        (429, "Common.Unexpected"),
        (200, None),
    ]
    assert answers[2]["error"]["code"] == 1
    verdicts = [verdict for operation, verdict in agent.log() if operation == "obshell.get_dag"]
    assert verdicts == ["faulted:http"] * 3 + ["faulted:throttle", "accepted"]


def test_an_operation_may_take_effect_and_its_answer_be_lost() -> None:
    agent = ClusterAgent({"id": "11", "state": "FAILED"})
    fault = {"operation": "obshell.operate_dag", "effect": "execute_then_drop"}
    agent.control("PUT", "faults", [fault])
    reply = agent.reply(agent.request("POST", f"{DAG}11", {"operator": "PASS"}))
    assert reply.delivery is Delivery.DROPPED
    assert agent.course("11") == ("SUCCEED", "PASS", 1)


def test_the_agent_has_no_limits_and_uses_up_nobody_elses() -> None:
    cloud = Cloud({"limits": {"readQps": 1, "dailyCalls": 1}})
    agent = ClusterAgent()
    agent.engine = cloud.simulator._engine
    for _ in range(3):
        assert agent.get(f"{DAG}11")["id"] == "11"
    assert cloud.call("ListDags", ProjectEnv="PROD", OpSeq=1)["Success"] is True
    assert cloud.refusal("ListDags", ProjectEnv="PROD", OpSeq=1)[0] == 429


@pytest.mark.parametrize(
    ("dag", "message"),
    [
        (
            {"id": "11", "state": "SUCCEED", "operator": "CANCEL"},
            "SUCCEED with the operator CANCEL",
        ),
        ({"id": "11", "state": "FAILED", "operator": "PASS"}, "FAILED with the operator PASS"),
        ({"id": "11", "operator": "PASS"}, "RUNNING with the operator PASS"),
        ({"id": "11", "nodes": [{"name": "a"}], "finishAfter": 1}, "has nodes"),
        ({"id": "11", "maintenance": {"type": "tenant"}}, "a tenant is named"),
        ({"id": "11", "maintenance": {"type": "none", "tenant": "a"}}, "a tenant is named"),
        ({"id": "24294967296028861"}, "no agent can have"),
        ({"id": "61"}, "61"),
    ],
)
def test_a_dag_that_cannot_be_is_refused(dag: dict[str, Any], message: str) -> None:
    status, body = ClusterAgent().control("PUT", "world", {"obshell": {"dags": [dag]}})
    assert status == 400
    assert message in body["error"]


def test_a_world_with_everything_comes_back_from_its_document() -> None:
    world = parse_world(
        {
            "obshell": {
                "database": "down",
                "dags": [
                    {
                        "id": "11",
                        "operator": "ROLLBACK",
                        "maintenance": {"type": "tenant", "tenant": "orders"},
                        "nodes": [
                            {"name": "a", "fail": True, "logs": []},
                            {"name": "b", "fail": {"times": 2}, "seconds": 3, "retryable": False},
                        ],
                    }
                ],
            }
        }
    )
    assert build_world(world_document(world)) == world
    assert parse_world(world_document(world)) == world
    assert not world.cluster.database_available
    first, second = world.cluster.dags[0].nodes
    assert (first.fail_times, first.logs, second.fail_times) == (None, (), 2)
    assert not second.retryable
