"""People who start runs in the console, and say that these count."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.crash.mortal import At
from tests.crash.usecases.applying import LAG_SECONDS
from tests.crash.usecases.checks import Checked, telling
from tests.crash.usecases.draws import days, names, picks, ruling_deaths
from tests.crash.usecases.ledger_model import Ran
from tests.crash.usecases.plans import units_of
from tests.crash.usecases.project import KILLED
from tests.crash.usecases.specs import Spec, day_text
from tests.scenario.sandbox import Result


class Strangers(Checked):
    """Runs that nobody told us of, and `adopt`."""

    @rule(name=names, day=days)
    def start_by_hand(self, name: str, day: int) -> None:
        """Somebody starts the same work in the console."""
        self._start(name, day)

    @precondition(lambda self: self.model.by_hand)
    @rule(pick=picks, dies=st.none() | ruling_deaths)
    def adopt(self, pick: int, dies: At | None) -> None:
        """Somebody says that one of these runs counts, be that possible or not."""
        self._adopt(sorted(self.model.by_hand)[pick % len(self.model.by_hand)], dies)

    @precondition(lambda self: self.specs and self.has_store())
    @rule(pick=picks)
    def start_and_adopt(self, pick: int) -> None:
        """Somebody starts what is missing, and says so: it is taken, unless somebody has the lock."""
        plan, open_calls = self.plan(), self.known().kept
        missing = [one.key for one in units_of(plan) if one.decision == "create"]
        missing = [key for key in missing if key not in open_calls]
        if missing:
            run = self._start(*missing[pick % len(missing)])
            self.project.advance(LAG_SECONDS)
            result = self._adopt(run)
            assert result.code in {0, 5}, result

    def _start(self, name: str, day: int) -> str:
        run = self.project.start_by_hand(name, day_text(day))
        self.model.seen = len(self.project.ledger())
        self.model.by_hand[run] = (name, day)
        self.touched()
        return run

    def _adopt(self, run: str, dies: At | None = None) -> Result:
        name, day = self.model.by_hand[run]
        spec = self.specs.get(name, Spec(name=name, days=frozenset()))
        before = self.project.store.events("adopted")
        words = ("adopt", spec.address, "--run-id", run)
        result = self.command(*words, dies=dies)
        taken = self.project.store.events("adopted") > before
        assert result.code == KILLED or (result.code == 0) == taken, telling(words, result)
        if taken:
            assert day in spec.days, telling(words, result)
            self.model.units[name, day].last = Ran(spec.value, spec.generation(day))
            self.model.units[name, day].licenses = 0
            self.happened["adopted"] += 1
        return result
