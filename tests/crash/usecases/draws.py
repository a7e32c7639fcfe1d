"""What people, pipelines and accidents are drawn from."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reconciler.model.steps import Durable, Exchange, Wire, all_points
from reconciler.simulator.faults import Effect
from tests.crash.mortal import At
from tests.crash.usecases.project import CREATES
from tests.crash.usecases.specs import DAYS, NAMES

names = st.sampled_from(NAMES)
days = st.integers(0, DAYS - 1)
day_sets = st.frozensets(days, min_size=1, max_size=4) | st.builds(
    lambda first, more: frozenset(range(first, min(DAYS, first + more))), days, st.integers(1, 5)
)
values = st.sampled_from("aab")
changes = st.sampled_from(["hold", "rerun", "keep"])

#: Which one of those that there are.
picks = st.integers(0, 5)

#: How far the clock of the machine that commands run on is ahead of everybody's.
skews = st.sampled_from([0.0, 120.0, -120.0, 3600.0, -3600.0, 400 * 86400.0])

_EFFECTS: SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        *({"effect": one.value} for one in Effect),
        {"effect": "delay", "seconds": 5},
        {"effect": "delay", "seconds": 600},
        {"effect": "http", "status": 403},
        {"effect": "http", "status": 400, "code": "InvalidParameter"},
        {"effect": "http", "status": 400, "code": "Unheard.Of"},
        {"effect": "http", "status": 502, "body": "<html>"},
        {"effect": "garbage", "body": "{}"},
    ]
)

#: One create in an apply goes wrong.
create_faults: SearchStrategy[dict[str, Any]] = st.builds(
    lambda operation, nth, effect: {"operation": operation, "nth": nth, **effect},
    st.sampled_from(sorted(CREATES)),
    st.integers(1, 2),
    _EFFECTS,
)

_READS = ("ListInstances", "GetDag", "ListDags", "ListManualDagInstances", "GetManualDagInstances",
          "GetInstance", "SearchManualDagNodeInstance")  # fmt: skip

#: One read, or all of a kind, go wrong.
read_faults: SearchStrategy[dict[str, Any]] = st.builds(
    lambda operation, nth, effect: {"operation": operation, **nth, **effect},
    st.sampled_from(_READS),
    st.sampled_from([{}, {"nth": 1}, {"nth": 2}]),
    _EFFECTS,
)


def deaths(*steps: Durable | Exchange) -> SearchStrategy[At]:
    """A point to die at among those of some steps: mostly when it is reached first."""
    parts = {step.value for step in steps}
    points = [
        point
        for point in all_points()
        # Nothing here uses TLS.
        if point.split(".")[0] in parts and Wire.TLS.value not in point.split(".")
    ]
    return st.builds(At, st.sampled_from(points), st.sampled_from([1, 1, 1, 2, 3]))


#: What every command that writes does on its way to what it is for.
_WRITING = (Durable.ACQUIRE, Durable.RELEASE, Durable.OBSERVE, Durable.COUNT, Exchange.READ)

apply_deaths = deaths(
    *_WRITING,
    *(Durable.CREATE_STORE, Durable.RENEW, Durable.ADOPT, Durable.ABSENT, Durable.TAGS),
    *(Durable.INTENT, Durable.SENT, Durable.SETTLE, Exchange.CREATE),
)
ruling_deaths = deaths(*_WRITING, Durable.RULING)
status_deaths = deaths(Durable.OBSERVE, Durable.COUNT, Exchange.READ)
plan_deaths = deaths(Durable.PLAN_FILE, Exchange.READ)
unlock_deaths = deaths(Durable.UNLOCK)
