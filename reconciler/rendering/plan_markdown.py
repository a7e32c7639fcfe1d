"""The plan as a comment on a pull request: the verdict first, a table, the details folded.

It is Markdown as GitHub, GitLab and Codeup read it. A comment has a largest size, and a plan has none: what
matters most is put in first, and what is left out is counted. Each line begins with a word or sign of ours,
so that nothing from outside is a command to whoever reads comments by the line.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.diagnostics import Severity
from reconciler.model.gates import GateStanding
from reconciler.model.plan import Plan
from reconciler.rendering.estimates_text import total_text
from reconciler.rendering.fitting import Part, fit, left_out
from reconciler.rendering.gate_words import asked, states, stuck
from reconciler.rendering.markdown import LIMIT, LITTLE, code, markdown, marker, size, words
from reconciler.rendering.plan_view import Section, view_of
from reconciler.rendering.plan_words import SIGNS, cost, counts, first_ranges
from reconciler.rendering.problem_markdown import (
    counted_by_code,
    folded,
    listed,
    of_severity,
    problem_line,
)
from reconciler.rendering.resource_markdown import (
    TABLE_HEAD,
    details,
    idle_line,
    table_row,
)
from reconciler.rendering.tallies import KINDS_TOLD, more_kinds, tallies
from reconciler.rendering.words import argument, some

#: What the verdict and the last lines may take; no limit may be lower.
LEAST = 8_000

#: A sentence of counts that is longer is none of ours.
_MOST_COUNTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a plan comes from, for those who want to see or apply it.

    `file` is the saved plan, as it was named; `digest` that of the plan's document; `remarks` are in words
    of ours what a reader must know of how it was made.
    """

    file: str | None = None
    digest: str = ""
    remarks: tuple[str, ...] = ()


def render_markdown(
    plan: Plan, *, origin: Provenance | None = None, full: bool = False, limit: int = LIMIT
) -> str:
    """The plan as Markdown; ends with a newline.

    Args:
        plan: What to show.
        origin: Where it comes from; by default it was just made.
        full: Do not fold resources that need nobody.
        limit: So many UTF-16 units at most; at least `LEAST`.
    """
    if limit < LEAST:
        raise ValueError(f"no plan fits into {limit} characters")
    came = origin or Provenance()
    page = _Page(plan, came, full=full)
    head = (marker(plan.project), _verdict(plan), *map(words, came.remarks))
    foot = (page.folded, _within_reason(total_text(plan)), _foot(plan, came))
    # Before anything is kept, all of it is left out: no sentence on that can be longer.
    longest = page.left_out()
    page.fit(limit - sum(size(block) + 2 for block in (*head, longest, *foot)))
    blocks = (*head, page.left_out(), *page.blocks(), *foot)
    return "\n\n".join(filter(None, blocks)) + "\n"


class _Page:
    """What stands between the verdict and the last lines."""

    def __init__(self, plan: Plan, came: Provenance, *, full: bool) -> None:
        view = view_of(plan, full=full)
        people = [one for one in view.sections if one.needs_person]
        starting = [one for one in view.sections if not (one.needs_person or one.idle)]
        at_rest = [one for one in view.sections if one.idle]
        stuck_gates = [one for one in plan.gates if stuck(one)]
        other_gates = [one for one in plan.gates if not stuck(one)]
        errors = of_severity(plan.diagnostics, Severity.ERROR)
        warnings = of_severity(plan.diagnostics, Severity.WARNING)
        canaries = {one.address for one in plan.desired if one.rollout.canary}
        shows = self._shows = _shows(came)
        self._kinds = counted_by_code(errors)
        self._tally = _tally(people)
        self._folded = view.folded
        acting = (*people, *starting)
        folds = (details(one, canary=one.address in canaries, shows=shows) for one in acting)
        self._errors = _part("errors", errors, map(problem_line, errors))
        self._people = _part(
            "rows of resources that need a person", people, map(table_row, people), TABLE_HEAD
        )
        self._stuck = _part(
            "gates that need a person", stuck_gates, map(_gate, stuck_gates), _frame("gates")
        )
        self._starting = _part(
            "rows of resources to start or adopt", starting, map(table_row, starting), TABLE_HEAD
        )
        self._gates = _part("gates", other_gates, map(_gate, other_gates), _frame("gates"))
        self._details = _part("details of resources", acting, (f"{one}\n" for one in folds))
        self._warnings = _part(
            "warnings", warnings, map(problem_line, warnings), _frame("warnings")
        )
        self._idle = _part(
            "resources with nothing to do",
            at_rest,
            map(idle_line, at_rest),
            _frame(_NOTHING_TO_DO),
        )

    def fit(self, room: int) -> None:
        """Keep what fits: what needs a person first, but an eighth is for the others."""
        others_only = room // 8
        left = fit(self._urgent, room - others_only)
        left = fit(self._others, left + others_only)
        fit(self._urgent, left)

    @property
    def _urgent(self) -> Sequence[Part]:
        return (self._errors, self._people, self._stuck)

    @property
    def _others(self) -> Sequence[Part]:
        """That first which a reviewer can spare least."""
        return (self._starting, self._gates, self._details, self._warnings, self._idle)

    def left_out(self) -> str:
        """That the page does not hold all: what is missing, in numbers, and where all of it is."""
        missing = left_out((*self._urgent, *self._others))
        blocks = (
            f"**Left out**, for want of room: {missing}. All of it: {self._shows}"
            if missing
            else "",
            f"All errors: {self._kinds}." if self._errors.missing else "",
            self._tally if self._people.missing else "",
        )
        return "\n\n".join(filter(None, blocks))

    @property
    def folded(self) -> str:
        """How many resources that need nobody are only counted."""
        return f"Nothing to do for {some(self._folded, 'more resource')}." if self._folded else ""

    def blocks(self) -> Iterator[str]:
        """What was kept, as it stands on the page; empty texts for what was not."""
        rows = [*self._people.kept, *self._starting.kept]
        gates = [*self._stuck.kept, *self._gates.kept]
        yield "\n".join(self._errors.kept)
        yield "\n".join([TABLE_HEAD, *rows]) if rows else ""
        yield listed("gates", self._stuck.total + self._gates.total, gates)
        yield listed("warnings", self._warnings.total, self._warnings.kept)
        yield "\n".join(self._details.kept).rstrip("\n")
        if self._idle.kept:
            summary = f"{_NOTHING_TO_DO} for {some(self._idle.total, 'resource')}"
            yield folded(summary, "\n".join(self._idle.kept))


