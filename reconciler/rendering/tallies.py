"""What is not told one by one, told in a few lines: dates by what is decided and why, problems by code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.plan import Action, Decision, Reason
from reconciler.model.remedies import NEEDS_PERSON
from reconciler.rendering.phrases import Phrase, joined, theirs
from reconciler.rendering.plan_view import QUIET, WEIGHT, Section
from reconciler.rendering.plan_words import first_ranges
from reconciler.rendering.words import some

#: So many kinds of decisions are told apart, and so many codes.
KINDS_TOLD = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What is decided for one reason: for how many dates, of how many resources; `on` is any of these."""

    decision: Decision
    reason: Reason
    dates: int
    resources: int
    on: DateSet

    @property
    def words(self) -> str:
        """In one sentence, all ours."""
        word, reason = self.decision.value, self.reason.value.replace("_", " ")
        why = reason if reason.startswith(word) else f"{word}, {reason}"
        counted = f"{some(self.dates, 'date')} of {some(self.resources, 'resource')}"
        return f"{why}: {counted}, {first_ranges(self.on)}"


def tallies(sections: Iterable[Section], *, people: bool) -> tuple[Tally, ...]:
    """What is decided for resources, the weightiest first.

    Args:
        sections: The resources.
        people: Only what needs a person; otherwise only what does not, and is not quiet.
    """
    found: dict[tuple[Decision, Reason], list[Action]] = defaultdict(list)
    for section in sections:
        for action in section.actions:
            if action.decision not in QUIET and (action.decision in NEEDS_PERSON) == people:
                found[action.decision, action.reason].append(action)
    tallied = (_tally(actions) for actions in found.values())
    return tuple(sorted(tallied, key=lambda one: (WEIGHT.index(one.decision), -one.dates)))


def more_kinds(found: Sequence[Tally]) -> str:
    """What is to be said of the kinds past `KINDS_TOLD`; empty where there are none."""
    rest = found[KINDS_TOLD:]
    dates = sum(one.dates for one in rest)
    return f"{some(dates, 'date')} for {some(len(rest), 'more reason')}" if rest else ""


def by_code(problems: Iterable[Diagnostic]) -> Phrase:
    """How many problems of which code, the most frequent first."""
    counted = Counter(item.code for item in problems).most_common()
    told = ((f"{count} ", *theirs(code)) for code, count in counted[:KINDS_TOLD])
    rest = sum(count for _, count in counted[KINDS_TOLD:])
    return joined(", ", (*told, (f"{rest} of other codes",) if rest else ()))


def _tally(actions: Sequence[Action]) -> Tally:
    addresses: set[Address] = {action.address for action in actions}
    return Tally(
        decision=actions[0].decision,
        reason=actions[0].reason,
        dates=sum(action.dates.count for action in actions),
        resources=len(addresses),
        on=DateSet.of(dates for action in actions for dates in action.dates),
    )
