"""Endpoints, what a check tells, and the provider as its port describes it."""

from __future__ import annotations

import httpx
import pytest

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateRange
from reconciler.model.errors import InvalidRequest
from reconciler.model.project import SimulatorEndpoint
from reconciler.model.resources import Tuning
from reconciler.model.runs import Tier
from reconciler.ports import Provider
from reconciler.providers.dataworks.endpoints import base_url
from reconciler.providers.dataworks.provider import DataWorksProvider
from tests.unit.providers.dataworks.support import (
    NOW,
    FakeClock,
    FakeIds,
    Service,
    a_connection,
    a_provider,
    a_series,
    gateway_error,
    lists,
    ok,
    refusal,
)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-shanghai", "dataworks.cn-shanghai.aliyuncs.com"),
        ("ap-southeast-7", "dataworks.ap-southeast-7.aliyuncs.com"),
        ("cn-north-2-gov-1", "dataworks.cn-north-2-gov-1.aliyuncs.com"),
        ("mars-1", "dataworks.aliyuncs.com"),
    ],
)
def test_hosts_of_regions(region: str, host: str) -> None:
    assert base_url(a_connection(region=region)) == f"https://{host}"


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://dataworks-vpc.cn-shanghai.aliyuncs.com/", None),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (SimulatorEndpoint(), "http://simulator.invalid"),
    ],
)
def test_endpoints_of_the_project_file(endpoint: str | SimulatorEndpoint, url: str | None) -> None:
    expected = url or str(endpoint).rstrip("/")
    assert base_url(a_connection(endpoint=endpoint)) == expected


@pytest.mark.parametrize("endpoint", ["ftp://x", "127.0.0.1:80", "https://", "https://u:canary@x"])
def test_unusable_endpoints(endpoint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        base_url(a_connection(endpoint=endpoint))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("region", ["", "evil.example/", "a b", "CN"])
def test_a_region_cannot_name_a_host(region: str) -> None:
    with pytest.raises(InvalidRequest):
        base_url(a_connection(region=region))


def test_it_is_what_its_port_asks_for() -> None:
    provider: Provider = a_provider(Service())
    assert (provider.tier(Kind.BACKFILL), provider.tier(Kind.MANUAL_FLOW)) == (Tier.S2, Tier.S3)
    call = provider.wire_call(a_series(), DateRange.parse("2024-05-01"), "n", Tuning())
    assert call.operation == "RunCycleDagNodes"
    assert provider.calls_made == 0


@pytest.mark.anyio
async def test_it_closes_what_it_opened() -> None:
    provider = DataWorksProvider(
        a_connection(), clock=FakeClock(), ids=FakeIds(), environ={}, base_url="http://127.0.0.1:1"
    )
    async with provider as opened:
        assert opened is provider
    assert all(client.is_closed for client in provider._clients)
    assert len(provider._clients) == 2


@pytest.mark.anyio
async def test_a_good_connection() -> None:
    service = Service()
    service.on("ListInstances", lists([]))
    report = await a_provider(service).check()
    assert report.sound
    assert report.lines == (
        "endpoint: https://dataworks.cn-shanghai.aliyuncs.com answers",
        "credentials: accepted",
        "rights: may call ListInstances; whether it may create runs shows only when it does",
        "clock: agrees with the service's",
    )
    assert service.calls[0][1]["PageSize"] == "1"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "endpoint", "line"),
    [
        (gateway_error(403, "Forbidden.Access"), "answers", "rights: may not call ListInstances"),
        (gateway_error(400, "SignatureDoesNotMatch"), "answers", "credentials: not accepted"),
        (refusal("Invalid.Tenant.ProjectNotExists"), "answers", "read: ListInstances failed"),
        (httpx.ConnectError("refused"), "does not answer", "read: ListInstances got no answer"),
    ],
    ids=["forbidden", "wrong-key", "refused", "unreachable"],
)
async def test_what_a_failed_check_tells(answer: httpx.Response, endpoint: str, line: str) -> None:
    service = Service()
    service.on("ListInstances", lambda _: answer)
    report = await a_provider(service).check()
    assert not report.sound
    assert report.lines[0].endswith(f" {endpoint}")
    assert any(told.startswith(line) for told in report.lines)


@pytest.mark.anyio
async def test_a_clock_that_is_off_is_told() -> None:
    service = Service(date=NOW.replace(hour=11))
    service.on("ListInstances", lists([]))
    assert "clock: the service is 3600 s behind" in (await a_provider(service).check()).lines


@pytest.mark.anyio
@pytest.mark.parametrize("answer", [ok({"NodeInsInfo": []}), refusal("Invalid.Dag.NotExists")])
async def test_without_a_project_id_the_2018_api_is_asked(answer: dict[str, object]) -> None:
    service = Service()
    service.on("SearchManualDagNodeInstance", answer)
    report = await a_provider(service, connection=a_connection(project_id=None)).check()
    assert report.sound
    assert report.lines[1] == "credentials: accepted"
