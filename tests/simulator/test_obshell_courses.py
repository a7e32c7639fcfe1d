"""How DAGs of OBShell move, through the engine and on the manual clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.simulator.cluster import ClusterDag, ClusterNode, DagState, Operator
from reconciler.simulator.errors import GatewayError
from reconciler.simulator.obshell.courses import Operation, replay
from reconciler.simulator.obshell.operators import dag_operator, node_operator
from tests.simulator.obshell_agent import DAG, ClusterAgent

EPOCH = "1970-01-01T08:00:00+08:00"
NODE = "/api/v1/task/node/"
UNFINISHED = "/api/v1/task/dag/unfinish"


def three(**changes: Any) -> dict[str, Any]:
    """A DAG with three nodes of 10 seconds; `changes` are the second one's."""
    second = {"name": "second", "seconds": 10, **changes}
    nodes = [{"name": "first", "seconds": 10}, second, {"name": "third", "seconds": 10}]
    return {"id": "11", "name": "Three", "nodes": nodes}


def failed(**changes: Any) -> ClusterAgent:
    """A cluster whose DAG 11 has failed in the second of its three nodes."""
    agent = ClusterAgent(three(**{"fail": True, **changes}))
    agent.advance(20)
    assert agent.course("11") == ("FAILED", "RUN", 2)
    return agent


def test_nodes_run_one_after_another() -> None:
    agent = ClusterAgent(three())
    assert agent.course("11") == ("RUNNING", "RUN", 1)
    assert agent.nodes("11") == ["RUNNING RUN", "PENDING RUN", "PENDING RUN"]
    agent.advance(10)
    assert agent.course("11") == ("RUNNING", "RUN", 2)
    assert agent.nodes("11") == ["SUCCEED RUN", "RUNNING RUN", "PENDING RUN"]
    agent.advance(19.999)
    assert agent.course("11") == ("RUNNING", "RUN", 3)
    agent.advance(0.001)
    assert agent.course("11") == ("SUCCEED", "RUN", 3)


def test_times_are_the_work_clocks_and_the_epoch_until_they_come() -> None:
    agent = ClusterAgent(three())
    dag = agent.dag("11")
    assert (dag["start_time"], dag["end_time"]) == ("2026-11-21T10:25:40+08:00", EPOCH)
    assert dag["nodes"][1]["start_time"] == dag["nodes"][1]["end_time"] == EPOCH
    agent.advance(30.25)
    dag = agent.dag("11")
    assert dag["end_time"] == "2026-11-21T10:26:10+08:00"
    assert dag["nodes"][1]["start_time"] == "2026-11-21T10:25:50+08:00"


def test_a_dag_nobody_names_begins_when_it_is_asked_for_and_takes_a_minute(tmp_path: Path) -> None:
    agent = ClusterAgent(db=tmp_path / "state.db")
    agent.advance(500)
    assert agent.ids(UNFINISHED) == []
    assert agent.course("17") == ("RUNNING", "RUN", 1)
    assert agent.ids(UNFINISHED) == ["17"]
    agent.advance(59.999)
    assert agent.course("17") == ("RUNNING", "RUN", 1)
    agent.engine.close()
    agent = ClusterAgent(db=tmp_path / "state.db")
    agent.advance(0.001)
    assert agent.course("17") == ("SUCCEED", "RUN", 1)
    assert agent.ids(UNFINISHED) == []
    assert agent.ids("/api/v1/task/dags/ob") == ["17"]


def test_a_node_nobody_names_begins_its_dag_too() -> None:
    agent = ClusterAgent()
    assert agent.get(NODE + "1101")["state"] == "RUNNING"
    assert agent.dag("12")["nodes"][0]["id"] == "1101"
    assert agent.refusal("GET", NODE + "1102") == (404, "Task.NotFound")


def test_a_strict_world_has_only_the_dags_it_names() -> None:
    agent = ClusterAgent(three(), strict=True)
    assert agent.course("11") == ("RUNNING", "RUN", 1)
    for uri in (f"{DAG}12", f"{NODE}1101", "/api/v1/task/sub_task/1101"):
        assert agent.refusal("GET", uri) == (404, "Task.NotFound")
    assert agent.refusal("POST", f"{DAG}12", {"operator": "PASS"}) == (404, "Task.NotFound")


