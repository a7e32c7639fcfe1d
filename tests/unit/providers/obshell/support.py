"""A scripted OBShell agent behind `httpx.MockTransport`, which opens the headers it is sent."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

# The simplest parts of another implementation than the adapter's.
from Crypto.PublicKey import RSA
from Crypto.Util.asn1 import DerSequence
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Place
from reconciler.model.gates import DagSucceeded, NothingUnfinished, Scope
from reconciler.model.project import Limits, OBShellConnection, Secret
from reconciler.providers.obshell.provider import OBShellProvider

NOW = dt.datetime(2024, 6, 1, 12, 0, 0, tzinfo=dt.UTC)
DATES = DateSet.parse(["2024-05-01..2024-05-03", "2024-05-07"])
PASSWORD, AGENT_PASSWORD = "cluster-canary", "agent-canary"
VECTORS = Path(__file__).parents[3] / "wire" / "obshell"

SECRET = "/api/v1/secret"
STATUS = "/api/v1/status"
DAG = "/api/v1/task/dag/1123"
CLUSTER_LIST = "/api/v1/task/dag/ob/unfinish"
AGENT_LIST = "/api/v1/task/dag/agent/unfinish"
WHOLE_LIST = "/api/v1/task/dag/unfinish"

THE_DAG = DagSucceeded(dag="1123")
CLUSTER_QUIET = NothingUnfinished(scope=Scope.CLUSTER)


def load(name: str) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return vector


@dataclass(frozen=True)
class AgentKey:
    """An RSA key pair, used as the textbook says."""

    modulus: int
    public: int
    private: int

    @classmethod
    def of_der(cls, text: str) -> AgentKey:
        key = RSA.import_key(base64.b64decode(text))
        return cls(modulus=key.n, public=key.e, private=key.d)

    @property
    def size(self) -> int:
        return (self.modulus.bit_length() + 7) // 8

    @property
    def served(self) -> str:
        return base64.b64encode(DerSequence([self.modulus, self.public]).encode()).decode()

    def open_blocks(self, value: str) -> list[bytes]:
        """The plaintext of each block of a header's value."""
        data = base64.b64decode(value, validate=True)
        assert data
        assert len(data) % self.size == 0
        blocks = []
        for at in range(0, len(data), self.size):
            number = pow(int.from_bytes(data[at : at + self.size]), self.private, self.modulus)
            opened = number.to_bytes(self.size)
            padding, zero, text = opened[2:].partition(b"\0")
            if opened[:2] != b"\0\2" or not zero or len(padding) < 8:
                raise ValueError("encrypted for another key")
            blocks.append(text)
        return blocks

    def open(self, value: str) -> dict[str, Any]:
        members: dict[str, Any] = json.loads(b"".join(self.open_blocks(value)))
        return members


VECTOR_KEY = AgentKey.of_der(load("server_key.json")["rsa_private_pkcs1_der_base64"])


#: Of the size that servers had until March 2026, and that nobody makes any more.
SMALL_KEY = AgentKey.of_der(
    "MIIBPAIBAAJBAK3dP6TW/apUvExcT4xrUe04WlpMOwGFDs2PpL45/PkAN25TEDTvqf98QAMzRdAzCbUlr3C6CmTB9W"
    "y1G533W3sCAwEAAQJBAJ85t1aMOeVrEsNP6t4rTu1UJZL6qzM6GxNwkKxRyPZzk3bmMWJaseC0krqFh6PIWNIVW9o2"
    "JSmmNf+G3dwxXfkCIQDl4kbnecgWzKDNj20NvIHQBzOYM3ttUOjNEWqJxmpbvQIhAMGdwAFEGuJ7C7c/Q0x7GcUYAI"
    "IAfmMR8thKCeW3BKuXAiEAic90oh+ni8NwQsrQnYN8brFihMOYIph2dzkRnTaNXCECIA4+IYK2VNf2Pz1irPuyTon+"
    "IwNtL97v0hJxF9tLJE/PAiEAmeGawN6MyavA5e+97YhTeC3jF36DDY2jh8UC3v/sFEU="
)


def new_key() -> AgentKey:
    """A key that no other test has."""
    key = rsa.generate_private_key(65537, 1024).private_numbers()  # noqa: S505 - the size in use
    return AgentKey(modulus=key.public_numbers.n, public=key.public_numbers.e, private=key.d)


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 1000.0 + self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class NoJitter:
    """Always the longest wait."""

    def uniform(self, _low: float, high: float, /) -> float:
        return high


Reply = httpx.Response | Exception
Handler = Callable[[httpx.Request], Reply]


