"""One way to send one HTTP request: no retry, no redirect, no proxy, a bounded answer.

    TransportFailure              no complete answer came
    ├── NeverSent                 proved: not one byte of the request reached the service
    └── AnswerLost                the request may have arrived, and may have been executed

The distinction is what the create protocol rests on, so everything that is not proved to be the first
is the second. Callers decide what a failure means for their operation.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from reconciler import __version__

USER_AGENT = f"reconciler/{__version__}"

#: Largest answer we read, after decompression. A page of 100 instances takes about 0.1 MiB.
MAX_ANSWER_BYTES = 8 * 1024 * 1024

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
#: A wide create takes the service long; a short limit here would manufacture unknown outcomes.
CREATE_SECONDS = 60.0
#: The whole exchange may take this many times the limit between two bytes, so that no dripping
#: answer holds us forever.
_DEADLINE_FACTOR = 2.0


_EARLIEST_YEAR, _LATEST_YEAR = 1971, 9000


class TransportFailure(Exception):
    """No complete answer came; the text names the cause and holds no secret."""


class NeverSent(TransportFailure):
    """Proved: not one byte of the request reached the service."""


class AnswerLost(TransportFailure):
    """The request may have reached the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer.

    `server_time` is the `Date` header (aware UTC, whole seconds), None without a readable one.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    server_time: dt.datetime | None


def build_client(
    *, transport: httpx.AsyncBaseTransport | None, keep_alive: bool, read_seconds: float
) -> httpx.AsyncClient:
    """Build a client that sends exactly what it is given, once, straight to the service.

    Args:
        transport: What carries requests instead of the network; the client closes it.
        keep_alive: Whether connections are used again. Creates use fresh ones: a request written to a
            connection that the service is just closing would be lost with an unknown outcome.
        read_seconds: Longest silence while we wait for an answer.
    """
    return httpx.AsyncClient(
        transport=transport,
        verify=_tls(),
        timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS),
        limits=httpx.Limits(
            max_connections=100, max_keepalive_connections=20 if keep_alive else 0
        ),
        follow_redirects=False,
        # Proxy variables and .netrc would send signed requests elsewhere, or change them.
        trust_env=False,
    )


@functools.cache
def _tls() -> ssl.SSLContext:
    """One TLS context a process: reading the root certificates takes as long as many requests.

    Of the environment it honours `SSL_CERT_FILE` and `SSL_CERT_DIR`, which say whom to trust and not
    where to send.
    """
    return httpx.create_ssl_context()


async def exchange(client: httpx.AsyncClient, request: httpx.Request) -> Answer:
    """Send `request` once and read the whole answer.

    Raises:
        NeverSent: The connection could not be made.
        AnswerLost: Anything else went wrong, an oversized or undecodable answer included.
    """
    read_seconds = client.timeout.read or READ_SECONDS
    try:
        async with asyncio.timeout(CONNECT_SECONDS + read_seconds * _DEADLINE_FACTOR):
            response = await client.send(request, stream=True, auth=None)
            try:
                body = await _read(response)
            finally:
                await response.aclose()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        # DNS, refused connections and TLS handshakes all end up here: they precede the request.
        raise NeverSent(_describe(error)) from error
    except (httpx.HTTPError, httpx.StreamError, OSError, zlib.error) as error:
        # OSError includes the TimeoutError of our own deadline.
        raise AnswerLost(_describe(error)) from error
    return Answer(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=body,
        server_time=parse_http_date(response.headers.get("date", "")),
    )


async def _read(response: httpx.Response) -> bytes:
    if response.is_stream_consumed:
        # An in-process transport may hand over an answer that is already in memory.
        return _bounded(response.content)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    raw = bytearray()
    async for chunk in response.aiter_raw():
        raw += chunk
        _refuse_larger(len(raw))
    if encoding in {"", "identity"}:
        return bytes(raw)
    if encoding not in {"gzip", "deflate"}:
        raise AnswerLost(f"the answer is encoded as {printable(encoding, limit=40)}")
    return _inflate(bytes(raw))


def _inflate(raw: bytes) -> bytes:
    """Decompress gzip or zlib data; what grows past the limit is given up before it is in memory."""
    # 32 makes zlib tell the two formats apart by itself.
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    body = _bounded(inflater.decompress(raw, MAX_ANSWER_BYTES + 1))
    if not inflater.eof:
        raise AnswerLost("the compressed answer is cut short")
    return body


def _bounded(body: bytes) -> bytes:
    _refuse_larger(len(body))
    return body


def _refuse_larger(size: int) -> None:
    if size > MAX_ANSWER_BYTES:
        raise AnswerLost(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")


def parse_http_date(text: str) -> dt.datetime | None:
    """The moment an HTTP date names, aware UTC, or None."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError):
        return None
    if not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
        # Arithmetic on such a moment would leave the calendar.
        return None
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def printable(text: str, *, limit: int = 300) -> str:
    """Foreign text for a message: one line, no control characters, at most `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _describe(error: Exception) -> str:
    text = printable(str(error))
    kind = type(error).__name__
    return f"{kind}: {text}" if text else kind
