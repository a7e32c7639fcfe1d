"""Reads over the gateway: errors, clocks and tokens; and creates from signature to outcome."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
from typing import Any

import httpx
import pytest

from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
    UnexpectedResponse,
)
from reconciler.model.outcomes import Accepted, Refused, Unknown
from reconciler.model.project import Secret
from reconciler.model.resources import Tuning
from reconciler.providers.dataarts.provider import DataArtsProvider
from tests.unit.providers.dataarts.support import (
    CREATE,
    LIST,
    SERIES,
    TOKEN,
    USER,
    Reply,
    Service,
    a_connection,
    a_name,
    a_provider,
    a_token,
    error,
    patches,
)
from tests.unit.providers.dataworks.support import NOW, FakeClock

pytestmark = pytest.mark.anyio

DATES = DateRange.parse("2024-05-01..2024-05-03")


async def failing(answer: httpx.Response | Exception, times: int = 1) -> ProviderError:
    service = Service()
    service.in_turn(LIST, *[answer] * times)
    async with a_provider(service) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.api.list_patches(0)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "DLF.0100"), NotFound),
        (error(400, "DLF.0113"), NotFound),
        (error(400, "DLF.0137"), NotFound),
        (error(400, "DLF.30137"), NotFound),
        (error(400, "DLF.3051"), InvalidRequest),
        (error(400, "APIGW.0106"), InvalidRequest),
        (error(400, "DLF.9999"), InvalidRequest),
        (error(401, "APIG.0301"), Unauthenticated),
        (error(401, "APIGW.0301"), Unauthenticated),
        (httpx.Response(401, content=b"<html>"), Unauthenticated),
        (error(403, "APIG.0304"), Forbidden),
        (error(403, "X"), Forbidden),
        (error(404, "APIGW.0101"), InvalidRequest),
        (httpx.Response(200, content=b"<html>"), UnexpectedResponse),
        (httpx.Response(200, content=b""), UnexpectedResponse),
        (httpx.Response(302, content=b""), UnexpectedResponse),
        (httpx.Response(200, json={"success": False, "msg": "boom"}), UnexpectedResponse),
        (httpx.Response(200, json={"rows": 1, "total": 1}), UnexpectedResponse),
        (httpx.Response(200, json={"rows": [{}], "total": 1}), UnexpectedResponse),
        (httpx.Response(200, json={"rows": [], "total": "x"}), UnexpectedResponse),
    ],
)
async def test_what_an_answer_means(answer: httpx.Response, kind: type[ProviderError]) -> None:
    assert type(await failing(answer)) is kind


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(429, "APIG.0308"), RateLimited),
        (httpx.Response(503, content=b"<html>"), Unavailable),
        (error(504, "APIG.0201"), Unavailable),
        (httpx.ReadTimeout("slow"), Unavailable),
    ],
)
async def test_what_may_pass_is_asked_again(
    answer: httpx.Response | Exception, kind: type[ProviderError]
) -> None:
    service = Service()
    service.in_turn(LIST, answer, patches([])({"page": "0", "size": "1"}))
    async with a_provider(service) as provider:
        await provider.api.list_patches(0)
    assert len(service.calls) == 2
    assert type(await failing(answer, times=4)) is kind


async def test_an_unpublished_path_hints_at_region_and_endpoint() -> None:
    wrong = await failing(error(404, "APIGW.0101"))
    assert "`region` and `endpoint`" in wrong.hint
    assert (wrong.request_id, wrong.status, wrong.operation) == ("r-1", 404, LIST)


async def test_our_time_is_signed_until_it_is_refused_and_far_off() -> None:
    theirs = NOW + dt.timedelta(minutes=20)
    service = Service(date=theirs)
    service.in_turn(LIST, error(401, "APIGW.0301"), *[patches([])({"page": "0", "size": "1"})] * 2)
    async with a_provider(service) as provider:
        await provider.api.list_patches(0)
        await provider.api.list_patches(0)
    dates = [request.headers["x-sdk-date"] for request in service.requests]
    assert dates == [f"{at:%Y%m%dT%H%M%SZ}" for at in (NOW, theirs, theirs)]


async def test_reads_whose_time_was_refused_together_are_each_signed_again() -> None:
    theirs = NOW + dt.timedelta(minutes=20)
    service = Service(date=theirs)

    def strict(asked: dict[str, str]) -> Reply:
        late = service.requests[-1].headers["x-sdk-date"] == f"{NOW:%Y%m%dT%H%M%SZ}"
        return error(401, "APIG.0301") if late else patches([])(asked)

    service.on(LIST, strict)
    async with a_provider(service) as provider:
        await asyncio.gather(*(provider.api.list_patches(0) for _ in range(3)))
    assert len(service.calls) == 6


async def test_calls_that_find_their_token_refused_together_fetch_one() -> None:
    cloud = Cloud(FakeClock())
    async with a_user(cloud) as provider:
        await asyncio.gather(*(provider.api.list_patches(0) for _ in range(3)))
        cloud.void = {"token-canary-1"}
        await asyncio.gather(*(provider.api.list_patches(0) for _ in range(3)))
    assert cloud.operations().count(TOKEN) == 2


async def test_a_token_that_was_replaced_meanwhile_is_not_replaced_again() -> None:
    cloud = Cloud(FakeClock())
    async with a_user(cloud) as provider:
        access = provider.api.gateway.access
        await access.ready()
        first = access.state
        for _ in range(2):
            assert access.distrust(first)
            await access.ready()
    assert cloud.operations() == [TOKEN, TOKEN]


@pytest.mark.parametrize("minutes", [-9, 0, 9])
async def test_a_refusal_is_not_laid_to_a_clock_that_agrees(minutes: int) -> None:
    service = Service(date=NOW + dt.timedelta(minutes=minutes))
    service.on(LIST, lambda _: error(401, "APIG.0301"))
    async with a_provider(service) as provider:
        with pytest.raises(Unauthenticated):
            await provider.api.list_patches(0)
    assert len(service.calls) == 1


async def test_a_time_that_is_refused_again_is_not_sent_a_third_time() -> None:
    service = Service(date=NOW + dt.timedelta(hours=1))
    service.on(LIST, lambda _: error(401, "APIG.0301"))
    async with a_provider(service) as provider:
        with pytest.raises(Unauthenticated):
            await provider.api.list_patches(0)
    assert len(service.calls) == 2


# Creates


async def send(provider: DataArtsProvider) -> Any:
    await provider.take_create_turn(CREATE)
    call = provider.wire_call(SERIES, DATES, a_name(), Tuning())
    return await provider.create(provider.prepare(call))


async def test_a_create_as_the_service_sees_it() -> None:
    service = Service()
    service.on(CREATE, lambda _: httpx.Response(200, headers={"x-request-id": "r-7"}))
    async with a_provider(service) as provider:
        outcome = await send(provider)

    (request,) = service.requests
    assert outcome == Accepted(run_ids=(a_name(),), request_id="r-7")
    assert request.headers["content-type"] == "application/json;charset=utf-8"
    assert json.loads(request.content) == {
        "name": a_name(),
        "job_name": "daily_sales",
        "start_date": "2024-05-01T00:00:00 +08",
        "end_date": "2024-05-03T23:59:59 +08",
        "parallel": 1,
        "reverse_order": 0,
        "is_stop_when_fail": True,
        "force": "true",
    }


async def test_a_signature_holds_for_a_quarter_of_an_hour_and_the_skew() -> None:
    async with a_provider(Service()) as provider:
        call = provider.wire_call(SERIES, DATES, a_name(), Tuning())
        prepared = provider.prepare(call)
    assert prepared.signed_at == NOW
    assert prepared.valid_until == NOW + dt.timedelta(minutes=15, seconds=60)


async def test_a_used_name_is_of_unknown_outcome() -> None:
    service = Service()
    service.on(CREATE, lambda _: error(400, "DLF.0102", "The name is used"))
    async with a_provider(service) as provider:
        outcome = await send(provider)
    assert isinstance(outcome, Unknown)
    assert len(service.calls) == 1


async def test_a_create_refused_for_its_time_is_signed_by_the_services_clock_next() -> None:
    service = Service(date=NOW - dt.timedelta(minutes=30))
    service.on(CREATE, lambda _: error(401, "APIG.0301"))
    async with a_provider(service) as provider:
        assert isinstance(await send(provider), Refused)
        await send(provider)
    first, second = (request.headers["x-sdk-date"] for request in service.requests)
    assert (first, second) == ("20240601T120000Z", "20240601T113000Z")


async def test_what_another_provider_prepared_is_not_sent() -> None:
    async with a_provider(Service()) as provider:
        call = provider.wire_call(SERIES, DATES, a_name(), Tuning())
        prepared = provider.prepare(call)
        other = type("Other", (), {})()
        with pytest.raises(TypeError):
            await provider.create(other)
        late = dataclasses.replace(prepared, request=None)
        with pytest.raises(TypeError):
            await provider.create(late)


# Tokens


class Cloud(Service):
    """A service with an IAM whose tokens are good for 24 hours; `void` ones are refused."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock=clock)
        self.issued = 0
        self.void: set[str] = set()
        self.on(TOKEN, lambda _: self._issue())
        self.on(LIST, lambda asked: self._checked(patches([])(asked)))
        self.on(CREATE, lambda _: self._checked(httpx.Response(200)))

    def _issue(self) -> httpx.Response:
        assert self.clock is not None
        self.issued += 1
        ends = self.clock.now() + dt.timedelta(hours=24)
        return a_token(f"token-canary-{self.issued}", ends)

    def _checked(self, answer: Any) -> Any:
        token = self.requests[-1].headers.get("x-auth-token", "")
        if token in self.void or not token:
            return error(401, "APIGW.0301", f"token {token} expired")
        return answer