@dataclass
class Agent:
    """Answers by path. `requests` holds what came, `headers` the opened auth headers of signed ones."""

    key: AgentKey = VECTOR_KEY
    date: dt.datetime | None = NOW
    handlers: dict[str, Handler] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    headers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.handlers[SECRET] = lambda _: ok(
            {"ip": "127.0.0.1", "port": 2886, "public_key": self.key.served}
        )
        self.on(STATUS, ok(a_status()))

    def on(self, path: str, answer: Handler | Reply) -> None:
        self.handlers[path] = answer if callable(answer) else lambda _: answer

    def in_turn(self, path: str, *answers: Reply) -> None:
        """Give these answers, one a request."""
        left = list(answers)
        self.handlers[path] = lambda _: left.pop(0)

    def paths(self) -> list[str]:
        return [request.url.path.removeprefix("/api/v1") for request in self.requests]

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # others send meanwhile
        self.requests.append(request)
        assert request.method == "GET"
        answer = self._refusal_of_header(request) or self.handlers[request.url.path](request)
        if isinstance(answer, Exception):
            raise answer
        if self.date is not None and "date" not in answer.headers:
            answer.headers["date"] = self.date.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return answer

    def _refusal_of_header(self, request: httpx.Request) -> httpx.Response | None:
        if request.url.path in {SECRET, STATUS}:
            return None
        name = next(
            item for item in ("X-OCS-Header", "X-OCS-Agent-Header") if item in request.headers
        )
        try:
            members = self.key.open(request.headers[name])
        except ValueError:
            return refusal(401, f"{SECURITY}Header.DecryptFailed", code=1)
        assert members["uri"] == request.url.raw_path.decode()
        self.headers.append((name, members))
        return None


SECURITY = "Security.Authentication."


def ok(data: Any, **changes: Any) -> httpx.Response:
    return httpx.Response(200, json=an_envelope(status=200, data=data, **changes))


def refusal(
    status: int, err_code: str | None = None, message: str = "no", code: int | None = None
) -> httpx.Response:
    error = {"code": code, "errCode": err_code, "message": message}
    given = {name: value for name, value in error.items() if value is not None}
    envelope = an_envelope(status=status, successful=False, error=given)
    return httpx.Response(status, json=envelope)


def an_envelope(**members: Any) -> dict[str, Any]:
    return {
        "successful": True,
        "timestamp": "2024-06-01T20:00:00.123456789+08:00",
        "duration": 3,
        "traceId": "a1b2c3d4e5f60718",
        **members,
    }


def a_status(**changes: Any) -> dict[str, Any]:
    return {
        "agent": {"ip": "10.0.0.8", "port": 2886, "identity": "CLUSTER AGENT"},
        "state": 2,
        "version": "4.3.3.0-12025",
        "pid": 1,
        "startAt": 1717200000,
        "port": 2886,
        "obState": 3,
        "sqlPort": 2881,
        "underMaintenance": False,
        **changes,
    }


EPOCH = "1970-01-01T08:00:00+08:00"


def a_dag(state: str = "SUCCEED", operator: str = "RUN", **changes: Any) -> dict[str, Any]:
    """A DAG in the order of the wire."""
    return {
        "id": "1123",
        "dag_id": 123,
        "name": "Cluster scale out",
        "stage": 2,
        "max_stage": 5,
        "maintenance_type": 2,
        "maintenance_key": "",
        "state": state,
        "operator": operator,
        "start_time": "2024-06-01T19:30:00.123456+08:00",
        "end_time": EPOCH,
        "additional_data": {},
        "nodes": [],
        **changes,
    }


def a_node(state: str = "FAILED", operator: str = "RUN", **changes: Any) -> dict[str, Any]:
    return {
        "id": "1124",
        "node_id": 124,
        "name": "Deploy observers",
        "state": state,
        "operator": operator,
        "start_time": "2024-06-01T19:30:00.123456+08:00",
        "end_time": EPOCH,
        "additional_data": None,
        "sub_tasks": [],
        **changes,
    }


def a_task(state: str = "FAILED", **changes: Any) -> dict[str, Any]:
    return {
        "id": "1125",
        "task_id": 125,
        "name": "Deploy observers",
        "state": state,
        "operator": "RUN",
        "start_time": "2024-06-01T19:30:00.123456+08:00",
        "end_time": EPOCH,
        "additional_data": None,
        "execute_times": 1,
        "execute_agent": {"ip": "10.0.0.8", "port": 2886},
        "task_logs": None,
        **changes,
    }


def listed(*dags: Mapping[str, Any]) -> httpx.Response:
    return ok({"contents": list(dags)})


def a_connection(**changes: Any) -> OBShellConnection:
    values: dict[str, Any] = {
        "name": "ob",
        "place": Place(file="reconciler.yaml", line=1, column=1),
        "endpoint": "http://10.0.0.8:2886",
        "password": Secret(PASSWORD),
        "limits": Limits(read_qps=0, write_qps=0),
    }
    return OBShellConnection(**{**values, **changes})


def a_provider(
    agent: Agent,
    *,
    connection: OBShellConnection | None = None,
    clock: FakeClock | None = None,
) -> OBShellProvider:
    return OBShellProvider(
        connection or a_connection(),
        clock=clock or FakeClock(),
        transport=agent.transport(),
        jitter=NoJitter(),
    )
