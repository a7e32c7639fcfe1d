"""Verifies SDK-HMAC-SHA256, the signature of Huawei Cloud's gateway (official SDK 3.1.219).

It is made over method, path, query, exactly the headers that the request lists as signed, and a hash
of the body. There is no nonce: a request may be sent again as it is while its signature is fresh. A
security token is accepted as issued for the account, whatever it says, when it is signed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from urllib.parse import quote, unquote

from reconciler.simulator.dataarts.parameters import query_pairs
from reconciler.simulator.errors import GatewayError
from reconciler.simulator.messages import Request
from reconciler.simulator.settings import AccessKey

ALGORITHM = "SDK-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Access=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{{64}})"
)
_MUST_BE_SIGNED = frozenset({"host", "x-sdk-date"})
_SIGNED_IF_SENT = frozenset({"x-security-token", "x-sdk-content-sha256"})
_HASHED_TYPES = ("application/json", "application/bson")
_UNSIGNED = "UNSIGNED-PAYLOAD"
_DATE = re.compile(r"\d{8}T\d{6}Z")
_VALID_MS = 15 * 60 * 1000


def verify(request: Request, key: AccessKey) -> int:
    """Check the signature of a request; its age is left to the caller.

    Returns:
        When it says it was signed, in epoch milliseconds.

    Raises:
        GatewayError: As the gateway would refuse it: 401 with APIG.0301.
    """
    match = _AUTHORIZATION.fullmatch(request.header("authorization").strip())
    if match is None:
        raise unauthorized("the Authorization header cannot be read")
    key_id, listed, given = match.groups()
    if key_id != key.id:
        raise unauthorized("app or access key not found")
    names = listed.lower().split(";")
    _check_names(names, request)
    signed_ms = _date_ms(request.header("x-sdk-date"))
    canonical = hashlib.sha256(_canonical(request, names)).hexdigest()
    text = f"{ALGORITHM}\n{request.header('x-sdk-date').strip()}\n{canonical}"
    expected = hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, given):
        raise unauthorized("verify aksk signature fail")
    return signed_ms


def check_age(counts_as_signed_ms: int, gateway_ms: int) -> None:
    """Refuse signatures more than 15 minutes off.

    Raises:
        GatewayError: 401 with APIG.0301.
    """
    if abs(gateway_ms - counts_as_signed_ms) > _VALID_MS:
        raise unauthorized("x-sdk-date is expired")


def unauthorized(reason: str) -> GatewayError:
    """The gateway does not know who asks."""
    return GatewayError(401, "APIG.0301", f"Incorrect IAM authentication information: {reason}")


def _check_names(names: list[str], request: Request) -> None:
    must = _MUST_BE_SIGNED | (_SIGNED_IF_SENT & request.headers.keys())
    wrong = sorted((must - set(names)) | (set(names) - request.headers.keys()))
    if wrong:
        raise unauthorized(f"these headers have to be sent and signed: {', '.join(wrong)}")
    if not request.headers.get("x-security-token", "token").strip():
        raise unauthorized("the security token is empty")


def _date_ms(text: str) -> int:
    match = _DATE.fullmatch(text.strip())
    try:
        moment = dt.datetime.strptime(match[0] if match else "", "%Y%m%dT%H%M%S%z")
    except ValueError as err:
        raise unauthorized("x-sdk-date is not well formatted") from err
    return int(moment.timestamp()) * 1000


def _canonical(request: Request, names: list[str]) -> bytes:
    lines = b"".join(
        name.encode() + b":" + _wire_bytes(request.header(name).strip()) + b"\n"
        for name in sorted(names)
    )
    return b"\n".join(
        (
            request.method.encode(),
            _canonical_path(request.path).encode(),
            _canonical_query(request.query).encode(),
            lines,
            ";".join(sorted(names)).encode(),
            _payload(request).encode(),
        )
    )


def _canonical_path(path: str) -> str:
    """Decoded as a whole, then split, so that an encoded slash parts what it stands in; ends with `/`."""
    encoded = "/".join(quote(part, safe="~") for part in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else f"{encoded}/"


def _canonical_query(query: str) -> str:
    try:
        pairs = query_pairs(query)
    except ValueError as err:
        raise unauthorized("the query cannot be read") from err
    return "&".join(
        f"{quote(name, safe='~')}={quote(text, safe='~')}" for name, text in sorted(pairs)
    )


def _payload(request: Request) -> str:
    """The hash of the body; bodies that are neither JSON nor BSON may go unsigned."""
    actual, declared = hashlib.sha256(request.body).hexdigest(), "x-sdk-content-sha256"
    said = request.headers.get(declared)
    if said is None or not request.body:
        return actual
    if said == _UNSIGNED and not request.header("content-type").startswith(_HASHED_TYPES):
        return said
    if said != actual:
        raise unauthorized(f"{declared} is not the hash of the body")
    return said


def _wire_bytes(text: str) -> bytes:
    """A header's value as it was sent, in UTF-8; one front has read it as Latin-1, the other as UTF-8."""
    try:
        sent = text.encode("latin-1")
        sent.decode()
    except UnicodeError:
        return text.encode()
    return sent
