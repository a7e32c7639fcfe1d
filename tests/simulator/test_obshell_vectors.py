"""Requests captured from the official OBShell SDK: accepted as they are, refused after any change."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import MANUAL, AccessKey, parse_world, settings
from reconciler.simulator.core import Engine, open_engine
from reconciler.simulator.messages import Request
from reconciler.simulator.obshell import keys
from tests.simulator.harness import FakeTime
from tests.simulator.test_vectors import changed, with_header

FOLDER = Path(__file__).parents[1] / "wire" / "obshell"
FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
KEY = base64.b64decode(FILES.pop("server_key")["rsa_private_pkcs1_der_base64"])
HEADERS = ("x-ocs-header", "x-ocs-agent-header")
DECRYPT_FAILED = "Security.Authentication.Header.DecryptFailed"
# Calls that make DAGs: their headers are fine; only the paths are not simulated.
NOT_SERVED = ("/api/v1/obcluster/backup", "/api/v1/obcluster/inspection")
TS = 1795225259


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """One request of one vector; `header` is empty when it needs none, or has the older one."""

    name: str
    request: Request
    header: str
    plain: dict[str, Any] | None
    operator: str
    password: str

    @property
    def opens(self) -> bool:
        """Whether it was encrypted for the key of the vectors."""
        return bool(self.header) and not self.name.startswith("server_key_rotated-later")

    @property
    def expiry(self) -> int:
        return int(self.plain["ts"]) if self.plain else TS


def captured() -> Iterator[Captured]:
    for name, vector in FILES.items():
        for place, entry in enumerate(vector["exchange"]):
            path, _, query = entry["url"].partition(":2886")[2].partition("?")
            request = Request(
                method=entry["method"],
                path=path,
                query=query,
                headers={key.lower(): value for key, value in entry["headers"].items()},
                body=entry["body"].encode(),
            )
            decrypted = entry.get("decrypted") or {}
            plain = decrypted.get("plaintext")
            later = "-later" if name == "server_key_rotated" and place else ""
            yield Captured(
                name=f"{name}{later}-{place}",
                request=request,
                header=next((one for one in HEADERS if one in request.headers), ""),
                plain=plain,
                operator=(decrypted.get("body_plaintext") or {}).get("operator", ""),
                password=(plain or {}).get("auth", vector["credentials"]["password"]),
            )


ALL = {one.name: one for one in captured()}
OPENING = [name for name, one in ALL.items() if one.opens]
SERVED = [name for name in OPENING if ALL[name].request.path not in NOT_SERVED]
every_request = pytest.mark.parametrize("name", ALL)
every_served_header = pytest.mark.parametrize("name", SERVED)


def engine_of(one: Captured, *, at: int = TS - 60, password: str | None = None) -> Engine:
    """An engine that stands at a moment of the recording, with the recorded key."""
    state = "RUNNING" if one.operator == "CANCEL" else "FAILED"
    local = {"id": "22130706433028869", "maintenance": {"type": "global"}}
    engine = open_engine(
        db=None,
        world=parse_world({"obshell": {"dags": [{"id": "11", "state": state}, local]}}),
        clock=MANUAL,
        key=AccessKey(id="any", secret=one.password if password is None else password),
        real_time=FakeTime(dt.datetime.fromtimestamp(at, dt.UTC)),
    )
    with engine.database.transaction(durable=False) as connection:
        settings.store_rsa_key(connection, KEY)
    return engine


def answer(engine: Engine, request: Request) -> tuple[int, str]:
    """HTTP status and `errCode`; "" when it was accepted."""
    reply = engine.handle(request)
    return reply.answer.status, json.loads(reply.answer.body).get("error", {}).get("errCode", "")


def expected(one: Captured) -> tuple[int, str]:
    if one.request.path in NOT_SERVED:
        return 404, "Common.NotFound"
    if "x-ocs-auth" in one.request.headers:
        return 400, "Request.Header.NotFound"
    if one.header and not one.opens:
        return 401, DECRYPT_FAILED
    if one.name.startswith("error_400"):
        return 400, "Task.Dag.Operator.RetryNotFailedDag"  # DAG 12 runs.
    return 200, ""


def test_every_capture_is_here() -> None:
    assert len(FILES) == 31
    assert len(ALL) == 68
    assert len(OPENING) == 35
    assert sum(bool(one.request.body) for one in ALL.values() if one.opens) == 9


@every_request
def test_a_capture_is_accepted_at_its_time(name: str) -> None:
    one = ALL[name]
    assert answer(engine_of(one), one.request) == expected(one)


@pytest.mark.parametrize("name", OPENING)
def test_a_header_opens_to_what_was_encrypted(name: str) -> None:
    one = ALL[name]
    with engine_of(one).database.transaction(durable=False) as connection:
        value = base64.b64decode(one.request.headers[one.header])
        opened = json.loads(keys.decrypt(connection, value))
    assert one.plain is None or opened == one.plain
    assert opened["auth"] == one.password


@pytest.mark.parametrize("name", OPENING)
@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 0.7, 0.99])
def test_one_other_byte_in_the_header_is_refused(name: str, part: float) -> None:
    one = ALL[name]
    value = one.request.headers[one.header]
    letters = [place for place, letter in enumerate(value) if letter.isalnum()]
    forged = with_header(
        one.request, one.header, changed(value, letters[int(part * len(letters))])
    )
    served = one.request.path not in NOT_SERVED
    assert answer(engine_of(one), forged) == (
        (401, DECRYPT_FAILED) if served else (404, "Common.NotFound")
    )


@pytest.mark.parametrize("name", [name for name in SERVED if ALL[name].request.body])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.9])
def test_one_other_byte_in_the_body_is_refused(name: str, part: float) -> None:
    one = ALL[name]
    body = one.request.body.decode()
    forged = replace(one.request, body=changed(body, int(part * len(body))).encode())
    assert answer(engine_of(one), forged) == (400, "Common.BindJsonFailed")


@every_served_header
def test_another_path_or_query_is_refused(name: str) -> None:
    one = ALL[name]
    mismatch = (401, "Security.Authentication.Header.UriMismatch")
    query = replace(one.request, query=f"{one.request.query}&a=b".lstrip("&"))
    assert answer(engine_of(one), query) == mismatch
    path = replace(one.request, path="/api/v1/task/sub_task/18", method="GET")
    assert answer(engine_of(one), path) == mismatch


@every_served_header
def test_another_password_is_refused(name: str) -> None:
    one = ALL[name]
    whose = "Agent" if "agent" in one.header else "Oceanbase"
    assert answer(engine_of(one, password="another"), one.request) == (
        401,
        f"Security.Authentication.Incorrect{whose}Password",
    )


@every_served_header
def test_a_header_is_accepted_until_it_expires_but_no_longer(name: str) -> None:
    one = ALL[name]
    assert answer(engine_of(one, at=one.expiry), one.request) == expected(one)
    late = answer(engine_of(one, at=one.expiry + 1), one.request)
    # Nobody looks at the time where the password is empty.
    expired = (401, "Security.Authentication.Expired")
    assert late == (expired if one.password else expected(one))
