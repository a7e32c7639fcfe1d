"""Requests captured from the official SDKs: let through as they are, refused after any change."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.simulator import MANUAL, AccessKey
from reconciler.simulator.core import Engine, open_engine
from reconciler.simulator.messages import Request
from tests.simulator.harness import FakeTime

FOLDER = Path(__file__).parents[2] / "wire" / "dataarts"
CAPTURES = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))
}
# Not one signed request each: two with a history of several, and one with a token instead.
SEVERAL = ("iam_project_lookup", "retry_times_2_on_429")
UNSIGNED = ("x_auth_token_via_subclass",)
REQUESTS: dict[str, Mapping[str, Any]] = {
    name: capture["request"]
    for name, capture in CAPTURES.items()
    if name not in SEVERAL and name not in UNSIGNED
}
for several in SEVERAL:
    for number, one in enumerate(CAPTURES[several]["exchange"]):
        REQUESTS[f"{several}-{number}"] = one
SIGNED_AT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
KEY = AccessKey(id="DUMMYAK0000000000001", secret="dummySk0000000000000000000000000000000001")
DENIED = (401, "APIG.0301")
# What the service says to requests for what does not exist, or that leave something out.
REFUSED = {
    "ShowJobInstance": (400, "DLF.0137"),
    "StopJobInstance": (400, "DLF.0137"),
    "RestoreJobInstance": (400, "DLF.0137"),
    "StopFactorySupplementDataInstance": (400, "DLF.0113"),
    "RetryFactoryJobInstance": (400, "DLF.3051"),
    "missing_params": (400, "APIG.0106"),
}

every_request = pytest.mark.parametrize("name", REQUESTS)


def request_of(name: str) -> Request:
    return as_request(REQUESTS[name])


def as_request(sent: Mapping[str, Any]) -> Request:
    path, _, query = httpx.URL(sent["url"]).raw_path.decode().partition("?")
    return Request(
        method=sent["method"],
        path=path,
        query=query,
        headers={header.lower(): value for header, value in sent["headers"].items()},
        body=sent["body"].encode(),
    )


def an_engine(*, late: float = 0.0, key: AccessKey = KEY) -> Engine:
    time = FakeTime(SIGNED_AT + dt.timedelta(seconds=late))
    return open_engine(db=None, world=None, clock=MANUAL, key=key, real_time=time)


def answer(request: Request, engine: Engine | None = None) -> tuple[int, str]:
    """Status and code of the answer; the code is empty when there is none."""
    found = (engine or an_engine()).handle(request).answer
    body = json.loads(found.body) if found.body else {}
    code = body.get("error_code", "") if isinstance(body, dict) else ""
    if "error" in body:
        code = "APIG.0301" if found.status == 401 else body["error"]["title"]
    return found.status, code


def altered(text: str, place: int) -> str:
    """The text with another letter or digit at `place`."""
    return text[:place] + ("b" if text[place] == "a" else "a") + text[place + 1 :]


def letters(text: str) -> list[int]:
    """Places of the first, the middle and the last lower-case letter."""
    places = [place for place, letter in enumerate(text) if letter.islower() and letter.isascii()]
    return [places[0], places[len(places) // 2], places[-1]]


def with_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers={**request.headers, name: value})


def test_every_capture_is_here() -> None:
    assert len(CAPTURES) == 32
    assert len(REQUESTS) == 32 - 3 + 2 + 3


@every_request
def test_a_capture_is_let_through_at_its_time(name: str) -> None:
    status, code = answer(request_of(name))
    if request_of(name).path.endswith("/jobs/myJob"):
        # Its signature is fine; only the operation is not simulated.
        assert (status, code) == (404, "APIG.0101")
    elif name in REFUSED:
        assert (status, code) == REFUSED[name]
    else:
        assert (status in {200, 204}, code) == (True, "")


def test_a_captured_token_that_nobody_issued_is_refused() -> None:
    request = as_request(CAPTURES["x_auth_token_via_subclass"]["request"])
    assert request.header("x-auth-token") == "dummy-token"
    assert answer(request) == DENIED


@every_request
def test_one_other_byte_in_the_signature_is_refused(name: str) -> None:
    request = request_of(name)
    sent = request.header("authorization")
    for place in (len(sent) - 1, len(sent) - 32, len(sent) - 64):
        forged = with_header(request, "authorization", altered(sent, place))
        assert answer(forged) == DENIED


@every_request
def test_one_other_byte_in_a_signed_header_is_refused(name: str) -> None:
    request = request_of(name)
    listed = request.header("authorization").partition("SignedHeaders=")[2].partition(",")[0]
    names = listed.split(";")
    assert {"host", "user-agent", "x-sdk-date"} <= set(names)
    for header in names:
        value = request.header(header)
        forged = with_header(request, header, altered(value, len(value) - 1))
        assert answer(forged) == DENIED, header


@every_request
def test_an_unsigned_header_may_change(name: str) -> None:
    request = request_of(name)
    assert answer(with_header(request, "accept", "b/*")) == answer(request)


@every_request
def test_one_other_byte_in_the_body_is_refused(name: str) -> None:
    request = request_of(name)
    body = request.body.decode()
    for forged in [altered(body, place) for place in letters(body)] if body else ["a"]:
        assert answer(replace(request, body=forged.encode())) == DENIED


@every_request
def test_one_other_byte_in_the_query_is_refused(name: str) -> None:
    request = request_of(name)
    assert answer(replace(request, query=f"{request.query}&Extra=1".lstrip("&"))) == DENIED
    for place in letters(request.query) if request.query else ():
        assert answer(replace(request, query=altered(request.query, place))) == DENIED


@every_request
def test_one_other_byte_in_the_path_is_refused(name: str) -> None:
    request = request_of(name)
    if request.path == "/v3/projects":
        return  # Another path is another operation, which wants a signature as well.
    place = request.path.index("0123456789abcdef") + 10
    assert request.path[place] == "a"
    assert answer(replace(request, path=altered(request.path, place))) == DENIED


@every_request
def test_another_method_is_refused(name: str) -> None:
    request = request_of(name)
    other = "GET" if request.method == "POST" else "POST"
    assert answer(replace(request, method=other)) == DENIED


@every_request
def test_another_secret_or_key_is_refused(name: str) -> None:
    request = request_of(name)
    for key in (replace(KEY, secret="another"), replace(KEY, id="another")):
        assert answer(request, an_engine(key=key)) == DENIED


@every_request
def test_a_request_may_be_sent_again_while_its_signature_is_fresh(name: str) -> None:
    request = request_of(name)
    if name == "CreateFactorySupplementDataInstance":
        return  # It may; but its name is used then.
    engine = an_engine()
    assert answer(request, engine) == answer(request, engine)


@every_request
@pytest.mark.parametrize("late", [-901, 901])
def test_a_signature_more_than_fifteen_minutes_off_is_refused(name: str, late: int) -> None:
    assert answer(request_of(name), an_engine(late=late)) == DENIED


@every_request
@pytest.mark.parametrize("late", [-900, 900])
def test_a_signature_fifteen_minutes_off_is_accepted(name: str, late: int) -> None:
    assert answer(request_of(name), an_engine(late=late)) != DENIED
