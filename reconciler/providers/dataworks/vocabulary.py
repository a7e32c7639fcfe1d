"""DataWorks' closed vocabularies, as names or numbers, with the spellings that come over the wire.

Source: vendor reference and SDK models of 2018-06-01 and 2020-05-18, read 2026-11-21.
"""

from __future__ import annotations

import enum
import re
from typing import TypeVar

from reconciler.model.runs import UnitStatus


class InstanceStatus(enum.IntEnum):
    """How far a node instance is; the numbers are those of 2018-06-01."""

    NOT_RUN = 1
    WAIT_TIME = 2
    WAIT_RESOURCE = 3
    RUNNING = 4
    FAILURE = 5
    SUCCESS = 6
    CHECKING = 7
    CHECKING_CONDITION = 8
    WAIT_TRIGGER = 9

    @property
    def started(self) -> bool:
        """Whether the service has done anything for it but wait for others or for its time."""
        return self not in {
            InstanceStatus.NOT_RUN,
            InstanceStatus.WAIT_TIME,
            InstanceStatus.WAIT_TRIGGER,
        }

    @property
    def ended(self) -> bool:
        """Whether it changes only by somebody's doing."""
        return self in {InstanceStatus.FAILURE, InstanceStatus.SUCCESS}


class TaskType(enum.IntEnum):
    """How an instance was meant to run; from SKIP on it succeeds without running."""

    NORMAL = 0
    MANUAL = 1
    PAUSE = 2
    SKIP = 3
    SKIP_UNCHOOSE = 4
    SKIP_CYCLE = 5
    CONDITION_UNCHOOSE = 6
    REALTIME_DEPRECATED = 7

    @property
    def left_out(self) -> bool:
        """Whether the backfill itself left it out: a dry run, or a node not chosen."""
        return self in {TaskType.SKIP, TaskType.SKIP_UNCHOOSE}


class DagType(enum.IntEnum):
    """What an instance's DAG is."""

    DAILY = 0
    MANUAL = 1
    SMOKE_TEST = 2
    SUPPLY_DATA = 3
    MANUAL_FLOW = 4
    BUSINESS_PROCESS_DAG = 5

    @property
    def by_hand(self) -> bool:
        """Whether it is a run of a manual flow or manual task."""
        return self in {DagType.MANUAL, DagType.MANUAL_FLOW, DagType.BUSINESS_PROCESS_DAG}


#: DAG statuses of 2020-05-18. There is no "stopped": a stopped instance ends as FAILURE.
DAG_STATUSES = {
    "CREATED": UnitStatus.CREATED,
    "RUNNING": UnitStatus.RUNNING,
    "FAILURE": UnitStatus.FAILURE,
    "SUCCESS": UnitStatus.SUCCESS,
}

_E = TypeVar("_E", bound=enum.IntEnum)

# `NORMAL(0)`: the name, the number, or both.
_SPELLING = re.compile(r"\s*([A-Za-z_]*)\s*(?:\(?\s*(\d{1,4})\s*\)?)?\s*", re.ASCII)


def parse_member(vocabulary: type[_E], value: object) -> _E | None:
    """Read a member given as `NAME`, number, numeric text or `NAME(number)`; None if it is none.

    The name decides where both are given.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _by_number(vocabulary, value)
    if not isinstance(value, str) or (found := _SPELLING.fullmatch(value)) is None:
        return None
    name, number = found.groups()
    if name:
        return vocabulary.__members__.get(name.upper())
    return _by_number(vocabulary, int(number)) if number else None


def _by_number(vocabulary: type[_E], number: int) -> _E | None:
    return next((member for member in vocabulary if member.value == number), None)
