"""What may become of a create request on its way to the service and back."""

from __future__ import annotations

import enum
import random
from collections.abc import Mapping
from typing import Any

from tests.scenario.processes import RemoteSandbox


class Outcome(enum.Enum):
    """What the first create request meets that reaches the service."""

    ANSWERED = "answered"
    EXECUTED = "executed, answer dropped"
    DROPPED = "dropped, not executed"
    CUT = "executed, answer cut"
    TURNED_AWAY = "turned away"
    GARBLED = "executed, answer garbled"


_EFFECTS: Mapping[Outcome, tuple[Mapping[str, Any], ...]] = {
    Outcome.ANSWERED: ({"effect": "delay"},),
    Outcome.EXECUTED: ({"effect": "execute_then_drop"},),
    Outcome.DROPPED: ({"effect": "drop"},),
    Outcome.CUT: ({"effect": "reset_mid_body"},),
    # The first is a refusal, the second proves nothing.
    Outcome.TURNED_AWAY: ({"effect": "throttle"}, {"effect": "http", "status": 503}),
    Outcome.GARBLED: ({"effect": "garbage"},),
}


def arrange(
    project: RemoteSandbox, outcome: Outcome, *, chance: random.Random, seconds: float = 0.0
) -> None:
    """Have the next create request of a project's system meet an outcome, after so long."""
    project.spoil_create(seconds=seconds, **chance.choice(_EFFECTS[outcome]))
