"""The state store as a file on a disk: read by nobody's leave, copied, lost and put back."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.model.attempts import RecordedState
from tests.crash.oracle import store_of

#: A copy of the store: its files by name.
Backup = Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Its one row about itself; a lock whose lease ran out (milliseconds since 1970) is still named."""

    fence: int
    lock_id: str | None
    lease_until: int


class StoreFile:
    """The store of a project, if there is one."""

    def __init__(self, root: Path) -> None:
        """Look into the project at `root`."""
        self._root = root
        self._path = root / ".reconciler" / "state.db"

    def rows(self, statement: str, *values: object) -> list[Any]:
        """Ask the store, or nobody where there is none."""
        if not self._path.exists():
            return []
        with contextlib.closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(statement, values).fetchall()

    def head(self) -> Head | None:
        """None where there is no store, or one half made."""
        if not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'stack'"):
            return None
        for fence, lock_id, until in self.rows("SELECT fence, lease_id, lease_until FROM stack"):
            return Head(fence=fence, lock_id=lock_id, lease_until=until or 0)
        return None

    def events(self, event: str) -> int:
        """How often the journal says that something happened."""
        if self.head() is None:
            return 0
        ((times,),) = self.rows("SELECT count(*) FROM journal WHERE event = ?", event)
        return int(times)

    def journal(self) -> list[str]:
        """The hash of each entry of the journal."""
        return [one for (one,) in self.rows("SELECT hash FROM journal ORDER BY seq")]

    def dump(self) -> tuple[str, ...]:
        """Everything the store holds."""
        if not self._path.exists():
            return ()
        with contextlib.closing(sqlite3.connect(self._path)) as connection:
            return tuple(connection.iterdump())

    def read(self) -> tuple[RecordedState, tuple[str, ...]]:
        """What it says, and what `history --verify` has to say against it; nothing where there is none."""
        with store_of(self._root) as store:
            return (RecordedState(), ()) if store is None else (store.snapshot(), store.verify())

    def lose(self) -> None:
        """Its disk is gone."""
        for file in self._files():
            file.unlink()

    def save(self) -> Backup:
        """A copy, made while nobody writes."""
        return {file.name: file.read_bytes() for file in self._files()}

    def restore(self, backup: Backup) -> None:
        """Put a copy in its place."""
        self.lose()
        for name, data in backup.items():
            path = self._path.parent / name
            path.write_bytes(data)
            path.chmod(0o600)

    def _files(self) -> list[Path]:
        return list(self._path.parent.glob("state.db*"))
