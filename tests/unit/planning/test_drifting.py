"""What counts as drift: each pair of what was recorded and what is seen, and each kind of stranger."""

from __future__ import annotations

import itertools

import pytest

from reconciler.model.attempts import UnitRecord
from reconciler.model.drift import Drift, DriftKind
from reconciler.model.rangemap import RangeMap
from reconciler.model.runs import UnitStatus
from reconciler.planning.deciding import Listed, Verdict, decide
from reconciler.planning.drifting import drift_of
from reconciler.planning.ownership import claims
from reconciler.planning.situation import Decided
from tests.builders import (
    a_candidate,
    a_resource,
    a_series,
    a_subject,
    an_attempt,
    dates,
    rules,
    unit_facts_of,
)

#: A unit: not on record or not shown (.), created, running, success, hollow, failure, not run, stopped;
#: in small letters what the service has forgotten since.
LETTERS = {
    "C": UnitStatus.CREATED,
    "R": UnitStatus.RUNNING,
    "S": UnitStatus.SUCCESS,
    "H": UnitStatus.HOLLOW,
    "F": UnitStatus.FAILURE,
    "N": UnitStatus.NOT_RUN,
    "T": UnitStatus.STOPPED,
}

KINDS = {
    "p": DriftKind.REPAIRED,
    "r": DriftKind.RESTARTED,
    "b": DriftKind.BROKEN,
    "v": DriftKind.VANISHED,
    "-": None,
}

#: A row for what is on record, a column for what is seen now. What has not ended may end in any way
#: without anybody's doing; what has ended changes by somebody's doing only.
TABLE = """\
    . C R S H F N T c r s h f n t
.   - - - - - - - - v v - - - - -
C   - - - - - - - - v v - - - - -
R   - - - - - - - - v v - - - - -
S   - r r - - b b b r r - - b b b
H   - r r - - b b b r r - - b b b
F   - p p p p - - - p p p p - - -
N   - p p p p - - - p p p p - - -
T   - p p p p - - - p p p p - - -
c   - - - - - - - - - - - - - - -
r   - - - - - - - - - - - - - - -
s   - r r - - b b b r r - - b b b
h   - r r - - b b b r r - - b b b
f   - p p p p - - - p p p p - - -
n   - p p p p - - - p p p p - - -
t   - p p p p - - - p p p p - - -
"""


def table() -> list[tuple[str, str, DriftKind | None]]:
    head, *rows = (line.split() for line in TABLE.splitlines())
    return [
        (old, new, KINDS[kind])
        for old, *kinds in rows
        for new, kind in zip(head, kinds, strict=True)
    ]


def record(letter: str) -> UnitRecord | None:
    if letter == ".":
        return None
    return UnitRecord(LETTERS[letter.upper()], gone=letter.islower())


def seen(**letters: str) -> dict[str, UnitRecord]:
    """Records by day of May, said as `d1="C"`."""
    records = {f"2024-05-{int(day[1:]):02}": record(letter) for day, letter in letters.items()}
    return {day: one for day, one in records.items() if one is not None}


def drift(old: dict[str, UnitRecord], new: dict[str, UnitRecord]) -> tuple[Drift, ...]:
    return drift_of([an_attempt(seen=old)], [an_attempt(seen=new)], [])


def decided(listed: Listed | None, name: str = "orders", when: str = "2024-05-01") -> Decided:
    """One declared stretch, with what discovery showed around it."""
    (claim,) = claims((a_resource(name, when),))
    unit = unit_facts_of(listed=listed)
    verdict: Verdict = decide(unit, rules())
    return Decided(
        claim=claim,
        facts=RangeMap.constant(dates(when), unit),
        verdicts=RangeMap.constant(dates(when), verdict),
    )


def strangers(listed: Listed | None) -> list[tuple[DriftKind, tuple[str, ...]]]:
    return [(one.kind, one.run_ids) for one in drift_of([], [], [decided(listed)])]


def test_the_table_has_every_pair() -> None:
    letters = [".", *LETTERS, *map(str.lower, LETTERS)]
    assert set(UnitStatus) == set(LETTERS.values())
    assert [pair[:2] for pair in table()] == list(itertools.product(letters, letters))


