"""The small seams: names in sequence, events in a list, a stop signal that is a flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reconciler.model.events import Event

E = TypeVar("E")

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class SequentialIds:
    """An `IdSource` that counts: `aaaa`, `aaab`, … No two tokens of one length are equal."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._made = 0

    def token(self, length: int) -> str:
        """The next number in base32, cut to its last `length` digits."""
        left, text = self._made, ""
        for _ in range(length):
            left, digit = divmod(left, len(_ALPHABET))
            text = _ALPHABET[digit] + text
        self._made += 1
        return text


class ListReporter:
    """A `Reporter` that keeps what it is told, in order.

    `on_event` is called with each event as well, for what shall happen at that moment.
    """

    def __init__(self, on_event: Callable[[Event], None] | None = None) -> None:
        """Nothing was told yet."""
        self.events: list[Event] = []
        self._on_event = on_event

    def report(self, event: Event) -> None:
        """Keep one event."""
        self.events.append(event)
        if self._on_event is not None:
            self._on_event(event)

    def of(self, kind: type[E]) -> list[E]:
        """Those of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


class FlagStop:
    """A `Stop` that somebody sets."""

    def __init__(self) -> None:
        """Nobody asked to stop."""
        self._asked = False

    def set(self) -> None:
        """Ask to stop."""
        self._asked = True

    def is_set(self) -> bool:
        """Whether somebody asked."""
        return self._asked
