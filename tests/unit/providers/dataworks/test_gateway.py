"""One request, retries of reads, the service's clock, and creates that go out once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib

import httpx
import pytest

from reconciler.concurrency import each
from reconciler.model.calls import WireCall
from reconciler.model.errors import (
    Forbidden,
    InvalidRequest,
    NotAsked,
    NotFound,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
    UnexpectedResponse,
)
from reconciler.model.outcomes import Accepted, Refused, Unknown
from reconciler.model.project import Limits
from reconciler.model.series import Realm
from reconciler.providers.protecting import OPEN_SECONDS
from tests.unit.providers.dataworks.support import (
    NOW,
    FakeClock,
    Service,
    a_connection,
    a_provider,
    a_row,
    gateway_error,
    ok,
    refusal,
)

pytestmark = pytest.mark.anyio

CREATE = WireCall(operation="RunCycleDagNodes", parameters={"Name": "n"})
ROW = a_row(5, 1, "2024-05-01", "SUCCESS")


async def test_a_read_that_is_throttled_is_sent_four_times_at_most() -> None:
    service, clock = Service(), FakeClock()
    service.on("GetInstance", lambda _: gateway_error(429, "Throttling.User"))
    provider = a_provider(service, clock=clock)

    with pytest.raises(RateLimited):
        await provider.api.get_instance("5", "PROD")

    assert provider.calls_made == len(service.calls) == 4
    assert clock.slept == [1, 2, 4]


@pytest.mark.parametrize(
    "passing",
    [
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.Response(503, content=b"<html>"),
        httpx.Response(502, content=b""),
        gateway_error(503, "ServiceUnavailable"),
        gateway_error(500, "InternalError.System"),
        gateway_error(400, "Throttling.Api"),
        gateway_error(400, "SignatureNonceUsed"),
        httpx.Response(429, content=b"slow down"),
        httpx.Response(408, content=b""),
    ],
    ids=str,
)
async def test_passing_troubles_of_a_read_are_overcome(
    passing: httpx.Response | Exception,
) -> None:
    service = Service()
    service.in_turn("GetInstance", passing, ok(ROW))
    provider = a_provider(service)

    assert (await provider.api.get_instance("5", "PROD")).id == "5"

    nonces = [request.headers["x-acs-signature-nonce"] for request in service.requests]
    assert len(set(nonces)) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (gateway_error(403, "Forbidden.Access"), Forbidden),
        (gateway_error(500, "Forbidden.Not.Server"), InvalidRequest),
        (gateway_error(400, "SignatureDoesNotMatch"), Unauthenticated),
        (gateway_error(404, "InvalidAccessKeyId.NotFound"), Unauthenticated),
        (gateway_error(404, "InvalidApi.NotFound"), InvalidRequest),
        (gateway_error(400, "MissingProjectName"), InvalidRequest),
        (gateway_error(404, "Invalid.Instance.NotExists"), NotFound),
        (refusal("Invalid.Dag.NotExists"), NotFound),
        (refusal("Invalid.Tenant.ProjectNotExists"), InvalidRequest),
        (refusal("Invalid.Tenant.ConnectionNotExists"), InvalidRequest),
        (refusal("Surprise"), UnexpectedResponse),
        (httpx.Response(401, content=b""), Unauthenticated),
        (httpx.Response(403, content=b"<html>"), Forbidden),
        (httpx.Response(404, content=b"<html>"), InvalidRequest),
        (httpx.Response(302, content=b""), UnexpectedResponse),
        (httpx.Response(200, content=b""), UnexpectedResponse),
        (httpx.Response(200, content=b"<html>"), UnexpectedResponse),
        (ok(None), UnexpectedResponse),
        (ok([]), UnexpectedResponse),
        (ok({**ROW, "Status": "DANCING"}), UnexpectedResponse),
        (ok({**ROW, "InstanceId": None}), UnexpectedResponse),
        (ok({**ROW, "Bizdate": "tomorrow"}), UnexpectedResponse),
    ],
    ids=str,
)
async def test_lasting_troubles_of_a_read_are_told_at_once(
    answer: httpx.Response, error: type[ProviderError]
) -> None:
    service = Service()
    service.on("GetInstance", lambda _: answer)

    with pytest.raises(error) as caught:
        await a_provider(service).api.get_instance("5", "PROD")

    assert type(caught.value) is error
    assert caught.value.operation == "GetInstance"
    assert len(service.calls) == 1


async def test_the_services_own_wait_is_honoured() -> None:
    service, clock = Service(), FakeClock()
    throttled = gateway_error(429, "Throttling.User", **{"x-acs-retry-after": "2500"})
    service.in_turn("GetInstance", throttled, ok(ROW))
    await a_provider(service, clock=clock).api.get_instance("5", "PROD")
    assert clock.slept == [1 + 2.5]


async def test_a_rest_that_is_too_long_is_not_waited_for_in_place() -> None:
    service, clock = Service(), FakeClock()
    throttled = gateway_error(429, "Throttling.Api.Risk", **{"x-acs-retry-after": "3600000"})
    service.on("GetInstance", lambda _: throttled)
    with pytest.raises(RateLimited):
        await a_provider(service, clock=clock).api.get_instance("5", "PROD")
    assert (len(service.calls), clock.slept) == (1, [])


async def test_a_service_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    service, clock = Service(), FakeClock()
    service.on("GetInstance", lambda _: httpx.Response(503, content=b""))
    provider = a_provider(service, clock=clock)
    for _ in range(4):
        with pytest.raises(Unavailable):
            await provider.api.get_instance("5", "PROD")
    # Four and one open the breaker; then one call in thirty seconds looks whether the service is back.
    assert len(service.calls) <= 5 + clock.seconds / 30 + 1
    service.on("GetInstance", ok(ROW))
    assert (await provider.api.get_instance("5", "PROD")).id == "5"


async def test_no_create_leaves_while_the_service_is_left_alone() -> None:
    service, clock = Service(), FakeClock()
    service.on("RunCycleDagNodes", lambda _: gateway_error(503, "ServiceUnavailable"))
    provider = a_provider(service, clock=clock)
    for _ in range(5):
        await provider.take_create_turn("RunCycleDagNodes")
        await provider.create(provider.prepare(CREATE))
    before = clock.seconds
    await provider.take_create_turn("RunCycleDagNodes")
    assert clock.seconds - before == OPEN_SECONDS, "the next one looks whether the service is back"


async def test_creates_that_fail_are_held_back_though_reads_are_answered() -> None:
    service, clock = Service(), FakeClock()
    service.on("RunCycleDagNodes", lambda _: gateway_error(503, "ServiceUnavailable"))
    service.on("GetInstance", ok(ROW))
    provider = a_provider(service, clock=clock)
    for _ in range(5):
        await provider.api.get_instance("5", "PROD")
        await provider.take_create_turn("RunCycleDagNodes")
        await provider.create(provider.prepare(CREATE))
    assert clock.seconds == 0
    await provider.take_create_turn("RunCycleDagNodes")
    assert clock.seconds == OPEN_SECONDS
    await provider.api.get_instance("5", "PROD")
    assert clock.seconds == OPEN_SECONDS, "reads go on"


async def test_a_create_is_not_waited_for_without_end() -> None:
    class Busy(FakeClock):
        """While one waits, another one's create fails."""

        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            await provider.create(provider.prepare(CREATE))

    service = Service()
    service.on("RunCycleDagNodes", lambda _: gateway_error(503, "ServiceUnavailable"))
    provider = a_provider(service, clock=Busy())
    for _ in range(5):
        await provider.create(provider.prepare(CREATE))
    with pytest.raises(NotAsked, match="RunCycleDagNodes was not sent"):
        await provider.take_create_turn("RunCycleDagNodes")


