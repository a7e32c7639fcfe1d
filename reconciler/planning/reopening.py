"""Judging a plan's calls again: what blocked one may have opened since, and the other way round."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.plan import Call, Plan
from reconciler.planning.blocking import FREEZE, Standings, blocks
from reconciler.planning.situation import Situation, standings_of


def judged_again(plan: Plan, situation: Situation) -> Plan:
    """The plan with each call's `blocked_by` as it is now; everything else stays.

    A call is open when all of its dates are.

    Args:
        plan: A plan made before.
        situation: Its `desired` resources and how far they are.
    """
    standings = standings_of(situation)
    calls = [
        replace(call, blocked_by=_blocked_by(call, standings, situation)) for call in plan.calls
    ]
    return replace(plan, calls=tuple(calls))


def _blocked_by(call: Call, standings: Standings, situation: Situation) -> tuple[str, ...]:
    resource = standings.resources.get(call.address)
    if resource is None:
        return (FREEZE,) if situation.freeze is not None else ()
    closed = blocks(resource, standings, situation.around).restricted(call.dates)
    return tuple(dict.fromkeys(block.by for _, stack in closed for block in stack))
