"""What opens a gate, what closes it, and what is said of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from reconciler.model.dates import DateSet
from reconciler.model.errors import InvalidRequest, Unavailable, UnexpectedResponse
from reconciler.model.gates import (
    DagSucceeded,
    GateReading,
    NothingUnfinished,
    RunsSucceeded,
    Scope,
)
from tests.unit.providers.obshell.support import (
    AGENT_LIST,
    CLUSTER_LIST,
    CLUSTER_QUIET,
    DAG,
    DATES,
    EPOCH,
    STATUS,
    THE_DAG,
    WHOLE_LIST,
    Agent,
    a_dag,
    a_node,
    a_provider,
    a_status,
    a_task,
    an_envelope,
    listed,
    ok,
    refusal,
)

pytestmark = pytest.mark.anyio

ALL_QUIET = NothingUnfinished(scope=Scope.ALL)
SALES_QUIET = NothingUnfinished(scope=Scope.CLUSTER, tenant="sales")


async def look_at(agent: Agent, dag: dict[str, Any]) -> GateReading:
    agent.on(DAG, ok(dag))
    return await a_provider(agent).evaluate(THE_DAG, DATES)


async def look_at_list(*dags: dict[str, Any], tenant: str | None = None) -> GateReading:
    agent = Agent()
    agent.on(CLUSTER_LIST, listed(*dags))
    condition = NothingUnfinished(scope=Scope.CLUSTER, tenant=tenant)
    return await a_provider(agent).evaluate(condition, DATES)


def reason(reading: GateReading) -> str:
    """The reason, which is one for all dates."""
    assert reading.closed.dates == reading.dates == DATES
    [text] = {text for _, text in reading.closed}
    assert text.isprintable()
    return text


async def test_a_dag_that_succeeded_opens_its_gate_on_all_dates() -> None:
    agent = Agent()
    reading = await look_at(agent, a_dag("SUCCEED", "RUN"))
    assert reading == GateReading(dates=DATES)
    assert agent.paths() == ["/secret", "/task/dag/1123"]


async def test_a_dag_that_an_operator_passed_opens_its_gate_with_a_remark() -> None:
    reading = await look_at(Agent(), a_dag("SUCCEED", "PASS"))
    assert not reading.closed
    assert reading.remarks.dates == DATES
    assert reading.remarks.at(next(DATES.days())) == (
        "waived: DAG 1123 (Cluster scale out): an operator passed it, it was not executed"
    )


async def test_a_step_that_an_operator_passed_is_told_though_the_dag_ran_on() -> None:
    nodes = [a_node("SUCCEED"), a_node("SUCCEED", "PASS", name="Check disks")]
    reading = await look_at(Agent(), a_dag("SUCCEED", "RUN", nodes=nodes))
    assert not reading.closed
    assert reading.remarks.at(next(DATES.days())) == (
        "waived: of DAG 1123 (Cluster scale out) an operator passed Check disks, which was not executed"
    )


@pytest.mark.parametrize(
    ("state", "operator", "said"),
    [
        ("SUCCEED", "ROLLBACK", "was rolled back: it is undone (SUCCEED/ROLLBACK)"),
        ("SUCCEED", "CANCEL", "is in a state that is not known to be good (SUCCEED/CANCEL)"),
        ("SUCCEED", "RETRY", "is in a state that is not known to be good (SUCCEED/RETRY)"),
        ("SUCCEED", "DANCE", "is in a state that is not known to be good (SUCCEED/DANCE)"),
        ("SUCCEED", None, "is in a state that is not known to be good (SUCCEED/?)"),
        ("FAILED", "RUN", "failed (FAILED/RUN), stage 2/5"),
        ("FAILED", "CANCEL", "was cancelled (FAILED/CANCEL), stage 2/5"),
        ("FAILED", "ROLLBACK", "failed to roll back (FAILED/ROLLBACK), stage 2/5"),
        ("FAILED", "PASS", "failed (FAILED/PASS), stage 2/5"),
        ("READY", "RUN", "is queued (READY/RUN), stage 2/5, since 2024-06-01 19:30 +0800"),
        ("PENDING", "RUN", "is queued (PENDING/RUN), stage 2/5, since 2024-06-01 19:30 +0800"),
        ("RUNNING", "RUN", "is running (RUNNING/RUN), stage 2/5, since 2024-06-01 19:30 +0800"),
        ("RUNNING", "RETRY", "is being retried (RUNNING/RETRY), stage 2/5, since"),
        ("READY", "ROLLBACK", "is being rolled back (READY/ROLLBACK), stage 2/5, since"),
        ("RUNNING", "ROLLBACK", "is being rolled back (RUNNING/ROLLBACK), stage 2/5, since"),
        ("RUNNING", "CANCEL", "is being cancelled (RUNNING/CANCEL), stage 2/5, since"),
        ("DANCING", "RUN", "is in a state that is not known to be good (DANCING/RUN)"),
        ("", "", "is in a state that is not known to be good (?/?)"),
        (None, "RUN", "is in a state that is not known to be good (?/RUN)"),
    ],
)
async def test_anything_else_closes_it_and_says_why(
    state: str | None, operator: str | None, said: str
) -> None:
    reading = await look_at(Agent(), {**a_dag(), "state": state, "operator": operator})
    assert reason(reading).startswith(f"DAG 1123 (Cluster scale out) {said}")
    assert not reading.remarks
    assert reading.problem is None


async def test_words_are_read_in_any_case() -> None:
    assert not (await look_at(Agent(), a_dag("Succeed", "run"))).closed


@pytest.mark.parametrize("never", [EPOCH, "1970-01-01T00:00:00Z", None, "0001-01-01T00:00:00Z"])
async def test_a_time_that_was_not_reached_is_not_shown(never: str | None) -> None:
    told = reason(await look_at(Agent(), a_dag("READY", start_time=never)))
    assert told == "DAG 1123 (Cluster scale out) is queued (READY/RUN), stage 2/5"


async def test_a_failure_names_its_node_and_the_last_lines_of_its_log() -> None:
    logs = ["one\ntwo\n", "three", "\x1b[31mfour\x1b[0m\t\x07!\r\n\n", "five"]
    nodes = [
        a_node("SUCCEED", name="Prepare"),
        a_node(sub_tasks=[a_task("SUCCEED", task_logs=["fine"]), a_task(task_logs=logs)]),
        a_node("PENDING", name="Later"),
    ]
    told = reason(await look_at(Agent(), a_dag("FAILED", nodes=nodes)))
    assert told == (
        "DAG 1123 (Cluster scale out) failed (FAILED/RUN), stage 2/5, "
        "in node Deploy observers: three | four ! | five"
    )


@pytest.mark.parametrize(
    "sub_tasks",
    [
        None,
        [],
        [a_task()],
        a_task(),
        [a_task(task_logs=[])],
        [a_task(task_logs=[None, 7, {}])],
        [a_task(task_logs={"a": 1})],
    ],
)
async def test_a_failure_without_logs_names_its_node(sub_tasks: object) -> None:
    dag = a_dag("FAILED", nodes=[a_node(sub_tasks=sub_tasks)])
    assert reason(await look_at(Agent(), dag)).endswith(", in node Deploy observers")


async def test_a_reason_stays_short_whatever_a_task_prints() -> None:
    long = a_task(task_logs=["x" * 10_000, "y" * 10_000, "z" * 10_000])
    dag = a_dag("FAILED", name="n" * 999, nodes=[a_node(name="m" * 999, sub_tasks=[long])])
    assert len(reason(await look_at(Agent(), dag))) < 800


async def test_details_that_are_left_out_do_no_harm() -> None:
    bare = {"id": 1123, "state": "FAILED", "operator": "RUN", "nodes": None}
    told = reason(await look_at(Agent(), bare))
    assert told == "DAG 1123 (?) failed (FAILED/RUN)"


async def test_ids_beyond_floating_point_are_taken_digit_by_digit() -> None:
    long = "22130706433028869" * 2
    agent = Agent()
    body = an_envelope(data=a_dag("RUNNING", id="@"))
    text = httpx.Response(200, json=body).text.replace('"@"', long)
    agent.on(f"/api/v1/task/dag/{long}", httpx.Response(200, text=text))
    reading = await a_provider(agent).evaluate(DagSucceeded(dag=long), DATES)
    assert reason(reading).startswith(f"DAG {long} (")


async def test_an_answer_about_another_dag_is_no_answer() -> None:
    with pytest.raises(UnexpectedResponse, match="answers with DAG 1999"):
        await look_at(Agent(), a_dag(id="1999"))


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "done",
        {},
        a_dag(id=None),
        a_dag(id=True),
        a_dag(id=1e300),
        a_dag(id="../secret"),
        {**a_dag(), "state": 7.5},
        {**a_dag(), "state": {}},
        a_dag(nodes=7),
        a_dag(nodes=[7]),
        a_dag(stage="two"),
        a_dag(start_time="yesterday"),
        a_dag(start_time="2024-06-01T19:30:00"),
        a_dag(start_time=0),
    ],
)
async def test_a_dag_of_another_shape_is_not_judged(data: object) -> None:
    agent = Agent()
    agent.on(DAG, ok(data))
    with pytest.raises(UnexpectedResponse):
        await a_provider(agent).evaluate(THE_DAG, DATES)


NOT_FOUND = [
    lambda: refusal(404, "Task.NotFound", "Task not found: record not found"),
    lambda: refusal(404, code=2300),
    lambda: refusal(404, code=1003),
    lambda: refusal(400, code=2300),
]


@pytest.mark.parametrize("missing", NOT_FOUND)
async def test_a_dag_that_is_not_there_closes_its_gate(missing: Any) -> None:
    agent = Agent()
    agent.on(DAG, missing())
    reading = await a_provider(agent).evaluate(THE_DAG, DATES)
    assert reason(reading) == "there is no DAG 1123: the agent does not know it"
    assert agent.paths() == ["/secret", "/task/dag/1123", "/status"]


@pytest.mark.parametrize("ob_state", [0, 1, 2, 4, None])
async def test_not_found_is_not_believed_while_the_database_is_down(ob_state: int | None) -> None:
    agent = Agent()
    agent.on(DAG, refusal(404, "Task.NotFound"))
    agent.on(STATUS, ok(a_status(obState=ob_state)))
    with pytest.raises(Unavailable) as caught:
        await a_provider(agent).evaluate(THE_DAG, DATES)
    assert caught.value.summary == (
        "the agent answers 'not found' for DAG 1123, "
        f"but its database is not available (obState {ob_state})"
    )


@pytest.mark.parametrize(
    "unreadable", [httpx.ConnectError("refused"), httpx.Response(200, text="<html>"), ok(None)]
)
async def test_not_found_is_not_believed_without_a_status(
    unreadable: httpx.Response | Exception,
) -> None:
    agent = Agent()
    agent.on(DAG, refusal(404, "Task.NotFound"))
    agent.on(STATUS, unreadable)
    with pytest.raises(Unavailable, match="does not tell whether its database is available"):
        await a_provider(agent).evaluate(THE_DAG, DATES)


async def test_a_path_that_is_not_served_is_not_a_missing_dag() -> None:
    agent = Agent()
    agent.on(DAG, refusal(404, "Common.NotFound"))
    with pytest.raises(InvalidRequest):
        await a_provider(agent).evaluate(THE_DAG, DATES)


@pytest.mark.parametrize(
    ("scope", "path", "expected"),
    [
        (Scope.CLUSTER, CLUSTER_LIST, ["/secret", "/task/dag/ob/unfinish"]),
        (Scope.AGENT, AGENT_LIST, ["/secret", "/task/dag/agent/unfinish"]),
        (Scope.ALL, WHOLE_LIST, ["/secret", "/task/dag/unfinish", "/status"]),
    ],
)
async def test_each_scope_has_a_list_of_its_own(
    scope: Scope, path: str, expected: list[str]
) -> None:
    agent = Agent()
    agent.on(path, listed())
    reading = await a_provider(agent).evaluate(NothingUnfinished(scope=scope), DATES)
    assert reading == GateReading(dates=DATES)
    assert agent.paths() == expected


@pytest.mark.parametrize("data", [{"contents": []}, {"contents": None}, {}])
async def test_an_empty_list_is_written_in_several_ways(data: object) -> None:
    agent = Agent()
    agent.on(CLUSTER_LIST, ok(data))
    assert not (await a_provider(agent).evaluate(CLUSTER_QUIET, DATES)).closed


@pytest.mark.parametrize(
    "data", [None, [], "none", {"content": []}, {"contents": 7}, {"contents": [7]}, a_dag()]
)
async def test_a_list_of_another_shape_does_not_open_a_gate(data: object) -> None:
    agent = Agent()
    agent.on(CLUSTER_LIST, ok(data))
    with pytest.raises(UnexpectedResponse):
        await a_provider(agent).evaluate(CLUSTER_QUIET, DATES)


@pytest.mark.parametrize(
    "body", [{}, {"data": {"contents": []}}, {"successful": None, "data": {"contents": []}}]
)
async def test_json_that_no_agent_wrote_does_not_open_a_gate(body: object) -> None:
    agent = Agent()
    agent.on(CLUSTER_LIST, httpx.Response(200, json=body))
    with pytest.raises(UnexpectedResponse, match="does not say whether it was successful"):
        await a_provider(agent).evaluate(CLUSTER_QUIET, DATES)


@pytest.mark.parametrize(
    "members", [{"successful": False}, {"error": {"errCode": "Surprise"}}, {"error": {"code": 7}}]
)
async def test_an_answer_that_says_two_things_does_not_open_a_gate(
    members: dict[str, Any],
) -> None:
    agent = Agent()
    agent.on(CLUSTER_LIST, ok({"contents": []}, **members))
    with pytest.raises(UnexpectedResponse, match="get_cluster_unfinished_dag failed"):
        await a_provider(agent).evaluate(CLUSTER_QUIET, DATES)


async def test_one_dag_in_place_of_a_list_is_a_list_of_one() -> None:
    agent = Agent()
    agent.on(CLUSTER_LIST, ok({"contents": a_dag("RUNNING")}))
    assert reason(await a_provider(agent).evaluate(CLUSTER_QUIET, DATES))


async def test_what_is_unfinished_is_named_and_the_rest_counted() -> None:
    reading = await look_at_list(
        a_dag("RUNNING"), a_dag("READY", id="1124"), a_dag("READY", id="1125")
    )
    assert reason(reading) == (
        "DAG 1123 (Cluster scale out) is running (RUNNING/RUN), stage 2/5, "
        "since 2024-06-01 19:30 +0800; and 2 more unfinished"
    )


async def test_what_waits_for_a_person_is_named_first() -> None:
    failed = a_node(sub_tasks=[a_task(task_logs=["no space left"])])
    reading = await look_at_list(
        a_dag("RUNNING"), a_dag("FAILED", id="1124", name="Backup", nodes=[failed])
    )
    assert reason(reading) == (
        "DAG 1124 (Backup) failed (FAILED/RUN), stage 2/5, in node Deploy observers: no space left; "
        "it stays unfinished until it gets RETRY, ROLLBACK or PASS in OBShell; and 1 more unfinished"
    )


@pytest.mark.parametrize(
    ("kind", "key", "counts"),
    [
        (3, "sales", True),
        (3, "Sales", False),
        (3, "hr", False),
        (2, "", True),
        (2, "hr", True),
        (0, "", False),
        (1, "", False),
        (4, "proxy", False),
    ],
)
async def test_a_tenants_gate_counts_its_own_tasks_and_those_of_the_whole_cluster(
    kind: int, key: str, *, counts: bool
) -> None:
    dag = a_dag("RUNNING", maintenance_type=kind, maintenance_key=key)
    assert bool((await look_at_list(dag, tenant="sales")).closed) is counts
    assert (await look_at_list(dag)).closed, "without a tenant everything counts"


@pytest.mark.parametrize(
    ("kind", "key"), [(None, None), (None, "sales"), (3, None), (3, ""), (5, "hr"), (-1, "hr")]
)
async def test_a_task_whose_tenant_is_not_told_counts_for_all(
    kind: int | None, key: str | None
) -> None:
    dag = a_dag("RUNNING", maintenance_type=kind, maintenance_key=key)
    told = reason(await look_at_list(dag, tenant="sales"))
    assert told.endswith("the server does not tell whose it is, so it counts for every tenant")


async def test_servers_before_2025_do_not_tell_whose_a_task_is() -> None:
    dag = a_dag("RUNNING")
    del dag["maintenance_type"], dag["maintenance_key"]
    told = reason(await look_at_list(dag, tenant="sales"))
    assert "does not tell whose it is" in told
    assert "does not tell whose it is" not in reason(await look_at_list(dag))


@pytest.mark.parametrize(
    ("ob_state", "identity", "believed"),
    [
        (3, "CLUSTER AGENT", True),
        (2, "CLUSTER AGENT", False),
        (0, "CLUSTER AGENT", False),
        (None, "CLUSTER AGENT", False),
        (0, "SINGLE", True),
        (0, "MASTER", True),
        (0, "SCALING OUT", False),
        (0, "UNIDENTIFIED", False),
        (0, None, False),
    ],
)
async def test_an_empty_list_of_everything_is_believed_only_with_the_database_at_hand(
    ob_state: int | None, identity: str | None, *, believed: bool
) -> None:
    """The agent leaves out, with no word, what it could not read."""
    agent = Agent()
    agent.on(WHOLE_LIST, ok({"contents": None}))
    agent.on(STATUS, ok(a_status(obState=ob_state, agent={"identity": identity})))
    provider = a_provider(agent)
    if believed:
        assert not (await provider.evaluate(ALL_QUIET, DATES)).closed
    else:
        with pytest.raises(Unavailable, match="lists nothing unfinished, but its database"):
            await provider.evaluate(ALL_QUIET, DATES)


async def test_a_list_of_everything_that_shows_something_needs_no_second_look() -> None:
    agent = Agent()
    agent.on(WHOLE_LIST, listed(a_dag("RUNNING")))
    assert reason(await a_provider(agent).evaluate(ALL_QUIET, DATES))
    assert agent.paths() == ["/secret", "/task/dag/unfinish"]


async def test_a_condition_of_another_system_is_refused() -> None:
    agent = Agent()
    with pytest.raises(InvalidRequest, match="cannot be asked whether every run of etl"):
        await a_provider(agent).evaluate(RunsSucceeded(job="etl"), DATES)
    assert agent.requests == []


@pytest.mark.parametrize(
    ("state", "operator", "stuck"),
    [
        ("FAILED", "RUN", True),
        ("FAILED", "CANCEL", True),
        ("FAILED", "ROLLBACK", True),
        ("SUCCEED", "ROLLBACK", True),
        ("RUNNING", "RUN", False),
        ("READY", "ROLLBACK", False),
        ("PENDING", "RUN", False),
        ("SUCCEED", "RUN", False),
    ],
)
async def test_a_gate_is_stuck_where_only_a_person_can_open_it(
    state: str, operator: str, *, stuck: bool
) -> None:
    reading = await look_at(Agent(), a_dag(state, operator))
    assert reading.stuck == (DATES if stuck else DateSet())


async def test_a_list_is_stuck_while_a_failed_task_is_in_it() -> None:
    running, failed = a_dag("RUNNING", "RUN"), a_dag("FAILED", "RUN")
    assert not (await look_at_list(running)).stuck
    assert (await look_at_list(running, failed)).stuck == DATES
