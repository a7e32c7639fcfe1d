"""The signature, byte for byte against what the vendor's SDK sent."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.model.project import Secret
from reconciler.providers.dataarts.signing import (
    SdkHmacAuth,
    canonical_request,
    canonical_uri,
    sign_canonical,
)
from reconciler.providers.dataarts.wire_requests import build_path, build_request
from reconciler.providers.signing import SigningKey

VECTORS = Path(__file__).parents[3] / "wire" / "dataarts"


def load(name: str) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return vector


SIGNED = sorted(path.name for path in VECTORS.glob("*.json") if load(path.name)["signing"])


def signed_part(vector: dict[str, Any]) -> dict[str, str]:
    headers = {name.lower(): value for name, value in vector["request"]["headers"].items()}
    found = re.search(r"SignedHeaders=([^,]+)", headers["authorization"])
    assert found is not None
    return {name: headers[name] for name in found[1].split(";")}


def key_of(vector: dict[str, Any]) -> SigningKey:
    given = vector["credentials"]
    token = given.get("security_token")
    return SigningKey(
        access_key_id=given["ak"],
        access_key_secret=Secret(given["sk"]),
        security_token=Secret(token) if token else None,
    )


def canonical_of(vector: dict[str, Any], headers: dict[str, str]) -> str:
    raw_path, _, raw_query = httpx.URL(vector["request"]["url"]).raw_path.decode().partition("?")
    return canonical_request(
        method=vector["request"]["method"],
        raw_path=raw_path,
        raw_query=raw_query,
        headers=headers,
        payload=vector["request"]["body"].encode(),
    )


def test_there_are_vectors() -> None:
    assert len(SIGNED) >= 30


@pytest.mark.parametrize("name", SIGNED)
def test_captured_request_is_signed_as_the_sdk_signed_it(name: str) -> None:
    vector = load(name)
    headers = signed_part(vector)

    canonical = canonical_of(vector, headers)
    signature = sign_canonical(canonical, headers["x-sdk-date"], key_of(vector).access_key_secret)

    assert canonical == vector["signing"]["canonical_request"]
    assert signature.string_to_sign == vector["signing"]["string_to_sign"]
    assert signature.value == vector["signing"]["signature"]
    sent = vector["request"]["headers"]["Authorization"]
    assert signature.authorization(vector["credentials"]["ak"]) == sent


OURS = {
    "CreateFactorySupplementDataInstance.json",
    "ListFactoryJobInstancesByName.json",
    "ShowFactorySupplementData.json",
    "ShowInstanceInfos.json",
    "ShowInstanceInfos_special_chars.json",
    "ShowJobInstance.json",
    "StopFactorySupplementDataInstance.json",
    "sts_security_token.json",
}


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_request_for_the_same_call_bears_the_same_headers_and_a_signature_that_holds(
    name: str,
) -> None:
    vector = load(name)
    told = {key.lower(): value for key, value in vector["request"]["headers"].items()}
    url = httpx.URL(vector["request"]["url"])
    named = {key: told[key] for key in ("workspace", "instance") if key in told}
    body = vector["request"]["body"].encode()
    request = build_request(
        vector["request"]["method"],
        str(url).partition("?")[0],
        query=dict(url.params),
        headers=named,
        body=body or None,
    )
    key = key_of(vector)
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    auth = SdkHmacAuth(
        key=lambda: key, now=lambda: moment, project_id=vector["credentials"]["project_id"]
    )

    auth.sign(request)

    assert request.url.raw_path == url.raw_path
    ours = signed_part({"request": {"headers": dict(request.headers)}})
    theirs = {key: value for key, value in signed_part(vector).items() if key != "user-agent"}
    assert ours == theirs
    canonical = canonical_of(vector, ours)
    signature = sign_canonical(canonical, ours["x-sdk-date"], key.access_key_secret)
    assert request.headers["authorization"].endswith(signature.value)


def test_the_path_is_decoded_as_a_whole_before_it_is_encoded_part_by_part() -> None:
    assert canonical_uri("/v1/node/9%2F3%207/x") == "/v1/node/9/3%207/x/"
    assert canonical_uri("/a/") == "/a/"
    assert build_path("jobs", "作业 a/b~*") == "/jobs/%E4%BD%9C%E4%B8%9A%20a%2Fb~%2A"


def test_an_auth_of_httpx_signs_once() -> None:
    key = SigningKey(access_key_id="id", access_key_secret=Secret("secret-canary"))
    moment = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    auth = SdkHmacAuth(key=lambda: key, now=lambda: moment, project_id="p")
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(401)

    with httpx.Client(transport=httpx.MockTransport(answer), auth=auth) as client:
        client.get("http://h/a")

    assert len(seen) == 1
    assert "Access=id" in seen[0].headers["authorization"]
    assert "canary" not in str(seen[0].headers)
