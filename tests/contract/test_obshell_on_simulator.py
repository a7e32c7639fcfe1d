"""The OBShell adapter against the simulated agent, whose answers are written independently of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.dates import DateSet
from reconciler.model.errors import Unauthenticated, Unavailable
from reconciler.model.gates import DagSucceeded, GateReading, NothingUnfinished, Scope
from reconciler.model.project import Secret, SimulatorEndpoint
from reconciler.model.series import Realm
from reconciler.providers.obshell.provider import OBShellProvider
from reconciler.simulator import MANUAL, AccessKey, Simulator, open_simulator, parse_world
from reconciler.wiring.system import SystemClock
from tests.simulator.serving import Served, serving
from tests.unit.providers.obshell.support import FakeClock, NoJitter, a_connection

pytestmark = pytest.mark.anyio

KEY = AccessKey(id="test-access-key-id", secret="test-access-key-secret")
DATES = DateSet.parse(["2024-05-01..2024-05-03"])
CLUSTER = NothingUnfinished(scope=Scope.CLUSTER)
EVERYTHING = NothingUnfinished(scope=Scope.ALL)
LOCAL, PROXY = "22130706433028869", "42130706433028861"


class Cluster:
    """A simulated agent and an adapter; the work clock moves by `advance` alone."""

    def __init__(self, simulator: Simulator, keeper: OBShellProvider) -> None:
        self.simulator = simulator
        self.keeper = keeper

    async def dag(self, dag_id: str) -> GateReading:
        return await self.keeper.evaluate(DagSucceeded(dag=dag_id), DATES)

    async def quiet(self, scope: Scope, tenant: str | None = None) -> GateReading:
        return await self.keeper.evaluate(NothingUnfinished(scope=scope, tenant=tenant), DATES)

    def asked(self) -> list[str]:
        """What was asked of it, and how it answered."""
        return [
            f"{entry['operation'].removeprefix('obshell.')} {entry['status']}"
            for entry in self.simulator.requests()
        ]


@asynccontextmanager
async def a_cluster(
    *dags: dict[str, Any],
    password: str = KEY.secret,
    slow_seconds: int = 0,
    **more: Any,
) -> AsyncIterator[Cluster]:
    clock, ours = FakeClock(), FakeClock()
    ours.seconds -= slow_seconds
    simulator = open_simulator(
        db=None,
        world=parse_world({"strict": True, "obshell": {"dags": list(dags), **more}}),
        clock=MANUAL,
        key=KEY,
        real_time=lambda: int(clock.now().timestamp() * 1000),
        sleep=clock.sleep,
    )
    keeper = OBShellProvider(
        a_connection(
            endpoint=SimulatorEndpoint(),
            realm=Realm.SIMULATOR,
            password=Secret(password),
            agent_password=Secret(password),
        ),
        clock=ours,
        transport=simulator.transport(),
        jitter=NoJitter(),
    )
    try:
        async with keeper:
            yield Cluster(simulator, keeper)
    finally:
        simulator.close()


def why(reading: GateReading) -> str:
    [text] = {text for _, text in reading.closed}
    assert reading.closed.dates == DATES
    return text


async def test_a_dag_is_followed_from_its_beginning_to_its_success() -> None:
    async with a_cluster({"id": "11", "name": "Backup", "finishAfter": 30}) as cluster:
        early = why(await cluster.dag("11"))
        assert early.startswith("DAG 11 (Backup) is running (RUNNING/RUN), stage 1/1, since ")
        assert why(await cluster.quiet(Scope.CLUSTER)) == early
        cluster.simulator.advance(31)
        assert await cluster.dag("11") == GateReading(dates=DATES)
        assert await cluster.quiet(Scope.CLUSTER) == GateReading(dates=DATES)
        assert cluster.asked() == [
            "get_secret 200",
            "get_dag 200",
            "get_cluster_unfinished_dag 200",
            "get_dag 200",
            "get_cluster_unfinished_dag 200",
        ]
        assert cluster.keeper.calls_made == 5


@pytest.mark.parametrize(
    ("state", "operator", "said"),
    [
        ("SUCCEED", "ROLLBACK", "was rolled back: it is undone"),
        ("FAILED", "RUN", "failed (FAILED/RUN)"),
        ("FAILED", "CANCEL", "was cancelled"),
        ("FAILED", "ROLLBACK", "failed to roll back"),
        ("RUNNING", "ROLLBACK", "is being rolled back"),
        ("RUNNING", "CANCEL", "is being cancelled"),
        ("READY", "RUN", "is queued"),
    ],
)
async def test_state_and_operator_close_a_gate_together(
    state: str, operator: str, said: str
) -> None:
    async with a_cluster({"id": "11", "state": state, "operator": operator}) as cluster:
        assert said in why(await cluster.dag("11"))


async def test_a_dag_that_was_passed_opens_with_a_remark() -> None:
    dag = {"id": "11", "state": "SUCCEED", "operator": "PASS"}
    async with a_cluster(dag) as cluster:
        reading = await cluster.dag("11")
    assert not reading.closed
    [remark] = {text for _, text in reading.remarks}
    assert remark.startswith("waived: DAG 11")


async def test_a_failure_shows_its_node_and_its_log() -> None:
    nodes = [
        {"name": "Check"},
        {"name": "Install", "fail": True, "logs": ["unpack", "no space left"]},
    ]
    async with a_cluster({"id": "12", "name": "Upgrade", "state": "FAILED", "nodes": nodes}) as it:
        told = why(await it.dag("12"))
        listed = why(await it.quiet(Scope.CLUSTER))
    assert told == (
        "DAG 12 (Upgrade) failed (FAILED/RUN), stage 2/2, in node Install: unpack | no space left"
    )
    assert listed.startswith(told)
    assert "RETRY, ROLLBACK or PASS" in listed


async def test_scopes_and_tenants_tell_tasks_apart() -> None:
    orders = {"id": "11", "name": "Orders", "maintenance": {"type": "tenant", "tenant": "orders"}}
    async with a_cluster(orders, {"id": LOCAL, "name": "Local"}) as cluster:
        assert "DAG 11" in why(await cluster.quiet(Scope.CLUSTER))
        assert "DAG 11" in why(await cluster.quiet(Scope.CLUSTER, "orders"))
        assert not (await cluster.quiet(Scope.CLUSTER, "users")).closed
        assert f"DAG {LOCAL}" in why(await cluster.quiet(Scope.AGENT))
        assert "and 1 more unfinished" in why(await cluster.quiet(Scope.ALL))


async def test_tasks_of_a_proxy_are_read_with_the_agents_password() -> None:
    async with a_cluster({"id": PROXY, "name": "Proxy", "state": "SUCCEED"}) as cluster:
        assert not (await cluster.dag(PROXY)).closed


async def test_a_dag_that_does_not_exist_is_told_apart_from_a_database_that_is_down() -> None:
    async with a_cluster() as cluster:
        assert why(await cluster.dag("17")) == "there is no DAG 17: the agent does not know it"
    async with a_cluster(database="down") as cluster:
        with pytest.raises(Unavailable, match="its database is not available"):
            await cluster.dag("17")
        with pytest.raises(Unavailable):
            await cluster.keeper.evaluate(EVERYTHING, DATES)


async def test_an_empty_list_of_everything_is_believed_while_the_database_is_up() -> None:
    async with a_cluster() as cluster:
        assert not (await cluster.quiet(Scope.ALL)).closed
        assert cluster.asked()[-1] == "get_status 200"


async def test_another_key_is_fetched_when_the_agent_has_one() -> None:
    async with a_cluster({"id": "11", "state": "SUCCEED"}) as cluster:
        await cluster.dag("11")
        cluster.simulator.rotate_obshell_key()
        assert not (await cluster.dag("11")).closed
        assert cluster.asked()[2:] == ["get_dag 401", "get_secret 200", "get_dag 200"]


@pytest.mark.parametrize("slow_seconds", [0, 3600])
async def test_headers_are_made_for_the_agents_clock(slow_seconds: int) -> None:
    async with a_cluster({"id": "11", "state": "SUCCEED"}, slow_seconds=slow_seconds) as cluster:
        assert not (await cluster.dag("11")).closed
        cluster.simulator.advance(86_400)
        assert not (await cluster.dag("11")).closed
        assert not [entry for entry in cluster.asked() if not entry.endswith(" 200")]


async def test_faults_of_the_way_are_overcome() -> None:
    async with a_cluster({"id": "11", "state": "SUCCEED"}) as cluster:
        cluster.simulator.put_faults(
            [
                {"operation": "obshell.get_secret", "nth": 1, "effect": "drop"},
                {"operation": "obshell.get_dag", "nth": 1, "effect": "http", "status": 503},
                {"operation": "obshell.get_dag", "nth": 2, "effect": "reset_mid_body"},
            ]
        )
        assert not (await cluster.dag("11")).closed


async def test_a_wrong_password_is_not_tried_twice() -> None:
    async with a_cluster(password="wrong-canary") as cluster:
        with pytest.raises(Unauthenticated) as caught:
            await cluster.keeper.evaluate(CLUSTER, DATES)
        assert "the password of connection ob was not accepted" in caught.value.summary
        assert cluster.asked() == ["get_secret 200", "get_cluster_unfinished_dag 401"]
        report = await cluster.keeper.check()
    assert not report.sound


async def test_a_check_tells_what_the_simulator_is() -> None:
    async with a_cluster({"id": "11"}) as cluster:
        report = await cluster.keeper.check()
    assert report.sound
    assert "credentials: accepted" in report.lines
    assert "cluster: the database is available" in report.lines
    assert "unfinished tasks: 1" in report.lines


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    world = tmp_path / "world.yaml"
    world.write_text(
        "strict: true\nobshell: {dags: [{id: '11', name: Backup, finishAfter: 30}]}\n"
    )
    with serving(world=world) as one:
        yield one


async def test_over_a_real_connection_it_is_all_the_same(served: Served) -> None:
    connection = a_connection(endpoint=served.url, password=Secret(served.key.secret))
    async with OBShellProvider(connection, clock=SystemClock()) as keeper:
        assert (await keeper.check()).sound
        assert why(await keeper.evaluate(CLUSTER, DATES)).startswith("DAG 11 (Backup) is running")
        served.advance(31)
        assert not (await keeper.evaluate(CLUSTER, DATES)).closed
        assert not (await keeper.evaluate(DagSucceeded(dag="11"), DATES)).closed
        served.control("POST", "obshell", {"rotate_key": True})
        assert not (await keeper.evaluate(DagSucceeded(dag="11"), DATES)).closed
        assert keeper.calls_made == 9
