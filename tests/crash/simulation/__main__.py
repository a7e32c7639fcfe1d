"""Play the histories of some seeds: `python -m tests.crash.simulation SEED...`."""

from __future__ import annotations

import sys

from tests.crash.simulation.generating import script_of
from tests.crash.simulation.history import Broken
from tests.crash.simulation.playing import played, telling


def main(seeds: list[str]) -> int:
    """Tell each history, and of one that breaks the promise the shortest that does."""
    broken_ones = 0
    for seed in seeds:
        script = script_of(int(seed))
        try:
            story = "\n".join(played(script).story)
        except Broken:
            broken_ones += 1
            story = telling(script)
        print(f"seed {seed}\n{story}\n")  # noqa: T201 - for whoever asked
    return 1 if broken_ones else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