async def test_a_throttled_create_slows_the_next_ones_down() -> None:
    service, clock = Service(), FakeClock()
    service.in_turn("RunCycleDagNodes", gateway_error(429, "Throttling.User"), ok([1]))
    limits = Limits(read_qps=0, write_qps=2)
    provider = a_provider(service, connection=a_connection(limits=limits), clock=clock)
    for _ in range(2):
        await provider.take_create_turn("RunCycleDagNodes")
        await provider.create(provider.prepare(CREATE))
    await provider.take_create_turn("RunCycleDagNodes")
    assert clock.slept == [0.5, pytest.approx(1 / 1.04, abs=0.1)]


async def test_a_stop_is_sent_once() -> None:
    service = Service()
    service.on("StopInstance", lambda _: httpx.Response(503, content=b""))
    with pytest.raises(Unavailable):
        await a_provider(service).api.stop_instance("5", "PROD")
    assert len(service.calls) == 1


async def test_a_stop_answered_with_false_is_an_error() -> None:
    service = Service()
    service.on("StopInstance", ok(data=False))
    with pytest.raises(UnexpectedResponse):
        await a_provider(service).api.stop_instance("5", "PROD")
    service.on("StopInstance", ok(data=True))
    await a_provider(service).api.stop_instance("5", "PROD")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ok([111]), Accepted),
        (gateway_error(429, "Throttling.User"), Refused),
        (gateway_error(503, "ServiceUnavailable"), Unknown),
        (httpx.ReadTimeout("slow"), Unknown),
        (httpx.ReadError("reset"), Unknown),
        (httpx.ConnectError("refused"), Refused),
        (httpx.Response(307, headers={"location": "http://x/"}), Unknown),
        (httpx.Response(200, content=b"<html>"), Unknown),
    ],
    ids=str,
)
async def test_a_create_is_sent_once_whatever_comes_back(
    answer: httpx.Response | Exception, kind: type
) -> None:
    service = Service()
    service.on("RunCycleDagNodes", lambda _: answer)
    provider = a_provider(service)
    outcome = await provider.create(provider.prepare(CREATE))
    assert isinstance(outcome, kind)
    assert len(service.calls) == provider.calls_made == 1