def test_a_retried_node_runs_again_and_only_it_says_retry() -> None:
    agent = failed(fail={"times": 1})
    agent.operate("11", "RETRY")
    dag = agent.dag("11")
    assert agent.course("11") == ("READY", "RUN", 2)
    assert (dag["start_time"], dag["end_time"]) == (EPOCH, EPOCH)
    assert agent.nodes("11") == ["SUCCEED RUN", "PENDING RETRY", "PENDING RUN"]
    assert dag["nodes"][1]["sub_tasks"][0]["task_logs"] is None
    agent.advance(1)
    assert agent.course("11") == ("RUNNING", "RUN", 2)
    assert agent.nodes("11")[1] == "RUNNING RETRY"
    assert agent.dag("11")["nodes"][1]["sub_tasks"][0]["execute_times"] == 2
    agent.advance(10)
    assert agent.nodes("11") == ["SUCCEED RUN", "SUCCEED RETRY", "RUNNING RUN"]
    agent.advance(10)
    assert agent.course("11") == ("SUCCEED", "RUN", 3)


def test_a_node_that_always_fails_fails_again() -> None:
    agent = failed()
    agent.operate("11", "RETRY")
    agent.advance(11)
    assert agent.course("11") == ("FAILED", "RUN", 2)
    assert agent.dag("11")["nodes"][1]["sub_tasks"][0]["execute_times"] == 2


def test_a_rollback_goes_back_to_the_first_stage_and_ends_as_a_success() -> None:
    agent = failed()
    agent.operate("11", "rollback")
    assert agent.course("11") == ("READY", "ROLLBACK", 2)
    agent.advance(1)
    assert agent.course("11") == ("RUNNING", "ROLLBACK", 2)
    agent.advance(10)
    assert agent.course("11") == ("RUNNING", "ROLLBACK", 1)
    agent.advance(10)
    assert agent.course("11") == ("SUCCEED", "ROLLBACK", 1)
    assert agent.nodes("11") == ["SUCCEED ROLLBACK", "SUCCEED ROLLBACK", "PENDING RUN"]


def test_a_cancelled_dag_ends_as_failed() -> None:
    agent = ClusterAgent(three())
    agent.operate("11", "CANCEL")
    assert agent.course("11") == ("READY", "CANCEL", 1)
    agent.advance(1)
    assert agent.course("11") == ("RUNNING", "CANCEL", 1)
    agent.advance(1)
    assert agent.course("11") == ("FAILED", "CANCEL", 1)
    assert agent.nodes("11") == ["FAILED CANCEL", "PENDING RUN", "PENDING RUN"]
    agent.operate("11", "RETRY")
    agent.advance(31)
    assert agent.course("11") == ("SUCCEED", "RUN", 3)


def test_a_passed_dag_succeeds_at_once_without_running() -> None:
    agent = failed()
    agent.operate("11", "Pass")
    assert agent.course("11") == ("SUCCEED", "PASS", 3)
    assert agent.nodes("11") == ["SUCCEED RUN", "SUCCEED PASS", "SUCCEED PASS"]
    assert agent.dag("11")["nodes"][2]["sub_tasks"][0]["execute_times"] == 0


def test_a_passed_node_lets_its_dag_go_on() -> None:
    agent = failed()
    node = agent.dag("11")["nodes"][1]["id"]
    status, body = agent.handle(agent.request("POST", NODE + node, {"operator": "PASS"}))
    assert (status, "data" in body) == (200, False)
    assert agent.course("11") == ("READY", "RUN", 3)
    agent.advance(1)
    assert agent.nodes("11") == ["SUCCEED RUN", "SUCCEED PASS", "RUNNING RUN"]
    agent.advance(10)
    assert agent.course("11") == ("SUCCEED", "RUN", 3)


def test_a_dag_whose_last_node_is_passed_succeeds_at_the_next_tick() -> None:
    agent = ClusterAgent({"id": "11", "nodes": [{"name": "only", "fail": True, "seconds": 1}]})
    agent.advance(1)
    agent.handle(agent.request("POST", f"{NODE}11", {"operator": "PASS"}))
    assert agent.course("11") == ("READY", "RUN", 1)
    agent.advance(1)
    assert agent.course("11") == ("SUCCEED", "RUN", 1)


@pytest.mark.parametrize(
    ("operator", "running", "succeeded"),
    [
        ("RETRY", "RetryNotFailedDag", "RetryNotFailedDag"),
        ("ROLLBACK", "RollbackNotFailedDag", "RollbackNotFailedDag"),
        ("CANCEL", None, "CancelFinishedDag"),
        ("PASS", "PassNotFailedDag", "PassNotFailedDag"),
        ("RUN", "NotSupport", "NotSupport"),
        ("EXPLODE", "NotSupport", "NotSupport"),
    ],
)
def test_an_operator_that_does_not_fit_the_state_is_refused(
    operator: str, running: str | None, succeeded: str
) -> None:
    agent = ClusterAgent(three())
    body = {"operator": operator}
    if running is not None:
        code = f"Task.Dag.Operator.{running}"
        assert agent.refusal("POST", f"{DAG}11", body) == (400, code)
        assert agent.course("11") == ("RUNNING", "RUN", 1)
    agent.advance(30)
    code = f"Task.Dag.Operator.{succeeded}"
    assert agent.refusal("POST", f"{DAG}11", body) == (400, code)
    assert agent.course("11") == ("SUCCEED", "RUN", 3)


