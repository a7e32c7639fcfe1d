"""Every class of answer to a create, as a table."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.providers.channel import classify_failure
from reconciler.providers.dataworks.outcomes import classify_answer
from reconciler.providers.http import Answer, AnswerLost, NeverSent

RUN, MANUAL = "RunCycleDagNodes", "CreateManualDag"


def classify(operation: str, status: int, body: Any, **headers: str) -> CreateOutcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status=status, headers=headers, body=raw, server_time=None)
    return classify_answer(operation, answer)


def gateway(code: str) -> dict[str, str]:
    return {"Code": code, "Message": "m", "RequestId": "r", "HostId": "h", "Recommend": "u"}


def in_band(code: str | None) -> dict[str, Any]:
    return {"Success": False, "ErrorCode": code, "ErrorMessage": "m", "RequestId": "r"}


@pytest.mark.parametrize(
    ("operation", "body", "run_ids"),
    [
        (RUN, {"Success": True, "Data": [111, 112]}, ("111", "112")),
        (RUN, {"Success": True, "Data": 111}, ("111",)),
        (RUN, {"Success": True, "Data": "111"}, ("111",)),
        (RUN, {"Success": True, "Data": [9007199254740993]}, ("9007199254740993",)),
        (RUN, {"Success": True, "Data": [111, 111]}, ("111",)),
        (RUN, {"Success": "true", "Data": [111]}, ("111",)),
        (RUN, {"success": True, "data": [111]}, ("111",)),
        (
            RUN,
            {
                "Success": True,
                "Data": [111],
                "ErrorCode": "Invalid.Tenant.ConnectionNotExists",
                "ErrorMessage": "The connection does not exist.",
            },
            ("111",),
        ),
        (MANUAL, {"ReturnCode": "0", "ReturnValue": 42, "ReturnMessage": ""}, ("42",)),
        (MANUAL, {"ReturnCode": 0, "ReturnValue": "42"}, ("42",)),
        (MANUAL, {"returnCode": "0", "returnValue": 42}, ("42",)),
    ],
)
def test_success_with_ids_is_accepted(
    operation: str, body: dict[str, Any], run_ids: tuple[str, ...]
) -> None:
    outcome = classify(operation, 200, body)
    assert isinstance(outcome, Accepted)
    assert outcome.run_ids == run_ids


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"Success": True}),
        (200, {"Success": True, "Data": []}),
        (200, {"Success": True, "Data": None}),
        (200, {"Success": True, "Data": 0}),
        (200, {"Success": True, "Data": [111, "x"]}),
        (200, {"Success": True, "Data": {"DagId": 1}}),
        (200, {"Success": True, "Data": True}),
        (200, {"Data": [111]}),
        (200, {"RequestId": "r"}),
        (200, {"Success": {"a": 1}, "Data": [1]}),
        (200, {}),
        (200, []),
        (200, b""),
        (200, b"<html>"),
        (200, b"\xff\xfe"),
        (200, b"[" * 100_000),
        (200, in_band("InternalError.System")),
        (200, in_band("SomethingNew")),
        (200, in_band(None)),
        (200, in_band("ServiceUnavailable")),
        (204, b""),
        (301, b""),
        (302, gateway("Throttled")),
        (307, b"<html>"),
        (400, b"bad request"),
        (400, {}),
        (400, gateway("SomethingNew")),
        (400, gateway("SignatureNonceUsed")),
        (404, b"<html>not found</html>"),
        (408, gateway("InvalidParameter")),
        (500, gateway("InternalError")),
        (500, gateway("InternalError.System")),
        (500, gateway("InternalError.UserId.Missing")),
        (500, gateway("InvalidParameter")),
        (502, b"<html>Bad Gateway</html>"),
        (503, gateway("ServiceUnavailable")),
        (504, b""),
    ],
)
def test_what_proves_nothing_is_unknown(status: int, body: Any) -> None:
    assert isinstance(classify(RUN, status, body), Unknown)


@pytest.mark.parametrize(
    "body",
    [
        {"ReturnCode": "0"},
        {"ReturnCode": "0", "ReturnValue": None},
        {"ReturnCode": "0", "ReturnValue": 0},
        {"ReturnCode": "1", "ReturnMessage": "oops"},
        {"ReturnValue": 42},
    ],
)
def test_a_manual_answer_without_success_and_id_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(classify(MANUAL, 200, body), Unknown)


@pytest.mark.parametrize("status", [400, 429, 500, 503, 200])
@pytest.mark.parametrize(
    "code",
    [
        "Throttling",
        "Throttling.Api",
        "Throttling.User",
        "Throttling.System",
        "Throttling.Api.Risk",
        "Throttling.Resource",
    ],
)
def test_throttling_is_a_passing_refusal_whatever_the_status(code: str, status: int) -> None:
    body = in_band(code) if status == 200 else gateway(code)
    outcome = classify(RUN, status, body)
    assert isinstance(outcome, Refused)
    assert (outcome.transient, outcome.code, outcome.request_id) == (True, code, "r")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, "Forbidden.Not.Server"),
        (403, "Forbidden.Access"),
        (403, "Forbidden.RAM"),
        (403, "ResourceNotAuthorized.Api"),
        (403, "NoPermission"),
        (400, "MissingProjectName"),
        (400, "MissingParameter"),
        (400, "InvalidParameter"),
        (400, "InvalidParameter.DagId"),
        (400, "Invalid.Tenant.ProjectNotExists"),
        (400, "InvalidAccessKeyId.NotFound"),
        (404, "InvalidAccessKeyId.NotFound"),
        (400, "SignatureDoesNotMatch"),
        (403, "SignatureDoesNotMatch"),
        (400, "IncompleteSignature"),
        (400, "InvalidTimeStamp.Format"),
        (400, "InvalidTimeStamp.Expired"),
        (400, "InvalidSecurityToken.Expired"),
        (404, "InvalidApi.NotFound"),
        (404, "InvalidProduct.NotFound"),
        (404, "InvalidProtocol.NeedSsl"),
        (400, "10600111020399005"),
        (400, "10600111020399006"),
    ],
)
def test_a_listed_code_of_the_gateway_is_a_lasting_refusal(status: int, code: str) -> None:
    outcome = classify(RUN, status, gateway(code))
    assert isinstance(outcome, Refused)
    assert (outcome.transient, outcome.code) == (False, code)


@pytest.mark.parametrize(
    "body",
    [
        in_band("Invalid.Tenant.ConnectionNotExists"),
        in_band("InvalidParameter"),
        in_band("Forbidden.Access"),
        {"ReturnCode": "10600111020399006", "ReturnMessage": "flow does not exist"},
        {"Success": "false", "errorCode": "MissingName"},
        gateway("InvalidParameter"),
    ],
)
def test_a_listed_code_inside_an_ok_answer_is_a_lasting_refusal(body: dict[str, Any]) -> None:
    outcome = classify(MANUAL, 200, body)
    assert isinstance(outcome, Refused)
    assert not outcome.transient


def test_the_services_own_wait_is_kept() -> None:
    body = gateway("Throttling.User")
    milliseconds = classify(RUN, 429, body, **{"x-acs-retry-after": "1500", "retry-after": "9"})
    seconds = classify(RUN, 429, body, **{"retry-after": "9"})
    neither = classify(RUN, 429, body, **{"retry-after": "soon"})
    assert isinstance(milliseconds, Refused)
    assert isinstance(seconds, Refused)
    assert isinstance(neither, Refused)
    assert milliseconds.retry_after_seconds == 1.5
    assert seconds.retry_after_seconds == 9.0
    assert neither.retry_after_seconds is None


def test_what_never_left_is_a_passing_refusal() -> None:
    outcome = classify_failure(NeverSent("ConnectError: refused"))
    assert outcome == Refused(code="not_sent", message="ConnectError: refused", transient=True)


def test_a_lost_answer_is_unknown() -> None:
    assert isinstance(classify_failure(AnswerLost("ReadTimeout")), Unknown)


def test_foreign_text_is_one_clean_short_line() -> None:
    outcome = classify(
        RUN, 400, {"Code": "InvalidParameter", "Message": "a\n\x1b[31mb" + "x" * 999}
    )
    assert isinstance(outcome, Refused)
    assert outcome.message.startswith("a [31mbx")
    assert len(outcome.message) <= 300
