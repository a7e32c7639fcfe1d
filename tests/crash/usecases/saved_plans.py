"""Pipelines that save a plan, have it reviewed, and apply it later, or twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.crash.mortal import At
from tests.crash.usecases.applying import WAIT
from tests.crash.usecases.checks import Checked, telling
from tests.crash.usecases.draws import apply_deaths, plan_deaths
from tests.crash.usecases.endings import ensure_honest
from tests.crash.usecases.project import KILLED
from tests.crash.usecases.specs import Spec, still_asked


@dataclass(frozen=True, slots=True)
class Saved:
    """A plan file, and the specs that it was made of."""

    text: str
    specs: Mapping[str, Spec]

    @property
    def calls(self) -> list[dict[str, str]]:
        """The parameters of each of its calls."""
        return [call["parameters"] for call in json.loads(self.text)["calls"]]


class SavedPlans(Checked):
    """`plan --out` and `apply PLANFILE`."""

    saved: Saved | None = None

    @property
    def plan_file(self) -> Path:
        """The one that all of them use."""
        return self.project.root / "plan.json"

    @rule(dies=st.none() | plan_deaths)
    def save(self, dies: At | None) -> None:
        """A plan goes to review; whoever is killed meanwhile leaves the plan before, or the new one."""
        before = self.saved.text if self.saved else None
        result = self.reading("plan", "--out", str(self.plan_file), dies=dies)
        after = self.plan_file.read_text() if self.plan_file.exists() else None
        if after == before:
            assert result.code == KILLED, telling(("plan",), result)
            return
        assert after is not None
        self.saved = Saved(after, dict(self.specs))
        self.reading("show", str(self.plan_file))

    @precondition(lambda self: self.saved is not None)
    @rule(wait=st.booleans(), as_json=st.booleans(), dies=st.none() | apply_deaths)
    def apply_saved(self, wait: bool, as_json: bool, dies: At | None) -> None:
        """It comes back from review, perhaps for the second time, and is killed, or not."""
        assert self.saved is not None
        options = (*(["--json"] if as_json else ()), *(WAIT if wait else ()))
        words = ("apply", str(self.plan_file), *options)
        # Where the specs at hand ask for something else, its calls do not leave.
        asked = {
            name: still_asked(one, self.specs.get(name)) if self.specs else one
            for name, one in self.saved.specs.items()
        }
        result = self.command(*words, dies=dies, starts=asked)
        planned = self.saved.calls
        for one in self.project.sent:
            assert any(wanted.items() <= one.items() for wanted in planned), (one, planned)
        if result.code not in {KILLED, 5}:
            ensure_honest(result, telling(words, result), waited=wait, as_json=as_json)
