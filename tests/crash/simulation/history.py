"""A script played: real specs, the real store, provider and simulator, on a clock that nobody waits for."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from unittest import mock

from reconciler.formats.planfile import parse_plan
from reconciler.model.attempts import RecordedState
from reconciler.model.errors import ReconcilerError
from reconciler.model.plan import Decision
from reconciler.model.project import DataWorksConnection, Project, Secret, StaticCredentials
from reconciler.model.series import Tag
from reconciler.model.state import Actor
from reconciler.model.steps import Durable
from reconciler.simulator import ClockSpec, Simulator, open_simulator, parse_world
from reconciler.specs import load_project
from reconciler.state import lock
from reconciler.wiring import workspace
from tests.crash.mortal import Killed
from tests.crash.oracle import Findings, judge, record_of, store_of
from tests.crash.simulation.commands import Desk
from tests.crash.simulation.network import Network
from tests.crash.simulation.people import Office
from tests.crash.simulation.processes import Living, SeededIds, SkewedClock, Staged
from tests.crash.simulation.scheduler import CURRENT, Stage, Time, new_event_loop
from tests.crash.simulation.script import (
    Act,
    BackUp,
    Command,
    Declare,
    Edit,
    Episode,
    LoseStore,
    Process,
    Remove,
    Rerun,
    Restore,
    Script,
    Wait,
)
from tests.scenario.sandbox import executed_dates

#: After so long no signature holds, and all that was started is listed.
QUARANTINE_SECONDS = 25 * 60.0

#: What `plan` must not do.
_WRITES = tuple(f"{step.value}." for step in Durable)


class Broken(AssertionError):
    """The promise was not kept; `story` is set by whoever plays the history."""

    story: tuple[str, ...] = ()
    findings = Findings()

    @property
    def kind(self) -> str:
        """What is broken, without what it is broken for."""
        found = self.findings
        kinds = {"duplicate": found.duplicates, "lost": found.lost, "invented": found.invented}
        told = " ".join(kind for kind, works in kinds.items() if works)
        return told or str(self).partition(":")[0]


@dataclass(slots=True)
class History:
    """One script as it is played, in a folder of its own."""

    root: Path
    script: Script
    story: list[str] = field(default_factory=list)
    time: Time = field(default_factory=Time)
    simulator: Simulator = field(init=False)
    office: Office = field(init=False)
    desk: Desk = field(init=False)
    _project: Project = field(init=False)
    _processes: int = 0
    _fence: int = 0

    def __enter__(self) -> Self:
        """Open an empty project beside a service where nothing ran yet."""
        self.office = Office(self.root)
        self.office.open(markers=self.script.markers)
        noise = random.Random("simulator")  # noqa: S311 - no secret
        world = {"listingLag": self.script.listing_lag, "layout": self.script.layout}
        self.simulator = open_simulator(
            db=None,
            world=parse_world(world),
            clock=ClockSpec.parse("real"),
            real_time=self.time.wall_millis,
            random_hex=lambda length: noise.randbytes(length).hex(),
        )
        self.desk = Desk(self.root, self.simulator, self.office.work)
        project = load_project(self.root, {})
        keys = StaticCredentials(
            access_key_id=Secret(self.simulator.access_key_id),
            access_key_secret=Secret(self.simulator.access_key_secret),
        )
        connections = {
            name: replace(connection, credentials=keys)
            for name, connection in project.connections.items()
            if isinstance(connection, DataWorksConnection)
        }
        self._project = replace(project, connections=connections)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the service."""
        self.simulator.close()

    def play(self) -> None:
        """All acts of the script, and then a time in which everything must converge.

        Raises:
            Broken: The promise was not kept; `story` tells how it came to that.
        """
        with _staged(self.time):
            for act in self.script.acts:
                self.do(act)
            self._converge()

    def do(self, act: Act) -> None:
        """One act; after the work of processes the ledger is held against the promise."""
        if not isinstance(act, Episode):
            self._tell(f"people: {act}")
        match act:
            case Episode():
                self._work(act)
                self._ensure_kept()
            case Declare() | Rerun() | Edit() | Remove():
                self.office.edit(act)
            case Wait(seconds):
                self.time.pass_until(self.time.now + seconds)
            case BackUp():
                self.office.back_up()
            case Restore() | LoseStore():
                self.time.pass_until(self.time.now + QUARANTINE_SECONDS)
                self._fence = 0
                self.office.restore() if isinstance(act, Restore) else self.office.lose_store()

    def _converge(self) -> None:
        """Let troubles end: two applies, a truthful person's answers and one more leave nothing to do."""
        applying, answering, planning = (
            Episode(seed=0, processes=(Process(command),))
            for command in (Command.APPLY, Command.RESOLVE, Command.PLAN)
        )
        for episode in (applying, applying, answering, applying, planning):
            self.do(Wait(QUARANTINE_SECONDS))
            self.do(episode)
        last = parse_plan(self.desk.plans[-1])
        open_ends = sorted(
            f"{action.decision.value} ({action.reason.value}) {action.address}@{action.dates}"
            for action in last.actions
            if action.decision not in {Decision.NONE, Decision.RELEASED}
        )
        _ensure(not open_ends, f"it does not converge: {open_ends}")
        started = set(executed_dates(self.simulator.ledger()))
        missing = sorted(self.office.wanted() - started)
        _ensure(not missing, f"declared, and never started: {missing}")
        findings = self._findings(record_of(self.root))
        forgetful = any(isinstance(act, Restore | LoseStore) for act in self.script.acts)
        if forgetful:  # what nobody declares any more, nobody looks for
            declared = self.office.wanted()
            lost = tuple(one for one in findings.lost if one.partition(" (")[0] in declared)
            findings = replace(findings, lost=lost)
        _ensure_none(findings)

    def _findings(self, recorded: RecordedState) -> Findings:
        ledger, asked = self.simulator.ledger(), self.office.asked
        return judge(ledger, recorded, allowed=lambda work: asked[work])

    def _ensure_kept(self) -> None:
        recorded, fences = RecordedState(), [0]
        wrong: tuple[str, ...] = ()
        with store_of(self.root) as store:
            if store is not None:
                recorded, wrong = store.snapshot(), store.verify()
                fences = [entry.fence for entry in store.journal()]
        findings = replace(self._findings(recorded), lost=())  # a plan may have to look first
        _ensure_none(findings)
        ledger = self.simulator.ledger()
        twice = _started_twice(ledger)
        _ensure(not twice, f"started twice under one generation: {twice}")
        names = {entry["name"] for entry in ledger if Tag.parse(entry["name"])}
        unapproved = sorted(names - self.desk.approved)
        _ensure(not unapproved, f"in no plan that was approved: {unapproved}")
        _ensure(not wrong, f"the journal: {wrong}")
        _ensure(fences == sorted(fences) and fences[-1] >= self._fence, f"fences: {fences}")
        self._fence = fences[-1]

    def _work(self, episode: Episode) -> None:
        stage = Stage(self.time, episode.seed)
        network = Network(self.simulator, self.time, episode, self._tell)
        for number, process in enumerate(episode.processes):
            self._processes += 1
            seed = f"{episode.seed} {number} {self._processes}"
            name = f"{process.command.value}-{self._processes}"
            stage.enter(name, self._life_of(process, name, seed, network))
        stage.play()

    def _life_of(self, process: Process, name: str, seed: str, network: Network) -> Any:
        def live() -> None:
            player = CURRENT.get()
            if process.starts:
                player.sleep_until(self.time.now + process.starts)
            living = Living(process.dies, player=player, fate=process, tell=self._tell)
            staged = Staged(
                root=self.root,
                project=self._project,
                environ={},
                clock=SkewedClock(self.time, process.skew),
                ids=SeededIds(seed),
                steps=living,
                network=network,
                living=living,
                seed=seed,
            )
            clock = f", its clock off by {process.skew:+g} s" if process.skew else ""
            self._tell(f"{name} begins{clock}")
            try:
                ended = self.desk.carry_out(process.command, staged)
            except Killed:
                ended = f"was killed at {living.last}"
            except ReconcilerError as error:
                ended = f"ended: {type(error).__name__}: {error.summary}"
            self._tell(f"{name} {ended}")
            if process.command is Command.PLAN:
                written = [one for one in living.reached_points if one.startswith(_WRITES)]
                _ensure(not written, f"{name} wrote: {written}")

        return live

    def _tell(self, what: str) -> None:
        self.story.append(f"{self.time.now:10.2f}  {what}")


