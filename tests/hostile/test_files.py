"""What a pull request can put where a spec should be. Threats T4 and T5 of the threat model."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.specs import load_project
from tests.unit.specs.spec_files import backfill, load, write

SECRET = "outside-canary"


def _symlink_out(specs: Path) -> None:
    (specs / "x.yaml").symlink_to(specs.parents[1] / "outside.yaml")


def _relative_symlink_out(specs: Path) -> None:
    (specs / "x.yaml").symlink_to("../../outside.yaml")


def _symlink_inside(specs: Path) -> None:
    (specs / "x.yaml").symlink_to("good.yaml")


def _dangling_symlink(specs: Path) -> None:
    (specs / "x.yaml").symlink_to("nowhere.yaml")


def _symlink_loop(specs: Path) -> None:
    (specs / "x.yaml").symlink_to("x.yaml")


def _symlink_to_folder(specs: Path) -> None:
    (specs / "more").symlink_to(specs.parents[1] / "folder")


def _symlink_to_root(specs: Path) -> None:
    (specs / "more").symlink_to("/")


def _symlink_to_process(specs: Path) -> None:
    (specs / "x.yaml").symlink_to("/proc/self/environ")


def _symlink_to_device(specs: Path) -> None:
    (specs / "x.yaml").symlink_to("/dev/zero")


def _fifo(specs: Path) -> None:
    os.mkfifo(specs / "x.yaml")


def _socket(specs: Path) -> None:
    here = Path.cwd()
    os.chdir(specs)  # The path of a socket is short.
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("x.yaml")
    finally:
        os.chdir(here)


def _control_character_in_name(specs: Path) -> None:
    (specs / "x\x1b[31m\u202e.yaml").write_text(backfill())


def _undecodable_name(specs: Path) -> None:
    Path(os.fsdecode(os.fsencode(specs) + b"/x\xff.yaml")).write_text(backfill())


def _newline_in_name(specs: Path) -> None:
    (specs / "x\n::error::y.yaml").write_text(backfill())


def _unlistable_depth(specs: Path) -> None:
    path = specs
    for _ in range(60):
        path = path / "d"
    path.mkdir(parents=True)


def _huge_file(specs: Path) -> None:
    with (specs / "x.yaml").open("wb") as file:
        file.truncate(10 * 1024 * 1024 * 1024)


def _many_large_files(specs: Path) -> None:
    for number in range(12):
        (specs / f"x{number:02}.yaml").write_bytes(b"#" * 1024 * 1024)


PLANTS: list[tuple[Callable[[Path], None], str]] = [
    (_symlink_out, "symbolic_link"),
    (_relative_symlink_out, "symbolic_link"),
    (_symlink_inside, "symbolic_link"),
    (_dangling_symlink, "symbolic_link"),
    (_symlink_loop, "symbolic_link"),
    (_symlink_to_folder, "symbolic_link"),
    (_symlink_to_root, "symbolic_link"),
    (_symlink_to_process, "symbolic_link"),
    (_symlink_to_device, "symbolic_link"),
    (_fifo, "not_a_file"),
    (_socket, "not_a_file"),
    (_control_character_in_name, "file_name"),
    (_undecodable_name, "file_name"),
    (_newline_in_name, "file_name"),
    (_unlistable_depth, "too_deep"),
    (_huge_file, "file_too_large"),
    (_many_large_files, "project_too_large"),
]


@pytest.mark.parametrize(("plant", "code"), PLANTS, ids=[plant.__name__ for plant, _ in PLANTS])
def test_what_is_no_plain_file_of_the_project_is_refused(
    tmp_path: Path, plant: Callable[[Path], None], code: str
) -> None:
    root = tmp_path / "project"
    write(tmp_path, {"outside.yaml": SECRET, "folder/y.yaml": backfill("y")})
    write(root, {"specs/good.yaml": backfill("good")})
    plant(root / "specs")
    began = time.monotonic()
    loaded = load(root)
    assert time.monotonic() - began < 2
    assert code in [item.code for item in loaded.diagnostics]
    assert all(item.place is not None for item in loaded.diagnostics)
    assert all(item.place.file.isprintable() for item in loaded.diagnostics if item.place)
    assert SECRET not in repr(loaded)
    assert [item.address.name for item in loaded.resources] == ["good"]


def test_hidden_folders_and_links_off_the_pattern_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"specs/.cache/x.yaml": "not: [valid", "specs/a.yaml": backfill()})
    (tmp_path / "specs" / ".venv").symlink_to("/")
    (tmp_path / "specs" / "readme").symlink_to("/etc/passwd")
    assert not load(tmp_path).diagnostics


def test_the_project_file_and_worlds_are_no_specs(tmp_path: Path) -> None:
    project = (
        "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: p}\nspec:\n  specs: ['**/*.yaml']\n"
        "  connections:\n    prod: {provider: dataworks, region: r, projectId: 1, endpoint: simulator,"
        " simulator: {world: ./world.yaml}}\n"
    )
    write(tmp_path, {"world.yaml": "strict: true"})
    loaded = load(tmp_path, project=project, a=backfill())
    assert not loaded.diagnostics
    assert len(loaded.resources) == 1


def test_a_folder_without_rights_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"specs/locked/x.yaml": backfill("x")})
    real = os.open

    def refuse(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)
    loaded = load(tmp_path, a=backfill())
    assert [(item.code, str(item.place)) for item in loaded.diagnostics] == [
        ("unreadable", "specs/locked:1:1")
    ]
    assert len(loaded.resources) == 1


def test_no_file_stays_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        load(tmp_path, a=backfill(), b="[")
        load_project(tmp_path, {})
    assert len(list(Path("/proc/self/fd").iterdir())) == before
