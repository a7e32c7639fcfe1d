"""The embedded simulator of one connection, kept under the project's folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.model.project import SimulatorEndpoint
from reconciler.simulator import ClockSpec, Simulator, load_world, open_simulator

#: Where the simulators keep what happened, one file per connection.
SIMULATOR_FOLDER = ".reconciler/simulator"


@contextmanager
def open_embedded(endpoint: SimulatorEndpoint, name: str, root: Path) -> Iterator[Simulator]:
    """Open a connection's simulator; several processes may do so at once.

    Raises:
        InputError: Its world file is wrong.
    """
    folder = root / SIMULATOR_FOLDER
    for private in (folder.parent, folder):  # the state store lives in the first one, too
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
    simulator = open_simulator(
        db=folder / f"{name}.db",
        world=load_world(root / endpoint.world) if endpoint.world else None,
        clock=ClockSpec.parse(endpoint.clock),
    )
    try:
        yield simulator
    finally:
        simulator.close()
