"""Time and randomness as protocols, so that nothing else reads them."""

from __future__ import annotations

import datetime as dt
from typing import Protocol


class Clock(Protocol):
    """Time, so that nothing else reads it."""

    def now(self) -> dt.datetime:
        """This moment, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; `seconds` is not negative."""
        ...


class IdSource(Protocol):
    """Random names, so that tests can have repeatable ones."""

    def token(self, length: int) -> str:
        """`length` random lower-case base32 characters."""
        ...
