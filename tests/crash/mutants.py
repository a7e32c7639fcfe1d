"""Guards taken out one by one, each in a copy of the project: a test must notice.

`make mutants` (or `python -m tests.crash.mutants [WORD...]`, for those whose name holds a word) runs the
tests that are to notice on the project as it is, which must pass, and on each mutant, which must fail.
"""

from __future__ import annotations

import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.crash.guards import GUARDS, Guard
from tests.hostile.guards import HOSTILE_GUARDS

ROOT = Path(__file__).parents[2]
PARTS = ("reconciler", "tests", "schemas", "specs", "docs", "README.md", "pyproject.toml")

#: What pytest exits with when tests ran and some failed; anything else is a mistake of ours.
_TESTS_FAILED = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the tests ended on one copy: the first that failed, if any, and how long they took."""

    code: int
    failed: str
    seconds: float


def main(words: Sequence[str]) -> int:
    """Try every guard, or those whose name holds one of the words; the exit code says if all hold."""
    every = (*GUARDS, *HOSTILE_GUARDS)
    guards = [one for one in every if not words or any(word in one.name for word in words)]
    if not guards:
        _say(f"no guard is called so; there are: {', '.join(one.name for one in every)}")
        return 1
    whole = sorted({test for guard in guards for test in guard.tests})
    sound = _verdict(None, whole)
    if sound.code:
        _say(f"the project as it is fails: {sound.failed}")
        return 1
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        verdicts = list(workers.map(lambda guard: _verdict(guard, guard.tests), guards))
    caught = 0
    for guard, verdict in zip(guards, verdicts, strict=True):
        is_caught = verdict.code == _TESTS_FAILED
        caught += is_caught
        word = f"caught by {verdict.failed}" if is_caught else f"NOT CAUGHT ({verdict.code})"
        _say(f"{guard.name:<30} {verdict.seconds:5.1f} s  {word}")
    _say(f"{caught} of {len(guards)}")
    return 0 if caught == len(guards) else 1


def _verdict(guard: Guard | None, tests: Sequence[str]) -> Verdict:
    """Run tests on a copy of the project in which a guard is broken, or none."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        for name in PARTS:
            _copy(ROOT / name, copy / name)
        if guard is not None:
            guard.break_in(copy)
        began = time.monotonic()
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
            cwd=copy,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        return Verdict(run.returncode, _failed(run.stdout), time.monotonic() - began)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _failed(output: str) -> str:
    """The first test that failed, as pytest's summary names it."""
    for line in output.splitlines():
        kind, _, rest = line.partition(" ")
        if kind in {"FAILED", "ERROR"}:
            return rest.partition(" - ")[0]
    return "nothing"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - it is what this script is for


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
