"""People who only look."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.crash.mortal import At
from tests.crash.usecases.checks import Checked, telling
from tests.crash.usecases.draws import picks, status_deaths
from tests.crash.usecases.plans import essence
from tests.crash.usecases.project import KILLED
from tests.crash.usecases.specs import day_text


class Looking(Checked):
    """Their commands change nothing, but that `status` records what it sees."""

    @rule()
    def plan_twice(self) -> None:
        """Nothing happened in between, so nothing differs but names and times."""
        first, second = self.plan(), self.plan()
        if not first["summary"]["wait"]:
            assert essence(first) == essence(second)

    @rule(
        words=st.sampled_from(
            ["plan", "drift", "validate", "history --verify", "state list", "state pull"]
        )
    )
    def look(self, words: str) -> None:
        """Some need a store to look into."""
        needs_one = words.startswith(("history", "state")) and not self.has_store()
        self.reading(*words.split(), codes=frozenset({1 if needs_one else 0}))

    @precondition(lambda self: self.specs)
    @rule(pick=picks)
    def explain(self, pick: int) -> None:
        """Why a unit is where it is."""
        spec = self.declared(pick)
        self.reading("explain", f"{spec.address}@{day_text(min(spec.days))}")

    @rule(dies=st.none() | status_deaths)
    def status(self, dies: At | None) -> None:
        """It may be killed while it records."""
        result = self.command("status", dies=dies)
        assert result.code in {0, 3, 5, KILLED}, telling(("status",), result)
