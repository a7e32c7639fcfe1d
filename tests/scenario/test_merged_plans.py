"""Saved plans that met others on their way: merged later, carried elsewhere, cut off in the middle."""

from __future__ import annotations

import copy
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgres import new_database
from tests.scenario.processes import (
    CREATE,
    QUARANTINE_SECONDS,
    Checkout,
    InProcess,
    Service,
    ended,
    simulate,
    starts,
    until,
)
from tests.scenario.sandbox import Result, Sandbox, decisions

on_both = pytest.mark.parametrize(
    "database", [lambda: None, new_database], ids=["sqlite", "postgresql"]
)


def saved(sandbox: Sandbox, file: str, *words: str) -> Path:
    """Plan into a file of the project's folder."""
    path = sandbox.root / file
    result = sandbox.run("plan", "--out", str(path), *words)
    assert result.code == 0, result.err
    return path


def applied(sandbox: Sandbox, plan: Path) -> Result:
    return sandbox.run("apply", str(plan))


def may(root: int, first: int = 20, last: int = 31) -> dict[str, int]:
    """Each of these days of May started once."""
    return {f"{root} 2020-05-{day:02}": 1 for day in range(first, last + 1)}


def june(root: int, first: int, last: int) -> dict[str, int]:
    return {f"{root} 2020-06-{day:02}": 1 for day in range(first, last + 1)}


def nothing_to_start(sandbox: Sandbox) -> bool:
    return sandbox.run("plan", "--detailed-exitcode").code == 0


# Two plans, made before there was a store.


def test_of_two_plans_without_a_store_the_one_applied_second_is_refused(sandbox: Sandbox) -> None:
    sandbox.backfill("a")
    sandbox.backfill("b", target={"rootNode": 2})
    first = saved(sandbox, "a.json", "--target", "backfill.a")
    second = saved(sandbox, "b.json", "--target", "backfill.b")
    assert applied(sandbox, first).code == 0

    refused = applied(sandbox, second)

    assert refused.code == 4
    assert "made without a state store, and there is one now" in refused.err
    assert starts(sandbox) == may(1)
    again = applied(sandbox, first)  # the store was made for this one
    assert again.code == 0, again.err
    assert "1 sent before" in again.out
    assert applied(sandbox, saved(sandbox, "b2.json")).code == 0
    assert starts(sandbox) == may(1) | may(2)


# Two pull requests, both planned before either is merged; there is a store already.


@pytest.fixture
def base(sandbox: Sandbox) -> Sandbox:
    """What both branches start from: orders on 05-20..05-31, all run."""
    sandbox.backfill("orders")
    assert sandbox.apply("--wait").code == 0
    return sandbox


def test_a_plan_of_a_branch_without_the_others_spec_holds_after_both_are_merged(
    base: Sandbox,
) -> None:
    base.backfill("a", target={"rootNode": 2})
    plan_a = saved(base, "a.json")
    (base.root / "specs" / "a.yaml").unlink()
    base.backfill("b", target={"rootNode": 3})
    plan_b = saved(base, "b.json")

    (base.root / "specs" / "b.yaml").unlink()
    base.backfill("a", target={"rootNode": 2})
    assert applied(base, plan_a).code == 0
    base.backfill("b", target={"rootNode": 3})
    result = applied(base, plan_b)

    assert result.code == 0, result.err
    assert starts(base) == may(1) | may(2) | may(3)
    assert nothing_to_start(base)


def test_of_a_plan_on_top_of_the_other_only_what_that_one_started_is_refused(
    base: Sandbox,
) -> None:
    base.backfill("orders", dates={"start": "2020-05-20", "end": "2020-06-05"})
    plan_a = saved(base, "a.json")
    base.backfill("orders", dates={"start": "2020-05-18", "end": "2020-06-05"})
    base.backfill("users", target={"rootNode": 2})
    plan_b = saved(base, "b.json")

    base.backfill("orders", dates={"start": "2020-05-20", "end": "2020-06-05"})
    (base.root / "specs" / "users.yaml").unlink()
    assert applied(base, plan_a).code == 0
    base.backfill("orders", dates={"start": "2020-05-18", "end": "2020-06-05"})
    base.backfill("users", target={"rootNode": 2})
    result = applied(base, plan_b)

    assert result.code == 4
    not_sent = [line for line in result.err.splitlines() if "not sent" in line]
    assert len(not_sent) == 1
    assert "backfill.orders@2020-06-01..2020-06-05: not sent" in not_sent[0]
    assert starts(base) == may(1, 18) | june(1, 1, 5) | may(2)
    assert nothing_to_start(base)


