"""Open connections: those on which work runs, and those that are asked about gates. One may be both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.attempts import RecordedState
from reconciler.model.runs import Tier
from reconciler.model.series import Subject
from reconciler.planning.facts import Service
from reconciler.ports import Connected, GateKeeper, Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One connection at work: its provider, and how long the service may take to list a call."""

    provider: Provider
    lag: dt.timedelta

    def tier(self, subject: Subject, recorded: RecordedState) -> Tier:
        """How well runs on a subject can be found again, as far as its workspace has shown."""
        survive = recorded.tags_survive.get(subject.home)
        return self.provider.tier(subject.kind, tags_survive=survive)

    def service(self, subject: Subject, recorded: RecordedState) -> Service:
        """What planning must know of it."""
        return Service(tier=self.tier(subject, recorded), lag=self.lag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Connections by name: those that run work, and those that keep gates."""

    runs: Mapping[str, Line]
    keepers: Mapping[str, GateKeeper] = field(default_factory=dict)

    @property
    def connected(self) -> dict[str, Connected]:
        """All of them, each once, by name."""
        runs: dict[str, Connected] = {name: line.provider for name, line in self.runs.items()}
        return dict(sorted({**self.keepers, **runs}.items()))

    @property
    def calls_made(self) -> int:
        """API calls sent so far over all of them."""
        return sum(one.calls_made for one in self.connected.values())
