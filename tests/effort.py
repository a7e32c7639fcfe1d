"""How hard the tests try: the usual number of cases, or many more in `make soak`."""

from __future__ import annotations

import os
from typing import TypeVar

_Effort = TypeVar("_Effort")

#: What `make soak` multiplies every number of examples by.
FACTOR = int(os.environ.get("RECONCILER_SOAK_FACTOR", "1"))


def examples(usual: int) -> int:
    """How many examples to try where `usual` are tried in `make test`."""
    return usual * FACTOR


def cases(usual: _Effort, *, soak: _Effort) -> _Effort:
    """What to run, or how many: `usual` in `make test`, `soak` in `make soak`."""
    return usual if FACTOR == 1 else soak
