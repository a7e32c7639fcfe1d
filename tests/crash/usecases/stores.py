"""Time that passes, clocks that are wrong, and stores that are copied, put back and lost."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.crash.usecases.applying import LAG_SECONDS
from tests.crash.usecases.checks import LEASE_SECONDS, Checked
from tests.crash.usecases.draws import skews
from tests.crash.usecases.ledger_model import Unit
from tests.crash.usecases.specs import Key
from tests.crash.usecases.store_file import Backup
from tests.scenario.processes import QUARANTINE_SECONDS

_DAY = 86400


class Stores(Checked):
    """What happens while nobody does anything, and to the disk."""

    backup: tuple[Backup, Mapping[Key, Unit]] | None = None

    @rule(
        seconds=st.sampled_from(
            [LEASE_SECONDS, LEASE_SECONDS, LAG_SECONDS, QUARANTINE_SECONDS, _DAY, 35 * _DAY]
        )
    )
    def later(self, seconds: int) -> None:
        """Time passes."""
        self.project.advance(seconds)

    @rule(skew=skews)
    def go_on_elsewhere(self, skew: float) -> None:
        """Commands run on another machine from now on, whose clock is right or wrong."""
        self.project.skew = skew

    @precondition(lambda self: self.has_store())
    @rule()
    def back_up(self) -> None:
        """A copy of the store is kept."""
        self.backup = (self.project.store.save(), self.model.memory())

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self) -> None:
        """The copy takes the place of the store, after the time that the documents ask for."""
        assert self.backup is not None
        files, memory = self.backup
        self.project.advance(QUARANTINE_SECONDS)
        self.project.store.restore(files)
        self.model.restored(memory)
        self.replaced()

    @precondition(lambda self: self.has_store())
    @rule()
    def lose(self) -> None:
        """The store is gone."""
        self.project.advance(QUARANTINE_SECONDS)
        self.project.store.lose()
        self.model.restored({})
        self.replaced()
