"""What every command is held against: its exit code, what it started, what it wrote, and the ledger."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from reconciler.model.attempts import AttemptState, RecordedState
from tests.crash.mortal import At
from tests.crash.oracle import Findings, judge
from tests.crash.tally import Tally
from tests.crash.usecases.ledger_model import Known, Model, started
from tests.crash.usecases.plans import keys_of
from tests.crash.usecases.project import KILLED, Project
from tests.crash.usecases.specs import Spec
from tests.crash.usecases.store_file import Head
from tests.scenario.sandbox import Result

CODES = frozenset({0, 1, 2, 3, 4, 5, KILLED})

#: Longer than a lease: the lock of whoever died counts no more.
LEASE_SECONDS = 61


@dataclass(slots=True)
class Seen:
    """What there is to see between two commands; `problems` are what its own verification finds."""

    head: Head | None
    record: RecordedState
    problems: tuple[str, ...]
    judged: bool = False


class Checked(RuleBasedStateMachine):
    """One project and what should be true of it; what happens to it is in the classes made of this one."""

    project: Project

    def __init__(self, root: Path, tally: Tally, happened: Counter[str]) -> None:
        """Begin with nothing.

        Args:
            root: Where the project is made, and removed again.
            tally: Of what the ledger shows.
            happened: How often something worth counting came about.
        """
        super().__init__()
        self.root = root
        self.tally = tally
        self.happened = happened
        self.specs: dict[str, Spec] = {}
        self.model = Model()
        self._seen: Seen | None = None
        self._fence = 0
        self._journal: list[str] = []

    @property
    def now(self) -> float:
        """Seconds since 1970, as everybody but the product takes them."""
        return self.project.time.wall()

    # Running commands.

    def command(
        self, *words: str, dies: At | None = None, starts: Mapping[str, Spec] | None = None
    ) -> Result:
        """Run a command and hold it against what holds for every command.

        Args:
            words: The command line.
            dies: Where it is killed, if it comes there.
            starts: What it may start, as declared; nothing without.
        """
        known, held = self.known(), self.lease_holds()
        result = self.project.run(*words, dies=dies)
        self.touched()
        told = telling(words, result)
        assert "Traceback" not in result.out + result.err, told
        assert "this is a bug" not in result.err, told
        assert result.code in CODES, told
        assert result.code != 5 or held, told
        wrong = self.model.account(self.project.ledger(), starts or {}, known, self.now)
        assert starts is not None or not self.project.sent, f"creates were sent by {told}"
        assert not wrong, f"{wrong}\n{told}"
        if result.code == KILLED:
            self.happened[f"{words[0]} killed"] += 1
        return result

    def reading(
        self, *words: str, codes: frozenset[int] = frozenset({0}), dies: At | None = None
    ) -> Result:
        """Run a command that changes nothing."""
        before, seen = self.project.store.dump(), self._seen
        result = self.command(*words, dies=dies)
        assert result.code in codes | {KILLED}, telling(words, result)
        assert self.project.store.dump() == before, f"{words} wrote to the store"
        self._seen = seen
        return result

    def plan(self) -> dict[str, Any]:
        """What the next apply would do; its exit code says the same."""
        result = self.reading("plan", "--json", "--detailed-exitcode", codes=frozenset({0, 2, 3}))
        plan: dict[str, Any] = result.json
        has = plan["summary"]
        expected = 2 if has["create"] + has["rerun"] + has["adopt"] else 0
        expected = expected or (3 if has["hold"] + has["unknown"] else 0)
        assert result.code == expected, f"{result.code} for {has}\n{result.err}"
        return plan

    # Looking past the product.

    def touched(self) -> None:
        """Whatever was seen of the store and the ledger may be out of date."""
        self._seen = None

    def replaced(self) -> None:
        """There is another store now, or none: nothing goes on from the one before."""
        self.touched()
        self._fence, self._journal = 0, []

    def seen(self) -> Seen:
        """What there is to see; looked at once between two commands."""
        if self._seen is None:
            self._seen = Seen(self.project.store.head(), *self.project.store.read())
        return self._seen

    def record(self) -> RecordedState:
        """What the store says."""
        return self.seen().record

    def known(self) -> Known:
        """What is on record."""
        record = self.record()
        runs = (run for one in record.attempts for run in one.run_ids)
        open_or_said = (
            key
            for one in record.attempts
            if one.state.unresolved or one.state is AttemptState.SETTLED
            for key in keys_of(one)
        )
        return Known(runs=frozenset(runs), kept=frozenset(open_or_said))

    def has_store(self) -> bool:
        """Whether there is a store, whole enough to be used."""
        return self.seen().head is not None

    def lock_id(self) -> str | None:
        """The lock that somebody took and never gave back, whether it still counts or not."""
        head = self.seen().head
        return None if head is None else head.lock_id

    def lease_holds(self) -> bool:
        """Whether such a lock still keeps others out."""
        head = self.seen().head
        if head is None or head.lock_id is None:
            return False
        return head.lease_until >= self.project.time.wall_millis()

    def declared(self, pick: int) -> Spec:
        """One of the specs that there are."""
        return self.specs[sorted(self.specs)[pick % len(self.specs)]]

    # What holds after every step.

    @invariant()
    def the_ledger_agrees(self) -> None:
        """No run twice, none lost, none invented; the journal is whole, and only grows."""
        seen = self.seen()
        if seen.judged:
            return
        seen.judged = True
        findings = self._findings()
        self.tally.count(findings)
        assert not findings, str(findings)
        assert not seen.problems, seen.problems
        if seen.head is not None:
            journal = self.project.store.journal()
            assert seen.head.fence >= self._fence, f"{seen.head.fence} after {self._fence}"
            assert journal[: len(self._journal)] == self._journal, "the journal was rewritten"
            self._fence, self._journal = seen.head.fence, journal

    def _findings(self) -> Findings:
        """The oracle's findings, less what people had the record lose."""
        ledger, record = self.project.ledger(), self.record()
        by_hand, excused = self.model.by_hand, self.model.excused
        ours = [
            entry
            for entry in ledger
            if not any(run in by_hand or key in excused for key, run in started(entry))
        ]
        lost = judge(ours, record, allowed=self.model.allowed).lost
        return dataclasses.replace(judge(ledger, record, allowed=self.model.allowed), lost=lost)


def telling(words: tuple[str, ...], result: Result) -> str:
    """A command and how it ended, for whoever reads why a history failed."""
    return f"{' '.join(words)}: exit code {result.code}\n{result.out}\n{result.err}"
