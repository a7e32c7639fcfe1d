"""Death inside one process: what a SIGKILL leaves behind, without the process.

A `Mortal` dies at a named point: from then on every durable step and every request of it raises
`Killed`, so that whatever still runs while the exception unwinds (a `finally` that would give back the
lock, a task beside it) writes nothing and sends nothing, just as if it were gone.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from dataclasses import dataclass, field

import httpx

from reconciler.model.steps import Edge, Wire, all_points


class Killed(BaseException):
    """The end of a process: nothing in the product catches it."""


@dataclass(frozen=True, slots=True)
class At:
    """The `nth` time (from 1) that a named point is reached, or any that a pattern such as `sent.*` fits.

    Raises:
        ValueError: No point is called so.
    """

    point: str
    nth: int = 1

    def __post_init__(self) -> None:
        """Refuse what would never come."""
        if not any(self.fits(point) for point in all_points()):
            raise ValueError(f"there is no point {self.point}")

    def fits(self, point: str) -> bool:
        """Whether a point is meant."""
        return fnmatch.fnmatchcase(point, self.point)

    def is_now(self, point: str, seen: Counter[str]) -> bool:
        """Whether this is the moment, when `point` has been reached and all of `seen` so often."""
        return self.fits(point) and self.nth == sum(
            times for one, times in seen.items() if self.fits(one)
        )


@dataclass(slots=True)
class Mortal:
    """`Steps` of one process, which die at one of them, if it is ever reached."""

    dies: At | None = None
    dead: bool = False
    reached_points: Counter[str] = field(default_factory=Counter)
    last: str = ""

    def reached(self, point: str) -> None:
        """Take note, unless this is the end.

        Raises:
            Killed: It is, or was before.
        """
        self.ensure_alive()
        self.reached_points[point] += 1
        self.last = point
        if self.dies is not None and self.dies.is_now(point, self.reached_points):
            self.dead = True
            raise Killed(point)

    def ensure_alive(self) -> None:
        """Let nothing out of whoever is dead.

        Raises:
            Killed: They are.
        """
        if self.dead:
            raise Killed("dead")


#: The trace events that httpcore gives on a connection of its own, before and after the exchange.
_OUTWARD = {Wire.CONNECT: "connection.connect_tcp", Wire.HEAD: "http11.send_request_headers",
            Wire.BODY: "http11.send_request_body"}  # fmt: skip
_INWARD = {Wire.ANSWER_HEAD: "http11.receive_response_headers",
           Wire.ANSWER_BODY: "http11.receive_response_body"}  # fmt: skip


class TracedTransport(httpx.AsyncBaseTransport):
    """Tells of the phases of a request that never leaves the process, as a real connection would.

    Whoever watches may die in any of them: before the inner transport was asked, the service has seen
    nothing; after it, the service has executed the request.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, mortal: Mortal) -> None:
        """Carry requests to `inner` for as long as somebody lives."""
        self._inner = inner
        self._mortal = mortal

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request there and its answer back.

        Raises:
            Killed: Whoever sent it died on the way.
        """
        self._mortal.ensure_alive()
        await _tell(request, _OUTWARD)
        answer = await self._inner.handle_async_request(request)
        await _tell(request, _INWARD)
        return answer

    async def aclose(self) -> None:
        """Close the inner one."""
        await self._inner.aclose()


async def _tell(request: httpx.Request, phases: dict[Wire, str]) -> None:
    trace = request.extensions.get("trace")
    if trace is None:
        return
    for name in phases.values():
        for edge in Edge:
            await trace(f"{name}.{edge.value}", {})
