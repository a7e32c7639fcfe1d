"""How long what a plan starts would run, from what runs on record took; nothing is estimated without them.

The dates of one call run one after another, or so many at once as the spec says. Calls of one resource may
run beside each other, but batches of a rollout follow one another.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.addresses import Address
from reconciler.model.attempts import Attempt, RecordedState
from reconciler.model.durations import Took, joined
from reconciler.model.estimates import Basis, Estimate
from reconciler.model.plan import Call
from reconciler.model.resources import Resource
from reconciler.planning.history import sent_at

#: So many of the addresses that runs on record were started for are named.
ADDRESSES_NAMED = 10


@dataclass(frozen=True, slots=True)
class _Ran:
    """What runs on record took, when the last of their calls was sent, and for whom, sorted."""

    took: Took
    last_sent: dt.date
    addresses: Sequence[Address]


def estimates(
    resources: Iterable[Resource], calls: Iterable[Call], recorded: RecordedState
) -> tuple[Estimate, ...]:
    """The estimates of a plan, by address; none where no duration is on record.

    Args:
        resources: Each once.
        calls: What is to be started of them.
        recorded: What may be a basis.
    """
    by_address: dict[Address, list[Call]] = defaultdict(list)
    for call in calls:
        by_address[call.address].append(call)
    starting = sorted(
        (one for one in resources if one.address in by_address), key=lambda one: one.address
    )
    return tuple(
        Estimate(
            address=resource.address,
            dates=sum(call.dates.count for call in by_address[resource.address]),
            in_turn=in_turn(by_address[resource.address], at_once=resource.tuning.parallelism),
            basis=basis,
            took=ran.took,
            last_sent=ran.last_sent,
            ran_for=tuple(ran.addresses[:ADDRESSES_NAMED]),
            ran_for_count=len(ran.addresses),
        )
        for resource, basis, ran in _on_record(starting, recorded.attempts)
    )


def _on_record(
    resources: Sequence[Resource], attempts: Sequence[Attempt]
) -> Iterator[tuple[Resource, Basis, _Ran]]:
    """What each rests on. Attempts are joined once, however many resources share them."""
    series = {one.series.fingerprint for one in resources}
    alike = _timed(attempts, series, key=lambda one: one.series)
    others = [one for one in resources if one.series.fingerprint not in alike]
    subjects = {one.series.subject.fingerprint for one in others}
    near = _timed(attempts, subjects, key=lambda one: one.subject)
    for resource in resources:
        if ran := alike.get(resource.series.fingerprint):
            yield resource, Basis.SERIES, ran
        elif ran := near.get(resource.series.subject.fingerprint):
            yield resource, Basis.SUBJECT, ran


def _timed(
    attempts: Iterable[Attempt], wanted: Container[str], *, key: Callable[[Attempt], str]
) -> dict[str, _Ran]:
    groups: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        if attempt.took is not None and key(attempt) in wanted:
            groups[key(attempt)].append(attempt)
    return {
        fingerprint: _Ran(
            took=took,
            last_sent=max(map(sent_at, group)).astimezone(dt.UTC).date(),
            addresses=sorted({one.address for one in group}),
        )
        for fingerprint, group in groups.items()
        if (took := joined(one.took for one in group)) is not None
    }


def in_turn(calls: Iterable[Call], *, at_once: int) -> int:
    """How many dates of one resource have to go one after another.

    Args:
        calls: What is started of it.
        at_once: How many dates of one call run at once, at least 1.
    """
    longest: dict[int, int] = defaultdict(int)
    for call in calls:
        rounds = -(-call.dates.count // at_once)
        longest[call.batch] = max(longest[call.batch], rounds)
    return sum(longest.values())
