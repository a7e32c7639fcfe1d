"""The plan for a person: one line per range of dates whatever its length, what needs them said last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from reconciler.model.addresses import Address
from reconciler.model.dates import DateRange
from reconciler.model.gates import is_gate
from reconciler.model.plan import Action, Call, Decision, FieldChange, Heading, Plan, Reason
from reconciler.model.runs import Tier
from reconciler.rendering.gates_text import gate_lines
from reconciler.rendering.paint import Paint, Role, clean
from reconciler.rendering.words import some

#: More resources than this and those that need nobody are folded into one line.
FOLD_ABOVE = 50

#: Reasons of longer texts are cut here in a heading.
LONGEST_REASON = 48

#: So many batches of a rollout are told in a line.
BATCHES_TOLD = 4

_SIGNS = {
    Decision.CREATE: ("+", Role.CREATE),
    Decision.RERUN: ("~", Role.CHANGE),
    Decision.ADOPT: (">", Role.CREATE),
    Decision.WAIT: (".", Role.QUIET),
    Decision.BLOCKED: ("#", Role.CHANGE),
    Decision.HOLD: ("!", Role.PROBLEM),
    Decision.UNKNOWN: ("?", Role.PROBLEM),
    Decision.NONE: ("=", Role.QUIET),
    Decision.RELEASED: ("-", Role.QUIET),
    Decision.SHARED: ("=", Role.QUIET),
}

#: Which sign stands at a resource: the first of these that any of its ranges has.
_WEIGHT = (
    Decision.UNKNOWN,
    Decision.HOLD,
    Decision.RERUN,
    Decision.CREATE,
    Decision.ADOPT,
    Decision.BLOCKED,
    Decision.WAIT,
    Decision.RELEASED,
    Decision.SHARED,
    Decision.NONE,
)

#: Holds that no edit of a spec can end.
_DECIDED_BY_HAND = {Reason.CANDIDATE, Reason.HOLLOW, Reason.LOST_SIGHT}

_STARTING = {Decision.CREATE, Decision.RERUN, Decision.BLOCKED}

_QUIET = {Decision.NONE, Decision.SHARED, Decision.RELEASED}

_WORDS = {
    Reason.NEVER_STARTED: "never started",
    Reason.FOUND: "found: a run of ours that is not on record",
    Reason.FOREIGN_IN_FLIGHT: "held",
    Reason.CANDIDATE: "held",
    Reason.OUTCOME_UNKNOWN: "",
    Reason.IN_FLIGHT: "in flight",
    Reason.HOLLOW: "hollow",
    Reason.BEHIND_FAILED: "behind a failed date",
    Reason.LOST_SIGHT: "lost sight",
    Reason.PREVIOUS_IN_FLIGHT: "waiting",
    Reason.RELEASED: "",
    Reason.SHARED: "shared",
}

_Row = tuple[DateRange, Action]


def render_plan(plan: Plan, *, paint: Paint, full: bool = False) -> str:
    """The plan as text; ends with a newline.

    Args:
        plan: What to show.
        paint: Colours, or none.
        full: Do not fold resources that need nobody.
    """
    headings = {heading.address: heading for heading in plan.headings}
    calls: dict[Address, list[Call]] = defaultdict(list)
    for call in plan.calls:
        calls[call.address].append(call)
    blocks = [
        (address, list(actions))
        for address, actions in groupby(plan.actions, key=lambda action: action.address)
    ]
    folding = not full and len(blocks) > FOLD_ABOVE
    shown = [
        block
        for block in blocks
        if not folding or any(one.decision not in _QUIET for one in block[1])
    ]
    lines: list[str] = []
    for address, actions in shown:
        lines.extend(_block(address, headings.get(address), actions, calls[address], paint))
    if len(shown) < len(blocks):
        lines.append(
            paint(
                f"  = {len(blocks) - len(shown)} more resources need nothing (--full shows them)",
                Role.QUIET,
            )
        )
    lines.extend(gate_lines(plan.gates, paint))
    lines.append(summary_line(plan, paint))
    lines.extend(_help(plan))
    return "\n".join(lines) + "\n"


def summary_line(plan: Plan, paint: Paint) -> str:
    """One line: what starts, in how many calls, what is satisfied, what needs a person."""
    counts = plan.summary
    parts = []
    if plan.starts:
        parts.append(
            f"{_dates(plan.starts)} to start in {some(counts.calls, 'call')}"
            f" (about {some(counts.node_instances, 'node instance')})"
        )
    else:
        parts.append("nothing else to start" if _unread(plan) else "nothing to start")
    if _unread(plan):
        unread = f"{some(_unread(plan), 'resource')} could not be read, nothing is decided there"
        parts.insert(0, paint(unread, Role.PROBLEM))
    if counts.blocked:
        parts.append(f"{counts.blocked} of them blocked")
    if counts.adopt:
        parts.append(f"{counts.adopt} to adopt")
    if counts.wait:
        parts.append(f"{counts.wait} in flight")
    parts.append(f"{counts.none} satisfied")
    if counts.released:
        parts.append(f"{counts.released} released")
    people = counts.hold + counts.unknown
    if people:
        parts.append(paint(f"{people} need{'s' if people == 1 else ''} a person", Role.PROBLEM))
    made = f"{some(counts.reads, 'API call')} made"
    if plan.expected_calls():
        made += f"; apply will make about {plan.expected_calls()}"
    return f"{paint('Plan:', Role.STRONG)} {'; '.join(parts)}. {made}."


def _unread(plan: Plan) -> int:
    unread = [item for item in plan.diagnostics if item.code.startswith(("read_", "listing_"))]
    return len({item.address for item in unread})


def _block(
    address: Address,
    heading: Heading | None,
    actions: Sequence[Action],
    calls: Sequence[Call],
    paint: Paint,
) -> Iterator[str]:
    decisions = {action.decision for action in actions}
    sign, role = _SIGNS[next(decision for decision in _WEIGHT if decision in decisions)]
    title = f"  {sign} {paint(str(address), Role.STRONG)}"
    about = _about(heading)
    yield f"{title}   {paint(about, Role.QUIET)}" if about else title
    rows = sorted(
        ((dates, action) for action in actions for dates in action.dates), key=lambda row: row[0]
    )
    starting = sum(row[1].decision in _STARTING for row in rows)
    dates_width = max(len(str(dates)) for dates, _ in rows)
    count_width = max(len(_dates(dates.count)) for dates, _ in rows)
    for dates, action in rows:
        sign, role = _SIGNS[action.decision]
        span = f"{sign} {dates!s:<{dates_width}}  {_dates(dates.count):>{count_width}}"
        yield f"      {paint(span, role)}  {_why(action)}".rstrip()
    if max(starting, len(calls)) > 1:
        yield paint(f"        in {some(len(calls), 'call')}{_batches(calls)}", Role.QUIET)


def _batches(calls: Sequence[Call]) -> str:
    """Which dates go together, batch after batch, where there is more than one batch."""
    grouped = [
        ", ".join(str(call.dates) for call in batch)
        for _, batch in groupby(calls, key=lambda call: call.batch)
    ]
    if len(grouped) < 2:  # noqa: PLR2004 - one batch needs no words
        return ""
    more = len(grouped) - BATCHES_TOLD
    told = " → ".join(grouped[:BATCHES_TOLD])
    return f": {told}{f' → {more} more batches' if more > 0 else ''}"


def _about(heading: Heading | None) -> str:
    if heading is None:
        return ""
    reason = clean(heading.reason)
    if len(reason) > LONGEST_REASON:
        reason = reason[: LONGEST_REASON - 1] + "…"
    person = ": ".join(part for part in (clean(heading.owner), reason) if part)
    parts = [heading.connection, heading.environment, clean(heading.root), person]
    return " · ".join(part for part in parts if part)


def _why(action: Action) -> str:
    word = _WORDS.get(action.reason, action.reason.value)
    if action.blocked_by:
        word = f"{word}; blocked by {clean(', '.join(action.blocked_by))}"
    # Why a gate is closed stands with the gate, once for all who wait for it.
    told = bool(action.blocked_by) and all(is_gate(name) for name in action.blocked_by)
    detail = "" if told else clean(action.detail)
    said = ": ".join(part for part in (word, detail) if part)
    changes = "; ".join(_change(change) for change in action.changes)
    return "; ".join(part for part in (said, changes) if part)


def _change(change: FieldChange) -> str:
    before = "(absent)" if change.before is None else f'"{clean(change.before)}"'
    after = "(absent)" if change.after is None else f'"{clean(change.after)}"'
    return f"{clean(change.path)} {before} → {after}"


def _help(plan: Plan) -> Iterable[str]:
    unknown = [action for action in plan.actions if action.decision is Decision.UNKNOWN]
    held = [action for action in plan.actions if action.decision is Decision.HOLD]
    if unknown:
        unit = f"{unknown[0].address}@{unknown[0].dates.ranges[0]}"
        yield f"To see what is known of an unknown outcome: reconciler explain {unit}"
    alone = [action for action in unknown if action.tier is Tier.S3] or [
        action for action in held if action.reason in _DECIDED_BY_HAND
    ]
    if alone:
        unit = f"{alone[0].address}@{alone[0].dates.ranges[0]}"
        words = "--run-id ID|--never-ran|--succeeded|--rerun"
        yield f"To say what became of it: reconciler resolve {unit} {words} --reason TEXT"


def _dates(count: int) -> str:
    return some(count, "date")
