"""The one way to send a request, over real sockets: what proves that nothing left, and what does not."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from reconciler.providers import http
from reconciler.providers.http import AnswerLost, NeverSent, build_client, exchange

pytestmark = pytest.mark.anyio

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A loopback server; yields its URL and the request heads it saw."""
    heads: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                heads.append(head)
                await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/", heads


def answers(payload: bytes, *, close: bool = False) -> Serve:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(payload)
        await writer.drain()
        if close:
            writer.close()

    return serve


def http_answer(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def send(url: str, *, read_seconds: float = 5.0, keep_alive: bool = False) -> http.Answer:
    async with build_client(
        transport=None, keep_alive=keep_alive, read_seconds=read_seconds
    ) as client:
        return await exchange(client, httpx.Request("POST", url, content=b"DagId=1"))


async def test_a_complete_answer_comes_back_with_the_servers_time() -> None:
    payload = http_answer(b"{}", "Date: Sat, 01 Jun 2024 12:00:00 GMT", "X-Acs-Request-Id: r")
    async with served(answers(payload)) as (url, _):
        answer = await send(url)
    assert (answer.status, answer.body) == (200, b"{}")
    assert answer.headers["x-acs-request-id"] == "r"
    assert str(answer.server_time) == "2024-06-01 12:00:00+00:00"


async def test_a_refused_connection_proves_that_nothing_left() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with pytest.raises(NeverSent):
            await send(f"http://127.0.0.1:{port}/")


async def test_a_failed_tls_handshake_proves_that_nothing_left() -> None:
    async def no_tls(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"this is no TLS")
        writer.close()

    server = await asyncio.start_server(no_tls, "127.0.0.1", 0)
    async with server:
        with pytest.raises(NeverSent):
            await send(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout],
)
async def test_errors_before_the_request_prove_that_nothing_left(
    error: type[httpx.TransportError],
) -> None:
    with pytest.raises(NeverSent):
        await _raise_in_transport(error("x"))


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadError("x"),
        httpx.WriteError("x"),
        httpx.CloseError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.LocalProtocolError("x"),
        httpx.ProxyError("x"),
        httpx.UnsupportedProtocol("x"),
        httpx.DecodingError("x"),
        httpx.TooManyRedirects("x"),
        httpx.StreamClosed(),
        OSError("x"),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_every_other_error_leaves_it_open(error: Exception) -> None:
    with pytest.raises(AnswerLost):
        await _raise_in_transport(error)


async def _raise_in_transport(error: Exception) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    async with build_client(
        transport=httpx.MockTransport(fail), keep_alive=True, read_seconds=1
    ) as client:
        await exchange(client, httpx.Request("POST", "http://x/"))


async def test_silence_is_a_lost_answer() -> None:
    async with served(answers(b"")) as (url, heads):
        with pytest.raises(AnswerLost, match="ReadTimeout"):
            await send(url, read_seconds=0.1)
        assert len(heads) == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"garbage\r\n\r\n",
    ],
)
async def test_a_connection_that_ends_early_is_a_lost_answer(payload: bytes) -> None:
    async with served(answers(payload, close=True)) as (url, heads):
        with pytest.raises(AnswerLost):
            await send(url)
        assert len(heads) == 1


async def test_a_dripping_answer_meets_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.1)
    async with served(drip) as (url, _):
        with pytest.raises(AnswerLost, match="TimeoutError"):
            await asyncio.wait_for(send(url, read_seconds=0.1), 5)


async def test_an_oversized_answer_is_given_up_while_it_comes() -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with served(flood) as (url, _):
        with pytest.raises(AnswerLost, match="larger"):
            await asyncio.wait_for(send(url), 20)


async def test_a_gzip_bomb_is_given_up_before_it_is_in_memory() -> None:
    bomb = gzip.compress(b"\0" * (4 * http.MAX_ANSWER_BYTES))
    async with served(answers(http_answer(bomb, "Content-Encoding: gzip"))) as (url, _):
        with pytest.raises(AnswerLost, match="larger"):
            await send(url)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(b"{}", mtime=0)), ("deflate", zlib.compress(b"{}"))],
    ids=["gzip", "deflate"],
)
async def test_compressed_answers_are_read(encoding: str, body: bytes) -> None:
    async with served(answers(http_answer(body, f"Content-Encoding: {encoding}"))) as (url, _):
        assert (await send(url)).body == b"{}"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"no gzip"), ("gzip", gzip.compress(b"{}" * 99, mtime=0)[:-9]), ("br", b"{}")],
    ids=["no-gzip", "cut-gzip", "unknown-encoding"],
)
async def test_answers_that_cannot_be_decoded_are_lost(encoding: str, body: bytes) -> None:
    async with served(answers(http_answer(body, f"Content-Encoding: {encoding}"))) as (url, _):
        with pytest.raises(AnswerLost):
            await send(url)


async def test_redirects_are_not_followed() -> None:
    payload = b"HTTP/1.1 307 T\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with served(answers(payload)) as (url, heads):
        assert (await send(url)).status == 307
        assert len(heads) == 1


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with served(answers(http_answer(b"{}"))) as (url, heads):
        assert (await send(url)).status == 200
        assert len(heads) == 1


async def test_creates_never_use_a_connection_again() -> None:
    connections: list[object] = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer.get_extra_info("peername"))
        await answers(http_answer(b"{}"))(_reader, writer)

    async with served(serve) as (url, _):
        async with build_client(transport=None, keep_alive=False, read_seconds=5) as client:
            for _ in range(3):
                await exchange(client, httpx.Request("POST", url))
        assert len(set(connections)) == 3


async def test_an_answer_already_in_memory_is_read_and_bounded() -> None:
    def big(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"x" * (http.MAX_ANSWER_BYTES + 1))

    async with build_client(
        transport=httpx.MockTransport(big), keep_alive=True, read_seconds=1
    ) as client:
        with pytest.raises(AnswerLost, match="larger"):
            await exchange(client, httpx.Request("POST", "http://x/"))


@pytest.mark.parametrize("text", ["", "yesterday", "Sat, 99 Jun 2024 12:00:00 GMT"])
def test_an_unreadable_date_is_none(text: str) -> None:
    assert http.parse_http_date(text) is None
