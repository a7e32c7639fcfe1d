"""Words for messages: quoting what a person wrote, and guessing what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from reconciler.documents.source import visible

#: How much of a foreign text a message quotes, and how much of it is compared with known words.
QUOTE_LIMIT = 60


def quoted(text: str) -> str:
    """`text` in double quotes, cut, with control characters made visible."""
    return f'"{visible(text if len(text) <= QUOTE_LIMIT else text[: QUOTE_LIMIT - 1] + "…")}"'


def listed(words: Sequence[str], *, last: str = "or") -> str:
    """`a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean "…"?` for the nearest known word, or an empty text."""
    by_lower = {item.lower(): item for item in known}
    near = difflib.get_close_matches(word[:QUOTE_LIMIT].lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean {quoted(by_lower[near[0]])}?" if near else ""
