"""The end of every history: once the trouble is over, all that is declared comes to a known end."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from tests.crash.usecases.answers import Answers
from tests.crash.usecases.plans import left_open, units_of
from tests.scenario.processes import QUARANTINE_SECONDS

#: So many applies, each followed by whatever answers it needs, settle everything.
ROUNDS = 5

#: Why a unit may stay as it is for good.
HELD_FOR = frozenset({"failed", "behind_failed", "stopped", "changed", "lost_sight"})


class Convergence(Answers):
    """Applies and true answers, until nothing is open."""

    def teardown(self) -> None:
        """End well, unless something failed before: that is to be told, not what follows from it."""
        if not hasattr(self, "project"):
            return  # it was never begun
        try:
            if sys.exc_info()[0] is None:
                self._converge()
        finally:
            self.project.end()

    def _converge(self) -> None:
        for _ in range(ROUNDS):
            self.project.advance(QUARANTINE_SECONDS)
            self.apply()
            self.the_ledger_agrees()
            plan = self.plan()
            asked = [one for one in units_of(plan) if one.needs_an_answer]
            for unit in asked:
                self.answer(unit, 0)
            if not asked and not left_open(plan):
                break
        plan = self.plan()
        told = json.dumps(plan["actions"], indent=1)
        assert not left_open(plan), f"{left_open(plan)} after {ROUNDS} rounds: {told}"
        self._all_accounted_for(plan)

    def _all_accounted_for(self, plan: Mapping[str, Any]) -> None:
        """What is declared has run, or is held for a reason."""
        for one in units_of(plan):
            if one.decision == "none":
                assert self.model.units[one.key].last is not None, f"{one} never ran"
            if one.decision == "hold":
                assert one.reason in HELD_FOR, one
