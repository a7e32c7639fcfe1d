"""What the service's own clock says, learnt from the `Date` header of its answers.

Signatures are judged on that clock, so absence can be proved on that clock only.
"""

from __future__ import annotations

import datetime as dt

from reconciler.model.seams import Clock


class ServerClock:
    """Our clock beside the service's.

    We sign with our own time. Only after the service has refused a timestamp as out of its window
    (15 minutes) do we sign with its time instead: until then a difference does no harm, and a header
    alone, perhaps of a proxy, should not change what we sign.
    """

    def __init__(self, clock: Clock) -> None:
        """Know nothing of the service's clock yet."""
        self._clock = clock
        self._seen: dt.datetime | None = None
        self._seen_at = 0.0
        self._own_time_refused = False

    @property
    def known(self) -> bool:
        """Whether any answer told its time."""
        return self._seen is not None

    def learn(self, server_time: dt.datetime | None) -> None:
        """Take in the `Date` of an answer that just came."""
        if server_time is not None:
            self._seen = server_time
            self._seen_at = self._clock.monotonic()

    @property
    def signs_with_own(self) -> bool:
        """Whether it is our own time that goes into signatures."""
        return not (self._own_time_refused and self.known)

    def distrust_own(self) -> None:
        """Note that our time was refused, if there is another to sign with."""
        self._own_time_refused = self._own_time_refused or self.known

    def server_now(self) -> dt.datetime | None:
        """The service's time, or a little less: the last `Date` plus the time since we saw it."""
        if self._seen is None:
            return None
        return self._seen + dt.timedelta(seconds=self._clock.monotonic() - self._seen_at)

    def signing_time(self) -> dt.datetime:
        """The time to put into a signature, aware UTC."""
        server_now = self.server_now()
        if self.signs_with_own or server_now is None:
            return self._clock.now()
        return server_now

    def ahead_seconds(self) -> float | None:
        """How far the service's clock is ahead of ours, about; None if it is not known."""
        server_now = self.server_now()
        if server_now is None:
            return None
        return (server_now - self._clock.now()).total_seconds()
