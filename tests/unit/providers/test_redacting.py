from __future__ import annotations

import html
import json
from urllib.parse import quote, quote_plus

import pytest

from reconciler.providers.redacting import redacted, redacted_text

SECRET = 'sec/r+et "<&é'


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(SECRET).replace("/", "\\/"),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        html.escape(SECRET),
    ],
)
def test_a_secret_is_found_however_it_is_written(written: str) -> None:
    shown = redacted(f"before {written} after".encode(), [SECRET]).decode()
    assert shown.replace('"', "") == "before *** after"


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert redacted_text("abcdef abc", ["abc", "abcdef"]) == "*** ***"


def test_an_empty_secret_is_none() -> None:
    assert redacted(b"text", ["", ""]) == b"text"
    assert redacted_text("half \ud800", ["x"]) == "half \ud800"
