"""Print how the protocol goes wrong without its guards: `python -m tests.crash.model.report`."""

from __future__ import annotations

import sys

from tests.crash.model.explore import explore
from tests.crash.model.guards import Guard, Setting
from tests.crash.model.promises import DUPLICATE
from tests.crash.model.variants import ALONE, TOGETHER, without


def main() -> None:
    """One shortest trace for each guard, and for those that cover for each other."""
    variants: dict[str, tuple[Setting, tuple[Guard, ...]]] = {
        guard.without: (setting, (guard,)) for guard, setting in ALONE.items()
    }
    variants |= {f"not {name}": (one.setting, one.guards) for name, one in TOGETHER.items()}
    for what, (setting, guards) in variants.items():
        explored = explore(without(setting, *guards), looking_for=DUPLICATE)
        places = "; ".join(place for guard in guards for place in guard.where)
        sys.stdout.write(f"\n{what}\n[{places}]\n{explored}\n")


if __name__ == "__main__":
    main()