@pytest.mark.parametrize(
    ("old", "new", "kind"), table(), ids=lambda one: getattr(one, "value", one)
)
def test_a_unit_drifts_as_the_table_says(old: str, new: str, kind: DriftKind | None) -> None:
    found = drift(seen(d1=old), seen(d1=new))
    assert [one.kind for one in found] == ([] if kind is None else [kind])


def test_dates_on_which_the_same_happened_are_told_together_and_others_apart() -> None:
    found = drift(
        seen(d1="F", d2="S", d3="N", d4="S", d5="S"), seen(d1="R", d2="R", d3="C", d4="F", d5="S")
    )
    assert [(one.kind, str(one.dates)) for one in found] == [
        (DriftKind.REPAIRED, "2024-05-01, 2024-05-03"),
        (DriftKind.RESTARTED, "2024-05-02"),
        (DriftKind.BROKEN, "2024-05-04"),
    ]
    assert {one.run_ids for one in found} == {("run-1",)}


def test_dates_beyond_the_call_are_nobodys_drift() -> None:
    old = an_attempt(when="2024-05-01", seen=seen(d1="S"))
    new = an_attempt(when="2024-05-01", seen=seen(d1="S", d2="F"))
    assert drift_of([old], [new], []) == ()


def test_runs_of_two_calls_are_told_apart() -> None:
    calls = [(1, "2024-05-01"), (2, "2024-05-02")]
    old = [an_attempt(n, day, seen=UnitStatus.FAILURE) for n, day in calls]
    new = [an_attempt(n, day, seen=UnitStatus.SUCCESS) for n, day in calls]
    assert [one.run_ids for one in drift_of(old, new, [])] == [("run-1",), ("run-2",)]


def test_drift_is_ordered_by_address_date_and_kind() -> None:
    elsewhere = a_series(subject=a_subject(root="7"), include=("7",))
    old = [
        an_attempt(1, "2024-05-03", name="zebra", seen=UnitStatus.SUCCESS),
        an_attempt(2, "2024-05-01", name="ant", series=elsewhere, seen=UnitStatus.FAILURE),
    ]
    new = [
        an_attempt(1, "2024-05-03", name="zebra", seen=UnitStatus.FAILURE),
        an_attempt(2, "2024-05-01", name="ant", series=elsewhere, seen=UnitStatus.SUCCESS),
    ]
    around = Listed(own=("mine",), foreign=("theirs",))
    found = drift_of(old, new, [decided(around, "zebra", "2024-05-02"), decided(around, "ant")])
    assert [(one.address.name, str(one.dates), one.kind.value) for one in found] == [
        ("ant", "2024-05-01", "foreign"),
        ("ant", "2024-05-01", "repaired"),
        ("ant", "2024-05-01", "unrecorded"),
        ("zebra", "2024-05-02", "foreign"),
        ("zebra", "2024-05-02", "unrecorded"),
        ("zebra", "2024-05-03", "broken"),
    ]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (None, []),
        (Listed(), []),
        (Listed(schedule_in_flight=True), []),
        (Listed(own=("1", "2")), [(DriftKind.UNRECORDED, ("1", "2"))]),
        (Listed(other=("3",)), [(DriftKind.UNRECORDED, ("3",))]),
        (Listed(own=("1",), other=("3",)), [(DriftKind.UNRECORDED, ("1", "3"))]),
        (Listed(foreign=("4",)), [(DriftKind.FOREIGN, ("4",))]),
        (Listed(candidates=(a_candidate("5"),)), [(DriftKind.FOREIGN, ("5",))]),
        (
            Listed(foreign=("4",), candidates=(a_candidate("4"), a_candidate("5"))),
            [(DriftKind.FOREIGN, ("4", "5"))],
        ),
        (
            Listed(own=("1",), foreign=("4",)),
            [(DriftKind.FOREIGN, ("4",)), (DriftKind.UNRECORDED, ("1",))],
        ),
    ],
    ids=str,
)
def test_runs_that_are_not_on_record_are_ours_or_foreign(
    listed: Listed | None, expected: list[tuple[DriftKind, tuple[str, ...]]]
) -> None:
    assert strangers(listed) == expected
