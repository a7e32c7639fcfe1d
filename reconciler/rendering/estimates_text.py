"""How long what a plan starts may run, for a person: from how long to how long, and what that rests on."""

from __future__ import annotations

from reconciler.model.estimates import Basis, Estimate, together
from reconciler.model.plan import Plan
from reconciler.rendering.times_text import from_to, lasting
from reconciler.rendering.words import some

#: So many of the addresses that timed runs were started for are named.
ADDRESSES_NAMED = 2


def estimate_text(estimate: Estimate | None) -> str:
    """How long one address would run; empty without an estimate.

    `runs for about 65 min (40 min to 2 h), one date after another, as 12 dates on record took 3 to 9 min
    each, last sent 2026-11-02`.
    """
    if estimate is None:
        return ""
    took = estimate.took
    each = " each" if took.dates > 1 else ""
    return (
        f"runs for {_length(estimate)}{_order(estimate)}, as {some(took.dates, 'date')} on record"
        f"{_whose(estimate)} took {from_to(took.least, took.most)}{each},"
        f" last sent {estimate.last_sent}"
    )


def _length(estimate: Estimate) -> str:
    about = f"about {lasting(estimate.average)}"
    span = from_to(estimate.least, estimate.most)
    return about if span == lasting(estimate.average) else f"{about} ({span})"


def _order(estimate: Estimate) -> str:
    """What it counts as one after another."""
    if estimate.dates == 1:
        return ""
    if estimate.in_turn == 1:
        return ", all dates at once"
    if estimate.in_turn == estimate.dates:
        return ", one date after another"
    return f", {estimate.in_turn} dates in turn"


def _whose(estimate: Estimate) -> str:
    """Whose runs they were, where not the very same."""
    parts = []
    if estimate.ran_for != (estimate.address,):
        named = estimate.ran_for[:ADDRESSES_NAMED]
        more = estimate.ran_for_count - len(named)
        parts.append(f"of {', '.join(map(str, named))}{f' and {more} more' if more else ''}")
    if estimate.basis is Basis.SUBJECT:
        parts.append("with other nodes or params")
    return "".join(f" {part}" for part in parts)


def total_text(plan: Plan) -> str:
    """How long all that a plan starts may run, and what is not in it; empty if there is no more to say."""
    timed = {one.address for one in plan.estimates}
    untimed = sum(call.dates.count for call in plan.calls if call.address not in timed)
    if not plan.estimates or (len(plan.estimates) == 1 and not untimed):
        return ""
    whole = together(plan.estimates, plan.desired)
    beside = ", resources beside each other where they may" if len(plan.estimates) > 1 else ""
    without = f"; not in it: {some(untimed, 'date')} like which none was timed" if untimed else ""
    span = from_to(whole.least, whole.most)
    return f"It would run for about {span}{beside}, once nothing keeps it from starting{without}."
