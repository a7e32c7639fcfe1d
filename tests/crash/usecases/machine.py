"""People, pipelines, accidents and time, in any order, around one project."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.crash.usecases.accidents import Accidents
from tests.crash.usecases.convergence import Convergence
from tests.crash.usecases.draws import day_sets, days, names
from tests.crash.usecases.editing import Editing
from tests.crash.usecases.looking import Looking
from tests.crash.usecases.project import Project
from tests.crash.usecases.saved_plans import SavedPlans
from tests.crash.usecases.specs import ROOTS, Spec, day_text
from tests.crash.usecases.stopping import Stopping
from tests.crash.usecases.stores import Stores
from tests.crash.usecases.strangers import Strangers


class UseCases(Editing, Looking, SavedPlans, Accidents, Strangers, Stopping, Stores, Convergence):
    """One project from its first spec to the day on which nothing is left open."""

    @initialize(
        layout=st.sampled_from(["per-date", "single"]),
        lag=st.sampled_from([0, 120]),
        markers=st.booleans(),
        fails=days,
        wanted=st.dictionaries(names, day_sets, max_size=4),
    )
    def begin(
        self,
        layout: str,
        lag: int,
        markers: bool,
        fails: int,
        wanted: Mapping[str, frozenset[int]],
    ) -> None:
        """A service of some kind: one node of it fails once on one day."""
        failure = {"date": day_text(fails), "times": 1}
        world = {
            "layout": layout,
            "listingLag": lag,
            "nodes": [{"id": ROOTS["users"], "fail": [failure]}],
        }
        self.project = Project(self.root, world, markers=markers)
        for name, on in wanted.items():
            self.declare(Spec(name=name, days=on))
