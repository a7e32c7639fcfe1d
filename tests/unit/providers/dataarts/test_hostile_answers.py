"""Whatever comes back, readers give a value or say that it does not fit; and no secret is ever shown."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.dates import DateSet
from reconciler.model.errors import ProviderError
from reconciler.model.project import Secret
from reconciler.model.resources import Tuning
from reconciler.providers.dataarts.envelopes import open_envelope, relayed
from reconciler.providers.dataarts.provider import DataArtsProvider
from reconciler.providers.dataarts.wire_answers import (
    read_instance_page,
    read_nodes,
    read_patch_page,
    read_task_runs,
)
from reconciler.providers.http import Answer
from reconciler.providers.json_fields import BadAnswer, Fields
from reconciler.providers.signing import SigningKey
from tests.unit.providers.dataarts.support import (
    CREATE,
    LIST,
    SERIES,
    Service,
    a_connection,
    a_name,
    a_patch,
    error,
)
from tests.unit.providers.dataworks.support import FakeClock, NoJitter

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([253_370_764_800_000, 253_370_764_799_999, 0, 1, "success", "FAIL"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = (
    *("status", "start_date", "end_date", "submitted_date", "parallel"),
    *("instance_id", "plan_time", "submit_time", "force_success", "ignore_success", "user_name"),
    *("taskRunningLogId", "planTime", "submitTime", "forceSuccess", "nodeName", "logPath"),
)
ROWS = st.fixed_dictionaries(
    {"name": st.just("n") | VALUES, "job_list": st.just(["j"]) | VALUES},
    optional=dict.fromkeys(NAMES, VALUES),
)
PAGES = st.fixed_dictionaries(
    {"total": st.integers(0, 5) | VALUES},
    optional={
        name: st.lists(ROWS, max_size=3) | VALUES for name in ("rows", "instances", "nodes")
    },
)
READERS: list[Callable[[Fields], object]] = [
    lambda body: read_patch_page(body, ZoneInfo("Asia/Shanghai")),
    read_instance_page,
    read_task_runs,
    read_nodes,
]


@given(page=PAGES, reader=st.sampled_from(READERS))
def test_a_reader_reads_or_refuses(
    page: dict[str, Any], reader: Callable[[Fields], object]
) -> None:
    with contextlib.suppress(BadAnswer):
        reader(Fields(page, "answer"))


@given(
    status=st.integers(100, 599) | VALUES,
    body=PAGES.map(json.dumps) | VALUES,
)
def test_a_relay_is_opened_or_refused(status: object, body: object) -> None:
    raw = json.dumps({"status_code": status, "body": body, "header_map": {}}).encode()
    answer = Answer(status=200, headers={}, body=raw, server_time=None)
    try:
        inner = relayed(open_envelope(answer, "answer"))
    except BadAnswer:
        return
    assert inner.failed or inner.status == 200


def test_a_run_over_the_ages_tells_no_days() -> None:
    page = {"total": 1, "rows": [a_patch("n", "1970-01-02", "9998-12-31", "RUNNING")]}
    (row,) = read_patch_page(Fields(page, "answer"), ZoneInfo("Asia/Shanghai")).rows
    assert row.days is None


ECHOES = [
    httpx.Response(401, content=b"<html>secret-canary token-canary"),
    error(401, "APIG.0301", "secret-canary and token-canary do not fit"),
    error(500, "X", "token-canary"),
    httpx.Response(200, json={"rows": "secret-canary", "total": "token-canary"}),
    httpx.ReadTimeout("slow"),
]


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ECHOES)
async def test_what_signs_is_never_shown(
    answer: httpx.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service = Service()
    service.on(LIST, lambda _: answer)
    service.on(CREATE, lambda _: answer)
    key = SigningKey(
        access_key_id="id",
        access_key_secret=Secret("secret-canary"),
        security_token=Secret("token-canary"),
    )
    provider = DataArtsProvider(
        a_connection(),
        clock=FakeClock(),
        environ={},
        transport=service.transport(),
        credentials=lambda: key,
        jitter=NoJitter(),
    )
    async with provider:
        dates = DateSet.parse(["2024-05-01"])
        with pytest.raises(ProviderError) as caught:
            await provider.discover(SERIES, dates, known_runs={})
        (day,) = dates
        call = provider.wire_call(SERIES, day, a_name(), Tuning())
        prepared = provider.prepare(call)
        outcome = await provider.create(prepared)
        report = await provider.check()

    shown = (caught.value, caught.value.hint, outcome, report, prepared, key, provider)
    assert "canary" not in f"{shown}{shown!r}{caplog.text}"
    assert service.requests[0].headers["x-security-token"] == "token-canary"
