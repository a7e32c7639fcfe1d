"""What one create becomes, for every class of answer: whole applies, over real sockets.

Between the command and a served simulator stands a proxy that breaks creates and counts them. Of each
case the command's end, the record, the proxy's count and the simulator's ledger are compared, and once
more after a second apply that meets no fault.
"""

from __future__ import annotations

import enum
import itertools
import json
import ssl
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.applying import engine
from reconciler.providers import http
from reconciler.providers.dataworks import provider
from tests.scenario import faulty
from tests.scenario.faulty import Create, Fault, FaultyProxy, TlsDoor, answers, rewrites
from tests.scenario.processes import Service, simulate
from tests.scenario.sandbox import Result, Sandbox

#: How long a create may be silent where that is what a case is about.
IMPATIENT_SECONDS = 0.2

#: What an apply may hold at once while it refuses to hold an answer of `faulty.PADDING_MIB`.
BOUNDED_MIB = 64


class Becomes(enum.Enum):
    """An outcome class: exit code, states on record, creates that reach the service, passing or not."""

    ACCEPTED = (0, ["accepted"], 1, False)
    REFUSED = (1, ["refused"], 1, False)
    PASSING = (1, ["refused", "refused", "refused"], 3, True)
    NOT_SENT = (1, ["refused", "refused", "refused"], 0, True)
    UNKNOWN = (3, ["unknown"], 1, False)


@dataclass(frozen=True, slots=True)
class Case:
    """One answer, and what it makes of the create.

    `executed`: the service did it before the fault; `waits`: until our patience ends; `wide`: the request
    exceeds the sockets' buffers; `flow`: it starts a manual flow.
    """

    name: str
    fault: Fault
    becomes: Becomes
    executed: bool = False
    code: str | None = None
    waits: bool = False
    wide: bool = False
    flow: bool = False


def gateway(status: int, code: str, *headers: str) -> Fault:
    """The gateway's error answer."""
    body = {"Code": code, "Message": "no", "RequestId": "r-1", "HostId": "h", "Recommend": "u"}
    return answers(status, json.dumps(body).encode(), *headers)


def ok(body: bytes, *headers: str) -> Fault:
    return answers(200, body, *headers)


def said(**fields: object) -> Fault:
    """The service's own answer, sent as OK."""
    return ok(json.dumps({"RequestId": "r-1", **fields}).encode())


def failed(code: str | None) -> Fault:
    return said(Success=False, ErrorCode=code, ErrorMessage="no")


def as_is(body: bytes) -> bytes:
    return body


HTML = b"<html><body>The gateway is not itself today.</body></html>"
AS_HTML = "Content-Type: text/html; charset=utf-8"
LISTED_BODY = b'{"Code": "InvalidParameter", "Message": "no"}'

ACCEPTED, REFUSED, PASSING = Becomes.ACCEPTED, Becomes.REFUSED, Becomes.PASSING
NOT_SENT, UNKNOWN = Becomes.NOT_SENT, Becomes.UNKNOWN
DONE = True

#: Refusals that the table of codes lists, with the status they come with.
LISTED = (
    (400, "InvalidParameter"),
    (400, "InvalidParameter.BizDate"),
    (400, "MissingParameter.Name"),
    (400, "SignatureDoesNotMatch"),
    (400, "IncompleteSignature"),
    (400, "InvalidTimeStamp.Expired"),
    (401, "InvalidSecurityToken.Expired"),
    (403, "Forbidden.RAM"),
    (403, "NoPermission"),
    (404, "InvalidAccessKeyId.NotFound"),
    (500, "Forbidden.Not.Server"),
)
THROTTLED = (
    (400, "Throttling.User"),
    (429, "Throttling.User"),
    (503, "Throttling.User"),
    (429, "Throttling.Api.Risk"),
)
#: Codes that refuse nothing: unlisted ones, listed ones with a wrong status, and a nonce used before.
PROVING_NOTHING = (
    (400, "SomethingNew"),
    (403, "SomethingNew"),
    (404, "EntityNotExist.Tenant"),
    (408, "InvalidParameter"),
    (500, "InvalidParameter"),
    (500, "InternalError.System"),
    (502, "BadGateway"),
    (503, "ServiceUnavailable"),
    (504, "GatewayTimeout"),
)

