"""Fitting what there is to tell into bounded room, the weightiest first.

Nothing is cut: a thing is shown whole or left out, and how many are left out of each part is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from reconciler.rendering.markdown import size


def characters(text: str) -> int:
    """The room that a text takes on a page of bounded length, its line end included."""
    return size(text) + 1


def lines(text: str) -> int:
    """The room that a text takes on a page of so many lines."""
    return text.count("\n") + 1


class Part:
    """Things of one kind, of which as many are kept as fit, from the first on.

    Args:
        noun: What they are, in the plural, for the sentence that tells how many are missing.
        total: How many there are; `items` yields as many.
        items: Each one's text, without a line end; made only as far as there is room.
        frame: What stands around them if any is kept, such as a heading; it counts once.
        measure: How much room a text takes.
    """

    def __init__(
        self,
        noun: str,
        total: int,
        items: Iterator[str],
        *,
        frame: str = "",
        measure: Callable[[str], int] = characters,
    ) -> None:
        self.noun = noun
        self.total = total
        self.kept: list[str] = []
        self._items = items
        self._measure = measure
        self._frame = measure(frame) if frame else 0
        self._next: str | None = None

    @property
    def missing(self) -> int:
        """How many are left out."""
        return self.total - len(self.kept)

    def take(self, room: int) -> int:
        """Keep as many more as fit; returns how much room they take."""
        taken = 0
        while (item := self._peek()) is not None:
            cost = self._measure(item) + (0 if self.kept else self._frame)
            if taken + cost > room:
                break
            taken += cost
            self.kept.append(item)
            self._next = None
        return taken

    def _peek(self) -> str | None:
        if self._next is None:
            self._next = next(self._items, None)
        return self._next


def fit(parts: Sequence[Part], room: int) -> int:
    """Share room among parts, the weightiest first; returns what is left of it.

    None takes more than three quarters of what those before it left, so that all have a say; what is
    left after that is given out once more in the same order.
    """
    left = room
    for part in parts:
        left -= part.take(left * 3 // 4)
    for part in parts:
        left -= part.take(left)
    return left


def left_out(parts: Sequence[Part]) -> str:
    """How many of what are left out, in words; empty where all are kept."""
    return "; ".join(
        f"{part.missing} of {part.total} {part.noun}" for part in parts if part.missing
    )
