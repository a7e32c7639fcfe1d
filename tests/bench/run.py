"""How long the usual commands take: medians of whole processes, on this machine.

Run by `make bench`. Numbers are for comparing two trees on one machine; no test depends on them.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RUNS = 5
SPECS = 1_000
RECONCILER = [sys.executable, "-m", "reconciler"]
EXAMPLE = Path(__file__).parents[2] / "specs"

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {name: bench}
spec:
  connections:
    prod: {provider: dataworks, region: cn-shanghai, projectId: 1, endpoint: simulator}
"""


def measure(name: str, *words: str) -> None:
    """Print the median wall and CPU seconds of a command."""
    walls, cpus = [], []
    for _ in range(RUNS):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([*RECONCILER, *words], check=True, capture_output=True)
        walls.append(time.perf_counter() - started)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    sys.stdout.write(f"{name:<44} {wall:7.3f} s wall {cpu:7.3f} s CPU\n")


@contextmanager
def project(specs: int) -> Iterator[Path]:
    """A project with many backfills of a year each."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "reconciler.yaml").write_text(PROJECT)
        (root / "specs").mkdir()
        for number in range(specs):
            document = {
                "apiVersion": "reconciler/v1",
                "kind": "Backfill",
                "metadata": {"name": f"b{number}"},
                "spec": {
                    "connection": "prod",
                    "target": {"rootNode": number + 1},
                    "dates": {"start": "2020-01-01", "end": "2020-12-31"},
                },
            }
            (root / "specs" / f"b{number}.yaml").write_text(json.dumps(document))
        yield root


def main() -> None:
    """Measure and print."""
    measure("--version", "--version")
    measure("--help", "--help")
    measure("validate, specs/", "-C", str(EXAMPLE), "validate")
    measure("plan --offline, specs/", "-C", str(EXAMPLE), "plan", "--offline")
    with project(SPECS) as root:
        measure(f"validate, {SPECS} specs of 366 dates", "-C", str(root), "validate")
        measure(
            f"plan --offline, {SPECS} specs of 366 dates", "-C", str(root), "plan", "--offline"
        )


if __name__ == "__main__":
    main()
