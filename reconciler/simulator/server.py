"""The simulator on a port: an ASGI application, and uvicorn to serve it until a signal comes.

Only this module imports uvicorn.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.simulator.clocks import ClockSpec, Sleep, system_sleep
from reconciler.simulator.core import LARGEST_BODY, Engine, open_engine
from reconciler.simulator.faults import load_faults
from reconciler.simulator.messages import Answer, Delivery, Request
from reconciler.simulator.world_file import load_world

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_Peer = tuple[str, int]
_Connections = dict[_Peer, asyncio.Transport]

_STOP_SECONDS = 2  # How long requests in flight may take once a signal has come.


def serve(
    *,
    host: str,
    port: int,
    world: Path | None,
    db: Path | None,
    clock: str,
    faults: Path | None,
    announce: Callable[[str], None],
) -> None:
    """Serve the simulator until SIGINT or SIGTERM.

    Args:
        host: Name or address to listen at.
        port: Port to listen at; 0 lets the system choose.
        world: World file; None leaves the world of the database as it is.
        db: Database file; None keeps everything in memory.
        clock: `real`, `xN` or `manual`.
        faults: File with a list of faults, JSON or YAML; None leaves those of the database.
        announce: Gets one line of JSON once connections are accepted: `url`, `access_key_id`,
            `access_key_secret`.

    Raises:
        InputError: A file is wrong.
        ValueError: `clock` is wrong.
        OSError: A file cannot be read, or the address cannot be listened at.
    """
    engine = open_engine(
        db=db,
        world=None if world is None else load_world(world),
        clock=ClockSpec.parse(clock),
        faults=None if faults is None else load_faults(faults),
    )
    listener = _listen(host, port)
    hello = {
        "url": _url(host, listener),
        "access_key_id": engine.key.id,
        "access_key_secret": engine.key.secret,
    }
    connections: _Connections = {}
    config = uvicorn.Config(
        _Application(engine, connections, system_sleep),
        http=_protocol(connections),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        # Answers carry the gateway's date, and peers are who they are.
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    try:
        _Server(config, lambda: announce(json.dumps(hello))).run(sockets=[listener])
    finally:
        engine.close()


class _Server(uvicorn.Server):
    """Says when it accepts connections, and ends quietly on a signal."""

    def __init__(self, config: uvicorn.Config, accepting: Callable[[], None]) -> None:
        super().__init__(config)
        self._accepting = accepting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._accepting()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        # uvicorn would raise the signal again at the end; for us it is the normal way to stop.
        self.should_exit = True


class _Application:
    """ASGI: reads a request, asks the engine, delivers the reply as it is meant to be delivered."""

    def __init__(self, engine: Engine, connections: _Connections, sleep: Sleep) -> None:
        self._engine = engine
        self._connections = connections
        self._sleep = sleep

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        request = Request(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers={k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]},
            body=await _body(receive),
            from_loopback=_is_loopback(scope["client"]),
        )
        if wait := self._engine.wait_before(request):
            await self._sleep(wait)
        reply = self._engine.handle(request)
        if reply.delay_seconds:
            await self._sleep(reply.delay_seconds)
        match reply.delivery:
            case Delivery.WHOLE:
                await _send_whole(reply.answer, send)
            case Delivery.DROPPED:
                self._break(scope)
            case Delivery.CUT:
                await _send_half(reply.answer, send)
                self._break(scope)

    def _break(self, scope: _Scope) -> None:
        """Reset the connection of a request."""
        connection = self._connections[scope["client"]]
        # Lingering for no time turns the close into a reset.
        connection.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        connection.abort()


def _protocol(connections: _Connections) -> type[H11Protocol]:
    """A protocol that enters its connections, by peer, into `connections`."""

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base does
            super().connection_made(transport)
            if self.client is not None:
                connections[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client is not None:
                connections.pop(self.client, None)
            super().connection_lost(exc)

    return Protocol


async def _body(receive: _Receive) -> bytes:
    """The body of a request; past the bound the rest is read and thrown away."""
    body = bytearray()
    while True:
        message = await receive()
        if len(body) <= LARGEST_BODY:
            body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _send_whole(answer: Answer, send: _Send) -> None:
    await _send_start(answer, send)
    await send({"type": "http.response.body", "body": answer.body})


async def _send_half(answer: Answer, send: _Send) -> None:
    await _send_start(answer, send)
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})


async def _send_start(answer: Answer, send: _Send) -> None:
    headers = [
        ("content-type", answer.content_type),
        ("content-length", str(len(answer.body))),
        *answer.headers,
    ]
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers],
        }
    )


def _is_loopback(client: _Peer | None) -> bool:
    return client is not None and ip_address(client[0].partition("%")[0]).is_loopback


def _listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address; uvicorn starts to listen on it."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def _url(host: str, listener: socket.socket) -> str:
    """Where clients on this machine reach the listener."""
    address, port = listener.getsockname()[:2]
    if ip_address(address).is_unspecified:
        host = "127.0.0.1" if listener.family == socket.AF_INET else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
