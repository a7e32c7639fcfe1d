from __future__ import annotations

import pytest

from reconciler.documents.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("False", False), ("NULL", None), ("~", None), ("", None),
        ("0", 0), ("-12", -12), ("+3", 3), ("007", 7),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("-2.", -2.0),
    ],
)  # fmt: skip
def test_core_scalars_have_their_meaning(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    ["no", "yes", "on", "off", "12:30", "2020-05-20", "0x1F", "0o17", ".inf", ".nan", "1e999", "1_000",
     "tRUE", "nil", "-", "+", ".", "1.2.3", "9" * 41, "١٢"],
)  # fmt: skip
def test_everything_else_is_text(text: str) -> None:
    assert resolve(text) == text
