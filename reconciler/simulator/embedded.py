"""The simulator inside one's own process: open it, hand its transport to httpx, look at its ledger."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.simulator.clocks import ClockSpec, RealTime, Sleep, system_sleep, system_time
from reconciler.simulator.control import PREFIX
from reconciler.simulator.core import Engine, open_engine
from reconciler.simulator.faults import Fault
from reconciler.simulator.messages import Request
from reconciler.simulator.settings import AccessKey, RandomHex
from reconciler.simulator.transport import SimulatorTransport
from reconciler.simulator.world import World


class Simulator:
    """An open simulator; several, also in other processes, may share one database file."""

    def __init__(self, engine: Engine, sleep: Sleep) -> None:
        self._engine = engine
        self._sleep = sleep

    @property
    def access_key_id(self) -> str:
        """Id of the account's access key."""
        return self._engine.key.id

    @property
    def access_key_secret(self) -> str:
        """Secret of the account's access key."""
        return self._engine.key.secret

    def transport(self) -> SimulatorTransport:
        """A transport for an `httpx.AsyncClient`; the host in its URLs does not matter."""
        return SimulatorTransport(self._engine, self._sleep)

    def ledger(self) -> list[dict[str, Any]]:
        """Every create call that was executed, oldest first."""
        entries: list[dict[str, Any]] = self._control("GET", "ledger")
        return entries

    def requests(self) -> list[dict[str, Any]]:
        """Every request, oldest first."""
        entries: list[dict[str, Any]] = self._control("GET", "requests")
        return entries

    def advance(self, seconds: float) -> None:
        """Move both clocks forward, at once; signatures of this very second still count as fresh."""
        self._control("POST", "clock", {"advance_seconds": seconds})

    def put_faults(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Put a list of faults in place."""
        self._control("PUT", "faults", list(faults))

    def put_world(self, document: Mapping[str, Any]) -> None:
        """Change what exists."""
        self._control("PUT", "world", document)

    def rotate_obshell_key(self) -> None:
        """Give the OBShell agent another RSA key; what was encrypted for the one before is refused."""
        self._control("POST", "obshell", {"rotate_key": True})

    def close(self) -> None:
        """Close the database."""
        self._engine.close()

    def _control(self, method: str, name: str, value: object = None) -> Any:
        body = b"" if value is None else json.dumps(value).encode()
        answer = self._engine.handle(Request(method=method, path=PREFIX + name, body=body)).answer
        decoded = json.loads(answer.body)
        if answer.status != 200:  # noqa: PLR2004 - HTTP's OK
            raise ValueError(decoded["error"])
        return decoded


def open_simulator(
    *,
    db: Path | None,
    world: World | None,
    clock: ClockSpec,
    faults: Sequence[Fault] | None = None,
    key: AccessKey | None = None,
    real_time: RealTime = system_time,
    sleep: Sleep = system_sleep,
    random_hex: RandomHex = secrets.token_hex,
) -> Simulator:
    """Open a simulator in this process; see `core.open_engine` for the arguments.

    `sleep` waits in real time: for delayed answers, and before long advances of the clocks.
    """
    engine = open_engine(
        db=db,
        world=world,
        clock=clock,
        faults=faults,
        key=key,
        real_time=real_time,
        random_hex=random_hex,
    )
    return Simulator(engine, sleep)
