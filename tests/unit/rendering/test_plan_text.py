"""The plan as a person reads it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import pytest

from reconciler.model.addresses import Address, Kind
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.model.plan import Decision, Plan, Reason, Summary
from reconciler.rendering.layout import CONTINUED, columns
from reconciler.rendering.paint import Paint
from reconciler.rendering.plan_text import FEWEST_LINES, MOST_LINES, render_plan
from reconciler.rendering.plan_view import FOLD_ABOVE
from tests.unit.formats.plans import ORDERS, a_plan, an_action
from tests.unit.rendering.test_plan_markdown import with_text

PLAIN = Paint()


def test_golden_plan_of_every_decision() -> None:
    assert (
        render_plan(a_plan(), paint=PLAIN)
        == """\
  + backfill.orders-currency-fix
      prod · PROD · root 1234 · growth-data: rates were wrong in May
      + 2020-05-20..2020-05-24  5 dates  missing
      + 2020-05-26..2020-05-31  6 dates  missing
      = 2020-06-01               1 date  shared: the same units as backfill.a,
            counted there
        in 2 calls, about 22 node instances
  ! backfill.users-2020
      prod · PROD · root 1234 · a reason that is far too long to stand beside an
            address in a plan
      = 2020-01-01..2020-03-31  91 dates  succeeded
      ~ 2020-04-01..2020-04-30  30 dates  changed; 74324.key2 "val" → "val2";
            74324.key3 (absent) → "new"; exclude "9" → (absent)
      > 2020-05-01                1 date  found: a run of ours that is not on
            record
      . 2020-05-02..2020-05-03   2 dates  in flight
      # 2020-05-04..2020-05-06   3 dates  missing; blocked: opens when
            gate.ob-quiet does
      ! 2020-05-07..2020-05-08   2 dates  failed: node 3 failed
          reconciler explain backfill.users-2020@2020-05-07..2020-05-08
          reconciler resolve backfill.users-2020@2020-05-07..2020-05-08 --rerun --reason TEXT
      - 2020-05-09..2020-05-12   4 dates  no longer declared
        in 2 calls, about 66 node instances: 2020-04-01..2020-04-30 →
          2020-05-04..2020-05-06
        runs for about 45 min (28 to 95 min), 30 dates in turn, as 91 dates on
          record of backfill.orders-currency-fix, backfill.users-2020 with other
          nodes or params took 55 s to 3.2 min each, last sent 2020-05-18
  ? manualflow.month-close
      ? 2018-12-12  1 date  outcome unknown since 10:02
          reconciler explain manualflow.month-close@2018-12-12
  reconciler resolve manualflow.month-close@2018-12-12 --run-id ID --reason TEXT
  reconciler resolve manualflow.month-close@2018-12-12 --never-ran --reason TEXT
  gate.landed   hw · every run of etl-dli2dws (task 937987) planned on the day
            after the data date has succeeded
      closed for 2020-05-05: a run failed; needs a person
      open for 2020-05-04, 2020-05-06 (success was forced)
  gate.ob-quiet   ob · no unfinished task (cluster) for tenant orders
      closed: could not be read: no answer
  gate.scaled   ob · DAG 22130706433028869 has succeeded
      not evaluated
  warning[schedule_in_flight]: a daily run (apply later)
Plan: 1 resource could not be read, nothing is decided there;
  44 dates to start in 4 calls (about 123 node instances); 3 of them blocked;
  1 to adopt; 2 in flight; 91 satisfied; 4 released; 3 need a person.
  12 API calls made; apply will make about 10.
It would run for about 28 to 95 min, once nothing keeps it from starting; not in
  it: 11 dates like which none was timed.
