from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.simulator.dataarts.studio import (
    HOST,
    MIDNIGHT,
    PATCH_DATA,
    PROJECT,
    Studio,
    patch_data,
    signed,
)
from tests.simulator.harness import KEY, FakeTime

NODE = f"/v1/{PROJECT}/datamap/table/guid-1/node"
DENIED = (401, "APIG.0301")


def outcome(response: httpx.Response) -> tuple[int, str]:
    value = response.json() if response.content else {}
    return response.status_code, value.get("error_code", "") if isinstance(value, dict) else ""


def token_body(**scope: object) -> dict[str, Any]:
    user = {"name": "somebody", "password": KEY.secret, "domain": {"name": "a_domain"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": identity, **({"scope": scope} if scope else {})}}


def ask_token(studio: Studio, body: object) -> httpx.Response:
    url = f"http://{HOST}/v3/auth/tokens?nocatalog=true"
    headers = {"content-type": "application/json"}
    return studio.send(httpx.Request("POST", url, headers=headers, content=json.dumps(body)))


def a_token(studio: Studio, **scope: object) -> str:
    response = ask_token(studio, token_body(**scope))
    assert response.status_code == 201, response.text
    return response.headers["x-subject-token"]


def ask_with(studio: Studio, token: str, path: str = NODE) -> tuple[int, str]:
    headers = {"x-auth-token": token, "instance": "i"}
    return outcome(studio.send(httpx.Request("GET", f"http://{HOST}{path}", headers=headers)))


def ask_signed(studio: Studio, body: bytes = b"", **more: Any) -> tuple[int, str]:
    """A signed request that starts a job when it is let through."""
    headers = {"content-type": "application/json", **more.pop("headers", {})}
    path = f"/v1/{PROJECT}/jobs/sales/run-immediate"
    date = more.pop("date", studio.date())
    return outcome(studio.send(signed("POST", path, {}, body, headers, date=date, **more)))


def test_a_signed_request_is_let_through() -> None:
    assert ask_signed(Studio(), b'{"jobParams": []}') == (200, "")


def test_a_request_without_credentials_is_refused() -> None:
    request = httpx.Request("GET", f"http://{HOST}{NODE}", headers={"instance": "i"})
    assert outcome(Studio().send(request)) == DENIED


def test_authorization_of_another_scheme_is_refused() -> None:
    headers = {"instance": "i", "authorization": "V11-HMAC-SHA256 Credential=x"}
    request = httpx.Request("GET", f"http://{HOST}{NODE}", headers=headers)
    assert outcome(Studio().send(request)) == DENIED


@pytest.mark.parametrize("header", ["host", "x-sdk-date", "x-security-token"])
def test_some_headers_have_to_be_signed(header: str) -> None:
    token = {"x-security-token": "t"}
    assert ask_signed(Studio(), headers=token) == (200, "")
    assert ask_signed(Studio(), headers=token, unsigned=[header]) == DENIED


def test_other_headers_may_be_left_unsigned() -> None:
    assert ask_signed(Studio(), unsigned=["content-type"]) == (200, "")


def test_an_empty_security_token_is_refused() -> None:
    assert ask_signed(Studio(), headers={"x-security-token": ""}) == DENIED


@pytest.mark.parametrize("date", ["2026-11-20T16:00:00Z", "20261332T000000Z", "20261120T160000"])
def test_a_date_that_is_none_is_refused(date: str) -> None:
    assert ask_signed(Studio(), date=date) == DENIED


def test_a_request_signed_before_an_advance_has_aged_by_it() -> None:
    studio = Studio()
    held = signed("GET", NODE, {}, b"", {"instance": "i"}, date=studio.date())
    studio.time.pass_seconds(1)
    studio.advance(901)
    assert outcome(studio.send(held)) == DENIED
    assert ask_signed(studio) == (200, "")


def test_a_client_may_sign_with_the_gateways_time() -> None:
    studio = Studio()
    studio.advance(86_400)
    assert ask_signed(studio, date="20261121T160000Z") == (200, "")


@pytest.mark.parametrize(
    ("kind", "said", "status"),
    [
        ("application/octet-stream", "UNSIGNED-PAYLOAD", 200),
        ("application/json", "UNSIGNED-PAYLOAD", 401),
        ("application/bson", "UNSIGNED-PAYLOAD", 401),
        ("application/octet-stream", "0" * 64, 401),
    ],
)
def test_only_bodies_that_are_no_json_may_go_unsigned(kind: str, said: str, status: int) -> None:
    headers = {"content-type": kind, "x-sdk-content-sha256": said}
    assert ask_signed(Studio(), b"{}", headers=headers)[0] == status


def test_a_value_beyond_ascii_is_signed_in_utf_8() -> None:
    studio = Studio()
    studio.workspace = "工作"
    path = f"/v2/{PROJECT}/factory/jobs"
    date = studio.date()
    right = signed("GET", path, {"job_name": "作业 a+b&c=d~e*"}, b"", {}, date=date)
    answer = studio.send(right)
    assert [job["name"] for job in answer.json()["jobs"]] == ["作业 a+b&c=d~e*"]


def test_an_encoded_slash_parts_the_signed_path_but_not_the_name() -> None:
    studio = Studio()
    studio.create("a/b c", "2026-01-01")
    request = signed(
        "POST",
        f"/v2/{PROJECT}/factory/supplement-data/a/b%20c/stop",
        {},
        b"",
        {"content-type": "application/json", "workspace": "ws"},
        date=studio.date(),
    )
    wire = httpx.Request(
        "POST",
        f"http://{HOST}/v2/{PROJECT}/factory/supplement-data/a%2Fb%20c/stop",
        headers=request.headers,
    )
    assert outcome(studio.send(wire)) == (200, "")
    assert studio.status("a/b c") == "CANCEL"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/{p}/jobs/sales"),
        ("GET", "/v2/{p}/factory/jobs/sales/run-immediate"),
        ("GET", "/v2/{p}/factory/jobs/sales/instances/1/stop"),
        ("DELETE", "/v2/{p}/factory/supplement-data"),
        ("GET", "/v1/{p}"),
        ("GET", "/v3/users"),
    ],
)
def test_what_is_not_served_is_not_published(method: str, path: str) -> None:
    response = Studio().ask(method, path)
    assert response.status_code == 404
    if not path.startswith("/v3"):
        assert response.json()["error_code"] == "APIG.0101"


