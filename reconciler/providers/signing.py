"""What both vendors' signatures have in common: a key, RFC 3986 encoding, SHA-256 in hexadecimal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from reconciler.model.project import Secret
from reconciler.providers.redacting import redacted


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """What a request is signed with; `security_token` comes with temporary keys only."""

    access_key_id: str
    access_key_secret: Secret
    security_token: Secret | None = None

    def masked(self, data: bytes) -> bytes:
        """`data` without the secret parts of this key, which an error page may echo."""
        known = (self.access_key_secret, self.security_token)
        return redacted(data, [secret.reveal() for secret in known if secret is not None])


def encode(text: str) -> str:
    """Percent-encode by RFC 3986: only letters, digits and `-_.~` stay as they are."""
    return quote(text, safe="")


def encode_parameters(parameters: Iterable[tuple[str, str]]) -> str:
    """Join parameters sorted by name; the form that is signed and, as we send it, also the wire's."""
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(parameters))


def canonical_query(raw_query: str) -> str:
    """The form of a query string that is signed.

    The wire may write a space as `+`, so the query is decoded first and never signed as it stands.
    """
    return encode_parameters(parse_qsl(raw_query, keep_blank_values=True))


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
