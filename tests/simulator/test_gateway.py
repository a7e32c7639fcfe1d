from __future__ import annotations

import httpx
import pytest

from reconciler.simulator import AccessKey
from tests.simulator.harness import (
    KEY,
    URL,
    Cloud,
    backfill_parameters,
    rpc_request,
    signed_request,
)


def test_an_unknown_operation_is_not_found() -> None:
    assert Cloud().refusal("NoSuchThing") == (404, "InvalidApi.NotFound")


def test_an_unknown_version_is_not_found() -> None:
    assert Cloud().refusal("GetDag", version="2024-05-18") == (404, "InvalidApi.NotFound")


def test_an_unsigned_request_lacks_an_access_key() -> None:
    response = Cloud().send(httpx.Request("POST", f"{URL}?Format=JSON&Action=GetDag"))
    assert (response.status_code, response.json()["Code"]) == (400, "MissingAccessKeyId")


def test_an_unreadable_authorization_is_incomplete() -> None:
    cloud = Cloud()
    request = cloud.request("GetDag")
    request.headers["authorization"] = "ACS3-HMAC-SHA256 Credential=x"
    assert cloud.send(request).json()["Code"] == "IncompleteSignature"


def test_headers_that_matter_have_to_be_signed() -> None:
    cloud = Cloud()
    request = cloud.request("GetDag")
    request.headers["authorization"] = request.headers["authorization"].replace(
        "x-acs-action;", ""
    )
    response = cloud.send(request)
    assert response.json()["Code"] == "IncompleteSignature"
    assert "x-acs-action" in response.json()["Message"]


def test_a_security_token_has_to_be_signed() -> None:
    cloud = Cloud()
    request = cloud.request("ListDags", ProjectEnv="PROD", OpSeq=1)
    request.headers["x-acs-security-token"] = "token"
    assert cloud.send(request).json()["Code"] == "IncompleteSignature"


def test_a_signed_security_token_is_accepted() -> None:
    cloud = Cloud()
    parameters = {"ProjectEnv": "PROD", "OpSeq": 1}
    request = signed_request("ListDags", parameters, date=cloud.time.stamp(), token="CAIS=")
    assert cloud.send(request).json()["Success"] is True


def test_an_empty_security_token_is_malformed() -> None:
    cloud = Cloud()
    request = signed_request("ListDags", {}, date=cloud.time.stamp(), token="")
    assert cloud.send(request).json()["Code"] == "InvalidSecurityToken.Malformed"


def test_a_refusal_has_the_gateways_five_fields() -> None:
    body = Cloud().ask("RunCycleDagNodes").json()
    assert body.keys() == {"Code", "Message", "RequestId", "HostId", "Recommend"}
    assert body["HostId"] == "dataworks.example"


def test_a_refused_create_uses_its_nonce_up_and_leaves_no_run() -> None:
    cloud = Cloud()
    request = signed_request("RunCycleDagNodes", {}, date=cloud.time.stamp(), nonce="n")
    assert cloud.send(request).json()["Code"] == "MissingProjectEnv"
    again = signed_request(
        "RunCycleDagNodes", backfill_parameters("2020-05-20"), date=cloud.time.stamp(), nonce="n"
    )
    assert cloud.send(again).json()["Code"] == "SignatureNonceUsed"
    assert cloud.simulator.ledger() == []


def test_a_request_with_a_wrong_signature_leaves_its_nonce_unused() -> None:
    cloud = Cloud()
    forged = AccessKey(id=KEY.id, secret="wrong")
    parameters = {"ProjectEnv": "PROD", "OpSeq": 1}
    stamp = cloud.time.stamp()
    refused = cloud.send(signed_request("ListDags", parameters, date=stamp, nonce="n", key=forged))
    assert refused.json()["Code"] == "SignatureDoesNotMatch"
    accepted = cloud.send(signed_request("ListDags", parameters, date=stamp, nonce="n"))
    assert accepted.json()["Success"] is True


@pytest.mark.parametrize("date", ["2026-11-21 02:25:40", "2026-13-01T00:00:00Z", "yesterday"])
def test_a_malformed_timestamp_is_refused(date: str) -> None:
    response = Cloud().send(signed_request("GetDag", {}, date=date))
    assert response.json()["Code"] == "InvalidTimeStamp.Format"


