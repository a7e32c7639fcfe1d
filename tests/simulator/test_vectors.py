"""Requests captured from the official SDKs: accepted as they are, refused after any change."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from reconciler.simulator import MANUAL, AccessKey
from reconciler.simulator.core import Engine, open_engine
from reconciler.simulator.dataworks.parameters import action_parameters
from reconciler.simulator.messages import Request
from tests.simulator.harness import FakeTime

FOLDER = Path(__file__).parents[1] / "wire" / "dataworks"
VECTORS = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))
}
NEWER = {name for name in VECTORS if "2024" in name}
# The captured reads ask for runs that nobody created.
UNKNOWN_IDS = ("GetDag", "StopInstance")

every_vector = pytest.mark.parametrize("name", VECTORS)
every_vector_with_signed_headers = pytest.mark.parametrize(
    "name", [name for name, vector in VECTORS.items() if vector["scheme"].startswith("ACS3")]
)


def request_of(vector: dict[str, Any]) -> Request:
    request = vector["request"]
    return Request(
        method=request["method"],
        path=request["path"],
        query=request["query"],
        headers={name.lower(): value for name, value in request["headers"]},
        body=request["body"].encode(),
    )


def recorded_time(vector: dict[str, Any]) -> dt.datetime:
    headers = request_of(vector).headers
    query = parse_qs(vector["request"]["query"])
    text = headers.get("x-acs-date") or query["Timestamp"][0]
    return dt.datetime.fromisoformat(text)


def engine_of(vector: dict[str, Any], *, late: float = 0.0) -> Engine:
    """An engine at the recorded time, or so many seconds later."""
    credentials = vector["credentials"]
    time = FakeTime(recorded_time(vector) + dt.timedelta(seconds=late))
    key = AccessKey(id=credentials["access_key_id"], secret=credentials["access_key_secret"])
    return open_engine(db=None, world=None, clock=MANUAL, key=key, real_time=time)


def answer(engine: Engine, request: Request) -> tuple[int, dict[str, Any]]:
    reply = engine.handle(request)
    return reply.answer.status, json.loads(reply.answer.body)


def changed(text: str, place: int) -> str:
    """The text with another letter or digit at `place`."""
    return text[:place] + ("b" if text[place] == "a" else "a") + text[place + 1 :]


def with_header(request: Request, name: str, value: str) -> Request:
    return Request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers={**request.headers, name: value},
        body=request.body,
    )


def test_every_capture_is_here() -> None:
    assert len(VECTORS) == 35


@every_vector
def test_a_capture_is_accepted_at_its_time(name: str) -> None:
    vector = VECTORS[name]
    status, body = answer(engine_of(vector), request_of(vector))
    if name in NEWER:
        # Its signature is fine; only the API is not simulated.
        assert (status, body["Code"]) == (404, "InvalidApi.NotFound")
    else:
        assert status == 200
        refused = body.get("Success") is False
        assert refused == (vector["action"] in UNKNOWN_IDS)


@every_vector
def test_parameters_are_decoded_as_they_were_given(name: str) -> None:
    vector = VECTORS[name]
    assert action_parameters(request_of(vector)) == vector["decoded_parameters"]


@every_vector
def test_one_other_byte_in_the_body_is_refused(name: str) -> None:
    vector = VECTORS[name]
    request = request_of(vector)
    body = vector["request"]["body"]
    letters = [place for place, letter in enumerate(body) if letter.isalpha() and letter.islower()]
    chosen = (letters[0], letters[len(letters) // 2], letters[-1]) if letters else ()
    for other in [changed(body, place) for place in chosen] or ["a=b"]:
        forged = Request(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            body=other.encode(),
        )
        status, answered = answer(engine_of(vector), forged)
        assert (status, answered["Code"]) == (400, "SignatureDoesNotMatch")


@every_vector
def test_another_query_is_refused(name: str) -> None:
    vector = VECTORS[name]
    request = request_of(vector)
    query = f"{request.query}&Extra=1" if request.query else "Extra=1"
    forged = Request(
        method=request.method,
        path=request.path,
        query=query,
        headers=request.headers,
        body=request.body,
    )
    status, body = answer(engine_of(vector), forged)
    assert (status, body["Code"]) == (400, "SignatureDoesNotMatch")


@every_vector
def test_one_other_byte_in_the_query_is_refused(name: str) -> None:
    vector = VECTORS[name]
    request = request_of(vector)
    values = [part.partition("=") for part in request.query.split("&") if part]
    for place, (key, _, value) in enumerate(values):
        if not value or key == "Format":
            continue  # Another format is refused in that format.
        parts = [f"{k}={v}" for k, _, v in values]
        parts[place] = f"{key}={changed(value, len(value) - 1)}"
        forged = Request(
            method=request.method,
            path=request.path,
            query="&".join(parts),
            headers=request.headers,
            body=request.body,
        )
        status, body = answer(engine_of(vector), forged)
        expected = {
            "AccessKeyId": (404, "InvalidAccessKeyId.NotFound"),
            "Timestamp": (400, "InvalidTimeStamp.Format"),
            "SignatureMethod": (400, "IncompleteSignature"),
            "SignatureVersion": (400, "IncompleteSignature"),
        }.get(key, (400, "SignatureDoesNotMatch"))
        assert (status, body["Code"]) == expected, key


@every_vector_with_signed_headers
def test_one_other_byte_in_a_signed_header_is_refused(name: str) -> None:
    vector = VECTORS[name]
    request = request_of(vector)
    listed = request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    for header in listed.split(";"):
        value = request.headers[header]
        forged = with_header(request, header, changed(value, len(value) - 1))
        status, body = answer(engine_of(vector), forged)
        expected = "InvalidTimeStamp.Format" if header == "x-acs-date" else "SignatureDoesNotMatch"
        assert (status, body["Code"]) == (400, expected), header


@every_vector
def test_another_secret_is_refused(name: str) -> None:
    vector = VECTORS[name]
    credentials = vector["credentials"]
    other = {**vector, "credentials": {**credentials, "access_key_secret": "another-secret"}}
    status, body = answer(engine_of(other), request_of(vector))
    assert (status, body["Code"]) == (400, "SignatureDoesNotMatch")


@every_vector
def test_another_access_key_is_unknown(name: str) -> None:
    vector = VECTORS[name]
    credentials = vector["credentials"]
    other = {**vector, "credentials": {**credentials, "access_key_id": "another-key"}}
    status, body = answer(engine_of(other), request_of(vector))
    assert (status, body["Code"]) == (404, "InvalidAccessKeyId.NotFound")


@every_vector
def test_a_replay_is_refused(name: str) -> None:
    vector = VECTORS[name]
    engine = engine_of(vector)
    answer(engine, request_of(vector))
    status, body = answer(engine, request_of(vector))
    assert (status, body["Code"]) == (400, "SignatureNonceUsed")


@every_vector
@pytest.mark.parametrize("late", [-901, 901])
def test_a_signature_more_than_fifteen_minutes_off_is_refused(name: str, late: int) -> None:
    vector = VECTORS[name]
    status, body = answer(engine_of(vector, late=late), request_of(vector))
    assert (status, body["Code"]) == (400, "InvalidTimeStamp.Expired")


@every_vector
@pytest.mark.parametrize("late", [-900, 900])
def test_a_signature_fifteen_minutes_off_is_accepted(name: str, late: int) -> None:
    vector = VECTORS[name]
    _, body = answer(engine_of(vector, late=late), request_of(vector))
    assert body.get("Code") in {None, "InvalidApi.NotFound"}
