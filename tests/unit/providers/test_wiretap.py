"""What is told of a request on its way, phase by phase, over real loopback connections."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from reconciler.model.steps import Edge, Exchange, Wire, all_points, wire_point
from reconciler.providers import http
from reconciler.providers.http import AnswerLost, NeverSent, build_client, exchange
from reconciler.providers.wiretap import watch_wire
from tests.scenario.faulty import certificate

pytestmark = pytest.mark.anyio

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
_CUT_SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}"

_METHODS = {Exchange.READ: "GET", Exchange.CREATE: "POST"}


class Heard:
    """`Steps` that keep what they are told, in order."""

    def __init__(self) -> None:
        self.points: list[str] = []

    def reached(self, point: str) -> None:
        self.points.append(point)


@asynccontextmanager
async def served(
    answer: bytes | None = _ANSWER, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """A server that gives every request this answer, or hangs up on it; yields its URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(len(_body(head)))
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if answer is _CUT_SHORT:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with server:
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def _body(head: bytes) -> bytes:
    return b"DagId=1" if head.startswith(b"POST") else b""


async def send(client: httpx.AsyncClient, url: str, kind: Exchange) -> list[str]:
    """Send one request, and say what was told of it, whether it was answered or not."""
    method, heard = _METHODS[kind], Heard()
    request = httpx.Request(method, url, content=_body(method.encode()))
    watch_wire(request, kind, heard)
    try:
        await exchange(client, request)
    except (AnswerLost, NeverSent):
        heard.points.append("failed")
    return heard.points


def client_of(kind: Exchange) -> httpx.AsyncClient:
    return build_client(transport=None, keep_alive=kind is Exchange.READ, read_seconds=5)


def complete(kind: Exchange, *phases: Wire) -> list[str]:
    """Both ends of each phase."""
    return [wire_point(kind, phase, edge) for phase in phases for edge in Edge]


_REQUEST = (Wire.HEAD, Wire.BODY)
_ANSWERED = (*_REQUEST, Wire.ANSWER_HEAD, Wire.ANSWER_BODY)


@pytest.mark.parametrize("kind", Exchange, ids=lambda one: str(one.value))
async def test_every_phase_is_told_in_order(kind: Exchange) -> None:
    async with served() as url, client_of(kind) as client:
        points = await send(client, url, kind)
    assert points == complete(kind, Wire.CONNECT, *_ANSWERED)
    assert set(points) <= set(all_points())


@pytest.mark.parametrize("kind", Exchange, ids=lambda one: str(one.value))
async def test_a_handshake_comes_between_connecting_and_the_head(
    kind: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, context = certificate(tmp_path, "trusted")
    monkeypatch.setattr(http, "_tls", lambda: ssl.create_default_context(cafile=trusted))
    async with served(tls=context) as url, client_of(kind) as client:
        points = await send(client, url, kind)
    assert points == complete(kind, Wire.CONNECT, Wire.TLS, *_ANSWERED)
    assert set(points) <= set(all_points())


async def test_secured_requests_reach_every_point_of_the_wire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, context = certificate(tmp_path, "trusted")
    monkeypatch.setattr(http, "_tls", lambda: ssl.create_default_context(cafile=trusted))
    reached: set[str] = set()
    async with served(tls=context) as url:
        for kind in Exchange:
            async with client_of(kind) as client:
                reached |= set(await send(client, url, kind))
    of_the_wire = {
        wire_point(kind, phase, edge) for kind in Exchange for phase in Wire for edge in Edge
    }
    assert reached == of_the_wire <= set(all_points())


async def test_only_a_read_goes_over_a_connection_that_is_there() -> None:
    async with served() as url:
        for kind in Exchange:
            async with client_of(kind) as client:
                await send(client, url, kind)
                again = await send(client, url, kind)
            connects = () if kind is Exchange.READ else (Wire.CONNECT,)
            assert again == complete(kind, *connects, *_ANSWERED)


async def test_a_refused_connection_is_started_and_never_complete() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}/"
        async with client_of(Exchange.CREATE) as client:
            points = await send(client, url, Exchange.CREATE)
    assert points == [wire_point(Exchange.CREATE, Wire.CONNECT, Edge.STARTED), "failed"]


@pytest.mark.parametrize(
    ("answer", "reached", "last"),
    [
        (None, _REQUEST, Wire.ANSWER_HEAD),
        (_CUT_SHORT, (*_REQUEST, Wire.ANSWER_HEAD), Wire.ANSWER_BODY),
    ],
    ids=["none", "cut short"],
)
async def test_an_answer_that_does_not_come_is_started_and_never_complete(
    answer: bytes | None, reached: tuple[Wire, ...], last: Wire
) -> None:
    kind = Exchange.CREATE
    async with served(answer) as url, client_of(kind) as client:
        points = await send(client, url, kind)
    waited = wire_point(kind, last, Edge.STARTED)
    assert points == [*complete(kind, Wire.CONNECT, *reached), waited, "failed"]


async def test_nothing_is_told_of_a_request_that_stays_in_the_process() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b"{}"))
    client = build_client(transport=transport, keep_alive=False, read_seconds=5)
    async with client:
        assert await send(client, "http://simulator/", Exchange.CREATE) == []