@pytest.mark.parametrize(
    ("operator", "permission"),
    [("RETRY", "retryable"), ("ROLLBACK", "rollbackable"), ("PASS", "passable")],
)
def test_a_node_may_forbid_an_operator(operator: str, permission: str) -> None:
    agent = failed(**{permission: False})
    code = f"Task.Dag.Operator.{operator.capitalize()}NotAllowed"
    assert agent.refusal("POST", f"{DAG}11", {"operator": operator}) == (400, code)
    agent.operate("11", "RETRY" if operator == "PASS" else "PASS")


def test_only_nodes_that_an_operator_concerns_may_forbid_it() -> None:
    def forbidding(index: int, **permissions: bool) -> ClusterAgent:
        dag = three(fail=True)
        dag["nodes"][index] |= permissions
        agent = ClusterAgent(dag)
        agent.advance(20)
        return agent

    def code(agent: ClusterAgent, operator: str) -> str:
        return agent.refusal("POST", f"{DAG}11", {"operator": operator})[1].rpartition(".")[2]

    nothing = {"retryable": False, "rollbackable": False, "passable": False}
    before, after = forbidding(0, **nothing), forbidding(2, **nothing)
    assert code(before, "ROLLBACK") == "RollbackNotAllowed"
    assert code(after, "PASS") == "PassNotAllowed"
    before.operate("11", "PASS")
    after.operate("11", "ROLLBACK")
    forbidding(0, **nothing).operate("11", "RETRY")
    forbidding(2, **nothing).operate("11", "RETRY")


def test_a_node_to_come_may_forbid_the_cancelling() -> None:
    agent = ClusterAgent(three(cancellable=False))
    code = "Task.Dag.Operator.CancelNotAllowed"
    assert agent.refusal("POST", f"{DAG}11", {"operator": "CANCEL"}) == (400, code)
    agent.advance(20)
    agent.operate("11", "CANCEL")


def test_only_a_failed_and_passable_node_can_be_passed() -> None:
    def refusal(agent: ClusterAgent, node: str, operator: str = "PASS") -> str:
        status, code = agent.refusal("POST", NODE + node, {"operator": operator})
        assert status == 400
        return code.removeprefix("Task.Node.Operator.")

    assert refusal(ClusterAgent(three()), "11") == "PassNotFailedDag"
    assert refusal(failed(), "11") == "PassNotFailedNode"
    assert refusal(failed(passable=False), "12") == "PassNotAllowed"
    assert refusal(failed(), "12", "RETRY") == "NotSupport"


@pytest.mark.parametrize(
    ("state", "operator", "later"),
    [
        ("RUNNING", "RUN", ("SUCCEED", "RUN", 1)),
        ("READY", "RUN", ("SUCCEED", "RUN", 1)),
        ("PENDING", "RUN", ("SUCCEED", "RUN", 1)),
        ("RUNNING", "ROLLBACK", ("SUCCEED", "ROLLBACK", 1)),
        ("RUNNING", "CANCEL", ("FAILED", "CANCEL", 1)),
        ("FAILED", "RUN", ("FAILED", "RUN", 1)),
        ("FAILED", "ROLLBACK", ("FAILED", "ROLLBACK", 1)),
        ("FAILED", "CANCEL", ("FAILED", "CANCEL", 1)),
        ("SUCCEED", "RUN", ("SUCCEED", "RUN", 1)),
        ("SUCCEED", "ROLLBACK", ("SUCCEED", "ROLLBACK", 1)),
        ("SUCCEED", "PASS", ("SUCCEED", "PASS", 1)),
    ],
)
def test_a_dag_begins_as_the_world_says(
    state: str, operator: str, later: tuple[str, str, int]
) -> None:
    given_dag = {"id": "11", "state": state, "operator": operator}
    agent = ClusterAgent({**given_dag, "finishAfter": 300})
    endless = ClusterAgent(given_dag)
    assert agent.course("11") == endless.course("11") == (state, operator, 1)
    agent.advance(301)
    endless.advance(1_000_000)
    assert agent.course("11") == later
    assert endless.course("11") == (state, operator, 1)


