"""The wheel: built from this tree, it runs from a folder that has nothing else of the project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler import __version__

ROOT = Path(__file__).parents[2]

#: pip and the build backend find everything on this machine; a proxy that is not there proves it.
NO_NETWORK = {
    "PIP_NO_INDEX": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
}


def run(words: Sequence[str], *, cwd: Path, **environment: str) -> str:
    ended = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, **NO_NETWORK, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    run([sys.executable, *build], cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("target")
    install = ["-m", "pip", "install", "--no-deps", "--target", str(target), str(wheel)]
    run([sys.executable, *install], cwd=target)
    return target


def reconciler(installed: Path, *words: str) -> str:
    """Run the installed package, with the tree itself out of reach."""
    return run(
        [sys.executable, "-P", "-m", "reconciler", *words],
        cwd=installed,
        PYTHONPATH=str(installed),
    )


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"reconciler-{__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "reconciler",
        f"reconciler-{__version__}.dist-info",
    }
    assert not [name for name in names if "__pycache__" in name or name.endswith(".db")]
    assert "reconciler/py.typed" in names


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    tracked = run(["git", "ls-files", "reconciler", "schemas"], cwd=ROOT).split()
    expected = {
        f"reconciler/{name}" if name.startswith("schemas/") else name
        for name in tracked
        if (ROOT / name).exists()
    }
    assert expected - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_what_runs_is_the_installed_package(installed: Path) -> None:
    code = "import reconciler; print(reconciler.__file__)"
    where = run([sys.executable, "-P", "-c", code], cwd=installed, PYTHONPATH=str(installed))
    assert Path(where.strip()).is_relative_to(installed)


def test_the_installed_command_says_its_version(installed: Path) -> None:
    assert reconciler(installed, "--version") == f"reconciler {__version__}\n"
    script = (installed / "bin" / "reconciler").read_text()
    assert "reconciler.__main__" in script


def test_the_installed_command_prints_its_schemas_and_scripts(installed: Path) -> None:
    schema = json.loads((ROOT / "schemas" / "backfill.schema.json").read_text())
    assert json.loads(reconciler(installed, "schema", "backfill")) == schema
    script = ROOT / "reconciler" / "cli" / "shells" / "reconciler.bash"
    assert reconciler(installed, "completion", "bash") == script.read_text()


def test_the_installed_command_makes_a_project_that_is_valid(
    installed: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    reconciler(installed, "init", str(project))
    assert (project / "reconciler.yaml").exists()
    reconciler(installed, "-C", str(project), "validate")
