"""A run that the service does not list yet is not started again, however its answer was lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.processes import (
    CREATE,
    QUARANTINE_SECONDS,
    Checkout,
    InProcess,
    simulate,
    starts,
)
from tests.scenario.sandbox import decisions

LAG_SECONDS = 300

SEEN = {"start": "2020-05-20", "end": "2020-05-31"}

NEW = "2020-06-01..2020-06-05"

#: What is declared next, its NEW dates being those that have not run.
WIDER = ("orders", 1, {"start": "2020-05-20", "end": "2020-06-05"})
ANOTHER = ("users", 2, {"start": "2020-06-01", "end": "2020-06-05"})

declared_next = pytest.mark.parametrize("wanted", [WIDER, ANOTHER], ids=["wider", "another"])


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Checkout]:
    """Its first range has run and was listed. The work clock stands still unless it is moved."""
    with simulate(tmp_path, world=f"listingLag: {LAG_SECONDS}", clock="manual") as service:
        project = InProcess(tmp_path / "project", service)
        project.connection(f"listingLag: {LAG_SECONDS}s")
        project.backfill("orders", target={"rootNode": 1}, dates=SEEN)
        assert project.apply().code == 0
        project.advance(LAG_SECONDS + 12 * 60)
        assert project.run("status").code == 0
        assert decisions(project.plan()) == {"none succeeded": ["2020-05-20..2020-05-31"]}
        yield project


def declare(project: Checkout, wanted: tuple[str, int, dict[str, str]]) -> None:
    name, root, dates = wanted
    project.backfill(name, target={"rootNode": root}, dates=dates)
    assert decisions(project.plan())["create missing"] == [NEW]


def assert_nothing_is_sent(project: Checkout) -> None:
    """The new dates are unknown, and applying leaves the ledger as it is."""
    before = project.ledger()
    assert decisions(project.plan())["unknown outcome_unknown"] == [NEW]
    applied = project.apply()
    assert applied.code == 3, applied.err
    assert project.ledger() == before


@declared_next
@pytest.mark.parametrize("effect", ["execute_then_drop", "reset_mid_body", "garbage"])
def test_a_run_that_is_not_listed_yet_is_waited_for_and_adopted(
    project: Checkout, effect: str, wanted: tuple[str, int, dict[str, str]]
) -> None:
    declare(project, wanted)
    project.service.faults({"operation": CREATE, "nth": 1, "effect": effect})

    assert project.apply().code == 3

    assert len(project.ledger()) == 2
    assert_nothing_is_sent(project)
    project.advance(LAG_SECONDS - 60)  # the work clock stands still: it is not listed yet
    assert_nothing_is_sent(project)

    project.advance(QUARANTINE_SECONDS)
    assert decisions(project.plan())["adopt found"] == [NEW]
    adopted = project.apply()
    assert adopted.code == 0, adopted.err
    assert len(project.ledger()) == 2
    assert set(starts(project).values()) == {1}
    last = project.plan()
    assert last["summary"]["none"] == 12 + 5
    assert last["calls"] == []


@declared_next
def test_a_call_that_never_arrived_is_sent_again_only_once_its_absence_is_proved(
    project: Checkout, wanted: tuple[str, int, dict[str, str]]
) -> None:
    declare(project, wanted)
    project.service.faults({"operation": CREATE, "nth": 1, "effect": "drop"})

    assert project.apply().code == 3

    assert len(project.ledger()) == 1
    assert_nothing_is_sent(project)
    project.advance(2 * LAG_SECONDS)  # a run would be listed by now; a late copy may still arrive
    assert_nothing_is_sent(project)

    project.advance(QUARANTINE_SECONDS)
    assert decisions(project.plan())["create never_started"] == [NEW]
    assert project.apply().code == 0
    assert len(project.ledger()) == 2
    assert set(starts(project).values()) == {1}
    assert len(starts(project)) == 12 + 5
    last = project.plan("--detailed-exitcode")
    assert last["calls"] == []
    assert project.apply().code == 0
    assert len(project.ledger()) == 2
