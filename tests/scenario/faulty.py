"""A TCP proxy before a served simulator: it passes everything on, and breaks creates as it is told."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import re
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Address = tuple[str, int]

#: A peer that has not come or gone within this time never will.
HUNG_SECONDS = 120

#: So much white space precedes an answer that is to be too large; JSON readers look past it.
PADDING_MIB = 128
_MIB = b" " * 1024 * 1024

_CREATES = {"RunCycleDagNodes", "CreateManualDag"}
_END = b"\r\n\r\n"


class Create:
    """A create request that reached the proxy. Nothing of it is read before `request` is asked for."""

    def __init__(self, client: socket.socket, head: str, number: int, proxy: FaultyProxy) -> None:
        """Keep a client whose request head is waiting; `number` counts creates from 1."""
        self.client = client
        self.head = head
        self.number = number
        self._proxy = proxy
        self._request = b""
        self._answer = b""

    @property
    def nonce(self) -> str:
        return _header(self.head, "x-acs-signature-nonce")

    @property
    def name(self) -> str:
        """The name it asks for, told by the form of a request that was read."""
        return dict(parse_qsl(self._request.partition(_END)[2].decode()))["Name"]

    @property
    def elsewhere(self) -> str:
        """A URL that nobody has any business at."""
        return self._proxy.elsewhere_url

    def request(self) -> bytes:
        """The whole request, read now if it was not yet."""
        self._request = self._request or _read_message(self.client)
        return self._request

    def execute(self) -> bytes:
        """The simulator's answer; it is asked once."""
        if not self._answer:
            with socket.create_connection(self._proxy.upstream) as upstream:
                upstream.sendall(self.request())
                self._answer = _read_message(upstream)
        return self._answer

    def send(self, data: bytes) -> None:
        self.client.sendall(data)

    def reset(self) -> None:
        """Close with a reset, for which lingering for no time asks."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()

    def hold(self, seconds: float | None = None) -> bool:
        """Stay silent for some time, or until the client is done; whether it is."""
        return self._proxy.over.wait(HUNG_SECONDS if seconds is None else seconds)


Fault = Callable[[Create], None]


def pass_on(create: Create) -> None:
    create.send(create.execute())


def reset_unread(create: Create) -> None:
    create.reset()


def reset_mid_request(create: Create) -> None:
    """Reset with the head read and one byte of the body."""
    create.client.recv(len(create.head) + 1, socket.MSG_WAITALL)
    create.reset()


def reset_after_request(create: Create) -> None:
    create.request()
    create.reset()


def hang_up(create: Create) -> None:
    """End the connection in order, without an answer."""
    create.request()


def reset_mid_head(create: Create) -> None:
    create.request()
    create.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    create.reset()


def reset_mid_answer(create: Create) -> None:
    create.send(create.execute()[:-10])
    create.reset()


def hold_unread(create: Create) -> None:
    create.hold()


def hold_answer(create: Create) -> None:
    create.request()
    create.hold()


def drip(create: Create) -> None:
    """Send the true answer, with a byte of white space now and then before its body.

    It ends, so that a client without a bound on the whole takes it for an answer.
    """
    head, body = _parted(create.execute())
    create.send(_without_length(head))
    for _ in range(6000):
        if create.hold(0.02):
            return
        create.send(b" ")
    create.send(body)


def flood(create: Create) -> None:
    """Send the true answer behind more white space than anyone should keep."""
    head, body = _parted(create.execute())
    create.send(_without_length(head))
    for _ in range(PADDING_MIB):
        create.send(_MIB)
    create.send(body)


def bomb(create: Create) -> None:
    """As `flood`, in a few hundred kilobytes of gzip."""
    _, body = _parted(create.execute())
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    packed = b"".join(packer.compress(_MIB) for _ in range(PADDING_MIB))
    packed += packer.compress(body) + packer.flush()
    create.send(http_answer(200, packed, "Content-Encoding: gzip"))


def answers(status: int, body: bytes, *headers: str) -> Fault:
    """Give this answer."""

    def fault(create: Create) -> None:
        create.request()
        create.send(http_answer(status, body, *headers))

    return fault


def redirects(status: int, body: bytes) -> Fault:
    """Send the client elsewhere."""

    def fault(create: Create) -> None:
        answers(status, body, f"Location: {create.elsewhere}")(create)

    return fault


def rewrites(rewrite: Callable[[bytes], bytes], *headers: str) -> Fault:
    """Give the true answer with its body rewritten."""

    def fault(create: Create) -> None:
        _, body = _parted(create.execute())
        create.send(http_answer(200, rewrite(body), *headers))

    return fault


def at_first(times: int, fault: Fault) -> Fault:
    """Break so many creates, and pass the later ones on."""
    return lambda create: fault(create) if create.number <= times else pass_on(create)


def http_answer(status: int, body: bytes, *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers)
    return "\r\n".join(lines).encode() + _END + body


class Door:
    """A loopback port that serves each connection in a thread; it can close and open again."""

    def __init__(self, upstream: Address) -> None:
        """Listen at once."""
        self.upstream = upstream
        self.over = threading.Event()
        # Bound for good, so that nobody else gets the port while we do not listen.
        self._place = _bound(0)
        self.port: int = self._place.getsockname()[1]
        self._listener = self._listen()
        self._quiet = threading.Condition()
        self._busy = self._came = 0
        self._shuts = self._stops = False
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stops = True
        self._knock()
        self._accepting.join(HUNG_SECONDS)
        self._listener.close()
        self._place.close()

    @contextmanager
    def shut_after_one(self) -> Iterator[None]:
        """Take one connection, whatever comes through it, and refuse all others."""
        self._came, self._shuts = 0, True
        try:
            yield
        finally:
            self._shuts = False
            self.settle()

    def settle(self) -> None:
        """Wait until everything that came is dealt with; its clients have to be done."""
        self.over.set()
        # Connections are taken in the order they came: behind this one there is none left.
        self._knock()
        with self._quiet:
            assert self._quiet.wait_for(lambda: not self._busy, HUNG_SECONDS), "it hung"
        self.over.clear()

    def serve(self, client: socket.socket, number: int) -> None:
        """Serve a connection to its end; `number` counts them from 1."""
        raise NotImplementedError

    def _listen(self) -> socket.socket:
        listener = _bound(self.port)
        listener.listen()
        return listener

    def _knock(self) -> None:
        while True:
            with contextlib.suppress(ConnectionError):
                with socket.create_connection(("127.0.0.1", self.port), HUNG_SECONDS) as knock:
                    knock.shutdown(socket.SHUT_WR)
                    while knock.recv(4096):
                        pass
                return

    def _accept(self) -> None:
        while not self._stops:
            client, _ = self._listener.accept()
            with self._quiet:
                self._came += 1
                self._busy += 1
                number = self._came
            shuts = self._shuts
            if shuts:
                self._listener.close()
            threading.Thread(target=self._serve, args=(client, number)).start()
            if shuts:
                self.over.wait(HUNG_SECONDS)
                self._listener = self._listen()

    def _serve(self, client: socket.socket, number: int) -> None:
        try:
            # A client may leave when it likes.
            with client, contextlib.suppress(OSError):
                self.serve(client, number)
        finally:
            with self._quiet:
                self._busy -= 1
                self._quiet.notify_all()


class FaultyProxy(Door):
    """Passes requests on to a simulator over plain TCP; creates run into the fault of the moment."""

    def __init__(self, upstream: Address) -> None:
        """Break nothing yet."""
        super().__init__(upstream)
        self._fault: Fault = pass_on
        self._executed = False
        self._creates: list[Create] = []
        self._elsewhere = _bound(0)
        self._elsewhere.listen()
        self._elsewhere.setblocking(False)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._elsewhere.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def elsewhere_url(self) -> str:
        return f"http://127.0.0.1:{self._elsewhere.getsockname()[1]}/"

    @contextmanager
    def breaking(
        self, fault: Fault = pass_on, *, executed: bool = False
    ) -> Iterator[list[Create]]:
        """Break creates while the context lasts, `executed` first or not; yields those that came."""
        self._fault, self._executed, self._creates = fault, executed, []
        try:
            yield self._creates
        finally:
            self.settle()
            self._fault, self._executed = pass_on, False

    def someone_went_elsewhere(self) -> bool:
        """Whether anybody followed a redirect."""
        try:
            self._elsewhere.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def serve(self, client: socket.socket, number: int) -> None:  # noqa: ARG002 - all are alike
        while head := _waiting_head(client):
            if _header(head, "x-acs-action") not in _CREATES:
                _pass_on(client, self.upstream)
                continue
            create = Create(client, head, len(self._creates) + 1, self)
            self._creates.append(create)
            if self._executed:
                create.execute()
            self._fault(create)
            return


class TlsDoor(Door):
    """TLS before a proxy: the first connection is let in, later ones meet `breaks` if there is one."""

    def __init__(self, upstream: Address, context: ssl.SSLContext) -> None:
        """Let everyone in."""
        super().__init__(upstream)
        self._context = context
        self._breaks: Callable[[socket.socket], None] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @contextmanager
    def breaking(self, handshake: Callable[[socket.socket], None]) -> Iterator[None]:
        """Break the handshakes of all connections but the first while the context lasts."""
        self._came, self._breaks = 0, handshake
        try:
            yield
        finally:
            self.settle()
            self._breaks = None

    def serve(self, client: socket.socket, number: int) -> None:
        if number > 1 and self._breaks is not None:
            self._breaks(client)
            return
        with self._context.wrap_socket(client, server_side=True) as secured:
            while _pass_on(secured, self.upstream):
                pass


def hang_up_on_hello(client: socket.socket) -> None:
    client.recv(4096)


def answer_hello_in_plain_text(client: socket.socket) -> None:
    client.recv(4096)
    client.sendall(http_answer(400, b"this port speaks no TLS"))


def shows(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    """Offer another certificate."""

    def handshake(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as secured:
            secured.recv(4096)

    return handshake


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A new certificate for 127.0.0.1, vouched for by itself, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, both = folder / f"{name}.pem", folder / f"{name}.both.pem"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    both.write_bytes(private + public.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return public, context


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # Little fits between a client and us, so that a large request is still on its way when it breaks.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    bound.bind(("127.0.0.1", port))
    return bound


def _pass_on(client: socket.socket, upstream: Address) -> bool:
    """Carry one request there and its answer back; whether there was one."""
    request = _read_message(client)
    if request:
        with socket.create_connection(upstream) as there:
            there.sendall(request)
            client.sendall(_read_message(there))
    return bool(request)


def _waiting_head(client: socket.socket) -> str:
    """The head of the next request, left where it is; empty when the client has left."""
    while seen := client.recv(65536, socket.MSG_PEEK):
        head, end, _ = seen.partition(_END)
        if end:
            return (head + end).decode()
    return ""


def _read_message(peer: socket.socket) -> bytes:
    """One whole request or answer; empty when the peer has left."""
    message = b""
    while _END not in message:
        chunk = peer.recv(65536)
        if not chunk:
            return b""
        message += chunk
    head, body = _parted(message)
    rest = bytearray(body)
    length = int(_header(head.decode(), "content-length") or 0)
    while len(rest) < length:
        chunk = peer.recv(65536)
        if not chunk:
            return b""
        rest += chunk
    return head + bytes(rest)


def _parted(message: bytes) -> tuple[bytes, bytes]:
    head, end, body = message.partition(_END)
    return head + end, body


def _without_length(head: bytes) -> bytes:
    """An answer's head after which the end of the connection ends the body."""
    return re.sub(rb"(?i)content-length: *\d+\r\n", b"Connection: close\r\n", head)


def _header(head: str, name: str) -> str:
    found = re.search(rf"(?im)^{name}: *([^\r\n]*)", head)
    return found[1] if found else ""
