"""Canonical JSON and digests: one way to write a value, so that equal values have equal bytes."""

from __future__ import annotations

import base64
import hashlib
import json


def canonical_json(value: object) -> str:
    """Write JSON with sorted keys, no spaces, and text as it is (UTF-8)."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(value: object) -> str:
    """SHA-256 over the canonical JSON of `value`: 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def short_digest(value: object) -> str:
    """The first 16 base32 characters, lower case, of SHA-256 over the canonical JSON (80 bits)."""
    raw = hashlib.sha256(canonical_json(value).encode()).digest()
    return base64.b32encode(raw).decode("ascii").lower()[:16]