"""
    )


@pytest.mark.parametrize("width", [60, 80, 120])
def test_only_commands_are_wider_than_the_screen(width: int) -> None:
    lines = render_plan(a_plan(), paint=PLAIN, full=True, width=width).splitlines()
    wide = [line.strip() for line in lines if columns(line) > width]
    assert all(line.startswith("reconciler ") for line in wide)


def test_ranges_that_need_nobody_are_counted_and_shown_on_demand() -> None:
    plan = dataclasses.replace(
        a_plan(),
        actions=(
            an_action(
                ORDERS, Decision.NONE, Reason.SUCCEEDED, "2020-05-01,2020-05-03..2020-05-09"
            ),
        ),
        calls=(),
    )
    assert "      = 2 ranges  8 dates  succeeded\n" in render_plan(plan, paint=PLAIN)
    assert "      = 2020-05-03..2020-05-09  7 dates  succeeded\n" in render_plan(
        plan, paint=PLAIN, full=True
    )


def test_commands_are_told_for_the_first_ranges_of_what_is_alike() -> None:
    failed = an_action(
        ORDERS, Decision.HOLD, Reason.FAILED, "2020-05-01,2020-05-03,2020-05-05,2020-05-07"
    )
    text = render_plan(dataclasses.replace(a_plan(), actions=(failed,)), paint=PLAIN)
    assert [line.split("@")[1].split()[0] for line in text.splitlines() if "explain" in line] == [
        "2020-05-01", "2020-05-03"
    ]  # fmt: skip
    assert text.count("the same commands, with these and later dates") == 1


def test_colours_change_nothing_but_colour() -> None:
    coloured = render_plan(a_plan(), paint=Paint(colours=True))
    assert "\x1b[" in coloured
    plain = re.sub(r"\x1b\[\d*m", "", coloured)
    assert plain == render_plan(a_plan(), paint=PLAIN)


def many(count: int, decision: Decision, reason: Reason) -> Plan:
    actions = [
        an_action(Address.of(Kind.BACKFILL, f"r{number:03}"), decision, reason, "2020-05-20")
        for number in range(count)
    ]
    return dataclasses.replace(
        a_plan(),
        actions=tuple(actions),
        calls=(),
        gates=(),
        headings=(),
        summary=Summary(none=count),
    )


def test_a_long_plan_folds_what_needs_nobody() -> None:
    plan = many(FOLD_ABOVE + 1, Decision.NONE, Reason.SUCCEEDED)
    folded = render_plan(plan, paint=PLAIN)
    assert f"  = {FOLD_ABOVE + 1} more resources need nothing (--full shows them)\n" in folded
    assert "backfill." not in folded
    assert "backfill.r050" in render_plan(plan, paint=PLAIN, full=True)


def crowd(
    *groups: tuple[int, Decision, Reason], gates: int = 0, warnings: int = 0, errors: int = 0
) -> Plan:
    """A plan of so many resources of each kind, of a month each."""
    kinds = [group for group in groups for _ in range(group[0])]
    names = [Address.of(Kind.BACKFILL, f"r{number:05}") for number in range(len(kinds))]
    month = an_action(ORDERS, Decision.NONE, Reason.SUCCEEDED, "2020-05-01..2020-05-31")
    error = Diagnostic(
        severity=Severity.ERROR, code="read_unavailable", summary="said " * 30, hint="do"
    )
    warning = Diagnostic(
        severity=Severity.WARNING, code="foreign_finished", summary="said " * 30, hint="do"
    )
    stuck = a_plan().gates[0]
    return a_plan(
        actions=tuple(
            dataclasses.replace(month, address=name, decision=decision, reason=reason)
            for name, (_, decision, reason) in zip(names, kinds, strict=True)
        ),
        calls=(),
        gates=tuple(
            dataclasses.replace(stuck, gate=dataclasses.replace(stuck.gate, name=f"g{number}"))
            for number in range(gates)
        ),
        headings=(),
        summary=Summary(**dict.fromkeys(("create", "blocked", "adopt", "hold", "reads"), 10**5)),
        diagnostics=(error,) * errors + (warning,) * warnings,
    )


#: Every decision for many reasons.
_ALL_AT_ONCE = tuple((70, decision, reason) for decision in Decision for reason in Reason)


@pytest.mark.parametrize(
    ("groups", "problems"),
    [
        ([(10_000, Decision.HOLD, Reason.FAILED)], 0),
        ([(9_990, Decision.CREATE, Reason.MISSING), (10, Decision.HOLD, Reason.FAILED)], 10_000),
        (_ALL_AT_ONCE, 900),
    ],
    ids=["people", "starting", "all"],
)
def test_a_plan_of_ten_thousand_resources_prints_sixty_lines_at_most(
    groups: Sequence[tuple[int, Decision, Reason]], problems: int
) -> None:
    plan = crowd(*groups, gates=problems, warnings=problems, errors=problems)
    for width, most in ((120, MOST_LINES), (60, FEWEST_LINES)):
        lines = render_plan(plan, paint=PLAIN, width=width, most=most).splitlines()
        assert most - 2 <= len(lines) <= most
        assert max(map(columns, lines)) <= width
        assert sum(line.startswith("Plan:") for line in lines) == 1


def test_whoever_needs_a_person_is_named_first_and_the_rest_counted() -> None:
    plan = crowd(
        (3_000, Decision.CREATE, Reason.MISSING),
        (45, Decision.HOLD, Reason.FAILED),
        (900, Decision.WAIT, Reason.IN_FLIGHT),
        (6_055, Decision.NONE, Reason.SUCCEEDED),
        gates=2,
        warnings=70,
    )
    lines = render_plan(plan, paint=PLAIN, width=100).splitlines()
    people = [line for line in lines if line.startswith("  ! ")]
    assert len(people) == 45
    assert (
        people[0] == "  ! backfill.r03000   for a person: 31 dates, 2020-05-01..2020-05-31: failed"
    )
    for told in (
        "  + more: create, missing: 92876 dates of 2996 resources, 2020-05-01..2020-05-31",
        "  . more: wait, in flight: 27900 dates of 900 resources, 2020-05-01..2020-05-31",
        "  = 6055 more resources need nothing",
        "  70 more warnings: 70 foreign_finished",
        "  (reconciler plan --full shows all, with commands)",
    ):
        assert told in lines
    assert sum(line.startswith("  gate.g") for line in lines) == 2


def test_more_that_needs_a_person_than_has_room_is_counted_by_reason() -> None:
    plan = crowd(
        (4_000, Decision.HOLD, Reason.FAILED),
        (4_000, Decision.HOLD, Reason.CHANGED),
        (2_000, Decision.UNKNOWN, Reason.OUTCOME_UNKNOWN),
        gates=900,
    )
    lines = render_plan(plan, paint=PLAIN, width=120).splitlines()
    named = sum("   for a person: " in line for line in lines)
    told = "dates of {} resources, 2020-05-01..2020-05-31"
    assert f"  ? more: unknown, outcome unknown: 62000 {told.format(2_000)}" in lines
    assert f"  ! more: hold, changed: 124000 {told.format(4_000)}" in lines
    assert f"  ! more: hold, failed: {31 * (4_000 - named)} {told.format(4_000 - named)}" in lines
    assert "  900 more gates, 900 of them need a person" in lines


def test_a_plan_of_more_resources_than_that_is_told_in_full_where_it_fits() -> None:
    plan = crowd((3, Decision.HOLD, Reason.FAILED), (500, Decision.NONE, Reason.SUCCEEDED))
    text = render_plan(plan, paint=PLAIN)
    assert text.count("reconciler resolve") == 3
    assert "  = 500 more resources need nothing (--full shows them)\n" in text


def test_a_plan_of_nothing_says_so() -> None:
    plan = dataclasses.replace(many(0, Decision.NONE, Reason.SUCCEEDED), diagnostics=())
    assert render_plan(plan, paint=PLAIN) == (
        "Plan: nothing to start; 0 satisfied. 0 API calls made.\n"
    )


def test_a_plan_that_could_not_be_read_does_not_say_that_nothing_is_to_do() -> None:
    text = render_plan(many(0, Decision.NONE, Reason.SUCCEEDED), paint=PLAIN, width=120)
    unread = "1 resource could not be read, nothing is decided there"
    assert f"Plan: {unread}; nothing else to start; 0 satisfied. 0 API calls made.\n" in text


@pytest.mark.parametrize("decision", list(Decision))
@pytest.mark.parametrize("reason", list(Reason))
def test_every_decision_and_reason_has_words(decision: Decision, reason: Reason) -> None:
    text = render_plan(many(1, decision, reason), paint=PLAIN)
    assert "2020-05-20  1 date" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_begins_with_words_of_others_where_ours_begin(width: int) -> None:
    shown = render_plan(with_text("zq " * 99), paint=PLAIN, width=width).splitlines()
    begins = {len(line) - len(line.lstrip()) for line in shown if line.lstrip().startswith("zq")}
    # A heading begins with the name of a connection, which is no text but a name.
    assert begins == {6, CONTINUED}
