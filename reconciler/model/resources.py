"""Desired state: what specs declare after defaults, checks and the resolution of relative dates."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.model.addresses import Address
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Place
from reconciler.model.gates import GateRef
from reconciler.model.rangemap import RangeMap
from reconciler.model.series import Series

_SAME_DATE = "@date"


class OnFailure(enum.Enum):
    """What happens to a unit whose run failed."""

    HOLD = "hold"
    RERUN = "rerun"


class OnChange(enum.Enum):
    """What happens to units that ran before their params or nodes were edited."""

    HOLD = "hold"
    RERUN = "rerun"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """Whom the orchestrator shall tell.

    `on` is `success`, `failure` or `success_failure`; `by` is `SMS`, `MAIL` or `SMS_MAIL`.
    """

    on: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How a call runs; never part of what runs.

    `parallelism` is how many data dates of one call may run at once, 1 to 10.
    """

    parallelism: int = 1
    alerts: Alerts | None = None


class Order(enum.Enum):
    """Which dates of a rollout go first."""

    OLDEST = "oldest"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How the dates of a resource are started: in batches by their position in all desired dates.

    The first `canary` dates (0: none) are the first batch and must succeed; then come groups of
    `max_active_dates`. A later batch opens when nothing of those before is left to start, in flight or
    unknown, and fewer than `stop_after_failures` (at least 1) of their dates failed. One call holds at
    most `max_dates_per_call` dates. None means no bound.
    """

    canary: int = 0
    max_dates_per_call: int | None = None
    max_active_dates: int | None = None
    stop_after_failures: int = 1
    order: Order = Order.OLDEST

    def __post_init__(self) -> None:
        """Refuse bounds under which no batch would ever be full.

        Raises:
            ValueError: `canary` is negative, or another number less than 1.
        """
        bounds = (self.max_dates_per_call, self.max_active_dates, self.stop_after_failures)
        if self.canary < 0 or any(bound is not None and bound < 1 for bound in bounds):
            raise ValueError(f"no such rollout: {self}")

    @property
    def in_batches(self) -> bool:
        """Whether there may be more than one batch."""
        return self.canary > 0 or self.max_active_dates is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What must be done before units may start: a whole resource, or the same date of it.

    `place` is where a spec says so, for messages.
    """

    address: Address
    same_date: bool = False
    place: Place | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, text: str, place: Place | None = None) -> Requirement:
        """Parse `ADDR` or `ADDR@date`.

        Raises:
            ValueError: The address is malformed.
        """
        name = text.removesuffix(_SAME_DATE)
        return cls(address=Address.parse(name), same_date=name != text, place=place)

    def __str__(self) -> str:
        return f"{self.address}{_SAME_DATE}" if self.same_date else str(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One declared Backfill or ManualFlow.

    `generations` maps each desired data date to its desired generation (at least 1), so its dates are
    the desired dates. `max_attempts` is at least 1 and counts the first run.
    """

    address: Address
    connection: str
    series: Series
    generations: RangeMap[int]
    place: Place
    tuning: Tuning = field(default_factory=Tuning)
    on_failure: OnFailure = OnFailure.HOLD
    max_attempts: int = 3
    on_change: OnChange = OnChange.HOLD
    requires: tuple[Requirement, ...] = ()
    gates: tuple[GateRef, ...] = ()
    rollout: Rollout = field(default_factory=Rollout)
    annotations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def dates(self) -> DateSet:
        """The desired data dates."""
        return self.generations.dates

    @property
    def conditional(self) -> bool:
        """Whether some of its units may have to wait for others, or for a gate."""
        return bool(self.requires or self.gates) or self.rollout.in_batches
