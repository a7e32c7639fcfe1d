"""What an operation is given, and what the service knows about one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.simulator.dataworks.parameters import Parameters
from reconciler.simulator.dataworks.writers import Family
from reconciler.simulator.session import Session

OWNER = "simulator"
"""The user who owns every node and has created every run."""

PROJECT_ID = 112345
"""The id of the one workspace: no backfill parameter names another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an operation that passed the gateway."""

    operation: str
    parameters: Parameters
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of one API version. `run` gives the payload for the envelope of `family`."""

    run: Callable[[Call], object]
    family: Family
    writes: bool = False
