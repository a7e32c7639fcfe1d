"""Reads that a service does not answer as it should: the real provider before the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.applying.gathering import unreadable_diagnostic
from reconciler.model.addresses import Address
from reconciler.model.codes import UNREAD, ProviderCode
from reconciler.model.dates import DateSet
from reconciler.model.errors import ProviderError
from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.simulator import AccessKey
from tests.contract.test_provider_on_simulator import KEY, SERIES, Cloud, a_cloud
from tests.errors.scenes import Told, scene, told

ORDERS = Address.parse("backfill.orders")
_WEEK = DateSet.parse(["2024-05-01..2024-05-07"])

#: What is wrong with every answer, by the code that it leads to.
_FAULTS: Mapping[ProviderCode, Mapping[str, Any]] = {
    "forbidden": {"effect": "http", "status": 403, "code": "Forbidden.RAM"},
    "invalid_request": {"effect": "http", "status": 400, "code": "Invalid.Tenant.ParameterError"},
    "not_found": {"effect": "http", "status": 400, "code": "Invalid.Tenant.DagNotExist"},
    "rate_limited": {"effect": "throttle", "code": "Throttling.User"},
    "unavailable": {"effect": "drop"},
    "unexpected_response": {"effect": "garbage", "body": "<html>"},
}


async def _failing(code: ProviderCode) -> ProviderError:
    mistyped = AccessKey(id=KEY.id, secret="mistyped")
    async with a_cloud(ours=mistyped if code == "unauthenticated" else KEY) as cloud:
        if code in _FAULTS:
            cloud.simulator.put_faults([{"operation": "ListInstances", **_FAULTS[code]}])
        if code == "not_asked":
            return await _kept_back(cloud)
        return await _read(cloud)


async def _kept_back(cloud: Cloud) -> ProviderError:
    """Ask to read while the reads of others fail again and again."""
    cloud.simulator.put_faults([{"operation": "ListInstances", "effect": "drop"}])
    sleep = cloud.clock.sleep

    async def meanwhile(seconds: float) -> None:
        await sleep(seconds)
        with pytest.MonkeyPatch.context() as others:
            others.setattr(cloud.clock, "sleep", sleep)
            await _read(cloud)

    for _ in range(5):
        await _read(cloud)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloud.clock, "sleep", meanwhile)
        return await _read(cloud)


async def _read(cloud: Cloud) -> ProviderError:
    try:
        await cloud.provider.discover(SERIES, _WEEK, known_runs={})
    except ProviderError as error:
        return error
    raise AssertionError("it was answered")


@scene(*(code for pair in UNREAD.items() for code in pair))
def failed_reads(_: Path) -> Iterator[Told]:
    for code, unread in UNREAD.items():
        error = asyncio.run(_failing(code))
        yield code, told(error)
        yield unread, render_diagnostics([unreadable_diagnostic(ORDERS, error)])


SCENES = (failed_reads,)
