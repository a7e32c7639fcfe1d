"""The embedded simulator of one connection, kept under the project's folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.model.errors import InputError
from reconciler.model.project import SimulatorEndpoint
from reconciler.simulator import ClockSpec, Simulator, World, open_simulator, read_world
from reconciler.specs.finding import file_problem, read_inside

#: Where the simulators keep what happened, one file per connection.
SIMULATOR_FOLDER = ".reconciler/simulator"


@contextmanager
def open_embedded(endpoint: SimulatorEndpoint, name: str, root: Path) -> Iterator[Simulator]:
    """Open a connection's simulator; several processes may do so at once.

    Raises:
        InputError: Its world file is wrong, or no file of the project.
    """
    folder = root / SIMULATOR_FOLDER
    for private in (folder.parent, folder):  # the state store lives in the first one, too
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
    simulator = open_simulator(
        db=folder / f"{name}.db",
        world=_world(root, endpoint.world) if endpoint.world else None,
        clock=ClockSpec.parse(endpoint.clock),
    )
    try:
        yield simulator
    finally:
        simulator.close()


def _world(root: Path, file: str) -> World:
    """Read a world as specs are read: a pull request may have put a link in its place."""
    try:
        data = read_inside(root, file)
    except OSError as error:
        summary = f"the world file cannot be read: {error.strerror}"
        hint = "it must be a file of the project, and no symbolic link"
        raise InputError([file_problem(file, "unreadable", summary, hint)]) from error
    return read_world(data, file)
