"""People who edit specs."""

from __future__ import annotations

import dataclasses

from hypothesis.stateful import precondition, rule

from tests.crash.usecases.checks import Checked
from tests.crash.usecases.draws import changes, day_sets, names, picks, values
from tests.crash.usecases.specs import Spec


class Editing(Checked):
    """They declare more, and less, and something else."""

    def declare(self, spec: Spec) -> None:
        """Write a spec, or write it anew."""
        self.specs[spec.name] = spec
        self.project.write(spec)

    @rule(name=names, days=day_sets)
    def write(self, name: str, days: frozenset[int]) -> None:
        """Somebody declares days, more or fewer than before."""
        before = self.specs.get(name, Spec(name=name, days=days))
        self.declare(dataclasses.replace(before, days=days))

    @precondition(lambda self: self.specs)
    @rule(pick=picks, value=values, on_change=changes)
    def edit(self, pick: int, value: str, on_change: str) -> None:
        """Somebody edits params, and says what that means."""
        spec = self.declared(pick)
        self.declare(dataclasses.replace(spec, value=value, on_change=on_change))

    @precondition(lambda self: self.specs)
    @rule(pick=picks, days=day_sets)
    def ask_again(self, pick: int, days: frozenset[int]) -> None:
        """Somebody adds a `reruns` entry."""
        spec = self.declared(pick)
        generation = max(spec.reruns, default=1) + 1
        if days & spec.days:
            reruns = {**spec.reruns, generation: days & spec.days}
            self.declare(dataclasses.replace(spec, reruns=reruns))

    @precondition(lambda self: self.specs)
    @rule(pick=picks)
    def remove(self, pick: int) -> None:
        """Somebody deletes a spec."""
        spec = self.declared(pick)
        del self.specs[spec.name]
        self.project.unwrite(spec)
