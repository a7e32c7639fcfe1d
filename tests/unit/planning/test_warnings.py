"""What a plan warns of, beside what it decides."""

from __future__ import annotations

import datetime as dt

import pytest

from reconciler.model.attempts import AttemptState
from reconciler.model.diagnostics import Severity
from reconciler.model.project import Freeze
from reconciler.model.resources import Resource
from reconciler.model.runs import UnitStatus
from reconciler.model.series import Realm
from reconciler.planning.absence import OLDEST_PROVABLE
from reconciler.planning.situation import Situation, decide_all
from reconciler.planning.warnings import CROWD, OVERLAPS_TOLD, plan_warnings
from tests.builders import (
    NOON,
    a_record,
    a_resource,
    a_series,
    a_situation,
    a_subject,
    an_attempt,
    at,
)

MAY = "2024-05-01..2024-05-10"


def warned(
    situation: Situation, *freezes: Freeze, as_of: dt.datetime = NOON
) -> list[tuple[str, str | None, str]]:
    found = plan_warnings(
        decide_all(situation), situation, freezes, as_of=as_of, until=as_of + dt.timedelta(days=7)
    )
    return [
        (one.code, one.address, one.summary) for one in found if one.severity is Severity.WARNING
    ]


def running(name: str, root: str, nodes: str, dates: str = MAY) -> Resource:
    series = a_series(subject=a_subject(root=root), include=tuple(nodes.split()))
    return a_resource(name, {dates: 1}, series=series)


def overlaps(*resources: Resource) -> list[tuple[str | None, str]]:
    return [
        (address, summary)
        for code, address, summary in warned(a_situation(*resources))
        if code == "overlap"
    ]


def test_two_requests_that_run_one_node_for_the_same_dates_overlap() -> None:
    assert overlaps(
        running("a", "1", "1 5"), running("b", "2", "2 5", "2024-05-09..2024-05-20")
    ) == [("backfill.a", "backfill.b runs node 5 for the same dates: 2024-05-09..2024-05-10")]


@pytest.mark.parametrize(
    "other",
    [
        running("b", "2", "2 5", "2024-05-11..2024-05-20"),
        running("b", "2", "2 6"),
        a_resource(
            "b",
            {MAY: 1},
            series=a_series(subject=a_subject(root="2", workspace="9"), include=("5",)),
        ),
    ],
    ids=["other dates", "other nodes", "another workspace"],
)
def test_other_dates_nodes_and_workspaces_do_not_overlap(other: Resource) -> None:
    assert overlaps(running("a", "1", "1 5"), other) == []


def test_the_same_units_in_two_specs_are_one_and_no_overlap() -> None:
    assert overlaps(running("a", "1", "1 5"), running("b", "1", "1 5")) == []


def test_an_overlap_with_what_is_done_is_told_where_something_starts() -> None:
    done = running("a", "1", "1 5")
    attempt = an_attempt(1, MAY, series=done.series, seen=UnitStatus.SUCCESS)
    situation = a_situation(done, running("b", "2", "2 5"), recorded=a_record(attempt))
    assert (
        "overlap",
        "backfill.b",
        f"backfill.a runs node 5 for the same dates: {MAY}",
    ) in warned(situation)


def test_many_overlaps_are_counted() -> None:
    others = [running(f"b{n}", str(n + 2), f"{n + 2} 5") for n in range(OVERLAPS_TOLD + 2)]
    found = [
        summary
        for address, summary in overlaps(running("a", "1", "1 5"), *others)
        if address == "backfill.a"
    ]
    assert len(found) == OVERLAPS_TOLD + 1
    assert found[-1] == "2 more resources run nodes of it for its dates"


def test_a_node_that_very_many_run_is_told_of_once() -> None:
    crowd = [running(f"b{n:02}", str(n + 10), f"{n + 10} 5") for n in range(CROWD)]
    later = [running("z", "9", "9 5", "2024-06-01..2024-06-02")]
    assert overlaps(running("a", "1", "1 5"), *crowd, *later) == [
        ("backfill.a", f"it is one of {CROWD + 1} that run node 5 for the same dates: {MAY}")
    ]


def test_very_many_that_run_a_node_on_dates_of_their_own_do_not_overlap() -> None:
    first = dt.date(2024, 5, 1)
    assert not overlaps(
        *(
            running(f"b{n}", str(n + 10), f"{n + 10} 5", str(first + dt.timedelta(days=n)))
            for n in range(CROWD + 1)
        )
    )


@pytest.mark.parametrize("state", [AttemptState.ACCEPTED, AttemptState.UNKNOWN])
def test_runs_that_the_service_is_about_to_forget_are_named(state: AttemptState) -> None:
    seen = UnitStatus.RUNNING if state is AttemptState.ACCEPTED else None
    resource = a_resource("orders", {"2024-05-01": 1})
    attempt = an_attempt(1, "2024-05-01", state=state, seen=seen, series=resource.series)
    situation = a_situation(resource, recorded=a_record(attempt))
    sent = attempt.signed_at or attempt.created_at
    young = warned(situation, as_of=sent + OLDEST_PROVABLE - dt.timedelta(days=1))
    assert [code for code, _, _ in young] == []
    (old,) = warned(situation, as_of=sent + OLDEST_PROVABLE + dt.timedelta(hours=1))
    assert old[:2] == ("forgotten_soon", "backfill.orders")
    assert old[2].endswith("for 2024-05-01")


def test_a_freeze_that_begins_before_the_plan_expires_is_told() -> None:
    situation = a_situation(a_resource("orders", {"2024-05-01": 1}))
    soon = Freeze(start=at(60), end=at(120), reason="sale")
    late = Freeze(start=at(60 * 24 * 8), end=at(60 * 24 * 9))
    over = Freeze(start=at(-60), end=at(0))
    (found,) = warned(situation, soon, late, over)
    assert found[0] == "freeze_ahead"
    assert "(sale)" in found[2]


def test_where_nothing_starts_no_freeze_matters() -> None:
    resource = a_resource("orders", {"2024-05-01": 1})
    attempt = an_attempt(1, "2024-05-01", series=resource.series, seen=UnitStatus.SUCCESS)
    situation = a_situation(resource, recorded=a_record(attempt))
    assert warned(situation, Freeze(start=at(60), end=at(120))) == []


@pytest.mark.parametrize(("realm", "codes"), [(Realm.LIVE, ["no_record"]), (Realm.SIMULATOR, [])])
def test_a_plan_without_a_store_says_what_it_cannot_know(realm: Realm, codes: list[str]) -> None:
    resource = a_resource(
        "orders", {"2024-05-01": 1}, series=a_series(subject=a_subject(realm=realm))
    )
    situation = a_situation(resource, recorded=a_record(lineage=None))
    assert [code for code, _, _ in warned(situation)] == codes
