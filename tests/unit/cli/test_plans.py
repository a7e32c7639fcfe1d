"""A plan with very much in it, as it reaches a terminal."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from reconciler.cli.output import Terminal
from reconciler.cli.plans import Form, show_plan
from reconciler.model.diagnostics import Diagnostic, Place, Severity
from reconciler.model.plan import Decision, Plan, Reason
from reconciler.rendering.plan_text import MOST_LINES
from tests.unit.rendering.test_plan_text import crowd

TERMINAL = Terminal(root=Path(), no_color=True, verbose=False)


def warnings(count: int) -> tuple[Diagnostic, ...]:
    """What is wrong with so many specs, each with its line."""
    return tuple(
        Diagnostic(
            severity=Severity.WARNING,
            code="params_unused",
            summary="said of a spec",
            detail="more",
            hint="do this",
            place=Place("specs/a.yaml", number + 1),
            excerpt="params: {}",
        )
        for number in range(count)
    )


def with_errors(plan: Plan, count: int) -> Plan:
    """The plan with resources that could not be read."""
    errors = (
        Diagnostic(
            severity=Severity.ERROR,
            code="read_unavailable",
            summary=f"{number} cannot be read",
            detail="more",
            address=f"backfill.r{number}",
            hint="do this",
        )
        for number in range(count)
    )
    return dataclasses.replace(plan, diagnostics=tuple(errors))


@pytest.mark.parametrize(("errors", "specs"), [(3_000, 0), (0, 3_000), (2_000, 2_000)])
def test_both_streams_together_are_sixty_lines_at_most(
    errors: int, specs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = with_errors(crowd((7_000, Decision.HOLD, Reason.FAILED), gates=90), errors)
    show_plan(TERMINAL, plan, warnings=warnings(specs))
    printed = capsys.readouterr()
    assert printed.out.count("\n") + printed.err.count("\n") <= MOST_LINES - 2
    assert "  ! more: hold, failed: " in printed.out
    more = {"read_unavailable": errors, "params_unused": specs}
    for code, count in more.items():
        shown = printed.err.count(f"[{code}]")
        assert shown == count or f"{count - shown} {code}" in printed.err


def test_few_problems_of_a_crowded_plan_are_all_shown(capsys: pytest.CaptureFixture[str]) -> None:
    plan = with_errors(crowd((7_000, Decision.HOLD, Reason.FAILED)), 3)
    show_plan(TERMINAL, plan)
    printed = capsys.readouterr()
    assert printed.err.count("error[") == 3
    assert printed.out.count("\n") + printed.err.count("\n") <= MOST_LINES - 2


def test_all_of_it_is_shown_where_all_of_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(TERMINAL, with_errors(crowd((90, Decision.HOLD, Reason.FAILED)), 90), full=True)
    printed = capsys.readouterr()
    assert printed.err.count("error[") == 90
    assert printed.out.count("reconciler resolve ") == 90


def test_a_crowded_plan_as_markdown_tells_its_problems_on_the_page_and_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = with_errors(crowd((90, Decision.HOLD, Reason.FAILED)), 90)
    show_plan(TERMINAL, plan, form=Form.MARKDOWN, warnings=warnings(9))
    printed = capsys.readouterr()
    assert printed.out.count("- error `read_unavailable`") == 90
    assert printed.out.count("- warning `params_unused`") == 9
    assert printed.err.endswith("90 errors, 9 warnings\n")
