"""Gates: conditions on other systems that must hold before units may start."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from reconciler.model.addresses import is_name
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Place
from reconciler.model.rangemap import RangeMap

_PREFIX = "gate."


def is_gate(address: str) -> bool:
    """Whether an address is that of a gate."""
    return address.startswith(_PREFIX)


#: Bounds of a window: days from the data date to its first day, either way, and its length.
FURTHEST_DAYS = 31


class Scope(enum.Enum):
    """Whose tasks an OBShell gate looks at."""

    CLUSTER = "cluster"
    AGENT = "agent"
    """Of the one agent that is asked."""
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class DagSucceeded:
    """OBShell: the DAG with this id ran to SUCCEED. Ids are texts: they exceed 2^53."""

    dag: str

    def __str__(self) -> str:
        return f"DAG {self.dag} has succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingUnfinished:
    """OBShell: no task is unfinished; with `tenant`, none of this tenant or of the whole cluster."""

    scope: Scope
    tenant: str | None = None

    def __str__(self) -> str:
        of_tenant = f" for tenant {self.tenant}" if self.tenant else ""
        return f"no unfinished task ({self.scope.value}){of_tenant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsSucceeded:
    """DataArts, judged for each data date: every run planned in its window succeeded, and there is one.

    The window begins `offset_days` after the data date (at midnight in the connection's time zone) and is
    `days` long, at least 1. `task` is the id under which monitoring shows the runs; without it the job's
    own instances are looked at.
    """

    job: str
    task: str | None = None
    offset_days: int = 1
    days: int = 1

    def __str__(self) -> str:
        match self.offset_days:
            case 0:
                first = "on the data date"
            case 1:
                first = "on the day after the data date"
            case later:
                side = "after" if later > 0 else "before"
                first = f"{abs(later)} days {side} the data date"
        begins = "" if self.days == 1 else f"in {self.days} days beginning "
        of_task = f" (task {self.task})" if self.task else ""
        return f"every run of {self.job}{of_task} planned {begins}{first} has succeeded"


Condition = DagSucceeded | NothingUnfinished | RunsSucceeded


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One declared gate; `connection` says which system is asked."""

    name: str
    connection: str
    condition: Condition
    place: Place = field(default=Place(""), compare=False)

    @property
    def address(self) -> str:
        """`gate.NAME`, as specs, plans and messages write it."""
        return f"{_PREFIX}{self.name}"


@dataclass(frozen=True, slots=True)
class GateRef:
    """That a spec requires a gate, and where it says so, for messages."""

    name: str
    place: Place | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, text: str, place: Place | None = None) -> GateRef:
        """Parse `gate.NAME`.

        Raises:
            ValueError: It is none.
        """
        name = text.removeprefix(_PREFIX)
        if name == text or not is_name(name):
            raise ValueError(f"{text!r} is not a gate; write gate.NAME")
        return cls(name, place)

    def __str__(self) -> str:
        return f"{_PREFIX}{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReading:
    """What one look at a gate showed for some data dates.

    `closed` holds the dates on which it is closed, with the reason in one line; on those of them that are
    `stuck` it opens only after a person has done something. `remarks` are what a person should know of open
    dates, such as that somebody waived a task. `problem` is set when the gate could not be read, which
    closes it on all of its dates.
    """

    dates: DateSet
    closed: RangeMap[str] = field(default_factory=RangeMap)
    stuck: DateSet = field(default_factory=DateSet)
    remarks: RangeMap[str] = field(default_factory=RangeMap)
    problem: str | None = None

    @classmethod
    def unreadable(
        cls, dates: DateSet, problem: str, *, needs_person: bool = False
    ) -> GateReading:
        """The reading of a gate that could not be read, and maybe never can before somebody helps."""
        why = f"could not be read: {problem}"
        return cls(
            dates=dates,
            closed=RangeMap.constant(dates, why),
            stuck=dates if needs_person else DateSet(),
            problem=problem,
        )

    def updated(self, newer: GateReading) -> GateReading:
        """This reading with what a newer one showed on its dates."""
        return GateReading(
            dates=self.dates | newer.dates,
            closed=self.closed.restricted(self.dates - newer.dates).overlaid(newer.closed),
            stuck=(self.stuck - newer.dates) | newer.stuck,
            remarks=self.remarks.restricted(self.dates - newer.dates).overlaid(newer.remarks),
            problem=newer.problem,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateStanding:
    """A gate and how it stood; `reading` is None where it was not looked at."""

    gate: Gate
    reading: GateReading | None = None