def a_user(cloud: Cloud, **changes: Any) -> DataArtsProvider:
    assert cloud.clock is not None
    connection = a_connection(credentials=USER, **changes)
    return a_provider(cloud, connection=connection, clock=cloud.clock, signed=False)


async def test_a_token_is_fetched_once_for_the_project_and_used_again() -> None:
    cloud = Cloud(FakeClock())
    async with a_user(cloud) as provider:
        await provider.api.list_patches(0)
        await provider.api.list_patches(0)

    assert cloud.operations() == [TOKEN, LIST, LIST]
    asked = cloud.requests[0]
    assert str(asked.url) == (
        "https://iam.cn-north-4.myhuaweicloud.com/v3/auth/tokens?nocatalog=true"
    )
    assert "authorization" not in asked.headers
    assert json.loads(asked.content) == {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {
                    "user": {
                        "name": "example-user",
                        "password": "example-password-canary",
                        "domain": {"name": "example-domain"},
                    }
                },
            },
            "scope": {"project": {"id": "p1"}},
        }
    }
    assert [request.headers["x-auth-token"] for request in cloud.requests[1:]] == [
        "token-canary-1"
    ] * 2
    assert "authorization" not in cloud.requests[1].headers


async def test_a_token_is_renewed_before_it_ends() -> None:
    clock = FakeClock()
    cloud = Cloud(clock)
    async with a_user(cloud) as provider:
        await provider.api.list_patches(0)
        clock.seconds += 22.5 * 3600
        await provider.api.list_patches(0)
        clock.seconds += 3600
        await provider.api.list_patches(0)
    assert cloud.operations() == [TOKEN, LIST, LIST, TOKEN, LIST]