def test_the_catalog_wants_the_header_instance() -> None:
    assert outcome(Studio().ask("GET", NODE, instance="")) == (400, "APIG.0106")


def test_a_post_wants_a_content_type() -> None:
    studio = Studio()
    request = signed("POST", PATCH_DATA.replace("{p}", PROJECT), {}, b"", {}, date=studio.date())
    assert outcome(studio.send(request)) == (400, "APIG.0106")


def test_the_gateway_names_the_request_and_the_service_does_not() -> None:
    studio = Studio({"strict": True})
    denied = studio.send(httpx.Request("GET", f"http://{HOST}{NODE}"))
    assert denied.json().keys() == {"error_code", "error_msg", "request_id"}
    assert denied.json()["request_id"] == denied.headers["x-request-id"]
    refused = studio.ask("POST", PATCH_DATA, body=patch_data("one", "2026-01-01"))
    assert refused.json().keys() == {"error_code", "error_msg"}
    assert refused.headers["x-request-id"]
    assert studio.ask("GET", NODE).headers["x-request-id"]


def test_limits_of_the_world_are_kept() -> None:
    studio = Studio({"limits": {"readQps": 2, "writeQps": 1}})
    assert [studio.ask("GET", NODE).status_code for _ in range(3)] == [200, 200, 429]
    assert ask_signed(studio)[0] == 200
    assert ask_signed(studio) == (429, "APIG.0308")
    text = studio.ask("GET", NODE).json()["error_msg"]
    assert text.endswith("policy user over ratelimit,limit:2,time:1 second")


def test_what_was_throttled_does_not_count() -> None:
    studio = Studio({"limits": {"readQps": 1}})
    statuses = []
    for _ in range(3):
        statuses.append(studio.ask("GET", NODE).status_code)
        studio.time.pass_seconds(0.6)
    assert statuses == [200, 429, 200]


def test_the_days_calls_are_counted() -> None:
    studio = Studio({"limits": {"dailyCalls": 1}})
    assert studio.ask("GET", NODE).status_code == 200
    assert outcome(studio.ask("GET", NODE)) == (429, "APIG.0308")
    studio.advance(86_400)
    assert studio.ask("GET", NODE).status_code == 200