def test_a_dag_that_begins_failed_has_had_its_first_execution() -> None:
    agent = ClusterAgent({**three(fail={"times": 2}), "state": "FAILED"})
    assert agent.course("11") == ("FAILED", "RUN", 2)
    assert agent.nodes("11") == ["SUCCEED RUN", "FAILED RUN", "PENDING RUN"]
    agent.operate("11", "RETRY")
    agent.advance(11)
    assert agent.course("11") == ("FAILED", "RUN", 2)
    agent.operate("11", "RETRY")
    agent.advance(21)
    assert agent.course("11") == ("SUCCEED", "RUN", 3)


def test_a_changed_entry_begins_anew_and_an_unchanged_one_goes_on() -> None:
    agent = ClusterAgent(three(), {"id": "12", "finishAfter": 30})
    agent.advance(10)
    agent.operate("12", "CANCEL")
    agent.advance(2)
    world = {"obshell": {"dags": [three(), {"id": "12", "finishAfter": 20}]}}
    assert agent.control("PUT", "world", world)[0] == 200
    assert agent.course("11") == ("RUNNING", "RUN", 2)
    assert agent.course("12") == ("RUNNING", "RUN", 1)
    agent.advance(20)
    assert agent.course("11") == ("SUCCEED", "RUN", 3)
    assert agent.course("12") == ("SUCCEED", "RUN", 1)


def test_logs_are_the_worlds_or_a_line_for_each_begin_and_end() -> None:
    agent = ClusterAgent(three(logs=["no space left"], fail=True))
    agent.advance(20)
    first, second, third = (node["sub_tasks"][0] for node in agent.dag("11")["nodes"])
    assert first["task_logs"] == [
        "2026-11-21T02:25:40.000Z RUN 1 of first begins",
        "2026-11-21T02:25:50.000Z RUN 1 of first ends: SUCCEED",
    ]
    assert second["task_logs"] == ["no space left"]
    assert third["task_logs"] is None
    rows = agent.get(f"/api/v1/task/sub_task/{second['id']}/logs")["contents"]
    assert rows == [{"task_id": 2, "execute_times": 1, "log_content": "no space left"}]
    assert agent.get(f"/api/v1/task/sub_task/{third['id']}/logs") == {"contents": []}


def test_a_failed_maintenance_dag_stays_unfinished_until_someone_deals_with_it() -> None:
    for operator, after in [("RETRY", 31), ("ROLLBACK", 21), ("PASS", 0)]:
        agent = failed(fail={"times": 1})
        assert agent.ids(UNFINISHED) == ["11"]
        agent.operate("11", operator)
        agent.advance(after)
        assert agent.ids(UNFINISHED) == [], operator


def test_a_failed_dag_without_maintenance_leaves_the_list() -> None:
    agent = ClusterAgent({**three(fail=True), "maintenance": {"type": "none"}})
    assert agent.ids(UNFINISHED) == ["11"]
    agent.advance(20)
    assert agent.course("11") == ("FAILED", "RUN", 2)
    assert agent.ids(UNFINISHED) == []


OPERATORS = st.sampled_from(["RETRY", "ROLLBACK", "CANCEL", "PASS"])
NODES = st.lists(
    st.builds(
        ClusterNode,
        name=st.just("n"),
        seconds=st.sampled_from([0.0, 1.0, 2.5]),
        fail_times=st.sampled_from([0, 1, None]),
        passable=st.booleans(),
        rollbackable=st.booleans(),
    ),
    min_size=1,
    max_size=4,
)
STEPS = st.lists(st.tuples(OPERATORS, st.booleans(), st.integers(0, 5000)), max_size=12)


@given(NODES, STEPS)
def test_looking_changes_nothing_and_whatever_is_allowed_leads_to_an_end(
    nodes: list[ClusterNode], steps: list[tuple[str, bool, int]]
) -> None:
    dag = ClusterDag(id="11", nodes=tuple(nodes))
    done: list[Operation] = []
    now = 0
    watched = replay(dag, 0, (), 0)
    for word, on_node, wait in steps:
        now += wait
        watched.go_on(now)
        index = watched.current
        try:
            operator = (
                node_operator(watched, index, word) if on_node else dag_operator(watched, word)
            )
        except GatewayError:
            continue
        done.append(Operation(operator=operator, at_ms=now, node=index if on_node else None))
        watched.operate(done[-1])
        assert replay(dag, 0, done, now) == watched
    end = replay(dag, 0, done, now + 60_000)
    watched.go_on(now + 60_000)
    assert end == watched
    assert end.finished
    if end.state is DagState.SUCCEED and end.operator is not Operator.ROLLBACK:
        assert all(node.state is DagState.SUCCEED for node in end.nodes)
        assert end.current == len(nodes) - 1
