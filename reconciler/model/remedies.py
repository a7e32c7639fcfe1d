"""What a person can do about units that nobody else can help: commands, ready to be typed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.model.addresses import UnitRange
from reconciler.model.dates import DateRange
from reconciler.model.plan import Action, Decision, Reason

#: Ids of runs that can stand in a command as they are; others might do something else in a shell, or
#: never end.
_PLAIN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}", re.ASCII)

#: Decisions on units that only a person can help.
NEEDS_PERSON = frozenset({Decision.UNKNOWN, Decision.HOLD})

#: So many stretches of one action get commands of their own.
MOST_RANGES = 20


def remedies(action: Action) -> tuple[str, ...]:
    """The commands for all stretches of an action; empty where no person is needed."""
    if action.decision not in NEEDS_PERSON:
        return ()
    return tuple(
        command
        for dates in action.dates.ranges[:MOST_RANGES]
        for command in remedies_for(action, dates)
    )


def remedies_for(action: Action, dates: DateRange) -> tuple[str, ...]:
    """The commands for one stretch of an action that needs a person: what shows more, then the choices."""
    units = UnitRange(action.address, dates)
    return (
        shows_more(units),
        *choices(units, action.decision, action.reason, action.run_ids),
    )


def shows_more(units: UnitRange) -> str:
    """The command that tells all that is known of units."""
    return f"reconciler explain {units}"


def choices(
    units: UnitRange, decision: Decision, reason: Reason, run_ids: Sequence[str]
) -> tuple[str, ...]:
    """The commands that decide on units; none where no person is needed, or where a spec decides."""
    if decision not in NEEDS_PERSON:
        return ()
    words: tuple[str, ...]
    match reason:
        case Reason.OUTCOME_UNKNOWN | Reason.CANDIDATE | Reason.FOREIGN_IN_FLIGHT:
            words = (f"--run-id {_run_id(run_ids)}", "--never-ran")
        case Reason.HOLLOW | Reason.LOST_SIGHT:
            words = ("--succeeded", "--rerun")
        case Reason.FAILED | Reason.BEHIND_FAILED | Reason.STOPPED:
            words = ("--rerun",)
        case _:
            words = ()
    return tuple(f"reconciler resolve {units} {word} --reason TEXT" for word in words)


def _run_id(run_ids: Sequence[str]) -> str:
    """The run's id, where there is one and no other."""
    return plain_id(run_ids[0]) if len(run_ids) == 1 else "ID"


def plain_id(run_id: str) -> str:
    """An id as it stands in a command; `ID` where a shell might make something else of it."""
    return run_id if _PLAIN_ID.fullmatch(run_id) else "ID"
