"""Verifies the two signature schemes of Alibaba Cloud's gateway.

- ACS3-HMAC-SHA256: in the `Authorization` header, over exactly the headers that the request lists as
  signed, the query, and a hash of the body.
- RPC HMAC-SHA1 1.0: in the query, over query and form body.

A security token is accepted as issued for the account, whatever it says, when it is signed.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from reconciler.simulator.errors import GatewayError, missing
from reconciler.simulator.messages import Request
from reconciler.simulator.settings import AccessKey

_ALGORITHM = "ACS3-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]+)"
)
_MUST_BE_SIGNED = frozenset(
    {
        "host",
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-version",
    }
)
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_VALID_MS = 15 * 60 * 1000
_MOST_FIELDS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a correctly signed request says about its signature; `signed_ms` is a whole second."""

    signed_ms: int
    nonce: str


def form(text: str) -> list[tuple[str, str]]:
    """Names and values of a query or form body, in their order.

    Raises:
        GatewayError: It is no UTF-8, or has too many fields.
    """
    try:
        return parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as err:
        raise GatewayError(400, "InvalidParameter", "The parameters cannot be decoded.") from err


def body_form(request: Request) -> list[tuple[str, str]]:
    """Names and values in the body of a request, in their order."""
    try:
        return form(request.body.decode("utf-8"))
    except UnicodeDecodeError as err:
        raise GatewayError(400, "InvalidParameter", "The body is no UTF-8 text.") from err


def uses_acs3(request: Request) -> bool:
    """Whether the request carries the header signature; otherwise it is taken for an RPC one."""
    return "authorization" in request.headers


def verify(request: Request, key: AccessKey) -> Signature:
    """Check the signature of a request; its age and nonce are left to the caller.

    Raises:
        GatewayError: As the gateway would refuse it.
    """
    return _verify_acs3(request, key) if uses_acs3(request) else _verify_rpc(request, key)


def check_age(counts_as_signed_ms: int, gateway_ms: int) -> None:
    """Refuse signatures more than 15 minutes off.

    Raises:
        GatewayError: `InvalidTimeStamp.Expired`.
    """
    if abs(gateway_ms - counts_as_signed_ms) > _VALID_MS:
        raise GatewayError(
            400,
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        )


def timestamp_ms(text: str) -> int:
    """Read `YYYY-MM-DDTHH:MM:SSZ`.

    Raises:
        GatewayError: `InvalidTimeStamp.Format`.
    """
    match = _TIMESTAMP.fullmatch(text)
    try:
        moment = dt.datetime.strptime(match[0] if match else "", "%Y-%m-%dT%H:%M:%S%z")
    except ValueError as err:
        raise GatewayError(
            400,
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        ) from err
    return int(moment.timestamp()) * 1000


def _verify_acs3(request: Request, key: AccessKey) -> Signature:
    match = _AUTHORIZATION.fullmatch(request.header("authorization").strip())
    if match is None:
        raise _incomplete("The Authorization header cannot be read.")
    key_id, listed, given = match.groups()
    _check_key(key_id, key)
    signed = sorted(listed.lower().split(";"))
    must = _MUST_BE_SIGNED | ({"x-acs-security-token"} & request.headers.keys())
    absent = sorted((must - set(signed)) | (set(signed) - request.headers.keys()))
    if absent:
        raise _incomplete(f"These headers have to be sent and signed: {', '.join(absent)}.")
    _check_token(request.headers.get("x-acs-security-token"))
    signed_ms = timestamp_ms(request.header("x-acs-date"))
    payload = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join(
        (
            request.method,
            request.path,
            _canonical(form(request.query)),
            *(f"{name}:{request.header(name).strip()}" for name in signed),
            "",
            ";".join(signed),
            payload,
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    expected = hmac.new(
        key.secret.encode(), f"{_ALGORITHM}\n{digest}".encode(), hashlib.sha256
    ).hexdigest()
    if payload != request.header("x-acs-content-sha256"):
        raise _mismatch("x-acs-content-sha256 is not the hash of the body")
    if not hmac.compare_digest(expected, given):
        raise _mismatch(f"server string to sign is: {_ALGORITHM} {digest}")
    nonce = request.header("x-acs-signature-nonce")
    if not nonce:
        raise missing("SignatureNonce")
    return Signature(signed_ms=signed_ms, nonce=nonce)


def _verify_rpc(request: Request, key: AccessKey) -> Signature:
    query = form(request.query)
    given = dict(query)
    for name in ("AccessKeyId", "Signature", "SignatureNonce", "Timestamp"):
        if not given.get(name):
            raise missing(name)
    if (given.get("SignatureMethod"), given.get("SignatureVersion")) != ("HMAC-SHA1", "1.0"):
        raise _incomplete("SignatureMethod has to be HMAC-SHA1 and SignatureVersion 1.0.")
    _check_key(given["AccessKeyId"], key)
    _check_token(given.get("SecurityToken"))
    signed_ms = timestamp_ms(given["Timestamp"])
    fields = [(name, value) for name, value in query + body_form(request) if name != "Signature"]
    text = f"{request.method}&{_encode('/')}&{_encode(_canonical(fields))}"
    # HMAC-SHA1 is what this scheme prescribes.
    digest = hmac.new(f"{key.secret}&".encode(), text.encode(), hashlib.sha1).digest()
    expected = base64.b64encode(digest)
    if not hmac.compare_digest(expected, given["Signature"].encode()):
        raise _mismatch(f"server string to sign is: {text}")
    return Signature(signed_ms=signed_ms, nonce=given["SignatureNonce"])


def _canonical(fields: list[tuple[str, str]]) -> str:
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(fields))


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _check_key(key_id: str, key: AccessKey) -> None:
    if key_id != key.id:
        raise GatewayError(
            404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."
        )


def _check_token(token: str | None) -> None:
    if token is not None and not token.strip():
        raise GatewayError(
            400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed."
        )


def _incomplete(reason: str) -> GatewayError:
    return GatewayError(
        400,
        "IncompleteSignature",
        f"The request signature does not conform to Aliyun standards. {reason}",
    )


def _mismatch(detail: str) -> GatewayError:
    return GatewayError(
        400,
        "SignatureDoesNotMatch",
        f"Specified signature is not matched with our calculation. {detail}",
    )
