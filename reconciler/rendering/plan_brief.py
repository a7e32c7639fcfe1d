"""A plan that is too long for a screen, told in a few lines: who needs a person first, the rest counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.gates import GateStanding
from reconciler.model.plan import Plan
from reconciler.rendering.decision_roles import ROLES
from reconciler.rendering.fitting import Part, lines
from reconciler.rendering.gate_words import by_need, states, stuck
from reconciler.rendering.layout import clipped
from reconciler.rendering.paint import Paint, Role, clean
from reconciler.rendering.phrases import joined, plain
from reconciler.rendering.plan_view import Section, View
from reconciler.rendering.plan_words import SIGNS, first_ranges, main_cause, outlook
from reconciler.rendering.tallies import KINDS_TOLD, Tally, by_code, more_kinds, tallies
from reconciler.rendering.words import some


class Brief:
    """A crowded plan in lines that fit, none wider than the screen, everything in it named or counted.

    Args:
        plan: The plan.
        view: What of it is shown.
        paint: Colours, or none.
        width: Columns of a line; longer ones are cut.
    """

    def __init__(self, plan: Plan, view: View, paint: Paint, width: int) -> None:
        self._paint = paint
        self._width = width
        self._folded = view.folded + sum(one.quiet for one in view.sections)
        self._people = [one for one in view.sections if one.needs_person]
        self._starting = [one for one in view.sections if not (one.needs_person or one.idle)]
        self._waiting = [one for one in view.sections if one.idle and not one.quiet]
        self._gates = by_need(plan.gates)
        self._warnings = [one for one in plan.diagnostics if one.severity is Severity.WARNING]
        self._told_people = self._part(map(self._resource, self._people), len(self._people))
        self._told_starting = self._part(map(self._resource, self._starting), len(self._starting))
        self._told_gates = self._part(map(self._gate, self._gates), len(self._gates))
        self._told_warnings = self._part(map(self._warning, self._warnings), len(self._warnings))

    def lines(self, room: int) -> Iterator[str]:
        """So many lines at most; never fewer than those which say what is left out."""
        left = room - sum(1 for _ in self._all())
        for part in (
            self._told_people,
            self._told_gates,
            self._told_starting,
            self._told_warnings,
        ):
            left -= part.take(left)
        yield from self._all()

    def _all(self) -> Iterator[str]:
        """What is kept of each part, and behind it what is not."""
        people = self._people[len(self._told_people.kept) :]
        others = [*self._starting[len(self._told_starting.kept) :], *self._waiting]
        yield from self._told_people.kept
        yield from self._tallied(tallies(people, people=True))
        yield from self._told_starting.kept
        yield from self._tallied(tallies(others, people=False))
        if self._folded:
            yield self._line(f"  = {self._folded} more resources need nothing", Role.QUIET)
        yield from self._told_gates.kept
        if gates := self._gates[len(self._told_gates.kept) :]:
            needy = sum(map(stuck, gates))
            urgent = f", {needy} of them need a person" if needy else ""
            yield self._line(f"  {some(len(gates), 'more gate')}{urgent}", Role.CHANGE)
        yield from self._told_warnings.kept
        if warnings := self._warnings[len(self._told_warnings.kept) :]:
            told = f"  {some(len(warnings), 'more warning')}: {plain(by_code(warnings))}"
            yield self._line(told, Role.CHANGE)
        yield self._line("  (reconciler plan --full shows all, with commands)", Role.QUIET)

    def _resource(self, section: Section) -> str:
        first = next(outlook(section))
        told = plain(joined(": ", ((first,), main_cause(section))))
        sign = SIGNS[section.decision]
        return self._line(f"  {sign} {section.address}   {told}", ROLES[section.decision])

    def _tallied(self, found: Sequence[Tally]) -> Iterator[str]:
        for tally in found[:KINDS_TOLD]:
            line = f"  {SIGNS[tally.decision]} more: {tally.words}"
            yield self._line(line, ROLES[tally.decision])
        if rest := more_kinds(found):
            yield self._line(f"  {SIGNS[found[-1].decision]} more: {rest}", Role.CHANGE)

    def _gate(self, standing: GateStanding) -> str:
        stands = (
            f"{one.stand.value}{f' for {first_ranges(one.dates)}' if one.dates else ''}{plain(one.said)}"
            for one in states(standing.reading)
        )
        told = f"  {clean(standing.gate.address)}   {'; '.join(stands)}"
        return self._line(told, Role.PROBLEM if stuck(standing) else Role.CHANGE)

    def _warning(self, item: Diagnostic) -> str:
        where = f"{clean(item.address)}: " if item.address else ""
        return self._line(
            f"  warning[{clean(item.code)}]: {where}{clean(item.summary)}", Role.CHANGE
        )

    def _line(self, text: str, role: Role) -> str:
        return self._paint(clipped(text, self._width), role)

    @staticmethod
    def _part(items: Iterator[str], total: int) -> Part:
        return Part("", total, items, measure=lines)