def _player(command: str, root: Path) -> Actor:
    del root
    player = CURRENT.get(None)
    return Actor(who=player.name if player else "judge", command=command)


def _ensure(kept: bool, told: str) -> None:
    if not kept:
        raise Broken(told)


def _ensure_none(findings: Findings) -> None:
    if findings:
        broken = Broken(str(findings))
        broken.findings = findings
        raise broken


def _started_twice(ledger: Sequence[Mapping[str, Any]]) -> list[str]:
    """Work that was started twice under one series and generation, as far as names tell."""
    started: Counter[tuple[str, int, str]] = Counter()
    for entry in ledger:
        tag = Tag.parse(entry["name"])
        if tag is not None:
            started.update((tag.series, tag.generation, work) for work in executed_dates([entry]))
    return [work for (_, _, work), times in started.items() if times > 1]


@contextmanager
def _staged(time: Time) -> Iterator[None]:
    """Have the store's database and every event loop live on the history's time."""
    with ExitStack() as patches:
        patches.enter_context(
            mock.patch.object(lock, "database_now", side_effect=lambda _: time.wall_millis())
        )
        patches.enter_context(mock.patch("asyncio.events.new_event_loop", new_event_loop))
        # Lock and journal name the player: who really runs this differs from time to time.
        patches.enter_context(mock.patch.object(workspace, "actor", side_effect=_player))
        yield
