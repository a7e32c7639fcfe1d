"""A project with a past of every kind, whose files can be put back as they were."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crash.oracle import Findings, judge, record_of
from tests.scenario.backfilled import Work
from tests.scenario.sandbox import Result, Sandbox, decisions

#: The simulator forgets nothing: its ledger is a file beside the store, which no damage touches.
STORE = "state.db"

#: What was asked for a second time, by a `reruns` entry.
TWICE = "1 2020-05-22"

Files = dict[str, bytes]


def allowed(work: Work) -> int:
    """How often some work may have started."""
    return 2 if work == TWICE else 1


@dataclass(frozen=True, slots=True)
class Truth:
    """What commands said of the store while it was sound."""

    decisions: dict[str, list[str]]
    entries: Any
    ledger: int


class LivedIn:
    """A project after some real commands; every case starts from a copy of its files.

    On record are runs of two generations, a call proved absent and sent again, one that was refused, and
    a manual run of unknown outcome. One date is left to start, so that an apply has something to do.
    """

    def __init__(self, root: Path) -> None:
        """Run the commands."""
        self.sandbox = sandbox = Sandbox(root)
        self.folder = root / ".reconciler"
        create = "RunCycleDagNodes"
        sandbox.backfill("orders")
        assert sandbox.apply("--wait").code == 0
        sandbox.backfill("proof", target={"rootNode": 9}, dates={"list": ["2020-05-20"]})
        sandbox.faults([{"operation": create, "nth": 1, "effect": "drop"}])
        assert sandbox.apply().code == 3
        sandbox.advance(20 * 60)
        assert sandbox.apply("--wait").code == 0
        self.older = self._read()
        # Whoever else has the file open keeps the write-ahead log from being written back.
        keeper = sqlite3.connect(self.store)
        keeper.execute("SELECT COUNT(*) FROM stack").fetchall()
        rerun = {"generation": 2, "dates": ["2020-05-22"], "reason": "repaired"}
        sandbox.backfill("orders", reruns=[rerun])
        assert sandbox.apply("--wait").code == 0
        sandbox.backfill("refused", target={"rootNode": 5}, dates={"list": ["2020-05-20"]})
        sandbox.flow()
        refused = {"effect": "http", "status": 400, "code": "InvalidParameter"}
        sandbox.faults(
            [
                {"operation": create, "nth": 1, **refused},
                {"operation": "CreateManualDag", "nth": 1, "effect": "execute_then_drop"},
            ]
        )
        assert sandbox.apply().code in {1, 3}
        self.in_wal = self._read()
        keeper.close()
        self.newer = self._read()
        self.truth = self._truth()
        assert not judge(sandbox.ledger(), record_of(root), allowed=allowed)

    def _truth(self) -> Truth:
        planned = decisions(self.sandbox.plan())
        assert len(planned) == 3, planned
        history = self.sandbox.run("history", "--json")
        self.put_back()
        return Truth(planned, history.json, len(self.sandbox.ledger()))

    def _read(self) -> Files:
        kept = (file for file in self.folder.rglob("*") if file.is_file())
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in kept}

    def put_back(self) -> None:
        """Have every file as it was."""
        for file in self.folder.rglob("*"):
            if file.is_file():
                file.unlink()
        self.write(self.newer)

    def write(self, files: Files) -> None:
        """Write files of the store's folder."""
        for name, content in files.items():
            file = self.folder / name
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.write_bytes(content)
            file.chmod(0o600)

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.folder / STORE

    def judged(self) -> Findings:
        """What the ledger says of the record, both as they are now."""
        return judge(self.sandbox.ledger(), record_of(self.sandbox.root), allowed=allowed)

    def run(self, *words: str) -> Result:
        """Run a command."""
        return self.sandbox.run(*words)
