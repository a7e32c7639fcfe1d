"""The auth header of OBShell: password, expiry and path, readable by the agent alone.

A JSON text is cut into blocks, each encrypted with the agent's RSA key (PKCS#1 v1.5), joined, and written
in base64. Requests are bound to their path and query and to an expiry time; there is no nonce, so until
then a request can be sent again, which is no harm for reads.

Source: requests captured from the official SDK 0.0.9 (tests/wire/obshell), and OBShell server source
61ee147 (2026-05).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from reconciler.providers.redacting import redacted

#: Carries the password of the cluster (root@sys).
CLUSTER_HEADER = "X-OCS-Header"
#: Carries the password of the agent.
AGENT_HEADER = "X-OCS-Agent-Header"

#: How long a header is good for, as with the SDK; the server has no upper bound.
LIFETIME = dt.timedelta(seconds=60)

#: Longest block in bytes, as with the SDK whatever the key's size; the server joins what it gets.
BLOCK_BYTES = 53
#: What PKCS#1 v1.5 adds to a block at least.
PADDING_BYTES = 11

#: Keys have 512 bits, or 1024 since March 2026; these bounds only keep nonsense out.
_FEWEST_BITS, _MOST_BITS = 512, 8192

#: A 16-byte AES key and a 16-byte IV, for bodies and secret answers; reads have neither.
_AES_BYTES = 32

#: Makes so many random bytes.
RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class ServerKey:
    """The public RSA key of an agent; `text` is what it gave."""

    text: str
    _key: RSAPublicKey = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> ServerKey:
        """Read base64 of a PKCS#1 key in DER, the form in which an agent gives it.

        Raises:
            ValueError: It is none.
        """
        try:
            key = load_der_public_key(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError, UnsupportedAlgorithm):
            raise ValueError("it is not base64 of a public key in DER") from None
        if not isinstance(key, RSAPublicKey) or not _FEWEST_BITS <= key.key_size <= _MOST_BITS:
            raise ValueError("it is not an RSA key of a size in use")
        return cls(text, key)

    def encrypt(self, plaintext: bytes) -> str:
        """Encrypt block by block; base64 of the blocks."""
        size = min(BLOCK_BYTES, self._key.key_size // 8 - PADDING_BYTES)
        blocks = (plaintext[at : at + size] for at in range(0, len(plaintext), size))
        return base64.b64encode(
            b"".join(self._key.encrypt(block, PKCS1v15()) for block in blocks)
        ).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedHeader:
    """An auth header, and the base64 of the AES key and IV in it."""

    name: str
    value: str = field(repr=False)
    keys: str = field(repr=False)

    def masked(self, body: bytes) -> bytes:
        """`body` without an echo of the header, which could be sent again, and of the keys in it."""
        return redacted(body, (self.value, self.keys))


def seal(
    key: ServerKey,
    *,
    name: str,
    password: str,
    target: str,
    expires_at: dt.datetime,
    random: RandomBytes = secrets.token_bytes,
) -> SealedHeader:
    """Write the auth header of one request.

    Args:
        key: Of the agent that is asked.
        name: `CLUSTER_HEADER` or `AGENT_HEADER`.
        password: The one that belongs to it; may be empty.
        target: Path and query exactly as they will be sent.
        expires_at: On the agent's clock; whole seconds are sent.
        random: Makes the AES key and IV.
    """
    keys = base64.b64encode(random(_AES_BYTES)).decode("ascii")
    members = {
        "auth": password,
        "ts": str(int(expires_at.timestamp())),
        "uri": target,
        "keys": keys,
    }
    return SealedHeader(name=name, value=key.encrypt(json.dumps(members).encode()), keys=keys)
