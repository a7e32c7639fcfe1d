"""A create call on its way to the service: spelled, then signed; and what a check of a connection tells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.model.dates import DateSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A signed create request, ready to be sent once.

    `valid_until` is the moment, on the service's own clock, after which it refuses this signature:
    max(signed time, server time seen just before) + 15 min + skew.
    """

    operation: str
    request: object
    request_digest: str
    signed_at: dt.datetime
    valid_until: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WireCall:
    """A create call as the service will see it: operation and exact parameters."""

    operation: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReport:
    """What stopping did: how many pieces of work were stopped, and a line for each that goes on.

    `dates` are those on which something was stopped and nothing runs any more.
    """

    dates: DateSet
    stopped: int
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What one signed read told of a connection: one line each, in the order to show them.

    `sound` says that it was answered and allowed.
    """

    sound: bool
    lines: tuple[str, ...]
