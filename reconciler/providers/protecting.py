"""What protects a service that is overloaded or down from us: a budget for retries, and a breaker."""

from __future__ import annotations

import enum
from collections import deque

from reconciler.model.seams import Clock

#: Retries may be this part of all reads, and this many more at the beginning.
RETRIES_PER_READ = 0.1
RETRIES_AT_ONCE = 5.0

#: The breaker opens after this many failures in a row, or when half of this many calls failed.
FAILURES_IN_A_ROW = 5
CALLS_LOOKED_AT = 20

#: An open breaker lets a call through after this long, to see whether the service is back.
OPEN_SECONDS = 30.0


class RetryBudget:
    """How many more retries are allowed: each read earns a part of one, each retry spends one."""

    def __init__(self) -> None:
        """Begin with a few."""
        self._left = RETRIES_AT_ONCE

    def earn(self) -> None:
        """A read is sent for the first time."""
        self._left = min(RETRIES_AT_ONCE, self._left + RETRIES_PER_READ)

    def spend(self) -> bool:
        """Whether a retry is allowed; if so, it is spent."""
        # Ten tenths are a whole one, whatever floats make of them.
        if self._left < 1.0 - 1e-9:
            return False
        self._left -= 1.0
        return True


class _State(enum.Enum):
    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """Keeps calls from a service that fails again and again; now and then one looks whether it is back."""

    def __init__(self, clock: Clock) -> None:
        """Let everything through."""
        self._clock = clock
        self._state = _State.CLOSED
        self._opened_at = 0.0
        self._in_a_row = 0
        self._recent: deque[bool] = deque(maxlen=CALLS_LOOKED_AT)

    def closed_for(self) -> float:
        """Seconds until a call may leave; 0 if one may now, which then is on its way."""
        if self._state is _State.CLOSED:
            return 0.0
        left = self._opened_at + OPEN_SECONDS - self._clock.monotonic()
        if left > 0:
            return left
        # One probe at a time; one that never reports back is followed by the next.
        self._state = _State.PROBING
        self._opened_at = self._clock.monotonic()
        return 0.0

    def passed(self) -> None:
        """A call was answered."""
        if self._state is not _State.CLOSED:
            self._recent.clear()
        self._state = _State.CLOSED
        self._in_a_row = 0
        self._recent.append(True)

    def failed(self) -> None:
        """A call was throttled, or got no usable answer."""
        self._in_a_row += 1
        self._recent.append(False)
        half = len(self._recent) == CALLS_LOOKED_AT and sum(self._recent) <= CALLS_LOOKED_AT / 2
        if self._state is not _State.CLOSED or self._in_a_row >= FAILURES_IN_A_ROW or half:
            self._state = _State.OPEN
            self._opened_at = self._clock.monotonic()
            self._recent.clear()
