from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from reconciler.model.errors import InputError
from reconciler.simulator.faults import FaultError, load_faults, parse_faults
from tests.simulator.harness import Cloud, backfill_parameters

ONE = backfill_parameters("2020-05-20")


def a_cloud(**fault: object) -> Cloud:
    cloud = Cloud()
    cloud.simulator.put_faults([{"operation": "RunCycleDagNodes", **fault}])
    return cloud


def executed(cloud: Cloud) -> int:
    return len(cloud.simulator.ledger())


def verdicts(cloud: Cloud) -> list[str]:
    return [entry["verdict"] for entry in cloud.simulator.requests()]


def test_execute_then_drop() -> None:
    cloud = a_cloud(effect="execute_then_drop")
    with pytest.raises(httpx.RemoteProtocolError):
        cloud.ask("RunCycleDagNodes", **ONE)
    assert executed(cloud) == 1
    assert verdicts(cloud) == ["faulted:execute_then_drop"]


def test_drop_does_not_execute() -> None:
    cloud = a_cloud(effect="drop")
    with pytest.raises(httpx.RemoteProtocolError):
        cloud.ask("RunCycleDagNodes", **ONE)
    assert executed(cloud) == 0


def test_a_dropped_request_may_be_delivered_again() -> None:
    cloud = a_cloud(effect="drop", nth=1)
    request = cloud.request("RunCycleDagNodes", **ONE)
    with pytest.raises(httpx.RemoteProtocolError):
        cloud.send(request)
    assert cloud.send(request).json()["Success"] is True


def test_reset_mid_body_executes() -> None:
    cloud = a_cloud(effect="reset_mid_body")
    with pytest.raises(httpx.ReadError):
        cloud.ask("RunCycleDagNodes", **ONE)
    assert executed(cloud) == 1


def test_garbage_executes() -> None:
    cloud = a_cloud(effect="garbage")
    response = cloud.ask("RunCycleDagNodes", **ONE)
    assert response.status_code == 200
    assert response.text == "<html>this is not the answer</html>"
    assert executed(cloud) == 1


def test_garbage_of_ones_own() -> None:
    response = a_cloud(effect="garbage", body="", status=502).ask("RunCycleDagNodes", **ONE)
    assert (response.status_code, response.text) == (502, "")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({}, 500, "InternalError.System"),
        ({"status": 503}, 503, "ServiceUnavailable"),
        ({"status": 403}, 403, "Forbidden.Access"),
        ({"status": 500, "code": "Forbidden.Not.Server"}, 500, "Forbidden.Not.Server"),
    ],
    ids=str,
)
def test_http_does_not_execute(fault: dict[str, object], status: int, code: str) -> None:
    cloud = a_cloud(effect="http", **fault)
    assert cloud.refusal("RunCycleDagNodes", **ONE) == (status, code)
    assert executed(cloud) == 0
    assert cloud.simulator.requests()[0]["status"] == status


def test_http_with_a_body_of_ones_own() -> None:
    response = a_cloud(effect="http", status=504, body="upstream timed out").ask(
        "RunCycleDagNodes", **ONE
    )
    assert (response.status_code, response.text) == (504, "upstream timed out")


def test_throttle_does_not_execute() -> None:
    cloud = a_cloud(effect="throttle")
    assert cloud.refusal("RunCycleDagNodes", **ONE) == (429, "Throttling.User")
    assert executed(cloud) == 0
    other = a_cloud(effect="throttle", code="Throttling.Api.Risk")
    assert other.refusal("RunCycleDagNodes", **ONE) == (429, "Throttling.Api.Risk")


def test_a_delay_within_the_read_timeout_is_waited_for() -> None:
    cloud = a_cloud(effect="delay", seconds=3)
    assert cloud.ask("RunCycleDagNodes", **ONE).json()["Success"] is True
    assert cloud.time.slept == [3]


def test_a_delay_past_the_read_timeout_executes_and_times_out() -> None:
    cloud = a_cloud(effect="delay", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        cloud.send(cloud.request("RunCycleDagNodes", **ONE), read_timeout=10)
    assert cloud.time.slept == [10]
    assert executed(cloud) == 1


def test_only_the_nth_request_since_the_put_is_spoilt() -> None:
    cloud = a_cloud(effect="throttle", nth=2)
    cloud.backfill("2020-05-20")
    cloud.call("ListDags", ProjectEnv="PROD", OpSeq=1)
    assert cloud.refusal("RunCycleDagNodes", **ONE)[0] == 429
    cloud.backfill("2020-05-20")
    cloud.simulator.put_faults([{"operation": "RunCycleDagNodes", "nth": 1, "effect": "throttle"}])
    assert cloud.refusal("RunCycleDagNodes", **ONE)[0] == 429
    cloud.backfill("2020-05-20")


def test_without_nth_every_request_is_spoilt_until_the_list_is_emptied() -> None:
    cloud = a_cloud(effect="throttle")
    for _ in range(3):
        assert cloud.refusal("RunCycleDagNodes", **ONE)[0] == 429
    cloud.simulator.put_faults([])
    cloud.backfill("2020-05-20")


def test_the_first_fault_in_the_list_wins_and_all_of_them_count() -> None:
    cloud = Cloud()
    cloud.simulator.put_faults(
        [
            {"operation": "GetDag", "nth": 2, "effect": "http", "status": 503},
            {"operation": "GetDag", "effect": "throttle"},
        ]
    )
    statuses = [cloud.ask("GetDag", ProjectEnv="PROD", DagId=1).status_code for _ in range(3)]
    assert statuses == [429, 503, 429]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "a list of faults"),
        (["drop"], r"faults\[0\]: a mapping"),
        ([{"operation": "GetDag"}], r"faults\[0\]\.effect: one of execute_then_drop, drop"),
        ([{"effect": "drop"}], r"faults\[0\]\.operation"),
        ([{"operation": 1, "effect": "drop"}], r"faults\[0\]\.operation"),
        ([{"operation": "GetDag", "effect": "drop", "nth": 0}], r"faults\[0\]\.nth"),
        ([{"operation": "GetDag", "effect": "drop", "nth": True}], r"faults\[0\]\.nth"),
        ([{"operation": "GetDag", "effect": "http", "status": 99}], r"faults\[0\]\.status"),
        ([{"operation": "GetDag", "effect": "http", "status": 204}], "204 has no body"),
        ([{"operation": "GetDag", "effect": "delay", "seconds": -1}], r"faults\[0\]\.seconds"),
        ([{"operation": "GetDag", "effect": "delay", "seconds": "1"}], r"faults\[0\]\.seconds"),
        ([{"operation": "GetDag", "effect": "garbage", "body": 1}], r"faults\[0\]\.body"),
        ([{"operation": "GetDag", "effect": "drop", "when": 1}], "unknown field when"),
    ],
    ids=str,
)
def test_wrong_lists_are_refused(value: object, message: str) -> None:
    with pytest.raises(FaultError, match=message):
        parse_faults(value)


def test_a_file_may_be_yaml_or_json(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("- {operation: GetDag, nth: 2, effect: drop}\n")
    as_yaml = load_faults(path)
    path.write_text('[{"operation": "GetDag", "nth": 2, "effect": "drop"}]')
    assert as_yaml == load_faults(path)
    assert (as_yaml[0].operation, as_yaml[0].nth) == ("GetDag", 2)


def test_a_wrong_file_says_where(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("- {operation: GetDag}\n")
    with pytest.raises(InputError) as caught:
        load_faults(path)
    (found,) = caught.value.diagnostics
    assert str(found.place) == f"{path}:1:1"
    assert "effect" in found.summary