def test_the_request_log_has_the_sdks_names() -> None:
    studio = Studio()
    studio.create("one", "2026-01-01")
    studio.ask("GET", NODE)
    studio.ask("GET", "/v1/{p}/nothing")
    a_token(studio)
    logged = [(entry["operation"], entry["verdict"]) for entry in studio.simulator.requests()]
    assert logged == [
        ("CreateFactorySupplementDataInstance", "accepted"),
        ("ShowNodes", "accepted"),
        ("", "APIG.0101"),
        ("KeystoneCreateUserTokenByPassword", "accepted"),
    ]


@pytest.mark.parametrize("scope", [{"id": PROJECT}, {"name": "cn-north-4"}], ids=str)
def test_a_token_for_a_project_opens_that_project(scope: dict[str, str]) -> None:
    studio = Studio()
    projects = studio.call("GET", "/v3/projects", {"name": "cn-north-4"})["projects"]
    project = scope.get("id") or projects[0]["id"]
    token = a_token(studio, project=scope)
    assert ask_with(studio, token, NODE.replace(PROJECT, project)) == (200, "")
    assert ask_with(studio, token, NODE.replace(PROJECT, "another")) == DENIED


def test_the_answer_to_a_token_request() -> None:
    response = ask_token(Studio(), token_body(project={"id": PROJECT}))
    token = response.json()["token"]
    assert token["methods"] == ["password"]
    assert token["expires_at"] == "2026-11-21T16:00:00.000000Z"
    assert "catalog" not in token


@pytest.mark.parametrize("scope", [{}, {"domain": {"name": "a_domain"}}], ids=str)
def test_a_token_for_anything_else_is_issued_and_refused(scope: dict[str, object]) -> None:
    studio = Studio()
    assert ask_with(studio, a_token(studio, **scope)) == DENIED


def test_a_token_holds_for_24_hours_of_the_gateway_clock() -> None:
    studio = Studio()
    token = a_token(studio, project={"id": PROJECT})
    studio.advance(86_399)
    newer = a_token(studio, project={"id": PROJECT})
    assert ask_with(studio, token) == (200, "")
    studio.advance(1)
    assert ask_with(studio, token) == DENIED
    assert ask_with(studio, newer) == (200, "")


def test_a_token_outlives_the_process(tmp_path: Path) -> None:
    time = FakeTime(MIDNIGHT)
    first = Studio(db=tmp_path / "sim.db", time=time)
    token = a_token(first, project={"id": PROJECT})
    first.simulator.close()
    assert ask_with(Studio(db=tmp_path / "sim.db", time=time), token) == (200, "")


def test_a_query_that_is_too_long_is_refused() -> None:
    studio = Studio()
    path = f"/v1/{PROJECT}/jobs?{'&'.join('a=b' for _ in range(300))}"
    assert ask_with(studio, a_token(studio, project={"id": PROJECT}), path) == (400, "DLF.3051")


def test_an_invented_token_is_refused() -> None:
    assert ask_with(Studio(), "0" * 64) == DENIED


def test_a_wrong_password_gets_no_token() -> None:
    body = token_body(project={"id": PROJECT})
    body["auth"]["identity"]["password"]["user"]["password"] = "wrong"
    response = ask_token(Studio(), body)
    assert response.status_code == 401
    assert response.json()["error"]["title"] == "Unauthorized"
    assert "x-subject-token" not in response.headers


@pytest.mark.parametrize(
    "path",
    [
        "auth",
        "auth.identity",
        "auth.identity.password.user.name",
        "auth.identity.password.user.domain",
    ],
)
def test_a_token_request_that_leaves_something_out_is_refused(path: str) -> None:
    body = token_body(project={"id": PROJECT})
    *steps, last = path.split(".")
    part: dict[str, Any] = body
    for step in steps:
        part = part[step]
    del part[last]
    response = ask_token(Studio(), body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == 400


def test_other_methods_than_the_password_are_refused() -> None:
    body = token_body(project={"id": PROJECT})
    body["auth"]["identity"]["methods"] = ["token"]
    assert ask_token(Studio(), body).status_code == 400
    assert ask_token(Studio(), []).status_code == 400


def test_faults_of_the_token_request() -> None:
    studio = Studio()
    fault = {"operation": "KeystoneCreateUserTokenByPassword", "effect": "http", "status": 503}
    studio.simulator.put_faults([fault])
    assert ask_token(studio, token_body()).status_code == 503
