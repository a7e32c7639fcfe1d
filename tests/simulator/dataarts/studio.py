"""A simulated DataArts under a test's control: fake real time, the manual work clock, and a client that
signs by itself, so that neither our provider nor an SDK takes part.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from reconciler.simulator import MANUAL, AccessKey, ClockSpec, open_simulator, parse_world
from tests.simulator.harness import KEY, FakeTime, milliseconds

HOST = "dataarts.example"
PROJECT = "0123456789abcdef0123456789abcdef"
MIDNIGHT = dt.datetime.fromisoformat("2026-11-21T00:00:00+08:00")
"""When the clocks of a `Studio` begin: the first moment of a plan day."""


def signed(
    method: str,
    path: str,
    query: Mapping[str, object],
    body: bytes,
    headers: Mapping[str, str],
    *,
    date: str,
    key: AccessKey = KEY,
    unsigned: Sequence[str] = (),
) -> httpx.Request:
    """A request with SDK-HMAC-SHA256; headers in `unsigned` are sent without being signed."""
    sent = {"host": HOST, "x-sdk-date": date, **headers}
    names = sorted(sent.keys() - set(unsigned))
    pairs = sorted((name, str(value)) for name, value in query.items())
    text = urlencode(pairs, quote_via=quote, safe="~")
    payload = hashlib.sha256(body).hexdigest()
    if body and sent.get("x-sdk-content-sha256"):
        payload = sent["x-sdk-content-sha256"]
    lines = "".join(f"{name}:{sent[name]}\n" for name in names)
    canonical = f"{method}\n{path}/\n{text}\n{lines}\n{';'.join(names)}\n{payload}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"SDK-HMAC-SHA256\n{date}\n{digest}"
    signature = hmac.new(key.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    sent["authorization"] = (
        f"SDK-HMAC-SHA256 Access={key.id}, SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    url = f"http://{HOST}{path}{'?' if text else ''}{text}"
    return httpx.Request(method, url, headers=sent, content=body)


class Studio:
    """A simulator, its clocks, and a client for its DataArts."""

    def __init__(
        self,
        world: Mapping[str, Any] | None = None,
        *,
        db: Path | None = None,
        clock: ClockSpec = MANUAL,
        time: FakeTime | None = None,
    ) -> None:
        self.time = time or FakeTime(MIDNIGHT)
        self.workspace = "ws"
        self.simulator = open_simulator(
            db=db,
            world=None if world is None else parse_world(world),
            clock=clock,
            key=KEY,
            real_time=self.time,
            sleep=self.time.sleep,
        )

    def send(self, request: httpx.Request) -> httpx.Response:
        async def answer() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.simulator.transport()) as client:
                return await client.send(request)

        return asyncio.run(answer())

    def date(self) -> str:
        """Now, as a signature has it."""
        return dt.datetime.fromtimestamp(self.time.ms // 1000, dt.UTC).strftime("%Y%m%dT%H%M%SZ")

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = None,
        **headers: str,
    ) -> httpx.Response:
        """A signed call below the project."""
        given = {"workspace": self.workspace, "instance": "i", "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        where = path.replace("{p}", PROJECT)
        return self.send(
            signed(method, where, query or {}, content, given | headers, date=self.date())
        )

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = None,
    ) -> Any:
        """The decoded answer of a call that has to succeed; None when it has no body."""
        response = self.ask(method, path, query, body)
        assert response.status_code in {200, 204}, response.text
        return response.json() if response.content else None

    def code(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = None,
    ) -> tuple[int, str]:
        """HTTP status and code of a call that is refused."""
        response = self.ask(method, path, query, body)
        return response.status_code, response.json()["error_code"]

    def create(self, name: str, first: str, last: str | None = None, **more: object) -> None:
        """Create a PatchData of the job `sales` over whole days."""
        self.call("POST", PATCH_DATA, body=patch_data(name, first, last, **more))

    def refusal(self, name: str, first: str, last: str | None = None, **more: object) -> str:
        """The code with which a create is refused."""
        body = patch_data(name, first, last, **more)
        status, code = self.code("POST", PATCH_DATA, body=body)
        assert status == 400
        return code

    def rows(self, **query: object) -> list[dict[str, Any]]:
        """PatchData rows, oldest first."""
        answer = self.call("GET", PATCH_DATA, {"size": 1000, "sort": "asc", **query})
        found: list[dict[str, Any]] = answer["rows"]
        assert answer["total"] >= len(found)
        return found

    def status(self, name: str) -> str:
        """The status of a PatchData."""
        (row,) = self.rows(name=name)
        return str(row["status"])

    def instances(
        self, first: str, last: str | None = None, *, job: str = "sales", **query: object
    ) -> list[dict[str, Any]]:
        """Instances of a job by plan day, oldest plan time first; PatchData ones unless asked otherwise."""
        asked = {
            "limit": 1000,
            "instance_type": 5,
            "min_plan_time": day_ms(first),
            "max_plan_time": day_ms(last or first) + 86_399_999,
            **query,
        }
        path = f"/v2/{{p}}/factory/jobs/{job}/instances/detail"
        found: list[dict[str, Any]] = self.call("GET", path, asked)["instances"]
        return found[::-1]

    def statuses(self, first: str, last: str | None = None, **more: Any) -> list[str]:
        """The status words of these instances."""
        return [one["status"] for one in self.instances(first, last, **more)]

    def advance(self, seconds: float) -> None:
        self.simulator.advance(seconds)


PATCH_DATA = "/v2/{p}/factory/supplement-data"


def patch_data(
    name: str, first: str, last: str | None = None, **more: object
) -> dict[str, object]:
    """The body of a create; a field that is None is left out."""
    body = {
        "name": name,
        "job_name": "sales",
        "start_date": f"{first}T00:00:00 +08",
        "end_date": f"{last or first}T23:59:59 +08",
        "parallel": 1,
        **more,
    }
    return {field: value for field, value in body.items() if value is not None}


def day_ms(day: str) -> int:
    """The midnight that a plan day begins with, in epoch milliseconds."""
    return milliseconds(dt.datetime.fromisoformat(f"{day}T00:00:00+08:00"))
