"""Every class of answer to a create, as a table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.providers.dataarts.codes import CodeFamily, family_of
from reconciler.providers.dataarts.outcomes import classify_answer
from reconciler.providers.http import Answer


def classify(status: int, body: Any, **headers: str) -> CreateOutcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=raw,
        server_time=None,
    )
    return classify_answer("Create", "rc1-name", answer)


def told(code: str) -> dict[str, str]:
    return {"error_code": code, "error_msg": "m"}


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b""), (204, b""), (201, b" \n"), (200, {}), (200, {"success": True}), (202, {"a": 1})],
)
def test_success_without_an_error_is_accepted_under_the_name_we_chose(
    status: int, body: Any
) -> None:
    outcome = classify(status, body, x_request_id="r-9")
    assert outcome == Accepted(run_ids=("rc1-name",), request_id="r-9")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, []),
        (200, b"\xff\xfe"),
        (200, b"[" * 100_000),
        (200, {"success": False}),
        (200, {"success": "maybe"}),
        (200, told("DLF.9999")),
        (200, told("DLF.0102")),
        (302, b""),
        (400, told("DLF.0102")),
        (400, told("DLF.9999")),
        (400, told("DLF.0113")),
        (400, told("DLF.01000")),
        (400, b""),
        (401, {"message": "no code"}),
        (404, b"<html>"),
        (408, told("DLF.3051")),
        (429, b""),
        (500, told("DLF.3051")),
        (502, b"<html>"),
        (504, told("APIG.0201")),
        (400, told("APIGW.0201")),
    ],
)
def test_what_proves_nothing_is_unknown(status: int, body: Any) -> None:
    assert isinstance(classify(status, body), Unknown)


def test_a_used_name_says_that_a_copy_had_arrived() -> None:
    outcome = classify(400, told("DLF.0102"))
    assert isinstance(outcome, Unknown)
    assert "a copy of this request had arrived before" in outcome.cause


@pytest.mark.parametrize("prefix", ["APIG", "APIGW"])
@pytest.mark.parametrize(
    ("status", "number"), [(401, "0301"), (403, "0304"), (404, "0101"), (400, "0106")]
)
def test_refusals_of_the_gateway_under_both_prefixes(
    prefix: str, status: int, number: str
) -> None:
    outcome = classify(status, told(f"{prefix}.{number}"))
    assert isinstance(outcome, Refused)
    assert not outcome.transient


@pytest.mark.parametrize(
    "code",
    ["0100", "0101", "0136", "3004", "3018", "3025", "3051", "30111", "30121", "6888"],
)
@pytest.mark.parametrize("status", [400, 200])
def test_refusals_of_the_service(code: str, status: int) -> None:
    outcome = classify(status, told(f"DLF.{code}"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.message, outcome.transient) == (f"DLF.{code}", "m", False)


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "APIG.0308", "error_msg": "m"},
        {"errorCode": "APIGW.0308", "errorMsg": "m"},
        {"code": "APIG.0308", "message": "m"},
        {"error": {"code": "APIG.0308", "message": "m"}},
    ],
)
def test_throttling_passes_in_every_spelling(body: Any) -> None:
    outcome = classify(429, body, retry_after="7")
    assert isinstance(outcome, Refused)
    assert (outcome.transient, outcome.message, outcome.retry_after_seconds) == (True, "m", 7.0)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
CODES = st.sampled_from(["APIG.0308", "DLF.3051", "DLF.0102", "Odd", "0"])
BODIES = st.dictionaries(
    st.sampled_from(["success", "error_code", "errorCode", "code", "error", "error_msg", "msg"]),
    VALUES | CODES | CODES.map(lambda code: {"code": code}),
)


@given(
    status=st.integers(100, 599),
    body=BODIES.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=100),
    retry_after=st.text(max_size=30) | st.just("9" * 5000),
)
def test_a_create_is_always_classified(status: int, body: bytes, retry_after: str) -> None:
    outcome = classify(status, body, retry_after=retry_after)
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert outcome.run_ids == ("rc1-name",)
    if isinstance(outcome, Refused):
        assert family_of(outcome.code) not in {CodeFamily.OTHER, CodeFamily.NAME_USED}
        assert outcome.transient == (family_of(outcome.code) is CodeFamily.THROTTLED)
