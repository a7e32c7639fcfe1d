from __future__ import annotations

import json

import httpx
import pytest

from reconciler.simulator.clocks import MANUAL
from reconciler.simulator.core import open_engine
from reconciler.simulator.messages import Request
from tests.simulator.harness import URL, Cloud


def control(cloud: Cloud, method: str, name: str, value: object = None) -> httpx.Response:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return cloud.send(httpx.Request(method, f"{URL}_simulator/{name}", content=content))


def test_an_advance_moves_both_clocks_and_says_where_they_are() -> None:
    response = control(Cloud(), "POST", "clock", {"advance_seconds": 60})
    assert response.json() == {
        "work": "2026-11-21T02:26:40.000Z",
        "gateway": "2026-11-21T02:26:40.000Z",
    }


def test_a_long_advance_waits_for_the_next_second() -> None:
    cloud = Cloud()
    cloud.time.pass_seconds(0.25)
    held = cloud.request("ListDags", ProjectEnv="PROD", OpSeq=1)
    control(cloud, "POST", "clock", {"advance_seconds": 1200})
    assert cloud.time.slept == [0.75]
    assert cloud.send(held).json()["Code"] == "InvalidTimeStamp.Expired"
    assert cloud.call("ListDags", ProjectEnv="PROD", OpSeq=1)["Success"] is True


def test_logs_are_read() -> None:
    cloud = Cloud()
    cloud.backfill("2020-05-20")
    assert control(cloud, "GET", "ledger").json() == cloud.simulator.ledger()
    assert control(cloud, "GET", "requests").json() == cloud.simulator.requests()
    assert len(cloud.simulator.requests()) == 1


def test_faults_and_world_are_put() -> None:
    cloud = Cloud()
    fault = {"operation": "GetDag", "effect": "throttle"}
    assert control(cloud, "PUT", "faults", [fault]).json() == {"faults": 1}
    assert control(cloud, "PUT", "world", {"strict": True}).json() == {"nodes": 0, "flows": 0}
    assert cloud.refusal("GetDag")[0] == 429
    assert cloud.call("ListDags", ProjectEnv="PROD", OpSeq=1)["Success"] is False


@pytest.mark.parametrize(
    ("method", "name", "value", "status", "message"),
    [
        ("POST", "clock", {"advance_seconds": -1}, 400, "advance_seconds"),
        ("POST", "clock", {"advance_seconds": "1"}, 400, "advance_seconds"),
        ("POST", "clock", {"advance_seconds": True}, 400, "advance_seconds"),
        ("POST", "clock", {"seconds": 1}, 400, "advance_seconds"),
        ("POST", "clock", [], 400, "advance_seconds"),
        ("POST", "clock", b"{", 400, "no JSON"),
        ("PUT", "faults", [{"operation": "GetDag", "effect": "explode"}], 400, "effect"),
        ("PUT", "faults", {}, 400, "a list"),
        ("PUT", "world", [], 400, "JSON object"),
        ("PUT", "world", {"stirct": True}, 400, "stirct"),
        ("PUT", "world", {"nodes": [{"id": 1, "parents": [2]}]}, 400, "parent 2"),
        ("GET", "clock", None, 405, "GET"),
        ("GET", "nothing", None, 404, "nothing"),
    ],
    ids=str,
)
def test_bad_input_is_explained(
    method: str, name: str, value: object, status: int, message: str
) -> None:
    response = control(Cloud(), method, name, value)
    assert response.status_code == status
    assert message in response.json()["error"]


def test_only_loopback_peers_are_answered() -> None:
    engine = open_engine(db=None, world=None, clock=MANUAL)
    request = Request(method="GET", path="/_simulator/ledger", from_loopback=False)
    assert engine.handle(request).answer.status == 403


def test_what_an_embedded_simulator_refuses_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="advance_seconds"):
        Cloud().simulator.advance(-1)
