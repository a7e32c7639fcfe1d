"""The simulator as an httpx transport: no port, no process, the same answers and the same accidents."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from reconciler.simulator.clocks import Sleep
from reconciler.simulator.core import Engine
from reconciler.simulator.messages import Answer, Delivery, Reply, Request


class SimulatorTransport(httpx.AsyncBaseTransport):
    """Hands requests to an engine; faults look as they would on a socket.

    Requests count as coming from loopback. A delayed answer runs into the request's read timeout.
    Closing the transport leaves the engine open.
    """

    def __init__(self, engine: Engine, sleep: Sleep) -> None:
        self._engine = engine
        self._sleep = sleep

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request.

        Raises:
            httpx.ReadTimeout: A delay is longer than the request's read timeout.
            httpx.RemoteProtocolError: A fault closes the connection before the answer.
        """
        path, _, query = request.url.raw_path.partition(b"?")
        asked = Request(
            method=request.method,
            path=path.decode("ascii"),
            query=query.decode("ascii"),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.aread(),
        )
        if wait := self._engine.wait_before(asked):
            await self._sleep(wait)
        reply = self._engine.handle(asked)
        await self._delay(reply, request)
        if reply.delivery is Delivery.DROPPED:
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            )
        return _response(reply.answer, cut=reply.delivery is Delivery.CUT)

    async def _delay(self, reply: Reply, request: httpx.Request) -> None:
        if not reply.delay_seconds:
            return
        patience = request.extensions.get("timeout", {}).get("read")
        if patience is not None and reply.delay_seconds > patience:
            await self._sleep(patience)
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        await self._sleep(reply.delay_seconds)


class _CutBody(httpx.AsyncByteStream):
    """Half of a body, then a reset connection."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body[: len(self._body) // 2]
        raise httpx.ReadError("Connection reset by peer")


def _response(answer: Answer, *, cut: bool) -> httpx.Response:
    headers = [
        ("content-type", answer.content_type),
        ("content-length", str(len(answer.body))),
        *answer.headers,
    ]
    if cut:
        return httpx.Response(answer.status, headers=headers, stream=_CutBody(answer.body))
    return httpx.Response(answer.status, headers=headers, content=answer.body)