#: What is said of resources with which all is well.
_NOTHING_TO_DO = "Nothing to do"


def _part(noun: str, all_of_it: Sequence[object], items: Iterator[str], frame: str = "") -> Part:
    return Part(noun, len(all_of_it), items, frame=f"{frame}\n\n")


def _frame(summary: str) -> str:
    """What a fold adds to its items, and somewhat more than any number in its summary takes."""
    return folded(f"{summary} for {10**9} resources", "")


def _tally(people: Sequence[Section]) -> str:
    """All that needs a person, by decision and reason."""
    found = tallies(people, people=True)
    told = [f"`{SIGNS[one.decision]}` {one.words}" for one in found[:KINDS_TOLD]]
    return "<br>".join(filter(None, ["All that needs a person:", *told, more_kinds(found)]))


def _verdict(plan: Plan) -> str:
    """What the plan comes to, in one sentence, bold, behind a sign."""
    errors = sum(one.severity is Severity.ERROR for one in plan.diagnostics)
    told = "; ".join(
        [*([some(errors, "error")] if errors else []), *(one for one, _ in counts(plan))]
    )
    return f"**{_sign(plan, errors)} Plan for {code(plan.project, most=LITTLE)}: {_within_reason(told)}.**"


def _sign(plan: Plan, errors: int) -> str:
    if errors:
        return "✗"
    if plan.needs_person:
        return "!"
    return "+" if plan.starts or plan.changes_anything else "="


def _within_reason(told: str) -> str:
    """A saved plan may hold any number, of any length."""
    return words(told) if len(told) <= _MOST_COUNTS else "its counts are out of all bounds"


def _gate(standing: GateStanding) -> str:
    lines = [f"- Gate {code(standing.gate.address)} asks {markdown(asked(standing))}"]
    for state in states(standing.reading):
        dates = "" if state.dates is None else f" for {first_ranges(state.dates)}"
        lines.append(f"  - {state.stand.value}{dates}{markdown(state.said)}")
    return "\n".join(lines)


def _shows(came: Provenance) -> str:
    """The command that shows all of a plan."""
    return code(
        f"reconciler show {argument(came.file)}" if came.file else "reconciler plan --full"
    )


def _foot(plan: Plan, came: Provenance) -> str:
    """Which plan this is, until when it holds, what it costs and how to apply it."""
    facts = [
        f"Plan {code(plan.id, most=LITTLE)} of {code(plan.project, most=LITTLE)}",
        f"as of {_moment(plan.as_of)}",
        f"expires {_moment(plan.expires_at)}",
        f"reconciler {code(plan.tool_version, most=LITTLE)}",
        *([f"digest {code(came.digest[:12])}"] if came.digest else []),
    ]
    spent = _within_reason("; ".join(cost(plan)))
    return f"{', '.join(facts)}. {spent}. {_how_to_apply(plan, came)}".rstrip()


def _how_to_apply(plan: Plan, came: Provenance) -> str:
    if any(one.severity is Severity.ERROR for one in plan.diagnostics):
        return "It holds errors, so it cannot be applied."
    if not (plan.calls or plan.adoptions):
        return ""
    if came.file is None:
        return "To apply just this, save it: `reconciler plan --out FILE`"
    return f"To apply just this: {code(f'reconciler apply {argument(came.file)}')}"


def _moment(when: dt.datetime) -> str:
    return f"{when.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
