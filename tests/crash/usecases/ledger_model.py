"""What was asked for and what came of it, kept beside the product: how often each unit may start.

A start is rightful if nothing ran for the unit; if a higher generation, or other params with
`onChange: rerun`, are declared; if a person asked for it; or if the run before is neither on record (a
store lost or restored, or told to forget) nor remembered by the service, which is a documented limit.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.crash.usecases.specs import FLOW, NAMES, ROOTS, Key, Spec, day_of, day_text
from tests.scenario.sandbox import executed_dates

#: The service forgets runs after 30 days; where a test sleeps meanwhile, a little less counts.
MEMORY_SECONDS = 29 * 86400


@dataclass(frozen=True, slots=True)
class Ran:
    """What a unit ran as, or counts as having run."""

    value: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start of a unit that the ledger shows."""

    ran: Ran
    run_id: str
    name: str
    at: float


@dataclass(slots=True)
class Unit:
    """The history of one day of one resource."""

    starts: list[Start] = field(default_factory=list)
    rightful: int = 0
    licenses: int = 0
    """How often a person asked for another run that did not come yet."""
    last: Ran | None = None

    def forget_words(self) -> None:
        """What people said is off the record; what ran is not undone."""
        self.last = self.starts[-1].ran if self.starts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the record knows: run ids, and units that have a call of open outcome or a person's word."""

    runs: frozenset[str] = frozenset()
    kept: frozenset[Key] = frozenset()


class Model:
    """All units, by resource and day."""

    def __init__(self) -> None:
        """Nothing ran."""
        self.units: defaultdict[Key, Unit] = defaultdict(Unit)
        #: How many entries of the ledger have been accounted for.
        self.seen = 0
        #: Runs that somebody started by hand: run id by resource and day.
        self.by_hand: dict[str, Key] = {}
        #: Units whose runs may be off the record, because people had the record lose them.
        self.excused: set[Key] = set()

    def account(
        self,
        ledger: Sequence[Mapping[str, Any]],
        declared: Mapping[str, Spec],
        known: Known,
        now: float,
    ) -> list[str]:
        """Take in what a command started, and say which starts nothing justified.

        Args:
            ledger: The whole of it.
            declared: What the plan at work asks for.
            known: What was on record before.
            now: Seconds since 1970.
        """
        wrong = []
        for entry in ledger[self.seen :]:
            for key, run_id in started(entry):
                why = self._start(key, run_id, str(entry["name"]), declared, known, now)
                if why:
                    wrong.append(f"{key[0]} {day_text(key[1])}: {why}")
        self.seen = len(ledger)
        return wrong

    def _start(
        self,
        key: Key,
        run_id: str,
        name: str,
        declared: Mapping[str, Spec],
        known: Known,
        now: float,
    ) -> str:
        unit, spec = self.units[key], declared.get(key[0])
        if spec is None or key[1] not in spec.days:
            return "started, and nobody declares it"
        ran = Ran(spec.value, spec.generation(key[1]))
        right = self._rightful(key, spec, ran, known, now)
        before = unit.last
        unit.rightful += right
        unit.starts.append(Start(ran=ran, run_id=run_id, name=name, at=now))
        unit.last = ran
        return "" if right else f"started as {ran} after {before}"

    def _rightful(self, key: Key, spec: Spec, ran: Ran, known: Known, now: float) -> bool:
        unit = self.units[key]
        last = unit.last
        if last is None:
            return True
        if last.value != ran.value and spec.on_change == "rerun":
            return True
        if last.value == ran.value and ran.generation > last.generation:
            return True
        if unit.licenses:
            unit.licenses -= 1
            return True
        # A documented limit: neither the record nor the service remembers the run any more.
        run = unit.starts[-1] if unit.starts else None
        if run is None or run.run_id in known.runs or key in known.kept:
            return False
        return now - run.at >= MEMORY_SECONDS

    def off_record(self, key: Key, known: Known) -> Start | None:
        """The newest run of a unit, if it is not on record."""
        starts = self.units[key].starts
        return starts[-1] if starts and starts[-1].run_id not in known.runs else None

    def allowed(self, work: str) -> int:
        """How often some work may have started at most, that by hand included."""
        root, _, date = work.partition(" ")
        names = [
            name for name in NAMES if root == (str(ROOTS[name]) if name in ROOTS else "test_flow")
        ]
        day = day_of(date)
        hand = sum(key[0] in names and key[1] == day for key in self.by_hand.values())
        return hand + sum(self.units[name, day].rightful for name in names)

    # What people do to the record.

    def memory(self) -> dict[Key, Unit]:
        """What a backup of the store goes with."""
        return copy.deepcopy(dict(self.units))

    def restored(self, memory: Mapping[Key, Unit]) -> None:
        """An old record is back: what people said since is lost, and what ran since is off it."""
        for key, unit in self.units.items():
            before = memory.get(key, Unit())
            if len(before.starts) == len(unit.starts):
                unit.last = before.last
            else:
                unit.forget_words()
            unit.licenses = min(unit.licenses, before.licenses)
            self.excused.add(key)


def started(entry: Mapping[str, Any]) -> list[tuple[Key, str]]:
    """The units that one entry of the ledger started, each with its run id."""
    name = FLOW if entry["operation"] == "CreateManualDag" else str(entry["name"]).split(" ")[-1]
    days = [day_of(work) for work in executed_dates([entry])]
    runs = [str(run) for run in entry["dag_ids"]]
    return [((name, day), runs[index if len(runs) > 1 else 0]) for index, day in enumerate(days)]
