"""The judge itself: it finds what it is there to find."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.model.attempts import AttemptState, RecordedState
from tests.crash.oracle import Findings, judge, record_of
from tests.crash.tally import Tally
from tests.scenario.sandbox import Sandbox
from tests.scenario.systems import Systems

SUITE = "the judge"


@pytest.fixture
def applied(tmp_path: Path) -> Sandbox:
    sandbox = Sandbox(tmp_path / "project")
    sandbox.backfill(dates={"start": "2020-05-20", "end": "2020-05-21"})
    sandbox.flow()
    assert sandbox.apply("--wait").code == 0
    return sandbox


def test_an_apply_that_went_well_is_found_without_fault(applied: Sandbox) -> None:
    assert not judge(applied.ledger(), record_of(applied.root))


@pytest.fixture
def patched(tmp_path: Path) -> Systems:
    systems = Systems(tmp_path / "project")
    systems.job(dates={"start": "2020-05-20", "end": "2020-05-21"})
    assert systems.apply("--wait").code == 0
    return systems


def test_it_understands_what_dataarts_says_it_started(patched: Systems) -> None:
    (entry,), recorded = patched.patches(), record_of(patched.root)
    assert not judge([entry], recorded)
    twice = judge([entry, entry], recorded)
    assert twice.duplicates == tuple(
        f"daily_sales 2020-05-{day} started 2 times, 1 asked for" for day in (20, 21)
    )
    (lost, _) = judge([entry], RecordedState()).lost
    assert lost == f"daily_sales 2020-05-20 (runs { {entry['name']} })"
    never = judge([], recorded).invented
    assert never[:2] == tuple(
        f"daily_sales 2020-05-{day}, on record as accepted" for day in (20, 21)
    )
    assert never[2].startswith(f"run {entry['name']} of attempt ")


def test_what_the_service_started_twice_is_a_duplicate(applied: Sandbox) -> None:
    twice = [*applied.ledger(), applied.ledger()[-1]]
    found = judge(twice, record_of(applied.root))
    assert found.duplicates == ("test_flow 2020-05-31 started 2 times, 1 asked for",)
    assert not judge(twice, record_of(applied.root), allowed=lambda _: 2)


@pytest.mark.parametrize("state", [AttemptState.VOID, AttemptState.REFUSED, AttemptState.ABSENT])
def test_what_runs_and_is_not_on_record_is_lost(applied: Sandbox, state: AttemptState) -> None:
    recorded = record_of(applied.root)
    last = replace(recorded.attempts[-1], state=state, run_ids=())
    for forgetful in ((), (last,)):
        left = replace(recorded, attempts=(*recorded.attempts[:-1], *forgetful))
        (lost,) = judge(applied.ledger(), left).lost
        assert lost.startswith("test_flow 2020-05-31")


def test_what_is_unknown_is_not_lost(applied: Sandbox) -> None:
    recorded = record_of(applied.root)
    unknown = tuple(
        replace(one, state=AttemptState.UNKNOWN, run_ids=()) for one in recorded.attempts
    )
    assert not judge(applied.ledger(), replace(recorded, attempts=unknown))


def test_what_is_on_record_and_never_ran_is_invented(applied: Sandbox) -> None:
    found = judge(applied.ledger()[:-1], record_of(applied.root))
    assert found.invented[0] == "test_flow 2020-05-31, on record as accepted"
    assert found.invented[1].startswith("run ")


def test_a_tally_counts_cases_and_findings() -> None:
    counted = Tally("some suite")
    counted.count(cases=3)
    counted.count(Findings(duplicates=("a", "b"), lost=("c",)))
    assert counted == Tally("some suite", cases=4, duplicates=2, lost=1)
