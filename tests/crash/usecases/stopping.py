"""People who stop what runs, or take it off the record."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.crash.mortal import At
from tests.crash.usecases.answers import WHY
from tests.crash.usecases.applying import Applying
from tests.crash.usecases.checks import telling
from tests.crash.usecases.draws import day_sets, picks, ruling_deaths
from tests.crash.usecases.project import KILLED
from tests.crash.usecases.specs import Spec, day_text


class Stopping(Applying):
    """`stop` and `state forget`."""

    @precondition(lambda self: self.specs and self.has_store())
    @rule(pick=picks, dies=st.none() | ruling_deaths)
    def stop(self, pick: int, dies: At | None) -> None:
        """Somebody stops what runs."""
        spec = self.declared(pick)
        words = ("stop", _units(spec, min(spec.days), max(spec.days)), *WHY)
        result = self.command(*words, dies=dies)
        assert result.code in {0, 1, 3, 5, KILLED}, telling(words, result)
        if result.code in {0, 3}:
            self.happened["stopped"] += 1

    @precondition(lambda self: self.specs)
    @rule(pick=picks, seconds=st.sampled_from([1, 20, 70]), dies=st.none() | ruling_deaths)
    def stop_what_began(self, pick: int, seconds: int, dies: At | None) -> None:
        """Somebody applies, sees that it was wrong, and stops it."""
        self.apply()
        self.project.advance(seconds)
        if self.has_store():
            self.stop(pick, dies)

    @precondition(lambda self: self.specs and self.has_store())
    @rule(pick=picks, days=day_sets, dies=st.none() | ruling_deaths)
    def forget(self, pick: int, days: frozenset[int], dies: At | None) -> None:
        """Somebody takes units off the record."""
        spec, first, last = self.declared(pick), min(days), max(days)
        before = self.project.store.events("forgotten")
        words = ("state", "forget", _units(spec, first, last))
        result = self.command(*words, dies=dies)
        taken = self.project.store.events("forgotten") > before
        assert result.code == KILLED or (result.code == 0) == taken, telling(words, result)
        if taken:
            self.happened["forgotten"] += 1
            for day in range(first, last + 1):
                self.model.units[spec.name, day].forget_words()
                self.model.excused.add((spec.name, day))


def _units(spec: Spec, first: int, last: int) -> str:
    """As commands name them."""
    return f"{spec.address}@{day_text(first)}..{day_text(last)}"
