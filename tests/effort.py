"""How hard the property tests try: the usual number of examples, or many more in `make soak`."""

from __future__ import annotations

import os

#: What `make soak` multiplies every number of examples by.
FACTOR = int(os.environ.get("RECONCILER_SOAK_FACTOR", "1"))


def examples(usual: int) -> int:
    """How many examples to try where `usual` are tried in `make test`."""
    return usual * FACTOR
