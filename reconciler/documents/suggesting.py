"""Words for messages: quoting what a person wrote, and guessing what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from reconciler.documents.source import visible

#: How much of a foreign text a message quotes, and how much of it is compared with known words.
QUOTE_LIMIT = 60
#: How many known words a hint lists where none of them is near.
_SOME = 8
#: How alike two words must be, by `difflib`: a letter more, less, other or in the wrong place.
_LIKENESS = 0.75


def quoted(text: str) -> str:
    """`text` in double quotes, cut, with control characters made visible."""
    return f'"{visible(text if len(text) <= QUOTE_LIMIT else text[: QUOTE_LIMIT - 1] + "…")}"'


def listed(words: Sequence[str], *, last: str = "or") -> str:
    """`a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def some_of(words: Sequence[str]) -> str:
    """`a, b and c`, or the first few and how many more there are."""
    if len(words) <= _SOME + 1:
        return listed(words, last="and")
    return f"{', '.join(words[:_SOME])} and {len(words) - _SOME} more"


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean "…"?` where a known word is spelt much like it, or an empty text."""
    by_lower = {item.lower(): item for item in known}
    wanted = word[:QUOTE_LIMIT].lower()
    near = difflib.get_close_matches(wanted, by_lower, n=1, cutoff=_LIKENESS)
    return f"did you mean {quoted(by_lower[near[0]])}?" if near else ""