CASES = (
    # --- The connection. ---
    Case("passed on", faulty.pass_on, ACCEPTED, DONE),
    Case("reset, nothing read", faulty.reset_unread, UNKNOWN),
    Case("reset in the request's body", faulty.reset_mid_request, UNKNOWN),
    Case("reset in a wide body", faulty.reset_mid_request, UNKNOWN, wide=True),
    Case("reset after the request", faulty.reset_after_request, UNKNOWN),
    Case("reset after the execution", faulty.reset_after_request, UNKNOWN, DONE),
    Case("reset in the answer's head", faulty.reset_mid_head, UNKNOWN, DONE),
    Case("reset in the answer's body", faulty.reset_mid_answer, UNKNOWN, DONE),
    Case("hung up", faulty.hang_up, UNKNOWN),
    Case("hung up after the execution", faulty.hang_up, UNKNOWN, DONE),
    # --- Time. ---
    Case("silent, wide body stuck", faulty.hold_unread, UNKNOWN, waits=True, wide=True),
    Case("silent, nothing read", faulty.hold_unread, UNKNOWN, waits=True),
    Case("silent after the request", faulty.hold_answer, UNKNOWN, waits=True),
    Case("silent after the execution", faulty.hold_answer, UNKNOWN, DONE, waits=True),
    Case("dripping for ever", faulty.drip, UNKNOWN, DONE, waits=True),
    # --- Redirects. ---
    Case("301, executed", faulty.redirects(301, b""), UNKNOWN, DONE),
    Case("302, listed code", faulty.redirects(302, LISTED_BODY), UNKNOWN),
    Case("307 HTML, executed", faulty.redirects(307, HTML), UNKNOWN, DONE),
    Case("308", faulty.redirects(308, b""), UNKNOWN),
    # --- Error answers. ---
    *(Case(f"{n} {code}", gateway(n, code), REFUSED, code=code) for n, code in LISTED),
    *(
        Case(f"{n} {code}", gateway(n, code, "X-Acs-Retry-After: 10"), PASSING, code=code)
        for n, code in THROTTLED
    ),
    *(Case(f"{n} {code}", gateway(n, code), UNKNOWN, code=code) for n, code in PROVING_NOTHING),
    Case("nonce used, executed", gateway(400, "SignatureNonceUsed"), UNKNOWN, DONE),
    Case("nonce used", gateway(400, "SignatureNonceUsed"), UNKNOWN),
    Case("400 HTML", answers(400, HTML, AS_HTML), UNKNOWN),
    Case("404 HTML", answers(404, HTML, AS_HTML), UNKNOWN),
    Case("500 HTML, executed", answers(500, HTML, AS_HTML), UNKNOWN, DONE),
    Case("502 HTML, executed", answers(502, HTML, AS_HTML), UNKNOWN, DONE),
    Case("503 HTML", answers(503, HTML, AS_HTML), UNKNOWN),
    Case("500 with the success", answers(500, b'{"Success":true,"Data":[1]}'), UNKNOWN),
    # --- Answers sent as OK. ---
    Case("failed, listed code", failed("InvalidParameter"), REFUSED, code="InvalidParameter"),
    Case("failed, unlisted code", failed("SomethingNew"), UNKNOWN, code="SomethingNew"),
    Case("failed, no code, executed", failed(None), UNKNOWN, DONE),
    Case("empty", ok(b""), UNKNOWN),
    Case("204", answers(204, b""), UNKNOWN),
    Case("Data empty, executed", said(Success=True, Data=[]), UNKNOWN, DONE),
    Case("Data null", said(Success=True, Data=None), UNKNOWN),
    Case("Data without Success", said(Data=[1]), UNKNOWN),
    Case("garbage", ok(b"\xff\xfe\x00garbage"), UNKNOWN),
    Case("garbage, executed", ok(b"\xff\xfe\x00garbage"), UNKNOWN, DONE),
    Case("HTML, executed", ok(HTML, AS_HTML), UNKNOWN, DONE),
    Case("JSON said to be HTML", rewrites(as_is, AS_HTML), ACCEPTED, DONE),
    Case("cut JSON", rewrites(lambda body: body[:-2]), UNKNOWN, DONE),
    Case("unknown encoding", rewrites(as_is, "Content-Encoding: br"), UNKNOWN, DONE),
    Case("no gzip", rewrites(as_is, "Content-Encoding: gzip"), UNKNOWN, DONE),
    # --- Manual runs, which answer in a way of their own and cannot be found again. ---
    Case("flow passed on", faulty.pass_on, ACCEPTED, DONE, flow=True),
    Case("flow reset after", faulty.reset_after_request, UNKNOWN, DONE, flow=True),
    Case("flow reset before", faulty.reset_unread, UNKNOWN, flow=True),
    Case("flow 502 HTML", answers(502, HTML, AS_HTML), UNKNOWN, flow=True),
    Case("flow 307", faulty.redirects(307, b""), UNKNOWN, DONE, flow=True),
    Case("flow without its id", said(ReturnCode="0"), UNKNOWN, DONE, flow=True),
    Case("flow unlisted code", said(ReturnCode="1"), UNKNOWN, code="1", flow=True),
    Case(
        "flow listed code",
        said(ReturnCode="10600111020399006"),
        REFUSED,
        code="10600111020399006",
        flow=True,
    ),
    Case(
        "flow throttled",
        gateway(429, "Throttling.User", "X-Acs-Retry-After: 10"),
        PASSING,
        code="Throttling.User",
        flow=True,
    ),
)

