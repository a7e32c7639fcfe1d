"""What changed outside: units on which record and service differ, and not by our doing."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.dates import DateSet


class DriftKind(enum.Enum):
    """What somebody else did, or the service."""

    REPAIRED = "repaired"
    """Failed, not run or stopped by the record; runs again, or has succeeded."""
    RESTARTED = "restarted"
    """Succeeded by the record; runs again."""
    BROKEN = "broken"
    """Succeeded by the record; has failed since."""
    VANISHED = "vanished"
    """In flight by the record; the service knows it no more."""
    UNRECORDED = "unrecorded"
    """A run that bears our tag and is not on record."""
    FOREIGN = "foreign"
    """Somebody else's run of the same node or flow for the same dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Units of one address on which the same thing happened; `run_ids` as far as known."""

    address: Address
    dates: DateSet
    kind: DriftKind
    run_ids: tuple[str, ...]
