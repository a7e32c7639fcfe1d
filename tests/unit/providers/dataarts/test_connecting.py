"""Hosts, keys, what a check tells, and the provider as its ports describe it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from reconciler.model.addresses import Kind
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Place
from reconciler.model.errors import InvalidRequest, Unauthenticated
from reconciler.model.project import (
    DefaultCredentials,
    EnvCredentials,
    Secret,
    SimulatorEndpoint,
    StaticCredentials,
    UnsetVariable,
)
from reconciler.model.runs import Tier
from reconciler.model.series import Tag
from reconciler.ports import GateKeeper, Provider
from reconciler.providers.dataarts.credentials import key_source
from reconciler.providers.dataarts.endpoints import connection_hosts
from reconciler.providers.dataarts.provider import DataArtsProvider
from tests.unit.providers.dataarts.support import (
    LIST,
    NODES,
    SERIES,
    Service,
    a_connection,
    a_name,
    a_provider,
    a_series,
    error,
    patches,
)
from tests.unit.providers.dataworks.support import NOW, FakeClock, NoJitter


def hosts(**changes: Any) -> tuple[str, str, str]:
    found = connection_hosts(a_connection(**changes))
    return found.studio, found.factory, found.iam


def test_a_region_has_three_hosts() -> None:
    assert hosts(region="cn-north-4") == (
        "https://dayu.cn-north-4.myhuaweicloud.com",
        "https://dayu-dlf.cn-north-4.myhuaweicloud.com",
        "https://iam.cn-north-4.myhuaweicloud.com",
    )
    assert hosts(iam_endpoint="https://iam.example.com/")[2] == "https://iam.example.com"


def test_an_endpoint_replaces_all_but_a_given_iam() -> None:
    one = "https://dayu.example.com"
    assert hosts(endpoint=f"{one}/") == (one, one, one)
    iam = "https://iam.example.com"
    assert hosts(endpoint=one, iam_endpoint=iam) == (one, one, iam)


def test_the_embedded_simulator_serves_everything() -> None:
    url = "http://simulator.invalid"
    assert hosts(endpoint=SimulatorEndpoint(), iam_endpoint="https://iam.x") == (url, url, url)


@pytest.mark.parametrize("endpoint", ["ftp://x", "127.0.0.1:80", "https://", "https://u:canary@x"])
@pytest.mark.parametrize("field", ["endpoint", "iam_endpoint"])
def test_unusable_endpoints(field: str, endpoint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        hosts(**{field: endpoint})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("region", ["", "evil.example/", "a b", "CN"])
def test_a_region_cannot_name_a_host(region: str) -> None:
    with pytest.raises(InvalidRequest):
        hosts(region=region)


ENVIRON = {"HUAWEICLOUD_SDK_AK": "env-id", "HUAWEICLOUD_SDK_SK": "env-secret-canary"}


@pytest.mark.parametrize("named", [DefaultCredentials(), EnvCredentials()])
def test_keys_come_from_the_vendors_variables(named: Any) -> None:
    key = key_source(named, {**ENVIRON, "HUAWEICLOUD_SDK_SECURITY_TOKEN": "t"})()
    assert key.access_key_id == "env-id"
    assert key.access_key_secret.reveal() == "env-secret-canary"
    assert key.security_token is not None
    assert key_source(named, ENVIRON)().security_token is None


@pytest.mark.parametrize("missing", sorted(ENVIRON))
def test_a_missing_variable_is_named(missing: str) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != missing}
    with pytest.raises(Unauthenticated) as caught:
        key_source(EnvCredentials(), environ)()
    assert f"{missing} is not set" in caught.value.summary
    assert "HUAWEICLOUD_SDK_SECURITY_TOKEN" in caught.value.hint
    assert "canary" not in str(caught.value)


def test_keys_of_the_project_file() -> None:
    given = StaticCredentials(access_key_id=Secret("i"), access_key_secret=Secret("s"))
    assert key_source(given, {})().access_key_id == "i"
    place = Place(file="reconciler.yaml", line=9, column=3)
    unset = Secret.missing(UnsetVariable("HW_SK", place))
    broken = StaticCredentials(access_key_id=Secret("i"), access_key_secret=unset)
    with pytest.raises(Unauthenticated, match="HW_SK"):
        key_source(broken, {})()
    empty = StaticCredentials(access_key_id=Secret("i"), access_key_secret=Secret(""))
    with pytest.raises(Unauthenticated, match="empty"):
        key_source(empty, {})()


def test_it_is_what_its_ports_ask_for() -> None:
    provider: Provider = a_provider(Service())
    keeper: GateKeeper = a_provider(Service())
    assert provider.tier(Kind.BACKFILL) is Tier.S1
    assert provider.tier(Kind.BACKFILL, tags_survive=True) is Tier.S1
    assert provider.tier(Kind.BACKFILL, tags_survive=False) is Tier.S3
    assert keeper.calls_made == 0


def test_a_run_is_named_by_its_tag_alone() -> None:
    tag = Tag.parse(a_name())
    assert tag is not None
    assert a_provider(Service()).run_name(tag, "orders") == a_name()


@pytest.mark.anyio
async def test_manual_flows_are_never_asked_for() -> None:
    provider, flow = a_provider(Service()), a_series(kind=Kind.MANUAL_FLOW)
    dates = DateSet.parse(["2024-05-01"])
    with pytest.raises(InvalidRequest):
        await provider.discover(flow, dates, known_runs={})
    with pytest.raises(InvalidRequest):
        await provider.find_run(flow, "x", dates)


@pytest.mark.anyio
async def test_calls_go_to_the_host_that_serves_them() -> None:
    service = Service()
    service.on(LIST, patches([]))
    service.on(NODES, {"nodes": []})
    async with a_provider(service) as provider:
        await provider.api.list_patches(0)
        await provider.api.show_nodes("a job", "7")

    first, second = service.requests
    assert str(first.url) == (
        "https://dayu.cn-north-4.myhuaweicloud.com/v2/p1/factory/supplement-data"
        "?page=0&size=100&sort=desc"
    )
    assert second.url.host == "dayu-dlf.cn-north-4.myhuaweicloud.com"
    assert second.url.raw_path == b"/v1/p1/jobs/a%20job/instances/7"
    assert all(request.headers["workspace"] == "w1" for request in service.requests)
    assert all(request.headers["x-project-id"] == "p1" for request in service.requests)
    assert (
        "SignedHeaders=content-type;host;workspace;x-project-id;x-sdk-date"
        in (first.headers["authorization"])
    )


@pytest.mark.anyio
async def test_the_default_workspace_is_not_named() -> None:
    service = Service()
    service.on(LIST, patches([]))
    async with a_provider(service, connection=a_connection(workspace=None)) as provider:
        await provider.api.list_patches(0)
    assert "workspace" not in service.requests[0].headers


@pytest.mark.anyio
@pytest.mark.parametrize("job", ["", ".", ".."])
async def test_a_name_is_no_step_within_a_path(job: str) -> None:
    async with a_provider(Service()) as provider:
        with pytest.raises(InvalidRequest):
            await provider.api.show_nodes(job, "7")


@pytest.mark.anyio
async def test_a_check_of_a_sound_connection() -> None:
    service = Service()
    service.on(LIST, patches([]))
    async with a_provider(service) as provider:
        report = await provider.check()
    assert report.sound
    assert report.lines == (
        "endpoint: https://dayu.cn-north-4.myhuaweicloud.com answers",
        "credentials: accepted",
        f"rights: may call {LIST}; whether it may create runs shows only when it does",
        "clock: agrees with the service's",
    )
    assert service.asked(LIST) == [{"sort": "desc", "page": "0", "size": "1"}]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        (error(401, "APIG.0301"), ("answers", "not accepted")),
        (error(403, "APIGW.0304"), ("answers", "may not call")),
        (error(404, "APIGW.0101"), ("answers", "APIGW.0101")),
        (httpx.ConnectError("refused"), ("does not answer", "no answer")),
    ],
)
async def test_a_check_tells_what_is_wrong(
    answer: httpx.Response | Exception, lines: tuple[str, str]
) -> None:
    service = Service()
    service.on(LIST, lambda _: answer)
    async with a_provider(service) as provider:
        report = await provider.check()
    assert not report.sound
    assert lines[0] in report.lines[0]
    assert any(lines[1] in line for line in report.lines[1:])


@pytest.mark.anyio
async def test_without_keys_nothing_is_sent() -> None:
    service = Service()
    provider = DataArtsProvider(
        a_connection(),
        clock=FakeClock(),
        environ={},
        transport=service.transport(),
        jitter=NoJitter(),
    )
    async with provider:
        report = await provider.check()
        with pytest.raises(Unauthenticated, match="HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK"):
            await provider.discover(SERIES, DateSet.parse(["2024-05-01"]), known_runs={})
    assert not service.calls
    assert "was not asked" in report.lines[0]


@pytest.mark.anyio
async def test_the_services_time_is_read_once() -> None:
    service = Service()
    service.on(LIST, patches([]))
    async with a_provider(service) as provider:
        assert await provider.server_time() == NOW
        assert await provider.server_time() == NOW
    assert service.operations() == [LIST]
