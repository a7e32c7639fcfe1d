"""The words for a plan: the same on a terminal and in a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from reconciler.model.dates import DateSet
from reconciler.model.gates import is_gate
from reconciler.model.plan import (
    STARTS,
    Action,
    Call,
    Decision,
    FieldChange,
    Heading,
    Plan,
    Reason,
)
from reconciler.model.remedies import NEEDS_PERSON
from reconciler.rendering.phrases import Phrase, joined, theirs
from reconciler.rendering.plan_view import Row, Section
from reconciler.rendering.words import some

#: So many batches of a rollout are told in a line, and so many calls of each.
BATCHES_TOLD = 4
CALLS_TOLD = 6

#: So many ranges of one action have their commands below them; the others need the same.
COMMANDS_TOLD = 2

#: So many ranges of dates are told in one sentence.
RANGES_TOLD = 3

#: What becomes of dates, as a reviewer asks for it.
_GROUPS = (
    ("for a person", NEEDS_PERSON),
    ("to start", STARTS),
    ("blocked", frozenset({Decision.BLOCKED})),
    ("to adopt", frozenset({Decision.ADOPT})),
)

#: The sign of each decision.
SIGNS = {
    Decision.CREATE: "+",
    Decision.RERUN: "~",
    Decision.ADOPT: ">",
    Decision.WAIT: ".",
    Decision.BLOCKED: "#",
    Decision.HOLD: "!",
    Decision.UNKNOWN: "?",
    Decision.NONE: "=",
    Decision.RELEASED: "-",
    Decision.SHARED: "=",
}

_REASONS = {
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


def span(row: Row) -> str:
    """The dates of a row: the stretch itself, or how many there are."""
    return str(row.stretch) if row.stretch else some(len(row.dates.ranges), "range")


def first_ranges(dates: DateSet) -> str:
    """The first ranges of a set, and how many more there are."""
    more = len(dates.ranges) - RANGES_TOLD
    told = ", ".join(map(str, dates.ranges[:RANGES_TOLD]))
    return f"{told} and {some(more, 'more range')}" if more > 0 else told


def outlook(section: Section) -> Iterator[str]:
    """What becomes of a resource's dates: how many, and which, for each of `_GROUPS`."""
    for word, decisions in _GROUPS:
        dates = DateSet.of(
            one
            for action in section.actions
            if action.decision in decisions
            for one in action.dates
        )
        if dates:
            yield f"{word}: {some(dates.count, 'date')}, {first_ranges(dates)}"


def main_cause(section: Section) -> Phrase:
    """Why the weightiest of its decisions was made."""
    return cause(next(one for one in section.actions if one.decision is section.decision))


def about(heading: Heading | None) -> Phrase:
    """Where a resource runs, whose it is, and why it is wanted."""
    return joined(" · ", (where(heading), whose(heading)))


def where(heading: Heading | None) -> Phrase:
    """Where a resource runs: connection, environment, root."""
    if heading is None:
        return ()
    return joined(" · ", map(theirs, (heading.connection, heading.environment, heading.root)))


def whose(heading: Heading | None) -> Phrase:
    """Whose a resource is, and why it is wanted."""
    if heading is None:
        return ()
    return joined(": ", (theirs(heading.owner), theirs(heading.reason)))


def why(action: Action) -> Phrase:
    """Why it was decided so, and the fields that differ."""
    return joined("; ", (cause(action), *map(_change, action.changes)))


def cause(action: Action) -> Phrase:
    """Why it was decided so: our word for it, what blocks it, the details."""
    word = _REASONS.get(action.reason, action.reason.value)
    # Why a gate is closed stands with the gate, once for all who wait for it; other details say who blocks.
    gates = bool(action.blocked_by) and all(is_gate(name) for name in action.blocked_by)
    detail = () if gates else theirs(action.detail)
    blocked: Phrase = ()
    if action.blocked_by:
        blocked = (
            ("blocked",) if detail else ("blocked by ", *theirs(", ".join(action.blocked_by)))
        )
    said = joined("; ", ((word,) if word else (), blocked))
    return joined(": ", (said, detail))


def _change(change: FieldChange) -> Phrase:
    return (*theirs(change.path), " ", *_value(change.before), " → ", *_value(change.after))


def _value(text: str | None) -> Phrase:
    return ("(absent)",) if text is None else ('"', *theirs(text), '"')


def calls_taken(section: Section) -> str:
    """In how many calls a resource starts, and what that comes to; empty where its rows say it all."""
    calls = section.calls
    if len(calls) < 2 and section.instances == section.dates_to_start:  # noqa: PLR2004 - one call
        return ""
    together = batches(calls)
    return f"{calls_counted(section)}: {together}" if together else calls_counted(section)


def calls_counted(section: Section) -> str:
    """In how many calls a resource starts, and about how much that is."""
    calls, instances = len(section.calls), section.instances
    return f"in {some(calls, 'call')}, about {some(instances, 'node instance')}"


def batches(calls: Sequence[Call]) -> str:
    """Which dates go together, batch after batch; empty where there is one batch."""
    grouped = [tuple(batch) for _, batch in groupby(calls, key=lambda call: call.batch)]
    if len(grouped) < 2:  # noqa: PLR2004 - one batch needs no words
        return ""
    more = len(grouped) - BATCHES_TOLD
    told = " → ".join(map(_batch, grouped[:BATCHES_TOLD]))
    return f"{told}{f' → {more} more batches' if more > 0 else ''}"


def _batch(calls: Sequence[Call]) -> str:
    more = len(calls) - CALLS_TOLD
    told = ", ".join(str(call.dates) for call in calls[:CALLS_TOLD])
    return f"{told} and {some(more, 'more call')}" if more > 0 else told


def counts(plan: Plan) -> Iterator[tuple[str, bool]]:
    """What the plan comes to, piece by piece, each with whether somebody must look at it."""
    unread = unread_resources(plan)
    if unread:
        yield f"{some(unread, 'resource')} could not be read, nothing is decided there", True
    summary = plan.summary
    if plan.starts:
        yield (
            (
                f"{some(plan.starts, 'date')} to start in {some(summary.calls, 'call')}"
                f" (about {some(summary.node_instances, 'node instance')})"
            ),
            False,
        )
    else:
        yield "nothing else to start" if unread else "nothing to start", False
    for count, words in (
        (summary.blocked, "of them blocked"),
        (summary.adopt, "to adopt"),
        (summary.wait, "in flight"),
    ):
        if count:
            yield f"{count} {words}", False
    yield f"{summary.none} satisfied", False
    if summary.released:
        yield f"{summary.released} released", False
    people = summary.hold + summary.unknown
    if people:
        yield f"{people} need{'s' if people == 1 else ''} a person", True


def cost(plan: Plan) -> Iterator[str]:
    """The API calls that were made, and those that an apply will make."""
    yield f"{some(plan.summary.reads, 'API call')} made"
    if expected := plan.expected_calls():
        yield f"apply will make about {expected}"


def unread_resources(plan: Plan) -> int:
    """How many resources nothing is decided for, because they could not be read."""
    unread = [item for item in plan.diagnostics if item.code.startswith(("read_", "listing_"))]
    return len({item.address for item in unread})