async def test_a_create_sends_exactly_the_prepared_bytes() -> None:
    service = Service()
    service.on("RunCycleDagNodes", ok([111]))
    provider = a_provider(service)

    prepared = provider.prepare(CREATE)
    await provider.create(prepared)

    sent = service.requests[0]
    identity = b"\n".join((b"POST", str(sent.url).encode(), sent.content))
    assert prepared.request_digest == hashlib.sha256(identity).hexdigest()
    assert sent.headers["x-acs-date"] == "2024-06-01T12:00:00Z"


async def test_each_prepared_create_has_a_nonce_of_its_own() -> None:
    service = Service()
    service.on("RunCycleDagNodes", ok([111]))
    provider = a_provider(service)
    first, second = provider.prepare(CREATE), provider.prepare(CREATE)
    await provider.create(first)
    await provider.create(second)
    assert first.request_digest == second.request_digest
    assert len({request.headers["x-acs-signature-nonce"] for request in service.requests}) == 2


async def test_validity_runs_from_the_signed_time() -> None:
    provider = a_provider(Service())
    prepared = provider.prepare(CREATE)
    assert prepared.signed_at == NOW
    assert prepared.valid_until == NOW + dt.timedelta(minutes=15, seconds=60)


@pytest.mark.parametrize(("ahead_seconds", "counted"), [(90, 100), (-90, 10)])
async def test_validity_runs_from_the_services_time_where_that_is_later(
    ahead_seconds: int, counted: int
) -> None:
    service, clock = Service(), FakeClock()
    service.date = NOW + dt.timedelta(seconds=ahead_seconds)
    service.on("GetInstance", ok(ROW))
    provider = a_provider(service, clock=clock)

    await provider.api.get_instance("5", "PROD")
    clock.seconds += 10
    prepared = provider.prepare(CREATE)

    assert prepared.signed_at == NOW + dt.timedelta(seconds=10)
    assert prepared.valid_until == NOW + dt.timedelta(seconds=counted + 15 * 60 + 60)


async def test_after_a_refused_timestamp_the_services_time_is_signed() -> None:
    service = Service(date=NOW + dt.timedelta(hours=1))
    service.in_turn(
        "GetInstance", gateway_error(400, "InvalidTimeStamp.Expired"), ok(ROW), ok(ROW)
    )
    provider = a_provider(service)

    await provider.api.get_instance("5", "PROD")
    await provider.api.get_instance("5", "PROD")

    signed = [request.headers["x-acs-date"] for request in service.requests]
    assert signed == ["2024-06-01T12:00:00Z", "2024-06-01T13:00:00Z", "2024-06-01T13:00:00Z"]
    assert provider.prepare(CREATE).valid_until == NOW + dt.timedelta(hours=1, minutes=16)