async def test_how_long_a_token_holds_is_judged_by_the_services_clock() -> None:
    clock = FakeClock()
    cloud = Cloud(clock)
    async with a_user(cloud) as provider:
        await provider.api.list_patches(0)
        cloud.clock = FakeClock()
        cloud.clock.seconds = 23.5 * 3600
        await provider.api.list_patches(0)  # learns the time
        await provider.api.list_patches(0)
    assert cloud.operations() == [TOKEN, LIST, LIST, TOKEN, LIST]


async def test_a_token_that_is_refused_is_replaced_once() -> None:
    cloud = Cloud(FakeClock())
    async with a_user(cloud) as provider:
        await provider.api.list_patches(0)
        cloud.void = {"token-canary-1"}
        await provider.api.list_patches(0)
        cloud.void = {"token-canary-2", "token-canary-3"}
        with pytest.raises(Unauthenticated) as caught:
            await provider.api.list_patches(0)
    assert cloud.operations() == [TOKEN, LIST, LIST, TOKEN, LIST, LIST, TOKEN, LIST]
    assert "canary" not in f"{caught.value} {caught.value!r}"
    assert "***" in caught.value.summary


async def test_a_create_has_a_fresh_token_and_may_come_as_long_as_that_is_valid() -> None:
    cloud = Cloud(FakeClock())
    async with a_user(cloud) as provider:
        call = provider.wire_call(SERIES, DATES, a_name(), Tuning())
        with pytest.raises(Unauthenticated):
            provider.prepare(call)
        await provider.take_create_turn(CREATE)
        prepared = provider.prepare(call)
        outcome = await provider.create(prepared)
    assert isinstance(outcome, Accepted)
    ends = NOW + dt.timedelta(hours=24, seconds=60)
    assert abs(prepared.valid_until - ends) < dt.timedelta(seconds=1)
    assert cloud.requests[-1].headers["x-auth-token"] == "token-canary-1"


