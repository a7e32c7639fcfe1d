"""Following runs to their end, with polls that grow further apart while nothing changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from reconciler.applying.engine import Stop, sleep_until
from reconciler.applying.gathering import Line, observe_attempts
from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt, AttemptState, RecordedState
from reconciler.model.dates import DateSet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.events import ReadFailed, UnitsChanged
from reconciler.model.rangemap import cut
from reconciler.model.seams import Clock
from reconciler.planning.history import attempts_by_subject, history
from reconciler.ports import Reporter, StateStore

#: Seconds before the first poll; the pause grows by half while nothing changes, up to the longest.
FIRST_POLL_SECONDS = 0.5
LONGEST_POLL_SECONDS = 60.0
GROWTH = 1.5

#: An address that could not be read this many polls in a row is no longer waited for.
GIVE_UP_AFTER = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What waiting works with. `deadline` is on the clock's monotonic time, or None."""

    store: StateStore
    lines: Mapping[str, Line]
    clock: Clock
    reporter: Reporter
    stop: Stop
    deadline: float | None = None


async def follow(watch: Watch, concerns: Callable[[Attempt], bool]) -> bool:
    """Follow all attempts that `concerns` until none is in flight.

    What is seen is recorded poll by poll, so that a killed wait loses nothing. An address that cannot be
    read is polled again, but not for ever; waiting goes on for the others.

    Returns:
        Whether everything came to an end: False when asked to stop, at the deadline, and when an address
        could not be read time and again, or its connection is no longer there.
    """
    pause = FIRST_POLL_SECONDS
    failures: Counter[Address] = Counter()
    followed: dict[str, Attempt] = {}
    while True:
        recorded = watch.store.snapshot()
        meant = [one for one in in_flight(recorded) if concerns(one)]
        flying = [
            one
            for one in meant
            if failures[one.address] < GIVE_UP_AFTER and one.connection in watch.lines
        ]
        if not flying:
            return not meant
        await _sleep(pause, watch)
        if watch.stop.is_set() or _is_late(watch):
            return False
        unreadable: dict[Address, Diagnostic] = {}
        changed = await observe_attempts(flying, recorded, watch.lines, unreadable=unreadable)
        watch.store.observe(changed, at=watch.clock.now())
        for address in {one.address for one in flying}:
            failures[address] = failures[address] + 1 if address in unreadable else 0
        for address, problem in unreadable.items():
            watch.reporter.report(
                ReadFailed(address=address, summary=problem.summary, hint=problem.hint)
            )
        followed.update({one.id: one for one in (*flying, *changed)})
        _report(watch, recorded, changed, followed)
        pause = FIRST_POLL_SECONDS if changed else min(pause * GROWTH, LONGEST_POLL_SECONDS)


def in_flight(recorded: RecordedState) -> tuple[Attempt, ...]:
    """The attempts that matter for at least one unit and may still change by themselves."""
    flying: set[str] = set()
    for attempts in attempts_by_subject(recorded).values():
        for _, past in history(attempts):
            known = past.state is AttemptState.ACCEPTED or past.status is not None
            if known and past.in_flight and not past.gone and past.run_ids:
                flying.add(past.attempt)
    return tuple(one for one in recorded.attempts if one.id in flying)


async def _sleep(seconds: float, watch: Watch) -> None:
    """Sleep, but no longer than the deadline, and wake up soon when asked to stop."""
    until = watch.clock.monotonic() + seconds
    if watch.deadline is not None:
        until = min(until, watch.deadline)
    await sleep_until(until, clock=watch.clock, stop=watch.stop)


def _is_late(watch: Watch) -> bool:
    return watch.deadline is not None and watch.clock.monotonic() >= watch.deadline


def _report(
    watch: Watch,
    before: RecordedState,
    changed: Iterable[Attempt],
    followed: Mapping[str, Attempt],
) -> None:
    old = {attempt.id: attempt for attempt in before.attempts}
    for attempt in changed:
        mine = [one for one in followed.values() if one.address == attempt.address]
        total = sum(one.dates.count for one in mine)
        ended = sum(
            one.coverage.where(lambda seen: not seen.status.in_flight).count for one in mine
        )
        whole = DateSet((attempt.dates,))
        for piece, (seen_before, seen) in cut(whole, (old[attempt.id].coverage, attempt.coverage)):
            if seen is not None and (seen_before is None or seen_before.status != seen.status):
                watch.reporter.report(
                    UnitsChanged(
                        address=attempt.address,
                        dates=piece,
                        status=seen.status,
                        remaining=total - ended,
                        total=total,
                    )
                )
