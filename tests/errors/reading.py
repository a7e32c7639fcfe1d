"""Files that hold no sound spec, whatever a spec is: what cannot be shown as an example in a page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reconciler.rendering.diagnostics import render_diagnostics
from reconciler.specs import load_project, load_specs
from reconciler.specs.finding import TOTAL_LIMIT
from tests.errors.scenes import Told, refusal, scene
from tests.unit.specs.spec_files import NOW, PROJECT, backfill


def _printed(root: Path, *paths: str) -> str:
    loaded = load_specs(load_project(root, {}), now=NOW, paths=paths)
    return render_diagnostics(loaded.diagnostics)


def _of_bytes(root: Path, data: bytes) -> str:
    (root / "specs" / "orders.yaml").write_bytes(data)
    return _printed(root)


@scene("no_project", "no_specs", "encoding", "file_too_large", "too_many_nodes", "many_problems")
def contents(root: Path) -> Iterator[Told]:
    yield "no_project", refusal(lambda: load_project(root, {}))
    (root / "specs").mkdir()
    (root / "reconciler.yaml").write_text(PROJECT)
    yield "no_specs", _printed(root)
    yield "encoding", _of_bytes(root, backfill("commandé").encode("latin-1"))
    yield "file_too_large", _of_bytes(root, b"#" * (1024 * 1024 + 1))
    yield "too_many_nodes", _of_bytes(root, b"[" + b"1," * 50_000 + b"]")
    yield "many_problems", _of_bytes(root, b"---\n1\n" * 101)


@scene("symbolic_link", "not_a_file", "file_name", "unreadable")
def things_that_are_no_spec(root: Path) -> Iterator[Told]:
    specs = root / "specs"
    specs.mkdir()
    (root / "reconciler.yaml").write_text(PROJECT)
    (specs / "orders.yaml").symlink_to("/etc/hostname")
    yield "symbolic_link", _printed(root)
    (specs / "orders.yaml").unlink()
    os.mkfifo(specs / "orders.yaml")
    yield "not_a_file", _printed(root)
    (specs / "orders.yaml").unlink()
    (specs / "orders\x07.yaml").write_text(backfill())
    yield "file_name", _printed(root)
    (specs / "orders\x07.yaml").unlink()
    yield "unreadable", _printed(root, "specs/order.yaml")


@scene("project_too_large")
def too_much(root: Path) -> Iterator[Told]:
    (root / "specs").mkdir()
    (root / "reconciler.yaml").write_text(PROJECT)
    megabyte = b"#\n" * (512 * 1024)
    for number in range(TOTAL_LIMIT // len(megabyte) + 1):
        (root / "specs" / f"part-{number:02}.yaml").write_bytes(megabyte)
    yield "project_too_large", _printed(root)


SCENES = (contents, things_that_are_no_spec, too_much)