def test_a_call_that_overlaps_is_refused_whole_and_a_new_plan_starts_just_its_rest(
    base: Sandbox,
) -> None:
    base.backfill("orders", dates={"start": "2020-05-20", "end": "2020-06-05"})
    plan_a = saved(base, "a.json")
    base.backfill("orders", dates={"start": "2020-05-20", "end": "2020-06-10"})
    plan_b = saved(base, "b.json")

    base.backfill("orders", dates={"start": "2020-05-20", "end": "2020-06-05"})
    assert applied(base, plan_a).code == 0
    base.backfill("orders", dates={"start": "2020-05-20", "end": "2020-06-10"})
    result = applied(base, plan_b)

    assert result.code == 4
    assert "backfill.orders@2020-06-01..2020-06-10: not sent" in result.err
    assert starts(base) == may(1) | june(1, 1, 5)
    assert decisions(base.plan())["create missing"] == ["2020-06-06..2020-06-10"]
    assert base.apply().code == 0
    assert starts(base) == may(1) | june(1, 1, 10)


# A plan that is made here and applied there.


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with simulate(tmp_path) as service:
        yield service


def elsewhere(project: Checkout, root: Path) -> Checkout:
    """Another machine: nothing of the project's folder but the project file."""
    root.mkdir()
    shutil.copy(project.root / "reconciler.yaml", root)
    other = copy.copy(project)
    other.root = root
    return other


@pytest.mark.parametrize("used", [False, True], ids=["empty store", "used store"])
def test_a_plan_applies_on_a_machine_that_shares_only_the_store(
    tmp_path: Path, service: Service, used: bool
) -> None:
    here = Checkout(tmp_path / "here", service, state=new_database())
    here.backfill("before", target={"rootNode": 9})
    if used:
        assert here.apply("--wait").code == 0
    here.backfill(
        "a", dates={"start": "2020-05-20", "end": "2020-05-31", "except": ["2020-05-25"]}
    )
    there = elsewhere(here, tmp_path / "there")
    plan = saved(here, "plan.json").rename(there.root / "plan.json")

    first = applied(there, plan)

    assert first.code == 0, first.err
    expected = may(9) | may(1, 20, 24) | may(1, 26, 31)
    assert starts(there) == expected
    assert len(there.ledger()) == 3
    again = applied(there, plan)
    assert again.code == 0, again.err
    assert "sent before" in again.out
    assert len(there.ledger()) == 3
    assert nothing_to_start(here)
    for machine in (here, there):
        assert not (machine.root / ".reconciler" / "state.db").exists()


# A plan whose apply is killed in the middle, and that is applied again.


@pytest.fixture
def cut_off(tmp_path: Path, service: Service) -> Callable[..., tuple[Checkout, Path]]:
    """Apply a plan of four calls one after the other, and kill that while the second is out."""

    def killed(fault: dict[str, object], state: str | None) -> tuple[Checkout, Path]:
        project = InProcess(tmp_path / "project", service, state=state)
        left_out = ["2020-05-22", "2020-05-25", "2020-05-28"]
        project.backfill(dates={"start": "2020-05-20", "end": "2020-05-31", "except": left_out})
        plan = saved(project, "plan.json")
        service.faults({"operation": CREATE, "nth": 2, "seconds": 300, **fault})
        applying = project.start("apply", str(plan), "--parallelism", "1")
        until(lambda: requested(service) == 2)
        applying.send_signal(signal.SIGKILL)
        assert ended(applying).code == -signal.SIGKILL
        project.a_minute_later()
        return project, plan

    return killed


def requested(service: Service) -> int:
    """How many create requests have arrived."""
    requests = service.control("GET", "requests")
    return sum(one["operation"] == CREATE for one in requests)


FOUR = may(1, 20, 21) | may(1, 23, 24) | may(1, 26, 27) | may(1, 29, 31)


@on_both
def test_cut_off_after_the_second_call_ran_the_same_plan_sends_the_other_two(
    cut_off: Callable[..., tuple[Checkout, Path]], database: Callable[[], str | None]
) -> None:
    project, plan = cut_off({"effect": "delay"}, database())
    assert len(project.ledger()) == 2

    again = applied(project, plan)

    assert again.code == 0, again.err
    assert "backfill.orders@2020-05-23..2020-05-24: adopted" in again.err
    assert starts(project) == FOUR
    assert applied(project, plan).code == 0
    assert project.apply("--wait").code == 0
    assert len(project.ledger()) == 4
    assert nothing_to_start(project)


@on_both
def test_cut_off_before_the_second_call_ran_only_a_new_plan_sends_it_once_that_is_proved(
    cut_off: Callable[..., tuple[Checkout, Path]], database: Callable[[], str | None]
) -> None:
    project, plan = cut_off({"effect": "drop"}, database())
    assert len(project.ledger()) == 1
    unsure = may(1, 23, 24)

    assert applied(project, plan).code == 3
    assert starts(project) == {day: 1 for day in FOUR if day not in unsure}
    assert project.apply().code == 3
    project.advance(QUARANTINE_SECONDS)
    assert applied(project, plan).code == 3
    assert len(project.ledger()) == 3

    assert project.apply("--wait").code == 0
    assert starts(project) == FOUR
    assert applied(project, plan).code == 4  # its call ran, but for the newer plan
    assert len(project.ledger()) == 4
    assert nothing_to_start(project)
