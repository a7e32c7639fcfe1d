"""Plans and records, read as the people and pipelines here need them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from reconciler.model.attempts import Attempt, RecordedState
from reconciler.model.series import Series
from tests.crash.usecases.specs import Key, day_of


class Planned(NamedTuple):
    """One unit that a plan decides on."""

    address: str
    date: str
    decision: str
    reason: str

    @property
    def key(self) -> Key:
        """The unit, as the model of the ledger names it."""
        return self.address.split(".")[1], day_of(self.date)

    @property
    def needs_a_person(self) -> bool:
        """Whether it stays as it is until somebody says something."""
        return self.decision in {"hold", "unknown"}

    @property
    def needs_an_answer(self) -> bool:
        """Whether somebody has to say what became of it, before anything goes on."""
        return self.decision == "unknown" or self.reason == "candidate"


def units_of(plan: Mapping[str, Any]) -> list[Planned]:
    """Every unit that a plan decides on."""
    return [
        Planned(action["address"], f"2020-05-{day:02}", action["decision"], action["reason"])
        for action in plan["actions"]
        for text in action["dates"]
        for day in range(int(text[8:10]), int(text[-2:]) + 1)
    ]


def left_open(plan: Mapping[str, Any]) -> dict[str, int]:
    """What a plan still has to do, and what has not come to its end."""
    words = ("create", "rerun", "adopt", "wait", "unknown")
    return {one: plan["summary"][one] for one in words if plan["summary"][one]}


def essence(plan: Mapping[str, Any]) -> str:
    """A plan without what is made up anew each time: ids and times."""
    kept = {name: plan[name] for name in ("actions", "calls", "summary", "diagnostics", "serial")}
    text = json.dumps(kept, sort_keys=True)
    for call in plan["calls"]:
        text = text.replace(call["id"], "ID")
    return re.sub(r"\d\d:\d\d(:\d\d)?", "TIME", text)


def keys_of(attempt: Attempt) -> list[Key]:
    """The units of an attempt."""
    return [(attempt.address.name, day_of(str(day))) for day in attempt.dates.days()]


def newest(record: RecordedState, key: Key, of: Callable[[Attempt], bool]) -> Attempt | None:
    """The attempt on record for a unit that was sent last, of some kind."""
    found = [one for one in record.attempts if key in keys_of(one) and of(one)]
    return found[-1] if found else None


def value_of(series: Series) -> str:
    """The value of the one parameter that specs here set."""
    return next((value for _, pairs in series.params for _, value in pairs), "")
