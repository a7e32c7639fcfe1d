"""What people do to specs and stores between the work of processes."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.crash.simulation.script import Declare, Edit, Remove, Rerun

#: What may be declared: the root node of a backfill or the flow of a manual flow, by name.
TARGETS = {"orders": "1", "users": "2", "rates": "3", "close": "test_flow"}
FLOWS = frozenset({"close"})

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: history}}
spec:
  specs: ["specs/*.yaml"]
  connections:
    prod:
      provider: dataworks
      region: cn-shanghai
      project: test_project
      projectId: 112345
      endpoint: simulator
      markers: {markers}
"""


@dataclass(frozen=True, slots=True)
class Spec:
    """One resource as declared. Each of `reruns` is one more generation of some days."""

    name: str
    days: frozenset[int] = frozenset()
    reruns: tuple[frozenset[int], ...] = ()
    parameter: int = 0

    def document(self) -> dict[str, object]:
        """The spec file's content."""
        flow = self.name in FLOWS
        target = {"flow": "test_flow"} if flow else {"rootNode": int(TARGETS[self.name])}
        scope = "flow" if flow else TARGETS[self.name]
        spec: dict[str, object] = {
            "connection": "prod",
            "target": target,
            "dates": {"list": [_date(day) for day in sorted(self.days)]},
            "onChange": "rerun",
        }
        if self.parameter:
            spec["params"] = {scope: {"version": str(self.parameter)}}
        if self.reruns:
            spec["reruns"] = [
                {
                    "generation": number,
                    "dates": [_date(day) for day in sorted(days)],
                    "reason": "wanted",
                }
                for number, days in enumerate(self.reruns, start=2)
            ]
        return {
            "apiVersion": "reconciler/v1",
            "kind": "ManualFlow" if flow else "Backfill",
            "metadata": {"name": self.name},
            "spec": spec,
        }


def _date(day: int) -> str:
    return f"2020-05-{day:02}"


@dataclass(slots=True)
class Office:
    """The project's folder, and how often people have asked for what."""

    root: Path
    specs: dict[str, Spec] = field(default_factory=dict)
    removed: dict[str, Spec] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """By work: how often it may start at most."""

    def open(self, *, markers: bool) -> None:
        """Write the project file."""
        (self.root / "specs").mkdir(parents=True)
        text = PROJECT.format(markers=json.dumps(markers))
        (self.root / "reconciler.yaml").write_text(text)

    def edit(self, act: Declare | Rerun | Edit | Remove) -> None:
        """Change a spec; what is not there cannot be changed."""
        known = self.specs.get(act.name)
        match act:
            case Declare(name, days):
                before = known or self.removed.pop(name, Spec(name))
                self._write(replace(before, days=days))
                for day in days:
                    self.asked[self.work(name, day)] = max(1, self.asked[self.work(name, day)])
            case Rerun(name, days) if known is not None:
                self._write(replace(known, reruns=(*known.reruns, days)))
                for day in days:
                    self.asked[self.work(name, day)] += 1
            case Edit(name) if known is not None:
                self._write(replace(known, parameter=known.parameter + 1))
                for work in self.asked:
                    if work.startswith(f"{TARGETS[name]} "):
                        self.asked[work] += 1
            case Remove(name) if known is not None:
                self.removed[name] = self.specs.pop(name)
                self._file(name).unlink()
            case _:
                pass

    def work(self, name: str, day: int) -> str:
        """What a unit is called in the ledger."""
        return f"{TARGETS[name]} {_date(day)}"

    def wanted(self) -> set[str]:
        """All that is declared."""
        return {self.work(spec.name, day) for spec in self.specs.values() for day in spec.days}

    def back_up(self) -> None:
        """Copy the state store; nobody has it open."""
        if self._store.exists():
            self._backup.unlink(missing_ok=True)
            with (
                closing(sqlite3.connect(self._store)) as store,
                closing(sqlite3.connect(self._backup)) as backup,
            ):
                store.backup(backup)

    def restore(self) -> None:
        """Put the copy in the store's place."""
        if self._backup.exists():
            self.lose_store()
            self._store.parent.mkdir(mode=0o700, exist_ok=True)
            shutil.copy(self._backup, self._store)

    def lose_store(self) -> None:
        """Delete the state store."""
        for file in self._store.parent.glob(f"{self._store.name}*"):
            file.unlink()

    @property
    def _store(self) -> Path:
        return self.root / ".reconciler" / "state.db"

    @property
    def _backup(self) -> Path:
        return self.root / "backup.db"

    def _write(self, spec: Spec) -> None:
        self.specs[spec.name] = spec
        self._file(spec.name).write_text(json.dumps(spec.document()))

    def _file(self, name: str) -> Path:
        return self.root / "specs" / f"{name}.yaml"
