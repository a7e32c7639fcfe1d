"""Which files are read as specs, and which are left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.specs import load_project
from tests.unit.specs.spec_files import backfill, load, write


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
