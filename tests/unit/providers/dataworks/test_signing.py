from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from reconciler.model.project import Secret
from reconciler.providers.dataworks.signing import Acs3Auth, canonical_request, sign_canonical
from reconciler.providers.dataworks.wire_requests import build_request
from reconciler.providers.signing import SigningKey, encode, sha256_hex
from tests.unit.providers.dataworks.support import KEY, NOW

VECTORS = Path(__file__).parents[3] / "wire" / "dataworks"
ACS3 = sorted(
    path.name
    for path in VECTORS.glob("*.json")
    if json.loads(path.read_text(encoding="utf-8"))["scheme"] == "ACS3-HMAC-SHA256"
)


def load(name: str) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return vector


def signed_part(vector: dict[str, Any]) -> dict[str, str]:
    headers = {name.lower(): value for name, value in vector["request"]["headers"]}
    found = re.search(r"SignedHeaders=([^,]+)", headers["authorization"])
    assert found is not None
    return {name: headers[name] for name in found[1].split(";")}


def key_of(vector: dict[str, Any]) -> SigningKey:
    given = vector["credentials"]
    token = given.get("security_token")
    return SigningKey(
        access_key_id=given["access_key_id"],
        access_key_secret=Secret(given["access_key_secret"]),
        security_token=Secret(token) if token else None,
    )


def test_there_are_vectors() -> None:
    assert len(ACS3) >= 15


@pytest.mark.parametrize("name", ACS3)
def test_captured_request_is_signed_as_the_sdk_signed_it(name: str) -> None:
    vector = load(name)
    request = vector["request"]

    canonical = canonical_request(
        method=request["method"],
        raw_query=request["query"],
        headers=signed_part(vector),
        payload_hash=sha256_hex(request["body"].encode()),
    )
    signature = sign_canonical(canonical, key_of(vector).access_key_secret)

    assert canonical == vector["canonical_request"]
    assert signature.string_to_sign == vector["string_to_sign"]
    assert signature.value == vector["signature"]
    sent = dict(request["headers"])["Authorization"]
    assert signature.authorization(key_of(vector).access_key_id) == sent


# CreateManualDag is ours in its 2018 form only.
OURS = [
    name
    for name in ACS3
    if name.startswith(("tea2018", "tea2020")) and name != "tea2020_CreateManualDag.json"
]


@pytest.mark.parametrize("name", OURS)
def test_our_request_for_the_same_call_carries_the_same_parameters_and_a_signature_that_holds(
    name: str,
) -> None:
    vector = load(name)
    key = key_of(vector)
    headers = signed_part(vector)
    request = build_request(
        "http://127.0.0.1:18790", vector["action"], vector["decoded_parameters"]
    )
    auth = Acs3Auth(
        key=lambda: key,
        now=lambda: dt.datetime.fromisoformat(headers["x-acs-date"]),
        nonce=lambda: headers["x-acs-signature-nonce"],
    )

    auth.sign(request)

    raw = request.content or request.url.query
    assert dict(parse_qsl(raw.decode(), keep_blank_values=True)) == vector["decoded_parameters"]
    assert bool(request.content) == bool(vector["request"]["body"])
    same = set(headers) - {"user-agent", "x-acs-content-sha256", "x-acs-credentials-provider"}
    assert {key: request.headers[key] for key in same} == {key: headers[key] for key in same}
    # The signature holds over what is named, recomputed the way the vectors prove right.
    sent = request.headers["authorization"]
    names = re.search(r"SignedHeaders=([^,]+)", sent)
    assert names is not None
    canonical = canonical_request(
        method="POST",
        raw_query=request.url.query.decode(),
        headers={name: request.headers[name] for name in names[1].split(";")},
        payload_hash=sha256_hex(request.content),
    )
    assert sent.endswith(sign_canonical(canonical, key.access_key_secret).value)


def an_auth(nonces: list[str]) -> Acs3Auth:
    return Acs3Auth(key=lambda: KEY, now=lambda: NOW, nonce=lambda: nonces.pop(0))


def test_one_sync_flow_signs_and_sends_once() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(401)

    with httpx.Client(transport=httpx.MockTransport(answer), auth=an_auth(["once"])) as client:
        client.post("http://x/", data={"DagId": "1"})

    assert [request.headers["x-acs-signature-nonce"] for request in sent] == ["once"]


@pytest.mark.anyio
async def test_one_async_flow_signs_and_sends_once() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(401)

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, auth=an_auth(["once"])) as client:
        await client.post("http://x/", content=b"DagId=1")

    assert [request.headers["x-acs-content-sha256"] for request in sent] == [
        sha256_hex(b"DagId=1")
    ]


def test_temporary_keys_put_their_token_under_the_signature() -> None:
    request = build_request("http://x", "GetDag", {"DagId": "1"})
    an_auth(["n"]).sign(request)

    assert request.headers["x-acs-accesskey-id"] == "example-id"
    assert request.headers["x-acs-security-token"] == "example-token-canary"
    assert ";x-acs-security-token;" in request.headers["authorization"]


def test_the_host_is_signed_with_its_port_and_the_user_agent_is_not() -> None:
    request = build_request("http://127.0.0.1:8080", "GetDag", {"DagId": "1"})
    an_auth(["n"]).sign(request)

    assert request.headers["host"] == "127.0.0.1:8080"
    assert ";host;" in request.headers["authorization"]
    assert "user-agent" not in request.headers["authorization"]


def test_the_signed_moment_is_what_the_wire_says() -> None:
    request = build_request("http://x", "GetDag", {"DagId": "1"})
    auth = Acs3Auth(
        key=lambda: KEY,
        now=lambda: dt.datetime.fromisoformat("2024-06-01T20:00:00.900000+08:00"),
        nonce=lambda: "n",
    )

    _, moment = auth.sign(request)

    assert moment == NOW
    assert request.headers["x-acs-date"] == "2024-06-01T12:00:00Z"


def test_a_key_shows_no_secret() -> None:
    assert "canary" not in repr(KEY) + str(KEY)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("a b", "a%20b"),
        ("*", "%2A"),
        ("~-_.", "~-_."),
        ("/", "%2F"),
        ("é", "%C3%A9"),
        ("+", "%2B"),
    ],
)
def test_encoding_is_rfc_3986(text: str, encoded: str) -> None:
    assert encode(text) == encoded
