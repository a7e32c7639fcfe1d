"""Desired state: what specs declare after defaults, checks and the resolution of relative dates."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.model.addresses import Address
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Place
from reconciler.model.rangemap import RangeMap
from reconciler.model.series import Series


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
    annotations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def dates(self) -> DateSet:
        """The desired data dates."""
        return self.generations.dates
