"""The RSA key of the agent, made on first use and kept in the database.

Keys have 1024 bits, as those of servers since March 2026 (OBShell server source 61ee147); servers
before had 512, which current cryptographic libraries refuse to make.
"""

from __future__ import annotations

import base64
import functools
import sqlite3

from reconciler.simulator import settings

_BITS = 1024
_EXPONENT = 65537
_LEAST_PADDING = 8


def make_key(connection: sqlite3.Connection) -> bytes:
    """Put a new key in place; it comes back as a PKCS#1 private key in DER."""
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - heavy
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    # Short, because the real ones are.
    key = rsa.generate_private_key(_EXPONENT, _BITS)
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    settings.store_rsa_key(connection, der)
    return der


def public_key(connection: sqlite3.Connection) -> str:
    """The public key as the service gives it away: base64 of PKCS#1 (not X.509) DER."""
    return _public(_key(connection))


def decrypt(connection: sqlite3.Connection, data: bytes) -> bytes:
    """Open RSA PKCS#1 v1.5 blocks of the key's length and join what was in them.

    Raises:
        ValueError: They were not encrypted for this key.
    """
    modulus, exponent = _numbers(_key(connection))
    size = (modulus.bit_length() + 7) // 8
    if not data or len(data) % size:
        raise ValueError(f"{len(data)} bytes are no blocks of {size}")
    return b"".join(
        _unpadded(pow(int.from_bytes(data[at : at + size]), exponent, modulus).to_bytes(size))
        for at in range(0, len(data), size)
    )


def _unpadded(block: bytes) -> bytes:
    """What stands in an opened block.

    `cryptography` hides wrong padding behind random bytes; the server says that it is wrong.
    """
    padding, zero, text = block[2:].partition(b"\0")
    if block[:2] != b"\0\2" or not zero or len(padding) < _LEAST_PADDING:
        raise ValueError("the padding is wrong")
    return text


def _key(connection: sqlite3.Connection) -> bytes:
    return settings.rsa_key(connection) or make_key(connection)


@functools.lru_cache(maxsize=8)
def _numbers(der: bytes) -> tuple[int, int]:
    """Modulus and private exponent."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_der_private_key,
    )

    key = load_der_private_key(der, None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("an RSA key is expected")
    numbers = key.private_numbers()
    return numbers.public_numbers.n, numbers.d


@functools.lru_cache(maxsize=8)
def _public(der: bytes) -> str:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        PublicFormat,
        load_der_private_key,
    )

    public = load_der_private_key(der, None).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()
