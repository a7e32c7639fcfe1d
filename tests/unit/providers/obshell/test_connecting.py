"""Endpoints, what a check tells, and the provider as its port describes it."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from reconciler.model.diagnostics import Place
from reconciler.model.errors import InvalidRequest
from reconciler.model.project import Secret, SimulatorEndpoint, UnsetVariable
from reconciler.ports import GateKeeper
from reconciler.providers.obshell.provider import OBShellProvider
from tests.unit.providers.obshell.support import (
    AGENT_LIST,
    CLUSTER_LIST,
    DAG,
    DATES,
    NOW,
    SECURITY,
    STATUS,
    THE_DAG,
    Agent,
    FakeClock,
    a_connection,
    a_dag,
    a_provider,
    a_status,
    listed,
    ok,
    refusal,
)


def test_it_is_what_its_port_asks_for() -> None:
    keeper: GateKeeper = a_provider(Agent())
    assert keeper.calls_made == 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://10.0.0.8:2886", "http://10.0.0.8:2886/api/v1/secret"),
        ("http://10.0.0.8:2886/", "http://10.0.0.8:2886/api/v1/secret"),
        ("https://ob.example", "https://ob.example/api/v1/secret"),
        ("http://[::1]:2886", "http://[::1]:2886/api/v1/secret"),
        (SimulatorEndpoint(), "http://simulator.invalid/api/v1/secret"),
    ],
)
async def test_endpoints_of_the_project_file(endpoint: str | SimulatorEndpoint, url: str) -> None:
    agent = Agent()
    agent.on(DAG, ok(a_dag()))
    provider = a_provider(agent, connection=a_connection(endpoint=endpoint))
    await provider.evaluate(THE_DAG, DATES)
    assert str(agent.requests[0].url) == url


@pytest.mark.parametrize("endpoint", ["ftp://x", "10.0.0.8:2886", "http://", "http://u:canary@x"])
def test_unusable_endpoints(endpoint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        a_provider(Agent(), connection=a_connection(endpoint=endpoint))
    assert "canary" not in str(caught.value)


@pytest.mark.anyio
async def test_it_closes_what_it_opened() -> None:
    provider = OBShellProvider(a_connection(), clock=FakeClock(), base_url="http://127.0.0.1:1/")
    async with provider as opened:
        assert opened is provider
    assert provider._client.is_closed


@pytest.mark.anyio
async def test_a_good_connection() -> None:
    agent = Agent()
    agent.on(CLUSTER_LIST, listed(a_dag("RUNNING"), a_dag("FAILED")))
    report = await a_provider(agent).check()
    assert report.sound
    assert report.lines == (
        "endpoint: http://10.0.0.8:2886 answers",
        "agent: OBShell 4.3.3.0-12025, CLUSTER AGENT",
        "cluster: the database is available",
        "credentials: accepted",
        "unfinished tasks: 2",
        "clock: agrees with the service's",
    )
    assert agent.paths() == ["/status", "/secret", "/task/dag/ob/unfinish"]


@pytest.mark.anyio
async def test_an_agent_without_a_cluster_is_asked_for_its_own_tasks() -> None:
    agent = Agent()
    agent.on(STATUS, ok(a_status(agent={"identity": "SINGLE"}, obState=0)))
    agent.on(AGENT_LIST, listed())
    report = await a_provider(agent).check()
    assert report.sound
    assert "cluster: the database is not available (obState 0)" in report.lines
    assert report.lines[3].startswith("credentials: not refused; an agent without a cluster")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (
            refusal(401, f"{SECURITY}IncorrectOceanbasePassword", code=10008),
            "credentials: not accepted: the password of connection ob was not accepted",
        ),
        (refusal(400, "Common.BadRequest"), "read: get_cluster_unfinished_dag failed"),
        (refusal(400, "MySQL.Error"), "read: get_cluster_unfinished_dag failed: MySQL.Error"),
        (httpx.ConnectError("refused"), "read: get_cluster_unfinished_dag got no answer"),
    ],
)
async def test_what_a_failed_check_tells(answer: httpx.Response | Exception, line: str) -> None:
    agent = Agent()
    agent.on(CLUSTER_LIST, answer)
    report = await a_provider(agent).check()
    assert not report.sound
    assert report.lines[0].endswith(" answers"), "its status was read"
    assert any(told.startswith(line) for told in report.lines)


@pytest.mark.anyio
async def test_an_agent_that_cannot_be_reached_is_told() -> None:
    agent = Agent()
    agent.on(STATUS, httpx.ConnectError("refused"))
    report = await a_provider(agent).check()
    assert not report.sound
    assert report.lines[0] == "endpoint: http://10.0.0.8:2886 does not answer"
    assert report.lines[1].startswith("read: get_status got no answer")


@pytest.mark.anyio
async def test_a_check_without_a_password_tells_what_to_set() -> None:
    missing = Secret.missing(UnsetVariable("OB_PASSWORD", Place("reconciler.yaml", 9, 5)))
    report = await a_provider(Agent(), connection=a_connection(password=missing)).check()
    assert not report.sound
    assert any("OB_PASSWORD" in line for line in report.lines)


@pytest.mark.anyio
async def test_a_clock_that_is_off_is_told() -> None:
    agent = Agent(date=NOW - dt.timedelta(hours=1))
    agent.on(CLUSTER_LIST, listed())
    assert "clock: the service is 3600 s behind" in (await a_provider(agent).check()).lines
