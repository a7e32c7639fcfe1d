"""What a person can do about units that nobody else can help: commands, ready to be typed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.model.dates import DateRange
from reconciler.model.plan import Action, Decision, Reason

#: Ids of runs that can stand in a command as they are; others might do something else in a shell.
_PLAIN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]*", re.ASCII)

#: So many stretches of one action get commands of their own.
MOST_RANGES = 20


def remedies(action: Action) -> tuple[str, ...]:
    """The commands for all stretches of an action; empty where no person is needed."""
    if action.decision not in {Decision.HOLD, Decision.UNKNOWN}:
        return ()
    return tuple(
        command
        for dates in action.dates.ranges[:MOST_RANGES]
        for command in remedies_for(action, dates)
    )


def remedies_for(action: Action, dates: DateRange) -> tuple[str, ...]:
    """The commands for one stretch of an action that needs a person: what shows more, then the choices."""
    unit = f"{action.address}@{dates}"
    return (f"reconciler explain {unit}", *_decisions(action, unit))


def _decisions(action: Action, unit: str) -> Iterator[str]:
    words: tuple[str, ...]
    match action.reason:
        case Reason.OUTCOME_UNKNOWN | Reason.CANDIDATE | Reason.FOREIGN_IN_FLIGHT:
            words = (f"--run-id {_run_id(action)}", "--never-ran")
        case Reason.HOLLOW | Reason.LOST_SIGHT:
            words = ("--succeeded", "--rerun")
        case Reason.FAILED | Reason.BEHIND_FAILED | Reason.STOPPED:
            words = ("--rerun",)
        case _:
            words = ()
    for word in words:
        yield f"reconciler resolve {unit} {word} --reason TEXT"


def _run_id(action: Action) -> str:
    """The run's id, where there is one and no other."""
    one = action.run_ids[0] if len(action.run_ids) == 1 else ""
    return one if _PLAIN_ID.fullmatch(one) else "ID"