ENDLESS = (
    Case("gzip bomb", faulty.bomb, UNKNOWN, DONE),
    Case("flood", faulty.flood, UNKNOWN, DONE),
)

HANDSHAKES = ("hang up", "plain text", "unknown certificate")

#: Each quote is six bytes on the wire: together more than the usual buffers of two sockets take in, so
#: that the request is still being sent when its connection breaks.
WIDE = """\
apiVersion: reconciler/v1
kind: Backfill
metadata: {{name: wide}}
spec:
  connection: prod
  target: {{rootNode: {number}}}
  dates: {{list: [2020-05-31]}}
  params: {{{number}: {{{params}}}}}
"""
WIDE_PARAMS = ", ".join(f"k{number}: '{4000 * chr(34)}'" for number in range(250))


class Stage:
    """A project with one unit of its own to start, through a proxy, at a simulator that others share."""

    def __init__(self, root: Path, *, service: Service, proxy: FaultyProxy, number: int) -> None:
        """Write the project; `number` names a node or flow that no other test starts."""
        self.root = root
        self.service = service
        self.proxy = proxy
        self.number = number
        self.sandbox = self.connected(proxy.url)

    def connected(self, url: str) -> Sandbox:
        """The project, with this endpoint."""
        endpoint = (
            f"endpoint: {url}\n"
            '      credentials: {source: static, accessKeyId: "${env:SIM_ID}",'
            ' accessKeySecret: "${env:SIM_SECRET}"}'
        )
        return Sandbox(self.root / url.partition(":")[0], endpoint=endpoint)

    def wants(self, *, flow: bool = False, wide: bool = False) -> None:
        """Write the spec of the one call."""
        if flow:
            self.sandbox.flow(target={"flow": f"flow_{self.number}"})
        elif wide:
            text = WIDE.format(number=self.number, params=WIDE_PARAMS)
            self.sandbox.spec("wide.yaml", text)
        else:
            self.sandbox.backfill(target={"rootNode": self.number})

    def apply(
        self, fault: Fault = faulty.pass_on, *, executed: bool = False
    ) -> tuple[Result, list[Create]]:
        """One apply under a fault: how it ended, and the creates that reached the proxy."""
        with self.proxy.breaking(fault, executed=executed) as creates:
            return self.sandbox.apply(), creates

    def attempts(self) -> list[dict[str, Any]]:
        """The record, oldest first."""
        pulled = self.sandbox.run("state", "pull")
        assert pulled.code == 0, pulled.err
        attempts: list[dict[str, Any]] = pulled.json["attempts"]
        return attempts

    def executed(self) -> int:
        """How many of this project's creates the service executed."""
        roots = {str(self.number), f"flow_{self.number}"}
        parameters = [entry["parameters"] for entry in self.service.ledger()]
        return sum((one.get("RootNodeId") or one.get("FlowName")) in roots for one in parameters)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with simulate(tmp_path_factory.mktemp("simulator")) as served:
        yield served


@pytest.fixture(scope="module")
def proxy(service: Service) -> Iterator[FaultyProxy]:
    url = httpx.URL(service.url)
    assert url.port is not None
    with FaultyProxy((url.host, url.port)) as opened:
        yield opened


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return itertools.count(1000)