def test_parameters_may_stand_in_the_query_and_answers_are_xml_unless_json_is_asked_for() -> None:
    cloud = Cloud()
    query = {
        "Action": "RunCycleDagNodes",
        "Version": "2020-05-18",
        "SignatureNonce": "1",
        "Timestamp": cloud.time.stamp(),
        **{
            name: str(value)
            for name, value in backfill_parameters("2020-05-20", "2020-05-21").items()
        },
    }
    response = cloud.send(rpc_request(query))
    assert response.headers["content-type"] == "text/xml;charset=utf-8"
    assert response.text.startswith(
        "<?xml version='1.0' encoding='UTF-8'?><RunCycleDagNodesResponse><RequestId>"
    )
    assert "<Data>20000000000</Data><Data>20000000001</Data>" in response.text
    assert "<Success>true</Success>" in response.text


def test_a_refusal_is_xml_too() -> None:
    cloud = Cloud()
    query = {
        "Action": "GetDag",
        "Version": "2020-05-18",
        "SignatureNonce": "1",
        "Timestamp": cloud.time.stamp(),
    }
    response = cloud.send(rpc_request(query))
    assert response.status_code == 400
    assert "<Error><Code>MissingProjectEnv</Code>" in response.text
    as_json = cloud.send(rpc_request({**query, "SignatureNonce": "2", "Format": "json"}))
    assert as_json.json()["Code"] == "MissingProjectEnv"


def test_acs3_answers_are_xml_when_only_xml_is_accepted() -> None:
    cloud = Cloud()
    request = signed_request("GetDag", {}, date=cloud.time.stamp(), accept="application/xml")
    assert cloud.send(request).text.startswith("<?xml")


def test_reads_and_writes_are_throttled_apart_by_the_second() -> None:
    cloud = Cloud({"limits": {"readQps": 2, "writeQps": 1}})
    cloud.backfill("2020-05-20")
    assert cloud.refusal("RunCycleDagNodes", **backfill_parameters("2020-05-20")) == (
        429,
        "Throttling.User",
    )
    for _ in range(2):
        cloud.call("ListDags", ProjectEnv="PROD", OpSeq=1)
    assert cloud.refusal("ListDags", ProjectEnv="PROD", OpSeq=1) == (429, "Throttling.User")
    cloud.time.pass_seconds(1)
    cloud.call("ListDags", ProjectEnv="PROD", OpSeq=1)
    cloud.backfill("2020-05-20")
    assert len(cloud.simulator.ledger()) == 2


def test_the_second_of_a_limit_is_real_time() -> None:
    cloud = Cloud({"limits": {"readQps": 1}})
    cloud.call("ListDags", ProjectEnv="PROD", OpSeq=1)
    cloud.advance(60)
    assert cloud.refusal("ListDags", ProjectEnv="PROD", OpSeq=1) == (429, "Throttling.User")


def test_calls_are_counted_by_day() -> None:
    cloud = Cloud({"limits": {"dailyCalls": 2}})
    for _ in range(2):
        cloud.call("ListDags", ProjectEnv="PROD", OpSeq=1)
    assert cloud.refusal("ListDags", ProjectEnv="PROD", OpSeq=1) == (429, "Throttling.Api.Risk")
    cloud.advance(86_400)
    cloud.time.pass_seconds(1)
    cloud.call("ListDags", ProjectEnv="PROD", OpSeq=1)


def test_every_request_is_logged_with_its_verdict() -> None:
    cloud = Cloud()
    cloud.backfill("2020-05-20")
    cloud.ask("GetDag")
    cloud.ask("GetDag", ProjectEnv="PROD", DagId=1)
    entries = [
        (entry["seq"], entry["operation"], entry["verdict"], entry["status"])
        for entry in cloud.simulator.requests()
    ]
    assert entries == [
        (1, "RunCycleDagNodes", "accepted", 200),
        (2, "GetDag", "MissingProjectEnv", 400),
        (3, "GetDag", "Invalid.Dag.NotExists", 200),
    ]
    assert cloud.simulator.requests()[0]["time"] == "2026-11-21T02:25:40.000Z"


def test_another_path_serves_nothing() -> None:
    assert Cloud().send(httpx.Request("GET", f"{URL}elsewhere")).status_code == 404


def test_a_body_past_the_bound_is_refused() -> None:
    request = httpx.Request("POST", URL, content=b"x" * (8 * 1024 * 1024 + 1))
    assert Cloud().send(request).status_code == 413


def test_fields_that_are_no_utf8_are_refused() -> None:
    request = httpx.Request("POST", f"{URL}?Format=JSON&Action=%ff")
    response = Cloud().send(request)
    assert (response.status_code, "InvalidParameter" in response.text) == (400, True)
