"""What must hold in every moment."""

from __future__ import annotations

from tests.crash.model.deciding import CREATE, judge
from tests.crash.model.guards import Setting
from tests.crash.model.service import may_be_executed
from tests.crash.model.state import ACCEPTED, NEVER_RAN, State, row_of, runs_of

DUPLICATE = "a create was executed twice"
INVENTED_SUCCESS = "on record as accepted, and nothing was executed"
INVENTED_ABSENCE = "on record as never having run, and it ran or may still run"
LOST = "executed, and the next plan would start it again"


def broken(setting: Setting, state: State) -> str | None:
    """The first promise that does not hold in a moment; None while all do."""
    requests = state.requests
    if any(one.runs for one in requests):
        for unit in range(setting.units):
            if runs_of(state, unit) > 1:
                return DUPLICATE
    for row in state.rows:
        if row.state == ACCEPTED and not requests[row.attempt].runs:
            return INVENTED_SUCCESS
        # What an old backup says may have been overtaken; the next plan looks for it.
        absent = row.state in NEVER_RAN and not state.restored
        if absent and (requests[row.attempt].runs or may_be_executed(setting, state, row.attempt)):
            return INVENTED_ABSENCE
    if not state.processes and _lost(setting, state):
        return LOST
    return None


def _lost(setting: Setting, state: State) -> bool:
    """With nobody alive: is something executed of which the next plan, once it is listed, knows nothing?"""
    for number, request in enumerate(state.requests):
        if not request.runs:
            continue
        row = row_of(state.rows, number)
        if row is not None and row.state not in NEVER_RAN:
            continue
        if not state.restored:
            return True
        shown = tuple(one._replace(listed=bool(one.runs), age=2) for one in state.requests)
        if judge(setting, state.rows, shown, request.unit).decision == CREATE:
            return True
    return False
