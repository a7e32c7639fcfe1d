"""Text from outside never reaches a terminal, a CI log or a pull request raw."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.addresses import Address, Kind, UnitRange
from reconciler.model.codes import Code
from reconciler.model.dates import DateRange
from reconciler.model.diagnostics import Diagnostic, Place, Severity
from reconciler.model.events import (
    CallAccepted,
    CallMoved,
    CallRefused,
    CallSending,
    CallSkipped,
    CallUnknown,
    Event,
    ReadFailed,
    RunAdopted,
    UnitsChanged,
)
from reconciler.model.plan import Decision, FieldChange, Heading, Reason
from reconciler.model.runs import NodeFailure, UnitStatus
from reconciler.rendering.annotations import render_annotations
from reconciler.rendering.events import event_document, event_json, event_line
from reconciler.rendering.explain_text import render_explanation
from reconciler.rendering.paint import Paint, clean
from reconciler.rendering.plan_text import FEWEST_LINES, render_plan
from tests.builders import an_attempt, dates
from tests.unit.formats.plans import ORDERS, a_plan, an_action
from tests.unit.rendering.hostile import HOSTILE

_LINE_BREAKS = "\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


def is_harmless(text: str) -> bool:
    """Whether each line is printable, and none is, or holds, a command to a CI runner."""
    return all(
        line.isprintable() and not line.lstrip().startswith("::") and "##[" not in line
        and "##vso[" not in line
        for line in text.split("\n")
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_cleaned_text_is_one_harmless_line(text: str) -> None:
    cleaned = clean(text)
    assert is_harmless(cleaned)
    assert not set(cleaned) & set(_LINE_BREAKS)
    cleaned.encode()


@pytest.mark.parametrize("char", "\u034f\u115f\u180b\u200b\u2800\u3164\ufe00\ufeff\U000e0100")
def test_what_nobody_sees_is_written_out(char: str) -> None:
    assert clean(f"a{char}b") == f"a\\u{{{ord(char):x}}}b"


@given(st.text())
def test_any_cleaned_text_is_one_printable_line(text: str) -> None:
    assert clean(text).isprintable() or " " in clean(text) or any(c.isspace() for c in text)
    assert not set(clean(text)) & set(_LINE_BREAKS)


@pytest.mark.parametrize(
    "text", ["plain", "❤\ufe0f", "日本語", "naïve — “quotes”", "a # b ## c", "ü::x"]
)
def test_text_of_any_language_is_left_alone(text: str) -> None:
    assert clean(text) == text


def events_with(text: str) -> list[Event]:
    address, when = ORDERS, dates("2020-05-20..2020-05-21")
    return [
        CallSending(address=address, dates=when, call_id="abcdef", operation="RunCycleDagNodes"),
        CallAccepted(address=address, dates=when, call_id="a", run_ids=(text,), request_id=text),
        CallRefused(
            address=address, dates=when, call_id="a", code=text, message=text,
            request_id=text, retrying_in_seconds=2.0,
        ),
        CallRefused(
            address=address, dates=when, call_id="a", code="c", message="m", request_id=None
        ),
        CallUnknown(address=address, dates=when, call_id="a", cause=text),
        CallMoved(address=address, dates=when, call_id="a", why=text),
        CallSkipped(address=address, dates=when, call_id="a"),
        RunAdopted(address=address, dates=when, run_ids=(text, "2", "3", "4")),
        UnitsChanged(
            address=address, dates=DateRange.parse("2020-05-20"), status=UnitStatus.SUCCESS,
            remaining=1, total=2,
        ),
        ReadFailed(address=address, summary=text, hint=text),
    ]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_event_line_carries_hostile_text(text: str) -> None:
    for event in events_with(text):
        line = event_line(event)
        assert "\n" not in line
        assert is_harmless(line), line


def test_golden_event_lines() -> None:
    assert [event_line(event) for event in events_with("said")] == [
        "backfill.orders-currency-fix@2020-05-20..2020-05-21: sending RunCycleDagNodes (2 dates)",
        "backfill.orders-currency-fix@2020-05-20..2020-05-21: accepted, 1 run (request said)",
        (
            "backfill.orders-currency-fix@2020-05-20..2020-05-21: refused, said: said (request said);"
            " trying again in 2 s"
        ),
        "backfill.orders-currency-fix@2020-05-20..2020-05-21: refused, c: m",
        (
            "backfill.orders-currency-fix@2020-05-20..2020-05-21: outcome unknown, said;"
            " it is not sent again"
        ),
        (
            "backfill.orders-currency-fix@2020-05-20..2020-05-21: not sent, its units moved since"
            " planning: said"
        ),
        "backfill.orders-currency-fix@2020-05-20..2020-05-21: sent before by this plan",
        "backfill.orders-currency-fix@2020-05-20..2020-05-21: adopted 4 runs: said, 2, 3 and 1 more",
        "backfill.orders-currency-fix@2020-05-20: success (1 of 2 left)",
        "backfill.orders-currency-fix: said (said)",
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_every_event_is_one_line_of_json(text: str) -> None:
    for event in events_with(text):
        line = event_json(event)
        assert "\n" not in line
        assert "\x1b" not in line
        line.encode()
        assert json.loads(line) == event_document(event)


def test_events_are_told_apart_by_type() -> None:
    documents = [event_document(event) for event in events_with("x")]
    assert {str(one["type"]) for one in documents} == {
        "call_sending", "call_accepted", "call_refused", "call_unknown", "call_moved",
        "call_skipped", "run_adopted", "units_changed", "read_failed",
    }  # fmt: skip
    assert {one["format_version"] for one in documents} == {"1.0"}
    assert documents[0]["dates"] == ["2020-05-20..2020-05-21"]
    assert documents[8]["status"] == "success"


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_plan_carries_hostile_text(text: str) -> None:
    action = an_action(
        ORDERS,
        Decision.RERUN,
        Reason.CHANGED,
        "2020-05-20",
        text,
        changes=(FieldChange(path=text, before=text, after=text),),
        run_ids=(text,),
    )
    heading = Heading(
        address=ORDERS, connection="prod", environment="PROD", root=text, owner=text, reason=text
    )
    plan = dataclasses.replace(a_plan(), actions=(action,), headings=(heading,))
    assert is_harmless(render_plan(plan, paint=Paint()))
    warning = dataclasses.replace(plan.diagnostics[-1], summary=text, address=text)
    assert warning.severity is Severity.WARNING
    gates = [
        dataclasses.replace(
            standing, gate=dataclasses.replace(standing.gate, name=text, connection=text)
        )
        for standing in plan.gates
    ]
    crowded = dataclasses.replace(plan, diagnostics=(warning,) * 60, gates=tuple(gates))
    told = render_plan(crowded, paint=Paint(), most=FEWEST_LINES)
    assert told.count("\n") <= FEWEST_LINES
    assert is_harmless(told)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_explanation_carries_hostile_text(text: str) -> None:
    attempt = dataclasses.replace(
        an_attempt(code=text, message=text, run_ids=(text,)), name=text, request_id=text
    )
    unit = UnitRange(Address.of(Kind.BACKFILL, "orders"), attempt.dates)
    failure = NodeFailure(
        date=attempt.dates.start,
        node_id=text,
        node_name=text,
        instance_id=text,
        log=(text,),
        log_problem=text,
    )
    failures = {attempt.id: (failure,)}
    assert is_harmless(render_explanation(unit, None, [attempt], failures, [], Paint()))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_an_annotation_is_one_command_whatever_it_says(text: str) -> None:
    item = Diagnostic(
        severity=Severity.ERROR,
        code=cast("Code", text),  # a plan file may hold any
        summary=text,
        detail=text,
        hint=text,
        place=Place(text, 3, 4),
    )
    (line,) = render_annotations([item]).splitlines()
    assert re.fullmatch(r"::error file=[^:,]*,line=3,col=4,title=[^:,]*::.*", line), line
    assert line.isprintable()
    assert "##[" not in line


def test_golden_annotations() -> None:
    placed = Diagnostic(
        severity=Severity.WARNING,
        code="nodes",
        summary="50% of: it, is wrong",
        hint="mend it",
        place=Place("specs/a,b:c.yaml", 3, 4),
    )
    bare = Diagnostic(severity=Severity.ERROR, code="empty", summary="wrong", hint="mend it")
    assert render_annotations([placed, bare]) == (
        "::warning file=specs/a%2Cb%3Ac.yaml,line=3,col=4,title=nodes::50%25 of: it, is wrong. mend it\n"
        "::error title=empty::wrong. mend it\n"
    )
    assert render_annotations([]) == ""


def test_annotations_name_files_from_the_root_of_the_checkout() -> None:
    item = Diagnostic(
        severity=Severity.ERROR,
        code="empty",
        summary="wrong",
        hint="mend it",
        place=Place("reconciler.yaml", 1, 1),
    )
    assert "file=reconciler.yaml," in render_annotations([item])
    assert "file=data/backfills/reconciler.yaml," in render_annotations([item], "data/backfills")
