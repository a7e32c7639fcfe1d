"""Taking our secrets out of what a service answers: by their value, wherever they stand.

A service that is asked wrongly likes to repeat what it was asked with: a token in an error message, a
signed text, a page of HTML. What is repeated is known by its value, as it is and in the forms in which
JSON, URLs and HTML write it; the name of a field tells nothing.
"""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

#: What stands in the place of a secret.
REDACTED = "***"


def redacted(data: bytes, secrets: Iterable[str]) -> bytes:
    """`data` without any form of the secrets; empty ones are none."""
    for form in _forms(frozenset(filter(None, secrets))):
        data = data.replace(form, REDACTED.encode())
    return data


def redacted_text(text: str, secrets: Iterable[str]) -> str:
    """As `redacted`, for text, which may hold half characters."""
    raw = text.encode("utf-8", "surrogatepass")
    return redacted(raw, secrets).decode("utf-8", "surrogatepass")


@functools.lru_cache(maxsize=64)
def _forms(secrets: frozenset[str]) -> tuple[bytes, ...]:
    """Each form of each secret, the longer first: one may be a part of another."""
    forms = {form.encode() for secret in secrets for form in _spellings(secret)}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _spellings(secret: str) -> Iterable[str]:
    yield secret
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield html.escape(secret)
