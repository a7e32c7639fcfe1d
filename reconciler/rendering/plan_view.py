"""What of a plan is shown, and in which order: the same for every surface."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from reconciler.model.addresses import Address
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.estimates import Estimate
from reconciler.model.plan import Action, Call, Decision, Heading, Plan
from reconciler.model.remedies import NEEDS_PERSON

#: More resources than this and those that need nobody are folded into one line.
FOLD_ABOVE = 50

#: What nobody has to look at.
QUIET = frozenset({Decision.NONE, Decision.SHARED, Decision.RELEASED})

#: What weighs most: which decision stands for a resource: the first of these that any of its units has.
WEIGHT = (
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Units of one action that are told in one line: one stretch of dates, or several that are folded."""

    dates: DateSet
    action: Action

    @property
    def stretch(self) -> DateRange | None:
        """The dates, where they are one stretch."""
        return self.dates.ranges[0] if len(self.dates.ranges) == 1 else None

    @property
    def needs_person(self) -> bool:
        """Whether only a person can help them."""
        return self.action.decision in NEEDS_PERSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One resource: what is said of it, what is decided for it, and the calls it takes.

    `instances` is about how many node instances these calls make, `estimate` how long they would run, and
    `full` is whether nothing is folded.
    """

    address: Address
    heading: Heading | None
    actions: tuple[Action, ...]
    calls: tuple[Call, ...]
    instances: int
    full: bool
    estimate: Estimate | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """What is told of it, in rows by their first date; made anew each time."""
        rows = [
            Row(dates=dates, action=action)
            for action in self.actions
            for dates in (
                (action.dates,)
                if action.decision in QUIET and not self.full
                else (DateSet((one,)) for one in action.dates)
            )
        ]
        return tuple(sorted(rows, key=lambda row: row.dates.ranges[0]))

    @property
    def decision(self) -> Decision:
        """The weightiest of its decisions."""
        decisions = {action.decision for action in self.actions}
        return next(one for one in WEIGHT if one in decisions)

    @property
    def quiet(self) -> bool:
        """Whether nobody has to look at it."""
        return all(action.decision in QUIET for action in self.actions)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do: an apply changes nothing and nobody is needed."""
        return all(action.decision in QUIET | {Decision.WAIT} for action in self.actions)

    @property
    def needs_person(self) -> bool:
        """Whether only a person can help some of it."""
        return any(action.decision in NEEDS_PERSON for action in self.actions)

    @property
    def dates_to_start(self) -> int:
        """How many dates its calls start, now or later."""
        return sum(call.dates.count for call in self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The sections to show, and how many resources that need nothing are left out.

    `crowded`: there is so much to tell that not all of it is told.
    """

    sections: tuple[Section, ...]
    folded: int
    crowded: bool


def view_of(plan: Plan, *, full: bool = False) -> View:
    """What to show of a plan.

    Args:
        plan: The plan.
        full: Fold nothing: neither resources that need nobody nor stretches of dates that do not.
    """
    sections = tuple(_sections(plan, full=full))
    crowded = not full and is_crowded(plan)
    if full or len(sections) <= FOLD_ABOVE:
        return View(sections=sections, folded=0, crowded=crowded)
    shown = tuple(one for one in sections if not one.quiet)
    return View(sections=shown, folded=len(sections) - len(shown), crowded=crowded)


def is_crowded(plan: Plan) -> bool:
    """Whether there is so much in a plan that not all of it is told unless somebody asks for it."""
    # Nothing is decided for a resource that could not be read: all that is told of it is a problem.
    return len({one.address for one in plan.actions}) + len(plan.diagnostics) > FOLD_ABOVE


def _sections(plan: Plan, *, full: bool) -> Iterator[Section]:
    headings = {heading.address: heading for heading in plan.headings}
    calls: dict[Address, list[Call]] = defaultdict(list)
    for call in plan.calls:
        calls[call.address].append(call)
    estimates = {estimate.address: estimate for estimate in plan.estimates}
    for address, actions in groupby(plan.actions, key=lambda action: action.address):
        yield Section(
            address=address,
            heading=headings.get(address),
            actions=tuple(actions),
            calls=tuple(calls[address]),
            instances=sum(_instances(call, plan) for call in calls[address]),
            full=full,
            estimate=estimates.get(address),
        )


def _instances(call: Call, plan: Plan) -> int:
    series = plan.series.get(call.series)
    return call.dates.count * (series.nodes_a_date if series is not None else 1)
