"""The simulator on a port, the demo, and what stops the program itself."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from reconciler.cli.commands import schema
from reconciler.model.codes import Code
from reconciler.simulator.faults import load_faults
from reconciler.simulator.world_file import load_world
from tests.errors.scenes import Told, printed_by, refusal, scene

_WORLDS: Mapping[Code, str] = {
    "impossible_world": "nodes:\n  - {id: 1234, parents: [5678]}\nstrict: true\n",
    "no_date": "nodes:\n  - {id: 1234, fail: [2020-02-30]}\n",
    "second_document": "nodes: [{id: 1}]\n---\nnodes: [{id: 2}]\n",
}


@scene("bad_fault", *_WORLDS)
def worlds(root: Path) -> Iterator[Told]:
    for code, text in _WORLDS.items():
        world = root / "world.yaml"
        world.write_text(text)
        yield code, refusal(partial(load_world, world))
    faults = root / "faults.yaml"
    faults.write_text("[{operation: RunCycleDagNodes, effect: explode}]\n")
    yield "bad_fault", refusal(lambda: load_faults(faults))


@scene("cannot_serve", "demo_failed", "os_error", "bug", "usage")
def commands(root: Path) -> Iterator[Told]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        yield "cannot_serve", printed_by("simulate", "--port", port)
    (root / "reconciler.yaml").write_text("")
    with contextlib.redirect_stdout(io.StringIO()):
        printed = printed_by("demo", "--keep", str(root))
    yield "demo_failed", printed
    with Path("/dev/full").open("w") as full, contextlib.redirect_stdout(full):
        printed = printed_by("schema", "plan")
    yield "os_error", printed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "read_schema_text", {}.__getitem__)
        yield "bug", printed_by("schema", "plan")
    yield "usage", printed_by("resolve", "backfill.orders@2020-05-20", "--reason", "gone")


SCENES = (worlds, commands)