async def test_reads_that_were_under_way_with_a_refused_time_are_signed_again_too() -> None:
    service = Service(date=NOW + dt.timedelta(hours=1))
    refused = gateway_error(400, "InvalidTimeStamp.Expired")
    service.in_turn("GetInstance", refused, refused, ok(ROW), ok(ROW))
    api = a_provider(service).api
    rows = await each(["5", "5"], lambda instance: api.get_instance(instance, "PROD"))
    assert all(rows)
    assert len(service.calls) == 4


async def test_a_timestamp_that_is_refused_again_is_an_error() -> None:
    service = Service(date=NOW + dt.timedelta(hours=1))
    service.on("GetInstance", lambda _: gateway_error(400, "InvalidTimeStamp.Expired"))
    with pytest.raises(Unauthenticated):
        await a_provider(service).api.get_instance("5", "PROD")
    assert len(service.calls) == 2


async def test_a_refused_create_also_teaches_the_services_time() -> None:
    service = Service(date=NOW + dt.timedelta(hours=1))
    service.on("RunCycleDagNodes", lambda _: gateway_error(400, "InvalidTimeStamp.Expired"))
    provider = a_provider(service)
    outcome = await provider.create(provider.prepare(CREATE))
    assert isinstance(outcome, Refused)
    assert provider.prepare(CREATE).signed_at == NOW + dt.timedelta(hours=1)


async def test_a_create_that_waited_too_long_is_not_sent() -> None:
    service, clock = Service(), FakeClock()
    provider = a_provider(service, clock=clock)
    prepared = provider.prepare(CREATE)
    clock.seconds += 6
    outcome = await provider.create(prepared)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.transient) == ("not_sent", True)
    assert provider.calls_made == 0


async def test_creates_take_turns_before_they_are_signed() -> None:
    service, clock = Service(), FakeClock()
    limits = Limits(read_qps=0, write_qps=0.5)
    provider = a_provider(service, connection=a_connection(limits=limits), clock=clock)
    for _ in range(3):
        await provider.take_create_turn("RunCycleDagNodes")
    assert clock.slept == [2, 2]


@pytest.mark.parametrize(
    ("realm", "limits", "waits"),
    [
        (Realm.LIVE, Limits(), True),
        (Realm.SIMULATOR, Limits(), False),
        (Realm.SIMULATOR, Limits(read_qps=2), True),
    ],
)
async def test_a_simulator_is_paced_only_where_the_project_says_so(
    realm: Realm, limits: Limits, waits: bool
) -> None:
    service, clock = Service(), FakeClock()
    service.on("GetInstance", ok(ROW))
    provider = a_provider(
        service, connection=a_connection(realm=realm, limits=limits), clock=clock
    )
    await provider.api.get_instance("5", "PROD")
    await provider.api.get_instance("5", "PROD")
    assert bool(clock.slept) is waits


async def test_no_secret_gets_out_of_an_error_page() -> None:
    service = Service()
    echo = httpx.Response(
        400,
        json={
            "Code": "SignatureDoesNotMatch",
            "Message": "server string is example-token-canary with example-secret-canary",
        },
    )
    service.on("GetInstance", lambda _: echo)
    service.on("RunCycleDagNodes", lambda _: echo)
    provider = a_provider(service)

    with pytest.raises(Unauthenticated) as caught:
        await provider.api.get_instance("5", "PROD")
    prepared = provider.prepare(CREATE)
    outcome = await provider.create(prepared)

    told = f"{caught.value!r} {caught.value.__dict__} {outcome} {prepared} {provider!r}"
    assert "canary" not in told


async def test_something_that_another_prepared_is_a_bug() -> None:
    provider = a_provider(Service())
    foreign = dataclasses.replace(provider.prepare(CREATE), request=object())
    with pytest.raises(TypeError):
        await provider.create(foreign)
