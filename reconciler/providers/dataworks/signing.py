"""ACS3-HMAC-SHA256, the gateway's header signature: pure steps, and an `httpx.Auth` that applies them.

A request is signed once: the signature holds a nonce that the gateway accepts one time and a moment
after which it accepts it no more. Both are what keeps a create from running twice.

Source: requests captured from the vendor's SDK (tests/wire/dataworks), and "Request structure and
signature v3" of the vendor's API gateway reference, read 2026-11-21.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

import httpx

from reconciler.model.project import Secret
from reconciler.providers.signing import SigningKey, canonical_query, sha256_hex

ALGORITHM = "ACS3-HMAC-SHA256"

#: How long the gateway accepts a signature, counted from its timestamp on the gateway's own clock.
VALIDITY = dt.timedelta(minutes=15)

#: Length of the random name that makes a signature single-use; the vendor's SDK sends 32 characters.
NONCE_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A computed signature, with the text it is over."""

    string_to_sign: str
    signed_headers: str
    value: str = field(repr=False)

    def authorization(self, access_key_id: str) -> str:
        """The `Authorization` header."""
        return (
            f"{ALGORITHM} Credential={access_key_id},"
            f"SignedHeaders={self.signed_headers},Signature={self.value}"
        )


def canonical_request(
    *, method: str, raw_query: str, headers: Mapping[str, str], payload_hash: str
) -> str:
    """Write a request for path `/` the way the gateway rebuilds it; `headers` are those to sign."""
    lines = {name.lower(): value.strip() for name, value in headers.items()}
    ordered = sorted(lines.items())
    return "\n".join(
        (
            method.upper(),
            "/",
            canonical_query(raw_query),
            "".join(f"{name}:{value}\n" for name, value in ordered),
            ";".join(name for name, _ in ordered),
            payload_hash,
        )
    )


def sign_canonical(canonical: str, secret: Secret) -> Signature:
    """Sign a canonical request."""
    string_to_sign = f"{ALGORITHM}\n{sha256_hex(canonical.encode())}"
    value = hmac.new(secret.reveal().encode(), string_to_sign.encode(), hashlib.sha256).hexdigest()
    signed_headers = canonical.rsplit("\n", 2)[1]
    return Signature(string_to_sign=string_to_sign, signed_headers=signed_headers, value=value)


def _is_signed(name: str) -> bool:
    # The rest may be rewritten between us and the gateway, which would spoil the signature.
    return name in {"host", "content-type", "accept"} or name.startswith("x-acs-")


class Acs3Auth(httpx.Auth):
    """Signs each request once, with a key, a moment and a nonce asked for at that time."""

    requires_request_body = True

    def __init__(
        self,
        *,
        key: Callable[[], SigningKey],
        now: Callable[[], dt.datetime],
        nonce: Callable[[], str],
    ) -> None:
        """Keep where to get what.

        Args:
            key: Called per request, because temporary keys change.
            now: Aware UTC; the gateway refuses a moment 15 minutes off its own clock.
            nonce: A new random name each time.
        """
        self._key = key
        self._now = now
        self._nonce = nonce

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
        payload_hash = sha256_hex(request.content)
        headers = request.headers
        headers["x-acs-date"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        headers["x-acs-signature-nonce"] = self._nonce()
        headers["x-acs-content-sha256"] = payload_hash
        if key.security_token is not None:
            headers["x-acs-accesskey-id"] = key.access_key_id
            headers["x-acs-security-token"] = key.security_token.reveal()
        canonical = canonical_request(
            method=request.method,
            raw_query=request.url.query.decode("ascii"),
            headers={name: value for name, value in headers.items() if _is_signed(name)},
            payload_hash=payload_hash,
        )
        signature = sign_canonical(canonical, key.access_key_secret)
        headers["authorization"] = signature.authorization(key.access_key_id)
        return key, moment
