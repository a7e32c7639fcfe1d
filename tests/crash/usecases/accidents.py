"""Accidents: calls and reads that go wrong, processes that are killed, the locks that they leave."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.crash.mortal import At
from tests.crash.usecases.applying import WAIT, Applying
from tests.crash.usecases.checks import LEASE_SECONDS
from tests.crash.usecases.draws import apply_deaths, create_faults, read_faults, unlock_deaths
from tests.crash.usecases.project import KILLED


class Accidents(Applying):
    """What goes wrong while something is applied, and what it leaves behind."""

    @rule(fault=create_faults, wait=st.booleans(), as_json=st.booleans())
    def apply_with_a_fault(self, fault: dict[str, Any], wait: bool, as_json: bool) -> None:
        """A create goes wrong on its way there or back."""
        self.apply(*(WAIT if wait else ()), fault=fault, as_json=as_json)

    @rule(fault=read_faults, wait=st.booleans(), as_json=st.booleans())
    def apply_half_blind(self, fault: dict[str, Any], wait: bool, as_json: bool) -> None:
        """Reads fail."""
        self.apply(*(WAIT if wait else ()), fault=fault, as_json=as_json)

    @rule(dies=apply_deaths, wait=st.booleans(), gone=st.booleans())
    def apply_and_die(self, dies: At, wait: bool, gone: bool) -> None:
        """The process is killed; its lock may be forgotten soon, or not."""
        self.apply(*(WAIT if wait else ()), dies=dies)
        if gone:
            self.project.advance(LEASE_SECONDS)

    @precondition(lambda self: self.lock_id() is not None)
    @rule(right=st.booleans(), dies=st.none() | unlock_deaths)
    def unlock(self, right: bool, dies: At | None) -> None:
        """Somebody ends the lock by its id, or by one that is none."""
        lock = self.lock_id()
        result = self.command("unlock", str(lock) if right else "nobody", dies=dies)
        assert result.code in {0 if right else 1, KILLED}, result
        if result.code != KILLED:
            assert self.lock_id() == (None if right else lock)
