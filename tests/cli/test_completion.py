"""TAB in real shells: the scripts that `reconciler completion` prints, and what they get from us."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.cli.main import run
from tests.unit.specs.spec_files import PROJECT, backfill, write

ROOT = Path(__file__).parents[2]
#: Everything of the project lies below a name that a careless script would run.
FOLDER = "$(touch pwned) p"


def _installed(shell: str) -> str:
    """The path of a shell; where it is missing, Debian's packages are tried, if we may."""
    if shutil.which(shell) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with Path(tempfile.gettempdir(), "reconciler-tests-apt-get").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # Another worker may be at it.
            if shutil.which(shell) is None:
                _apt_get("update")
                _apt_get("install", "-y", "--no-install-recommends", "zsh", "fish")
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"there is no {shell} here, and it could not be installed")
    return found


def _apt_get(*words: str) -> None:
    quick = ("-qq", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=5")
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            ["apt-get", *quick, *words],  # noqa: S607 - wherever Debian has it
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            check=False,
            timeout=120,
        )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the command, its scripts, and a project; the shells start here."""
    hostile = backfill("'$(touch pwned)'") + "---\n" + backfill("'`touch pwned`'")
    files = {
        "reconciler.yaml": PROJECT,
        "specs/a.yaml": backfill("orders"),
        "specs/b.yaml": hostile,
    }
    write(tmp_path / FOLDER, files)
    command = tmp_path / "bin" / "reconciler"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m reconciler "$@"\n')
    command.chmod(0o755)
    return tmp_path


def script(shell: str, home: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Where the completion script of a shell was written."""
    assert run(["completion", shell]) == 0
    (home / f"reconciler.{shell}").write_text(capsys.readouterr().out)
    return f"./reconciler.{shell}"


def environment(home: Path) -> Mapping[str, str]:
    return {"PATH": f"{home / 'bin'}:{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb"}


def typed(words: list[str], home: Path, keys: str) -> str:
    """The line that an interactive shell holds once keys were pressed; the last writes it to `line`."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        words,
        cwd=home,
        env=environment(home),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        seen = threading.Thread(target=_drain, args=(ours,))
        seen.start()
        os.write(ours, keys.encode())
        process.wait(timeout=120)
        seen.join()
    os.close(ours)
    return (home / "line").read_text()


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        return  # The shell has ended.


LINE = "reconciler -C '$(touch pwned) p' explain backfill.or\t2020\t"
COMPLETED = "reconciler -C '$(touch pwned) p' explain backfill.orders@2020-05-20 "


def test_bash_completes_a_unit(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    startup = home / "startup"
    startup.write_text(
        f". {script('bash', home, capsys)}\n"
        """bind -x '"\\C-x": printf %s "$READLINE_LINE" > line; exit'\n"""
    )
    bash = _installed("bash")
    line = typed([bash, "--noprofile", "--rcfile", str(startup), "-i"], home, f"{LINE}\x18")
    assert line == COMPLETED
    assert not (home / "pwned").exists()


def test_zsh_completes_a_unit(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zsh = _installed("zsh")
    (home / ".zshrc").write_text(
        "autoload -Uz compinit; compinit -u -D\n"
        f". {script('zsh', home, capsys)}\n"
        "dump() { print -rn -- $BUFFER > line; exit }\nzle -N dump; bindkey '^X' dump\n"
    )
    line = typed([zsh, "-d", "-i"], home, f"{LINE}\x18")
    assert line == COMPLETED
    assert not (home / "pwned").exists()


def test_fish_completes_a_unit(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fish = _installed("fish")
    asked = LINE.partition("\t")[0].replace("'", "\\'")
    code = f"source {script('fish', home, capsys)}; complete -C '{asked}'"
    done = subprocess.run(
        [fish, "--no-config", "-c", code],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.stdout.strip(), done.stderr) == ("backfill.orders@", "")
    assert not (home / "pwned").exists()


def test_nothing_heavy_is_imported_and_the_exit_code_is_no_success(home: Path) -> None:
    heavy = ("httpx", "sqlalchemy", "deepdiff", "cryptography", "jsonschema", "rich")
    code = (
        "import atexit, runpy, sys\n"
        f"atexit.register(lambda: print([m for m in {heavy!r} if m in sys.modules]))\n"
        f"sys.argv[1:] = ['reconciler -C {FOLDER!r} apply --target b', '@=']\n"
        "runpy.run_module('reconciler', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code.replace(repr(FOLDER), f'"{FOLDER}"')],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "_RECONCILER_COMPLETE": "bash"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.splitlines() == ["plain\tbackfill.orders\t", "[]"]
    assert (done.returncode, done.stderr) == (1, "")
