"""The record for a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reconciler.model.addresses import Address, UnitRange
from reconciler.model.attempts import Attempt, AttemptState, RecordedState
from reconciler.model.dates import DateSet
from reconciler.rendering.explain_text import attempt_lines
from reconciler.rendering.paint import Paint, Role
from reconciler.rendering.words import some


def render_list(recorded: RecordedState, paint: Paint) -> str:
    """One line per address: how many dates ran for it, and which."""
    dates: dict[Address, DateSet] = defaultdict(DateSet)
    for attempt in recorded.attempts:
        nothing = attempt.state.never_ran or attempt.state is AttemptState.REQUESTED
        ran = DateSet() if nothing else DateSet((attempt.dates,))
        dates[attempt.address] |= ran
    lines = [
        f"{paint(str(address), Role.STRONG)}   {some(ran.count, 'date')}   {ran}".rstrip()
        for address, ran in sorted(dates.items())
    ]
    return "\n".join(lines or ["Nothing is on record."]) + "\n"


def render_attempts(attempts: Iterable[Attempt], paint: Paint) -> str:
    """Every attempt with all that is known of it."""
    lines = [
        line
        for attempt in attempts
        for line in attempt_lines(attempt, UnitRange(attempt.address, attempt.dates), paint)
    ]
    return "\n".join(lines) + "\n"