@pytest.fixture
def stage(
    tmp_path: Path,
    service: Service,
    proxy: FaultyProxy,
    numbers: Iterator[int],
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    for name, value in service.keys.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(engine, "FIRST_WAIT_SECONDS", 0.01)
    return Stage(tmp_path, service=service, proxy=proxy, number=next(numbers))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_create_becomes_what_its_answer_proves(
    case: Case, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case.waits:
        monkeypatch.setattr(provider, "CREATE_SECONDS", IMPATIENT_SECONDS)
    stage.wants(flow=case.flow, wide=case.wide)

    applied, creates = stage.apply(case.fault, executed=case.executed)

    check_first(stage, case, applied, creates)
    check_second(stage, case)
    assert not stage.proxy.someone_went_elsewhere()


@pytest.mark.parametrize("case", ENDLESS, ids=lambda case: case.name)
def test_an_answer_that_grows_past_all_bounds_is_unknown_and_not_kept(
    case: Case, stage: Stage
) -> None:
    stage.wants()
    tracemalloc.start()
    try:
        applied, creates = stage.apply(case.fault, executed=case.executed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < BOUNDED_MIB * 1024 * 1024
    check_first(stage, case, applied, creates)
    check_second(stage, case)


def test_a_create_that_nobody_listens_for_is_refused_and_tried_again(stage: Stage) -> None:
    stage.wants()
    with stage.proxy.breaking() as creates, stage.proxy.shut_after_one():
        applied = stage.sandbox.apply()

    case = Case("nobody listens", faulty.pass_on, NOT_SENT, code="not_sent")
    check_first(stage, case, applied, creates)
    check_second(stage, case)


@pytest.mark.parametrize("handshake", HANDSHAKES)
def test_a_create_that_meets_a_broken_tls_handshake_is_refused_and_tried_again(
    handshake: str, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, context = faulty.certificate(tmp_path, "trusted")
    _, stranger = faulty.certificate(tmp_path, "stranger")
    breaks = {
        "hang up": faulty.hang_up_on_hello,
        "plain text": faulty.answer_hello_in_plain_text,
        "unknown certificate": faulty.shows(stranger),
    }
    monkeypatch.setattr(http, "_tls", lambda: ssl.create_default_context(cafile=trusted))
    with TlsDoor(("127.0.0.1", stage.proxy.port), context) as door:
        stage.sandbox = stage.connected(door.url)
        stage.wants()
        with stage.proxy.breaking() as creates, door.breaking(breaks[handshake]):
            applied = stage.sandbox.apply()

        case = Case(handshake, faulty.pass_on, NOT_SENT, code="not_sent")
        check_first(stage, case, applied, creates)
        check_second(stage, case)


def test_each_try_is_an_attempt_of_the_same_name_with_a_nonce_of_its_own(stage: Stage) -> None:
    stage.wants()
    throttled = gateway(429, "Throttling.User", "X-Acs-Retry-After: 10")

    applied, creates = stage.apply(faulty.at_first(2, throttled))

    assert applied.code == 0, applied.err
    attempts = stage.attempts()
    assert [one["state"] for one in attempts] == ["refused", "refused", "accepted"]
    assert len({one["id"] for one in attempts}) == 3
    assert len({create.nonce for create in creates}) == len(creates) == 3
    assert {create.name for create in creates} == {one["name"] for one in attempts}
    assert len({one["name"] for one in attempts}) == 1
    assert stage.executed() == 1


def check_first(stage: Stage, case: Case, applied: Result, creates: Sequence[Create]) -> None:
    """The apply that met the fault did and recorded what its class says."""
    code, states, reached, passing = case.becomes.value
    attempts = stage.attempts()
    assert applied.code == code, applied.out + applied.err
    assert [one["state"] for one in attempts] == states, attempts
    assert {one["transient"] for one in attempts} == {passing}
    assert len(creates) == reached == left(attempts)
    assert stage.executed() == case.executed
    if case.code is not None:
        assert {one["code"] for one in attempts} == {case.code}


def check_second(stage: Stage, case: Case) -> None:
    """An apply right after it sends what was refused, once, and nothing else."""
    code, states, _, _ = case.becomes.value
    again = case.becomes in {REFUSED, PASSING, NOT_SENT}
    found = case.becomes is UNKNOWN and case.executed and not case.flow

    applied, creates = stage.apply()

    assert applied.code == (0 if again or found else code), applied.out + applied.err
    assert len(creates) == again
    expected = ["accepted"] if found else [*states, *(["accepted"] if again else [])]
    assert [one["state"] for one in stage.attempts()] == expected
    assert stage.executed() == (case.executed or again)


def left(attempts: Sequence[dict[str, Any]]) -> int:
    """How many attempts on record may have left this machine."""
    return sum(one["signed_at"] is not None and one["code"] != "not_sent" for one in attempts)