async def test_a_create_whose_token_was_refused_takes_another_next_time() -> None:
    cloud = Cloud(FakeClock())
    async with a_user(cloud) as provider:
        await provider.take_create_turn(CREATE)
        cloud.void = {"token-canary-1"}
        first = await send(provider)
        second = await send(provider)
    assert isinstance(first, Refused)
    assert "canary" not in first.message
    assert isinstance(second, Accepted)
    assert cloud.operations() == [TOKEN, CREATE, TOKEN, CREATE]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (
            httpx.Response(
                401, json={"error": {"code": 401, "message": "wrong example-password-canary"}}
            ),
            Unauthenticated,
        ),
        (httpx.Response(201, json={"token": {}}), UnexpectedResponse),
        (httpx.Response(201, json={}, headers={"x-subject-token": "t"}), UnexpectedResponse),
        (
            httpx.Response(
                201,
                json={"token": {"expires_at": "2024-99-01T00:00:00Z"}},
                headers={"x-subject-token": "t"},
            ),
            UnexpectedResponse,
        ),
        (httpx.Response(201, content=b"<html>"), UnexpectedResponse),
    ],
)
async def test_a_token_that_cannot_be_had(
    answer: httpx.Response, kind: type[ProviderError]
) -> None:
    cloud = Cloud(FakeClock())
    cloud.on(TOKEN, lambda _: answer)
    async with a_user(cloud) as provider:
        with pytest.raises(ProviderError) as caught:
            await provider.api.list_patches(0)
        report = await provider.check()
    assert type(caught.value) is kind
    assert caught.value.operation == TOKEN
    assert "canary" not in f"{caught.value} {report.lines}"
    assert not report.sound
    assert set(cloud.operations()) == {TOKEN}


async def test_a_password_that_is_not_set_is_named() -> None:
    cloud = Cloud(FakeClock())
    user = dataclasses.replace(USER, password=Secret(""))
    connection = a_connection(credentials=user)
    async with a_provider(cloud, connection=connection, signed=False) as provider:
        with pytest.raises(Unauthenticated, match="password of the connection is empty"):
            await provider.discover(SERIES, DateSet((DATES,)), known_runs={})
    assert not cloud.calls


async def test_a_check_tells_how_long_a_token_is_valid() -> None:
    clock = FakeClock()
    cloud = Cloud(clock)
    async with a_user(cloud) as provider:
        early = await provider.check()
        clock.seconds += 22.5 * 3600
        late = await provider.check()
    told = [line for line in early.lines if line.startswith("token: ")]
    assert told[0].startswith("token: valid until 2024-06-02 12:00 UTC, and renewed by itself")
    assert any("UTC, soon" in line for line in late.lines)
    assert "canary" not in str((early, late))
