"""Whatever comes back: a reading or an error of ours, and an open gate only for what says so."""

from __future__ import annotations

import asyncio
import json

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.errors import ProviderError
from reconciler.model.gates import GateReading
from reconciler.ports import GateKeeper
from tests.effort import examples
from tests.unit.providers.obshell.support import (
    CLUSTER_LIST,
    CLUSTER_QUIET,
    DAG,
    DATES,
    PASSWORD,
    SECRET,
    STATUS,
    THE_DAG,
    Agent,
    a_dag,
    a_node,
    a_provider,
    a_task,
    an_envelope,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["SUCCEED", "RUN", "PASS", "FAILED", "1123", PASSWORD, "\x1b[2J", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def spoilt(document: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """The document with some members replaced by anything, or left out."""
    return st.dictionaries(st.sampled_from(sorted(document)), VALUES, max_size=3).flatmap(
        lambda changes: st.sets(st.sampled_from(sorted(document)), max_size=2).map(
            lambda gone: {k: v for k, v in {**document, **changes}.items() if k not in gone}
        )
    )


DAGS = spoilt(a_dag()) | spoilt(
    a_dag("FAILED", nodes=[a_node(sub_tasks=[a_task(task_logs=["x"])])])
)
NODES = spoilt(a_node()).map(lambda node: a_dag("FAILED", nodes=[node]))
TASKS = spoilt(a_task()).map(lambda task: a_dag("FAILED", nodes=[a_node(sub_tasks=[task])]))
DATA = DAGS | NODES | TASKS | VALUES
ENVELOPES = (
    DATA.map(lambda data: an_envelope(data=data))
    | DATA.map(lambda data: an_envelope(data={"contents": data}))
    | spoilt(an_envelope(data=a_dag(), status=200))
    | spoilt(an_envelope(successful=False, error={"errCode": "Task.NotFound", "message": "no"}))
    | VALUES.map(lambda error: an_envelope(successful=False, error=error))
)
BODIES = ENVELOPES.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=200)
STATUSES = st.sampled_from([200, 200, 200, 204, 302, 400, 401, 404, 500]) | st.integers(200, 599)


def looked_at(agent: Agent) -> list[GateReading | ProviderError]:
    async def look(keeper: GateKeeper) -> list[GateReading | ProviderError]:
        found: list[GateReading | ProviderError] = []
        for condition in (THE_DAG, CLUSTER_QUIET):
            try:
                found.append(await keeper.evaluate(condition, DATES))
            except ProviderError as error:
                found.append(error)
        return found

    return asyncio.run(look(a_provider(agent)))


@settings(max_examples=examples(40), deadline=None)
@given(status=STATUSES, body=BODIES)
def test_any_answer_is_judged_or_refused(status: int, body: bytes) -> None:
    agent = Agent()
    for path in (DAG, CLUSTER_LIST):
        agent.on(path, lambda _: httpx.Response(status, content=body))

    dag, listed = looked_at(agent)

    told = f"{dag!r} {listed!r}"
    assert PASSWORD not in told
    if isinstance(dag, GateReading) and not dag.closed:
        shown = json.loads(body)["data"]
        assert (shown["state"].upper(), shown["operator"].upper()) in {
            ("SUCCEED", "RUN"),
            ("SUCCEED", "PASS"),
        }
        assert str(shown["id"]) == "1123"
    if isinstance(listed, GateReading) and not listed.closed:
        shown = json.loads(body)
        assert shown["successful"] in {True, "true"}
        assert shown["data"] == {} or not shown["data"]["contents"]
    for found in (dag, listed):
        if isinstance(found, GateReading):
            assert all(text.isprintable() for _, text in (*found.closed, *found.remarks))


@settings(max_examples=examples(40), deadline=None)
@given(status=STATUSES, body=BODIES, path=st.sampled_from([SECRET, STATUS]))
def test_any_answer_to_an_open_read_is_judged_or_refused(
    status: int, body: bytes, path: str
) -> None:
    agent = Agent()
    agent.on(path, lambda _: httpx.Response(status, content=body))
    agent.on(
        DAG, lambda _: httpx.Response(404, json=an_envelope(error={"errCode": "Task.NotFound"}))
    )
    agent.on(
        CLUSTER_LIST, lambda _: httpx.Response(200, json=an_envelope(data={"contents": [a_dag()]}))
    )
    for found in looked_at(agent):
        assert isinstance(found, ProviderError) or found.closed
