"""SDK-HMAC-SHA256, the gateway's header signature: pure steps, and an `httpx.Auth` that applies them.

A request is signed once. Unlike DataWorks' signature it holds no nonce: a copy of it is accepted again
until its moment is too old, and what keeps a copied create from running twice is that its name is unique.

Source: requests captured from the vendor's SDK 3.1.219 (tests/wire/dataarts).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

import httpx

from reconciler.model.project import Secret
from reconciler.providers.signing import SigningKey, canonical_query, encode, sha256_hex

ALGORITHM = "SDK-HMAC-SHA256"

#: How far a signature's moment may be from the gateway's own clock (vendor's API documentation).
VALIDITY = dt.timedelta(minutes=15)

#: What is signed, where a request has it; the rest may be rewritten between us and the gateway.
_SIGNED = frozenset(
    (
        *("content-type", "host", "instance", "workspace"),
        *("x-project-id", "x-sdk-date", "x-security-token"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A computed signature, with the text it is over."""

    string_to_sign: str
    signed_headers: str
    value: str = field(repr=False)

    def authorization(self, access_key_id: str) -> str:
        """The `Authorization` header."""
        return (
            f"{ALGORITHM} Access={access_key_id}, "
            f"SignedHeaders={self.signed_headers}, Signature={self.value}"
        )


def canonical_uri(raw_path: str) -> str:
    """The form of a path that is signed: decoded as a whole, encoded part by part, with a `/` at its end.

    So an encoded slash in a name becomes a separator here, though not on the wire.
    """
    path = "/".join(encode(part) for part in unquote(raw_path).split("/"))
    return path if path.endswith("/") else f"{path}/"


def canonical_request(
    *, method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], payload: bytes
) -> str:
    """The text whose digest is signed; `headers` are those to sign, their names in lower case."""
    ordered = sorted((name, value.strip()) for name, value in headers.items())
    return "\n".join(
        (
            method.upper(),
            canonical_uri(raw_path),
            canonical_query(raw_query),
            "".join(f"{name}:{value}\n" for name, value in ordered),
            ";".join(name for name, _ in ordered),
            sha256_hex(payload),
        )
    )


def sign_canonical(canonical: str, date: str, secret: Secret) -> Signature:
    """Sign a canonical request; `date` is its X-Sdk-Date."""
    string_to_sign = f"{ALGORITHM}\n{date}\n{sha256_hex(canonical.encode())}"
    value = hmac.new(secret.reveal().encode(), string_to_sign.encode(), hashlib.sha256).hexdigest()
    signed_headers = canonical.rsplit("\n", 2)[1]
    return Signature(string_to_sign=string_to_sign, signed_headers=signed_headers, value=value)


class SdkHmacAuth(httpx.Auth):
    """Signs each request once, with a key and a moment asked for at that time."""

    requires_request_body = True

    def __init__(
        self, *, key: Callable[[], SigningKey], now: Callable[[], dt.datetime], project_id: str
    ) -> None:
        """Keep where to get what.

        Args:
            key: Called per request, because temporary keys change.
            now: Aware UTC; the gateway refuses a moment 15 minutes off its own clock.
            project_id: Sent with each request.
        """
        self._key = key
        self._now = now
        self._project_id = project_id

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign and send; an answer never causes a second request."""
        self.sign(request)
        yield request

    def sign(self, request: httpx.Request) -> tuple[SigningKey, dt.datetime]:
        """Put the signature on a request whose body is in memory.

        Returns:
            The key, and the moment that was signed (whole seconds, as on the wire).
        """
        key = self._key()
        moment = self._now().astimezone(dt.UTC).replace(microsecond=0)
        date = f"{moment:%Y%m%dT%H%M%SZ}"
        headers = request.headers
        headers["x-project-id"] = self._project_id
        headers["x-sdk-date"] = date
        if key.security_token is not None:
            headers["x-security-token"] = key.security_token.reveal()
        raw_path, _, raw_query = request.url.raw_path.decode("ascii").partition("?")
        canonical = canonical_request(
            method=request.method,
            raw_path=raw_path,
            raw_query=raw_query,
            headers={name: value for name, value in headers.items() if name in _SIGNED},
            payload=request.content,
        )
        signature = sign_canonical(canonical, date, key.access_key_secret)
        headers["authorization"] = signature.authorization(key.access_key_id)
        return key, moment
