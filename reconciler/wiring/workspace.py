"""A project folder at work: its specs, its store, its connections."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.applying.lines import Lines
from reconciler.model.errors import StateError, StateMissing
from reconciler.model.project import Project
from reconciler.model.seams import Clock, IdSource
from reconciler.model.series import Realm
from reconciler.model.steps import Steps, Unwatched
from reconciler.specs import Loaded, load_project, load_specs
from reconciler.state.location import (
    PostgresServer,
    SqliteFile,
    StateLocation,
    state_location,
)
from reconciler.wiring.connections import Opener
from reconciler.wiring.system import RandomIds, SystemClock, actor

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from reconciler.state.store import SqlStore


_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One project, the process's environment, and the seams everything else is given."""

    root: Path
    project: Project
    environ: Mapping[str, str]
    clock: Clock
    ids: IdSource
    steps: Steps = dataclasses.field(default_factory=Unwatched)

    def load_specs(self, paths: Sequence[str] = (), *, as_of: dt.datetime | None = None) -> Loaded:
        """The project's resources and every problem in its specs, as of now.

        Args:
            paths: What to load instead of the project's own, as `specs.load_specs` takes it.
            as_of: An earlier moment instead of now, but none before which a plan would have expired.
        """
        now = self.clock.now()
        if as_of is not None:
            now = min(max(as_of, now - self.project.policy.plan_expiry), now)
        return load_specs(self.project, now=now, paths=paths)

    def realms(self, connections: Iterable[str]) -> frozenset[Realm]:
        """The realms that some connections belong to."""
        return frozenset(self.project.connections[name].realm for name in connections)

    def store_to_read(self, command: str, *, offline: bool = False) -> SqlStore | None:
        """The state store for reading only, or None when there is none yet.

        Args:
            command: What is being done.
            offline: Ask no database server; its state counts as none.

        Raises:
            StateError: It is there, but damaged, newer than us, or of a kind we cannot open; or its URL
                lacks a variable.
        """
        if offline and self.project.state_unset is not None:
            return None
        location = self._state_location()
        match location:
            case SqliteFile(path) if not path.exists() or not path.stat().st_size:
                return None
            case PostgresServer() if offline:
                return None
        store = self._open(location, command, read_only=True)
        try:
            store.check()
        except StateMissing:
            store.close()
            return None
        return store

    def store_to_write(
        self, command: str, *, create: bool, plan_id: str | None = None
    ) -> SqlStore:
        """The state store for writing.

        Args:
            command: For the journal.
            create: Whether to make it when there is none.
            plan_id: The plan for whose apply it would be made.

        Raises:
            StateMissing: There is none, and it may not be made.
            StateError: It cannot be used.
        """
        location = self._state_location()
        existing = self.store_to_read(command)
        if existing is None and not create:
            raise StateMissing(
                f"there is no state store at {location}",
                hint="if this project really is new, apply with --create-state; "
                "if not, find the store it had",
            )
        if existing is not None:
            existing.close()
        store = self._open(location, command, read_only=False)
        if existing is None:
            store.create(plan_id=plan_id)
        backup = store.upgrade()
        if backup is not None:
            _LOG.warning("the state store was upgraded; a backup of it as it was: %s", backup)
        store.check()
        return store

    def _state_location(self) -> StateLocation:
        if self.project.state_unset is not None:
            raise StateError(
                f"the state store cannot be opened: {self.project.state_unset}",
                hint=f"set {self.project.state_unset.name}, or plan without the store: plan --offline",
            )
        return state_location(self.project.state, self.root)

    def _open(self, location: StateLocation, command: str, *, read_only: bool) -> SqlStore:
        from reconciler.state.store import SqlStore  # noqa: PLC0415 - heavy

        engine = _open_database(location, read_only=read_only)
        who = actor(command, self.root)
        return SqlStore(
            engine, stack_id=self.project.name, actor=who, ids=self.ids, steps=self.steps
        )

    @asynccontextmanager
    async def lines(self, names: Iterable[str], *, offline: bool = False) -> AsyncIterator[Lines]:
        """Open connections by name; closed when the context ends.

        Args:
            names: Connections of the project, each once.
            offline: Open nothing that could be asked, not even an embedded simulator.
        """
        async with AsyncExitStack() as stack:
            opener = Opener(
                root=self.root,
                clock=self.clock,
                ids=self.ids,
                environ=self.environ,
                steps=self.steps,
                stack=stack,
                offline=offline,
                runs={},
                keepers={},
            )
            for name in sorted(names):
                await opener.attach(self.project.connections[name])
            yield Lines(runs=opener.runs, keepers=opener.keepers)


def _open_database(location: StateLocation, *, read_only: bool) -> Engine:
    match location:
        case SqliteFile(path):
            from reconciler.state.engine import open_engine  # noqa: PLC0415 - heavy

            return open_engine(path, read_only=read_only)
        case PostgresServer(url):
            from reconciler.state.postgres import open_postgres  # noqa: PLC0415 - heavy

            return open_postgres(url, read_only=read_only)


def open_workspace(root: Path, environ: Mapping[str, str]) -> Workspace:
    """Read the project file of a folder.

    Raises:
        InputError: It is missing or wrong.
    """
    return Workspace(
        root=root,
        project=load_project(root, environ),
        environ=environ,
        clock=SystemClock(),
        ids=RandomIds(),
    )
