"""A simulated OBShell agent under a test's control, and a client that makes its headers by itself, so
that neither our provider nor the official SDK takes part.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import load_der_public_key

from reconciler.simulator import MANUAL, ClockSpec, parse_world
from reconciler.simulator.core import open_engine
from reconciler.simulator.messages import Reply, Request
from tests.simulator.harness import KEY, FakeTime

DAG = "/api/v1/task/dag/"
BLOCK = 53  # As the official SDK cuts; a block of 1024 bits holds up to 117.


class ClusterAgent:
    """A simulator, its clocks, and a client of its OBShell agent."""

    def __init__(
        self,
        *dags: Mapping[str, Any],
        strict: bool = False,
        database: str = "available",
        db: Path | None = None,
        clock: ClockSpec = MANUAL,
    ) -> None:
        self.time = FakeTime()
        world = {"strict": strict, "obshell": {"dags": list(dags), "database": database}}
        self.engine = open_engine(
            db=db, world=parse_world(world), clock=clock, key=KEY, real_time=self.time
        )

    def public_key(self) -> RSAPublicKey:
        answer = self.handle(Request(method="GET", path="/api/v1/secret"))[1]
        key = load_der_public_key(base64.b64decode(answer["data"]["public_key"]))
        assert isinstance(key, RSAPublicKey)
        return key

    def plain(self, uri: str, /, **changes: object) -> dict[str, object]:
        """A header's members; `changes` replace some, and None takes one away."""
        members = {
            "auth": KEY.secret,
            "ts": str(self.time.ms // 1000 + 60),
            "uri": uri,
            "keys": base64.b64encode(os.urandom(32)).decode(),
            **changes,
        }
        return {name: value for name, value in members.items() if value is not None}

    def sealed(self, text: str, *, block: int = BLOCK) -> str:
        data, key = text.encode(), self.public_key()
        pieces = (data[at : at + block] for at in range(0, len(data), block))
        return base64.b64encode(b"".join(key.encrypt(p, PKCS1v15()) for p in pieces)).decode()

    def request(
        self,
        method: str,
        uri: str,
        body: object = None,
        /,
        *,
        agent: bool = False,
        headers: Mapping[str, str] | None = None,
        **changes: object,
    ) -> Request:
        """A request whose header is made now; `uri` has the query with it."""
        plain = self.plain(uri, **changes)
        name = "x-ocs-agent-header" if agent else "x-ocs-header"
        path, _, query = uri.partition("?")
        return Request(
            method=method,
            path=path,
            query=query,
            headers={name: self.sealed(json.dumps(plain)), **(headers or {})},
            body=b"" if body is None else encrypted(body, str(plain["keys"])),
        )

    def handle(self, request: Request) -> tuple[int, Any]:
        answer = self.reply(request).answer
        return answer.status, json.loads(answer.body)

    def reply(self, request: Request) -> Reply:
        return self.engine.handle(request)

    def get(self, path: str, /, **more: Any) -> Any:
        """The `data` of an answer that has to be fine."""
        status, body = self.handle(self.request("GET", path, **more))
        assert status == 200, body
        return body["data"]

    def dag(self, dag_id: str) -> Any:
        return self.get(f"{DAG}{dag_id}")

    def course(self, dag_id: str) -> tuple[str, str, int]:
        """State, operator and stage of a DAG."""
        dag = self.dag(dag_id)
        return dag["state"], dag["operator"], dag["stage"]

    def nodes(self, dag_id: str) -> list[str]:
        """State and operator of each node of a DAG."""
        return [f"{node['state']} {node['operator']}" for node in self.dag(dag_id)["nodes"]]

    def operate(self, dag_id: str, operator: str) -> None:
        status, body = self.handle(self.request("POST", DAG + dag_id, {"operator": operator}))
        assert status == 200, body

    def refusal(
        self, method: str, uri: str, body: object = None, /, **more: Any
    ) -> tuple[int, str]:
        """HTTP status and `errCode` of a request that is refused."""
        status, answer = self.handle(self.request(method, uri, body, **more))
        return status, answer["error"]["errCode"]

    def ids(self, path: str) -> list[str]:
        """The ids of the DAGs in a list."""
        return [dag["id"] for dag in self.get(path)["contents"]]

    def control(self, method: str, name: str, value: object) -> Any:
        body = json.dumps(value).encode()
        return self.handle(Request(method=method, path=f"/_simulator/{name}", body=body))

    def advance(self, seconds: float) -> None:
        """Move both clocks, in a second of its own."""
        self.time.pass_seconds(1)
        self.control("POST", "clock", {"advance_seconds": seconds})

    def log(self) -> list[tuple[str, str]]:
        """Operation and verdict of every request."""
        entries = self.control("GET", "requests", None)[1]
        return [(entry["operation"], entry["verdict"]) for entry in entries]


def encrypted(body: object, keys: str) -> bytes:
    """A JSON body, encrypted with the key and IV of a header's `keys`."""
    key = base64.b64decode(keys)
    padder = PKCS7(128).padder()
    padded = padder.update(json.dumps(body).encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES128(key[:16]), modes.CBC(key[16:])).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize())
