"""Verifies the headers of protected paths: authentication v2.

A header is base64 of RSA PKCS#1 v1.5 blocks that hold one JSON object; its members are told apart
without regard to case (OBShell server source 61ee147; captured from the official SDK 0.0.9):

- `auth`: the password; the simulator's is the secret of its access key, for cluster and agent alike.
- `ts`: text, the second (Unix) in which the header expires; not looked at when the password is empty.
- `uri`: path and query, exactly as requested.
- `keys`: base64 of the AES key and the IV for the body, 16 bytes each.

Time: a client computes `ts` from its own real time, but the gateway clock may have been advanced since.
A header expires at real time `ts`, and earlier by every advance made since it was. When that was it
does not say: the SDK's lifetime of 60 s is taken for granted. So a fresh header of the SDK is always
fresh, whatever was advanced before, and one from before an advance has aged by it. A header with a
longer life keeps `ts`, but does not age by advances made before its last 60 seconds; one with a
shorter life is taken for older than it is, and refused within 60 real seconds of an advance. A client
may also count on the gateway's time, as `session.Session.counts_as_signed_at` has it.

The order of the checks is a guess: key, path, password, time.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping

from reconciler.simulator.errors import GatewayError
from reconciler.simulator.messages import Request
from reconciler.simulator.obshell import keys
from reconciler.simulator.obshell.refusals import bad_body, unauthorized, undecryptable
from reconciler.simulator.session import Session

_CLUSTER, _AGENT = "x-ocs-header", "x-ocs-agent-header"
_LIFETIME_SECONDS = 60
_LATEST = 253_402_300_799  # The last second of the year 9999: what expires later never does.
_SECONDS = re.compile(r"[+-]?[0-9]{1,19}")
_KEY_BYTES = 16

Members = Mapping[str, object]
"""The members of a JSON object; names are in lower case."""


def verify(request: Request, session: Session, *, agent_only: bool) -> Members:
    """Check the header of a request; its members.

    Args:
        request: A request for a protected path.
        session: Has the password, the key and the clocks.
        agent_only: Whether the agent's own password is needed, as for tasks of a proxy.

    Raises:
        GatewayError: As the agent would refuse it.
    """
    by_agent = bool(request.header(_AGENT))
    value = request.header(_AGENT) or request.header(_CLUSTER)
    if not value:
        raise GatewayError(400, "Request.Header.NotFound", "Request header X-OCS-Header not found")
    header = _opened(value, session)
    uri = f"{request.path}?{request.query}" if request.query else request.path
    if _text(header, "uri") != uri:
        raise unauthorized("Header.UriMismatch", "Unauthorized: the uri is not the requested one")
    if agent_only and not by_agent:
        raise unauthorized("WithAgentPassword", "Unauthorized: the agent password is needed")
    password = session.key.secret
    if not hmac.compare_digest(_text(header, "auth").encode(), password.encode()):
        whose = "Agent" if by_agent else "Oceanbase"
        raise unauthorized(
            f"Incorrect{whose}Password", f"Unauthorized: {whose} password is incorrect"
        )
    if password:
        _check_expiry(_text(header, "ts"), session)
    return header


def read_body(request: Request, header: Members) -> Members:
    """The members of the encrypted JSON object in a body.

    Raises:
        GatewayError: There is none, or it cannot be read.
    """
    try:
        key = base64.b64decode(_text(header, "keys"), validate=True)
        body = base64.b64decode(request.body, validate=True)
        return _members(_decrypted(body, key[:_KEY_BYTES], key[_KEY_BYTES:]))
    except (binascii.Error, ValueError, RecursionError) as err:
        raise bad_body("the body cannot be read") from err


def _opened(value: str, session: Session) -> Members:
    try:
        return _members(keys.decrypt(session.connection, base64.b64decode(value, validate=True)))
    except (binascii.Error, ValueError, RecursionError) as err:
        raise undecryptable("it was not encrypted with the present public key") from err


def _members(text: bytes) -> Members:
    value = json.loads(text.decode())
    if not isinstance(value, dict):
        raise ValueError("a JSON object is expected")  # noqa: TRY004 - as json.loads complains
    return {name.lower(): item for name, item in value.items()}


def _text(header: Members, name: str) -> str:
    value = header.get(name, "")
    if not isinstance(value, str):
        raise undecryptable(f"{name} is no text")
    return value


def _check_expiry(text: str, session: Session) -> None:
    if not _SECONDS.fullmatch(text):
        raise unauthorized("Timestamp.Invalid", "Unauthorized: the timestamp is invalid")
    signed_ms = (min(max(int(text), 0), _LATEST) - _LIFETIME_SECONDS) * 1000
    expiry_ms = session.counts_as_signed_at(signed_ms) + _LIFETIME_SECONDS * 1000
    if session.gateway_ms // 1000 > expiry_ms // 1000:
        raise unauthorized("Expired", "Unauthorized: the authentication has expired")


def _decrypted(data: bytes, key: bytes, iv: bytes) -> bytes:
    """AES-128-CBC, padded as PKCS#7."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415
    from cryptography.hazmat.primitives.padding import PKCS7  # noqa: PLC0415

    decryptor = Cipher(algorithms.AES128(key), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(algorithms.AES128.block_size).unpadder()
    padded = decryptor.update(data) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()
