"""A simulated cloud under a test's control: fake real time, the manual work clock, and a client that
signs by itself, so that neither our provider nor an SDK takes part.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from reconciler.simulator import MANUAL, AccessKey, ClockSpec, open_simulator, parse_world

KEY = AccessKey(id="test-access-key-id", secret="test-access-key-secret")
START = dt.datetime(2026, 11, 21, 2, 25, 40, tzinfo=dt.UTC)
URL = "http://dataworks.example/"
_NONCES = itertools.count(1)


def milliseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


class FakeTime:
    """Real time that only moves when it is told to, or slept through."""

    def __init__(self, moment: dt.datetime = START) -> None:
        self.ms = milliseconds(moment)
        self.slept: list[float] = []

    def __call__(self) -> int:
        return self.ms

    def pass_seconds(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_seconds(seconds)

    def stamp(self) -> str:
        moment = dt.datetime.fromtimestamp(self.ms // 1000, dt.UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def signed_request(
    action: str,
    parameters: Mapping[str, object],
    *,
    version: str = "2020-05-18",
    date: str,
    nonce: str | None = None,
    key: AccessKey = KEY,
    url: str = URL,
    token: str | None = None,
    accept: str = "application/json",
) -> httpx.Request:
    """An ACS3 request, parameters in the form body."""
    body = urlencode({name: str(value) for name, value in parameters.items()}).encode()
    headers = {
        "accept": accept,
        "content-type": "application/x-www-form-urlencoded",
        "host": httpx.URL(url).netloc.decode(),
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-acs-date": date,
        "x-acs-signature-nonce": nonce or f"nonce-{next(_NONCES)}-{id(parameters)}",
        "x-acs-version": version,
    }
    if token is not None:
        headers["x-acs-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    text = f"POST\n/\n\n{lines}\n{names}\n{headers['x-acs-content-sha256']}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(text.encode()).hexdigest()}"
    signature = hmac.new(key.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={key.id},SignedHeaders={names},Signature={signature}"
    )
    return httpx.Request("POST", url, headers=headers, content=body)


def rpc_request(query: Mapping[str, str], *, key: AccessKey = KEY) -> httpx.Request:
    """An RPC HMAC-SHA1 request, parameters in the query."""
    import base64  # noqa: PLC0415 - used by this one scheme

    fields = {
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "AccessKeyId": key.id,
        **query,
    }
    canonical = "&".join(
        f"{quote(name, safe='-_.~')}={quote(fields[name], safe='-_.~')}" for name in sorted(fields)
    )
    text = f"POST&%2F&{quote(canonical, safe='-_.~')}"
    digest = hmac.new(f"{key.secret}&".encode(), text.encode(), hashlib.sha1).digest()
    fields["Signature"] = base64.b64encode(digest).decode()
    return httpx.Request("POST", f"{URL}?{urlencode(fields)}")


class Cloud:
    """A simulator, its clocks, and a client for it."""

    def __init__(
        self,
        world: Mapping[str, Any] | None = None,
        *,
        db: Path | None = None,
        clock: ClockSpec = MANUAL,
        time: FakeTime | None = None,
    ) -> None:
        self.time = time or FakeTime()
        self.simulator = open_simulator(
            db=db,
            world=None if world is None else parse_world(world),
            clock=clock,
            key=KEY,
            real_time=self.time,
            sleep=self.time.sleep,
        )

    def send(self, request: httpx.Request, *, read_timeout: float = 10.0) -> httpx.Response:
        async def answer() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=self.simulator.transport(), timeout=httpx.Timeout(5.0, read=read_timeout)
            ) as client:
                # A request made without a client knows no timeout.
                timeout = {"connect": 5.0, "read": read_timeout, "write": 5.0, "pool": 5.0}
                request.extensions["timeout"] = timeout
                return await client.send(request)

        return asyncio.run(answer())

    def request(self, action: str, **parameters: object) -> httpx.Request:
        """A request signed now; `version` and `token` are not parameters of the action."""
        version = str(parameters.pop("version", "2020-05-18"))
        return signed_request(action, parameters, version=version, date=self.time.stamp())

    def ask(self, action: str, **parameters: object) -> httpx.Response:
        return self.send(self.request(action, **parameters))

    def call(self, action: str, **parameters: object) -> Any:
        """The decoded answer of a call that has to get past the gateway."""
        response = self.ask(action, **parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def refusal(self, action: str, **parameters: object) -> tuple[int, str]:
        """HTTP status and code of a call that the gateway refuses."""
        response = self.ask(action, **parameters)
        return response.status_code, response.json()["Code"]

    def backfill(self, first: str, last: str | None = None, **more: object) -> list[int]:
        """DAG ids of a new backfill of node 1."""
        parameters = {**backfill_parameters(first, last), **more}
        dag_ids: list[int] = self.call("RunCycleDagNodes", **parameters)["Data"]
        return dag_ids

    def statuses(self, dag_id: int) -> list[str]:
        """States of every DAG that belongs together with this one, by date."""
        op_seq = self.dag(dag_id)["OpSeq"]
        answer = self.call("ListDags", ProjectEnv="PROD", OpSeq=op_seq)
        return [dag["Status"] for dag in answer["Data"]["Dags"]]

    def dag(self, dag_id: int) -> dict[str, Any]:
        row: dict[str, Any] = self.call("GetDag", ProjectEnv="PROD", DagId=dag_id)["Data"]
        return row

    def instances(self, **filters: object) -> list[dict[str, Any]]:
        """Rows of ListInstances, oldest first."""
        parameters = {"ProjectEnv": "PROD", "ProjectId": 112345, "PageSize": 100, **filters}
        rows: list[dict[str, Any]] = self.call("ListInstances", **parameters)["Data"]["Instances"]
        return rows[::-1]

    def advance(self, seconds: float) -> None:
        self.simulator.advance(seconds)

    def operations(self) -> Iterator[str]:
        return (entry["operation"] for entry in self.simulator.ledger())


def backfill_parameters(first: str, last: str | None = None) -> dict[str, object]:
    """Parameters of a serial backfill of node 1."""
    return {
        "ProjectEnv": "PROD",
        "Name": "a backfill",
        "RootNodeId": 1,
        "IncludeNodeIds": "1",
        "StartBizDate": f"{first} 00:00:00",
        "EndBizDate": f"{last or first} 00:00:00",
        "Parallelism": "false",
    }


def local_midnight(date: str) -> int:
    """A business date as answers show it."""
    return milliseconds(dt.datetime.fromisoformat(f"{date}T00:00:00+08:00"))
