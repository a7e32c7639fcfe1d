"""Pipelines that apply what is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.crash.mortal import At
from tests.crash.usecases.checks import Checked, telling
from tests.crash.usecases.endings import ensure_honest
from tests.crash.usecases.ledger_model import MEMORY_SECONDS
from tests.crash.usecases.project import KILLED
from tests.crash.usecases.specs import ROOTS, Key
from tests.scenario.sandbox import Result

#: Long enough for every new run to be listed, and for every run to end.
LAG_SECONDS = 200

#: How `apply` follows runs. Nothing here takes that long: a wait for what never comes must be noticed.
WAIT = ("--wait", "--timeout", "3h")

#: Between the start of a run and the time at which it is looked for, no more than this may pass.
_REMEMBERED_SECONDS = MEMORY_SECONDS - 4 * 86400


class Applying(Checked):
    """`apply`, as pipelines run it."""

    def apply(
        self,
        *words: str,
        dies: At | None = None,
        fault: Mapping[str, Any] | None = None,
        as_json: bool = True,
    ) -> Result:
        """Apply what is declared, perhaps while the service has a fault."""
        held = self.lease_holds()
        words = ("apply", "--auto-approve", *(["--json"] if as_json else []), *words)
        self.project.faults([fault] if fault else [])
        result = self.command(*words, dies=dies, starts=self.specs)
        self.project.faults([])
        told = telling(words, result)
        if result.code == KILLED:
            return result
        if held and (result.code == 5 or self.lease_holds()):
            assert result.code == 5, told
            return result
        ensure_honest(result, told, waited="--wait" in words, as_json=as_json)
        if fault is None:
            assert result.code in {0, 3}, told
            self._found_again()
        if result.code == 0:
            assert self.plan()["summary"]["unknown"] == 0, told
        return result

    def _found_again(self) -> None:
        """After a sound apply, what it could find is on record again."""
        self.model.excused -= {key for key in self.model.excused if self._can_be_found(key)}

    def _can_be_found(self, key: Key) -> bool:
        spec, starts = self.specs.get(key[0]), self.model.units[key].starts
        return (
            spec is not None
            and key[0] in ROOTS
            and key[1] in spec.days
            and bool(starts)
            and all(LAG_SECONDS <= self.now - one.at < _REMEMBERED_SECONDS for one in starts)
            and starts[-1].ran.value == spec.value
        )

    @rule(wait=st.booleans(), as_json=st.booleans())
    def apply_all(self, wait: bool, as_json: bool) -> None:
        """An apply that nothing disturbs."""
        self.apply(*(WAIT if wait else ()), as_json=as_json)
