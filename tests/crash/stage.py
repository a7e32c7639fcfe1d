"""A project whose commands can be killed, with a target of its own at a simulator that others share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.crash import victims
from tests.crash.hooks import Hooks
from tests.crash.oracle import Findings, judge, record_of
from tests.crash.victims import Victim
from tests.postgres import new_database
from tests.scenario.backfilled import DATAWORKS, SYSTEMS, System, system_of
from tests.scenario.processes import QUARANTINE_SECONDS, InProcess, Service
from tests.scenario.sandbox import Result

#: Where state lies: makes an empty place, whose URL it is unless it is a file of the project.
STORES: dict[str, Callable[[], str | None]] = {"sqlite": lambda: None, "postgresql": new_database}

#: Runs take a minute of a clock on which an hour passes in a second.
CLOCK = "x3600"

APPLY = ("apply", "--auto-approve")


def in_turn(store: str, number: int) -> System:
    """The systems by turns: with each store, and of any two numbers in a row each system has one."""
    return SYSTEMS[(list(STORES).index(store) + number) % len(SYSTEMS)]


class Launcher(InProcess):
    """A project whose commands can be started as processes that are quick to start."""

    def __init__(
        self, root: Path, service: Service, *, store: str, system: System = DATAWORKS
    ) -> None:
        self.environ = dict(service.keys)
        self._launched = itertools.count(1)
        super().__init__(root, service, state=STORES[store](), system=system)

    def launch(
        self, *words: str, hooks: Hooks | None = None, pauses: tuple[float, ...] = ()
    ) -> Victim:
        """Start a command as a process of its own; it runs once more after each of the pauses."""
        return victims.start(
            self.root,
            *words,
            environ=self.environ,
            output=self.root / f"command-{next(self._launched)}",
            hooks=hooks,
            pauses=pauses,
        )

    def let_signatures_expire(self) -> None:
        """Move the service's clock past the quarantine, for all of its projects."""
        self.advance(QUARANTINE_SECONDS)

    def lose_store(self) -> None:
        """Take the store away as a whole; nobody has it open."""
        if self.database is not None:
            self.state("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            return
        for file in (self.root / ".reconciler").glob("state.db*"):
            file.unlink()

    def apply_to_the_end(self) -> Result:
        """An apply that nobody disturbs, and where calls have to be proved absent first, another."""
        self.a_minute_later()
        applied = self.launch(*APPLY).ended()
        if applied.code == 3:
            self.let_signatures_expire()
            applied = self.launch(*APPLY).ended()
        return applied

    def judged(self) -> Findings:
        """What the service's ledger says of the record."""
        return judge(self.ledger(), record_of(self.root, self.environ))

    def assert_done(self, told: object) -> None:
        """Nothing is left to do, and the journal is whole."""
        planned = self.run("plan", "--detailed-exitcode")
        assert planned.code == 0, f"{told}: {planned.out}{planned.err}"
        verified = self.run("history", "--verify")
        assert verified.code == 0, f"{told}: {verified.err}"


class Stage(Launcher):
    """A project that starts its own target only: what the ledger says of it is told by that.

    Commands that are to be killed are launched. Others run in this process, unless the endpoint's
    certificate is one that only a process of its own can be made to trust.
    """

    def wants(self, *dates: str) -> None:
        """Declare one backfill of these dates, of which those that are neighbours share a call."""
        self.backfill(target=self.system.target_of(self.number), dates={"list": dates})

    def secure(self, url: str, certificate: Path) -> None:
        """Have the connection use TLS."""
        self._edit(self.service.url, url)
        self.environ["SSL_CERT_FILE"] = str(certificate)

    def run(self, *words: str) -> Result:
        if self.environ != self.service.keys:
            return self.launch(*words).ended()
        return super().run(*words)

    def ledger(self) -> list[dict[str, Any]]:
        return [one for one in super().ledger() if self._is_mine(one)]

    def _is_mine(self, entry: Mapping[str, Any]) -> bool:
        key, mine = self.system.wire[0], self.system.root_of(self.number)
        return system_of(entry) is self.system and str(entry["parameters"][key]) == mine
