"""Whatever comes back, a create is answered with a value, and only proof counts as proof."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.outcomes import Accepted, Refused
from reconciler.providers.dataworks.codes import CodeFamily, family_of
from reconciler.providers.dataworks.outcomes import classify_answer
from reconciler.providers.http import Answer, parse_http_date

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
CODES = st.sampled_from(
    ["Throttling.User", "InvalidParameter", "InternalError", "0", "Odd", "200"]
)
BODIES = st.dictionaries(
    st.sampled_from(
        [
            "Success",
            "success",
            "Code",
            "Message",
            "ErrorCode",
            "ErrCode",
            "ReturnCode",
            "ReturnValue",
            "Data",
            "data",
            "RequestId",
            "HttpStatusCode",
        ]
    ),
    VALUES | CODES | st.just(value=True) | st.just([111]),
)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "x-acs-retry-after", "x-acs-request-id"]),
    st.text(max_size=30) | st.just("9" * 5000),
)


@given(
    operation=st.sampled_from(["RunCycleDagNodes", "CreateManualDag"]),
    status=st.integers(100, 599),
    body=BODIES.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=200),
    headers=HEADERS,
)
def test_a_create_is_always_classified(
    operation: str, status: int, body: bytes, headers: dict[str, str]
) -> None:
    answer = Answer(status=status, headers=headers, body=body, server_time=None)
    outcome = classify_answer(operation, answer)
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert outcome.run_ids
        assert all(run_id.isdigit() and int(run_id) > 0 for run_id in outcome.run_ids)
    if isinstance(outcome, Refused):
        assert family_of(outcome.code) is not CodeFamily.OTHER
        assert outcome.transient == (family_of(outcome.code) is CodeFamily.THROTTLED)


@given(st.text(max_size=60) | st.sampled_from(["Mon, 01 Jan 0001 00:00:00 +0100"]))
def test_any_date_header_is_taken(text: str) -> None:
    parse_http_date(text)
