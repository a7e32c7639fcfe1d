"""An apply in small: a real store on SQLite, the fake provider, a clock that jumps."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

from reconciler.applying.engine import Applied, Bench, apply_plan
from reconciler.applying.gates import GateBoard
from reconciler.applying.gathering import Conditions, gather
from reconciler.applying.lines import Line, Lines
from reconciler.applying.waiting import Follower, Waited, Watch
from reconciler.model.attempts import Attempt, AttemptState
from reconciler.model.gates import Gate
from reconciler.model.plan import Plan
from reconciler.model.project import Policy
from reconciler.model.resources import Resource
from reconciler.model.series import Series
from reconciler.model.state import Actor, Lease
from reconciler.planning.planner import Making, build_plan
from reconciler.state.engine import open_engine
from reconciler.state.store import SqlStore
from tests.builders import LAG, a_resource, a_series, a_subject
from tests.fakes.keeper import FakeKeeper
from tests.fakes.provider import FakeProvider
from tests.fakes.seams import FlagStop, ListReporter, SequentialIds
from tests.fakes.timing import VirtualClock


class Rig:
    """One project with connection `prod`; everything random or slow is in the test's hands."""

    def __init__(self, folder: Path) -> None:
        """Make an empty store in a folder."""
        self._path = folder / "state.db"
        self._stores: list[SqlStore] = []
        self.clock = VirtualClock()
        self.ids = SequentialIds()
        self.provider = FakeProvider(self.clock)
        self.lines = {"prod": Line(provider=self.provider, lag=LAG)}
        self.keeper = FakeKeeper()
        self.board: GateBoard | None = None
        self.reporter = ListReporter()
        self.stop = FlagStop()
        self.store = self.open_store()
        self.store.create()

    def open_store(self, who: str = "ann@host") -> SqlStore:
        """One more view of the same store, as another process has it."""
        store = SqlStore(
            open_engine(self._path, read_only=False),
            stack_id="data-platform",
            actor=Actor(who=who, command="apply"),
            ids=self.ids,
        )
        self._stores.append(store)
        return store

    def guard(self, *gates: Gate) -> None:
        """Declare gates of connection `ob`, which is in the test's hands, too."""
        known = {gate.name: gate for gate in gates}
        self.board = GateBoard(known, {"ob": self.keeper}, self.clock)

    def close(self) -> None:
        """Close every view."""
        for store in self._stores:
            store.close()

    async def plan(self, *resources: Resource) -> Plan:
        """Gather and plan, as the use case does; what was observed is recorded."""
        gathered = await gather(
            resources,
            self.store.snapshot(),
            Lines(runs=self.lines),
            clock=self.clock,
            conditions=Conditions(board=self.board),
        )
        self.store.observe(gathered.changed, at=gathered.at)
        making = Making(
            plan_id=self.ids.token(16),
            project="data-platform",
            tool_version="0.0.0",
            as_of=self.clock.now(),
            created_at=self.clock.now(),
            policy=Policy(),
            reads=0,
            token=self.ids.token,
            run_name=lambda name, *tag: self.lines[name].provider.run_name(*tag),
            wire=lambda name, *call: self.lines[name].provider.wire_call(*call),
        )
        return build_plan(gathered.situation, making)

    async def apply(
        self,
        plan: Plan,
        *,
        at_once: int = 4,
        spec_moved: dict[str, str] | None = None,
        lease: Lease | None = None,
        store: SqlStore | None = None,
    ) -> Applied:
        """Apply under the lock."""
        store = store or self.store
        held = lease or store.acquire()
        applied = Applied(self.reporter)
        try:
            await apply_plan(
                plan,
                Bench(
                    store=store,
                    lease=held,
                    lines=self.lines,
                    clock=self.clock,
                    stop=self.stop,
                    at_once=at_once,
                    spec_moved=spec_moved or {},
                    board=self.board,
                ),
                applied,
            )
            return applied
        finally:
            store.release(held)

    async def plan_and_apply(self, *resources: Resource) -> Applied:
        """Plan, then apply what was planned."""
        return await self.apply(await self.plan(*resources))

    async def follow(
        self,
        *,
        seconds: float | None = None,
        concerns: Callable[[Attempt], bool] = lambda _: True,
    ) -> bool:
        """Wait for every run, or for those a test is concerned with."""
        deadline = None if seconds is None else self.clock.monotonic() + seconds
        watch = Watch(
            store=self.store,
            lines=self.lines,
            clock=self.clock,
            reporter=self.reporter,
            stop=self.stop,
            deadline=deadline,
        )
        return await Follower(watch, concerns).follow() is Waited.ENDED

    async def until_flying(self, count: int) -> None:
        """Let others work until so many requests are out."""
        while self.provider.flying < count:  # noqa: ASYNC110 - the fake needs no event to tell
            await asyncio.sleep(0)

    def attempts(self, name: str | None = None) -> list[Attempt]:
        """What is on record, of one resource or of all."""
        return [one for one in self.store.snapshot().attempts if name in {None, one.address.name}]

    def states(self, name: str | None = None) -> list[AttemptState]:
        """How far the attempts are, in the order they were begun."""
        return [one.state for one in self.attempts(name)]

    def take_over(self) -> Lease:
        """Take the lock over, as another process does once the lease ran out."""
        with sqlite3.connect(self._path) as connection:
            connection.execute("UPDATE stack SET lease_until = 1")
        return self.open_store("bob@host").acquire()


def on_root(root: str) -> Series:
    """A series of a root of its own."""
    return a_series(subject=a_subject(root=root), include=(root,))


def resources(count: int, when: str = "2024-05-01..2024-05-05") -> list[Resource]:
    """So many resources on roots 1, 2, …, of one call each."""
    return [
        a_resource(f"r{number}", when, series=on_root(str(number)))
        for number in range(1, count + 1)
    ]
