"""A name for every step that outlives the process: what is written durably, and what goes over the wire.

A crash between two of them is what the create protocol is made for. Whoever wants to try one out gives a
`Steps` to the workspace: it is told of each point as it is reached, and may kill the process there.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Protocol


class Durable(enum.Enum):
    """One transaction of the state store, or one file written."""

    CREATE_STORE = "create_store"
    UPGRADE_STORE = "upgrade_store"
    ACQUIRE = "acquire"
    RENEW = "renew"
    RELEASE = "release"
    UNLOCK = "unlock"
    INTENT = "intent"
    SENT = "sent"
    SETTLE = "settle"
    ADOPT = "adopt"
    ABSENT = "absent"
    OBSERVE = "observe"
    TAGS = "tags"
    COUNT = "count"
    RULING = "ruling"
    PLAN_FILE = "plan_file"


class Moment(enum.Enum):
    """Where in a durable step: before it, when all is written but not yet durable, when it is durable."""

    BEGIN = "begin"
    WRITTEN = "written"
    DURABLE = "durable"


class Exchange(enum.Enum):
    """What a request is: one that may be sent again, or one that must not."""

    READ = "read"
    CREATE = "create"


class Wire(enum.Enum):
    """One phase of a request over a real connection."""

    CONNECT = "connect"
    TLS = "tls"
    HEAD = "head"
    BODY = "body"
    ANSWER_HEAD = "answer_head"
    ANSWER_BODY = "answer_body"


class Edge(enum.Enum):
    """Before or after a phase."""

    STARTED = "started"
    COMPLETE = "complete"


class Steps(Protocol):
    """Is told of every point; must not raise."""

    def reached(self, point: str) -> None:
        """Take note of one of the names that `all_points` gives."""
        ...


class Unwatched:
    """Nobody wants to know."""

    def reached(self, point: str) -> None:
        """Do nothing."""


def durable_point(step: Durable, moment: Moment) -> str:
    """Such as `sent.durable`."""
    return f"{step.value}.{moment.value}"


def wire_point(exchange: Exchange, phase: Wire, edge: Edge) -> str:
    """Such as `create.body.complete`."""
    return f"{exchange.value}.{phase.value}.{edge.value}"


def all_points() -> Iterator[str]:
    """Every name that `Steps.reached` can be given."""
    yield from (durable_point(step, moment) for step in Durable for moment in Moment)
    yield from (
        wire_point(exchange, phase, edge)
        for exchange in Exchange
        for phase in Wire
        for edge in Edge
    )
