"""The plan as a comment on a pull request: what a reviewer sees, and what nobody can put there."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.addresses import Address, Kind
from reconciler.model.codes import Code
from reconciler.model.diagnostics import Diagnostic, Place, Severity
from reconciler.model.gates import DagSucceeded, Gate, GateReading, GateStanding, RunsSucceeded
from reconciler.model.plan import Decision, FieldChange, Heading, Plan, Reason, Summary
from reconciler.model.rangemap import RangeMap
from reconciler.rendering.markdown import LIMIT, LITTLE, marker, size
from reconciler.rendering.plan_markdown import LEAST, Provenance, render_markdown
from tests.builders import a_resource, dates
from tests.effort import examples
from tests.unit.formats.plans import ORDERS, USERS, a_call, a_plan, an_action
from tests.unit.rendering.hostile import HOSTILE_MARKDOWN
from tests.unit.rendering.pages import COMMENT, RENDERERS, TEXT, Node, Renderer, page_of
from tests.unit.rendering.test_hostile_text import is_harmless
from tests.unit.rendering.test_markdown import seen, seen_in_cell

GOLDEN = Path(__file__).parent / "golden"
SAVED = Provenance(file="plan.json", digest="0123456789abcdef" * 4)

each_renderer = pytest.mark.parametrize("render", RENDERERS, ids=lambda one: one.__name__)

_ORDER = (
    Decision.HOLD,
    Decision.CREATE,
    Decision.UNKNOWN,
    Decision.ADOPT,
    Decision.WAIT,
    Decision.NONE,
)


def _plain_blanks(page: str) -> str:
    """A page whose blanks are all alike: wide ones are no harm."""
    return page.replace("\N{NO-BREAK SPACE}", " ").replace("\N{IDEOGRAPHIC SPACE}", " ")


def address(number: int) -> Address:
    return Address.of(Kind.BACKFILL, f"r{number:05}")


#: Data dates none of which touches another.
_APART = tuple(f"{year}-{month:02}-01" for year in range(2000, 2010) for month in range(1, 13))


@functools.cache
def many(count: int, *, errors: int = 0, warnings: int = 0, ranges: int = 1) -> Plan:
    """A plan of resources that take turns in what is decided for them."""
    when = dates(*_APART[:ranges])
    decisions = [_ORDER[number % len(_ORDER)] for number in range(count)]
    problems = [
        Diagnostic(
            severity=severity,
            code="read_unavailable",
            summary=f"{severity.value} {number}",
            hint="x",
        )
        for severity, found in ((Severity.ERROR, errors), (Severity.WARNING, warnings))
        for number in range(found)
    ]
    return a_plan(
        actions=tuple(
            dataclasses.replace(
                an_action(address(number), decision, Reason.FAILED, "2020-05-20"), dates=when
            )
            for number, decision in enumerate(decisions)
        ),
        calls=tuple(
            a_call(address(number), "2020-05-20")
            for number, decision in enumerate(decisions)
            if decision is Decision.CREATE
        ),
        headings=tuple(
            Heading(
                address=address(number), connection="prod", environment="PROD", root="root 1234",
                owner="growth-data", reason="rates were wrong in May",
            )
            for number in range(count)
        ),
        summary=Summary(create=count, hold=count, calls=count, node_instances=count),
        diagnostics=tuple(problems),
        desired=(),
        estimates=(),
    )  # fmt: skip


def nothing() -> Plan:
    done = an_action(ORDERS, Decision.NONE, Reason.SUCCEEDED, "2020-05-20,2020-05-22..2020-05-31")
    return a_plan(
        actions=(done,), calls=(), adoptions=(), gates=(), diagnostics=(), desired=(),
        summary=Summary(none=11),
    )  # fmt: skip


def with_text(text: str) -> Plan:
    """A plan in which every field that a saved file can carry as text holds this one."""
    place = Place(text, 3, 5)
    problems = [
        Diagnostic(
            severity=severity,
            code=cast("Code", text),
            summary=text,
            detail=text,
            place=place,
            address=text,
            hint=text,
        )
        for severity in Severity
    ]
    change = FieldChange(path=text, before=text, after=text)
    when = dates("2020-05-04..2020-05-06")
    reading = GateReading(
        dates=when,
        closed=RangeMap.constant(dates("2020-05-04"), text),
        remarks=RangeMap.constant(dates("2020-05-05"), text),
        problem=text,
    )
    actions = (
        an_action(ORDERS, Decision.CREATE, Reason.MISSING, "2020-05-20", text, changes=(change,)),
        an_action(
            ORDERS, Decision.BLOCKED, Reason.MISSING, "2020-05-21", text, blocked_by=(text, text)
        ),
        an_action(
            USERS, Decision.HOLD, Reason.CANDIDATE, "2020-05-20", text, run_ids=(f"/{text}",)
        ),
    )
    call = dataclasses.replace(
        a_call(when="2020-05-20"), connection=text, operation=text, name=text, blocked_by=(text,)
    )
    return a_plan(
        id=text, tool_version=text, project=text, lineage=text,
        actions=actions,
        calls=(call, dataclasses.replace(call, id=text, batch=1)),
        gates=(
            GateStanding(
                gate=Gate(name=text, connection=text, condition=RunsSucceeded(job=text, task=text)),
                reading=reading,
            ),
            GateStanding(gate=Gate(name=text, connection=text, condition=DagSucceeded(dag=text))),
        ),
        headings=tuple(
            Heading(
                address=one, connection=text, environment=text, root=text, owner=text, reason=text
            )
            for one in (ORDERS, USERS)
        ),
        desired=(a_resource("orders-currency-fix", "2020-05-20"),),
        diagnostics=tuple(problems),
    )  # fmt: skip


def mixed_hostile() -> Plan:
    """Some of what has come alive elsewhere, one after the other in one name."""
    return with_text(
        "@org/team ![x](https://evil.example/b.png) `a``b` | <img src=x> --> </details> #1 :tada:\n# x"
    )


@pytest.mark.parametrize(
    ("name", "plan", "limit"),
    [
        ("every-decision", a_plan(diagnostics=a_plan().diagnostics[1:]), LIMIT),
        ("errors", a_plan(), LIMIT),
        ("nothing-to-do", nothing(), LIMIT),
        ("too-big", many(200, errors=30, warnings=9), 10_000),
        ("hostile", mixed_hostile(), LIMIT),
    ],
)
def test_golden_pages(name: str, plan: Plan, limit: int) -> None:
    page = render_markdown(plan, origin=SAVED, limit=limit)
    assert page == (GOLDEN / f"{name}.md").read_text(encoding="utf-8")


def test_the_marker_and_then_the_verdict_come_first() -> None:
    first, blank, verdict, *_ = render_markdown(a_plan()).split("\n")
    assert first == "<!-- reconciler plan data-platform -->"
    assert blank == ""
    assert verdict.startswith("**✗ Plan for `data-platform`: 1 error; ")
    assert "44 dates to start in 4 calls (about 123 node instances)" in verdict
    assert verdict.endswith("3 need a person.**")


@pytest.mark.parametrize(
    ("plan", "sign"),
    [
        (a_plan(), "✗"),
        (a_plan(diagnostics=()), "!"),
        (a_plan(diagnostics=(), summary=Summary(create=1)), "+"),
        (a_plan(diagnostics=(), summary=Summary(blocked=1)), "+"),
        (a_plan(diagnostics=(), summary=Summary(adopt=1)), "+"),
        (nothing(), "="),
    ],
)
def test_the_sign_says_whether_somebody_must_look(plan: Plan, sign: str) -> None:
    assert f"\n\n**{sign} Plan for " in render_markdown(plan)


def test_a_plan_without_a_file_says_how_to_keep_it() -> None:
    assert "reconciler plan --out FILE" in render_markdown(a_plan(diagnostics=()))
    assert "reconciler apply" not in render_markdown(a_plan(diagnostics=()))


def test_a_plan_with_errors_cannot_be_applied() -> None:
    assert "reconciler apply" not in render_markdown(a_plan(), origin=SAVED)
    assert "It holds errors" in render_markdown(a_plan(), origin=SAVED)


def test_a_file_whose_name_a_shell_would_read_is_quoted() -> None:
    origin = Provenance(file="my plan.json")
    page = render_markdown(a_plan(diagnostics=()), origin=origin)
    assert "`reconciler apply 'my plan.json'`" in page
    crowded = render_markdown(many(200), origin=origin, limit=LEAST)
    assert "All of it: `reconciler show 'my plan.json'`" in crowded


def test_remarks_stand_below_the_verdict() -> None:
    page = render_markdown(a_plan(), origin=Provenance(remarks=("offline: nobody_was *asked*",)))
    assert page.split("\n\n")[2] == r"offline: nobody\_was \*asked\*"


def test_the_canary_goes_first_as_long_as_it_is_to_be_sent() -> None:
    assert "the canary goes first" in render_markdown(a_plan())
    later = tuple(dataclasses.replace(call, batch=3) for call in a_plan().calls)
    assert "canary" not in render_markdown(a_plan(calls=later))


def test_values_that_begin_alike_are_shown_where_they_differ() -> None:
    before, after = "x" * 5000 + "old", "x" * 5000 + "new"
    change = FieldChange(path="p", before=before, after=after)
    action = an_action(ORDERS, Decision.RERUN, Reason.CHANGED, "2020-05-20", changes=(change,))
    page = render_markdown(a_plan(actions=(action,)))
    assert f'\n- p: "{"x" * 40}old" (from character 4961 on)\n' in page
    assert f'\n+ p: "{"x" * 40}new" (from character 4961 on)\n' in page


def table_of(page: Node) -> list[list[str]]:
    (table,) = page.all("table")
    rows = [[_plain_blanks(cell.content) for cell in row.children] for row in table.all("tr")]
    assert {len(row) for row in rows} == {4}
    return rows[1:]


@each_renderer
def test_every_resource_that_starts_or_needs_somebody_has_a_row(render: Renderer) -> None:
    rows = table_of(page_of(render(render_markdown(a_plan()))))
    assert [row[:2] for row in rows] == [
        ["! hold", "backfill.users-2020|prod · PROD · root 1234"],
        ["? unknown", "manualflow.month-close"],
        ["+ create", "backfill.orders-currency-fix|prod · PROD · root 1234"],
    ]
    assert rows[0][2] == (
        "for a person: 2 dates|2020-05-07..2020-05-08"
        "|to start: 30 dates|2020-04-01..2020-04-30"
        "|blocked: 3 dates|2020-05-04..2020-05-06|to adopt: 1 date|2020-05-01"
        "|in 2 calls, about 66 node instances"
    )


def folds_of(page: Node) -> list[str]:
    return [fold.all("summary")[0].content for fold in page.all("details")]


def missing(page: Node) -> Counter[str]:
    """How many of what the page says it leaves out."""
    told = " ".join(one.content for one in page.children if one.content.startswith("Left out"))
    return Counter(
        {noun: int(count) for count, noun in re.findall(r"(\d+) of \d+ ([a-z ]+)[;.]", told)}
    )


@pytest.mark.parametrize(
    ("limit", "full", "render"),
    [
        (LIMIT, False, RENDERERS[0]),
        (LIMIT, True, RENDERERS[0]),
        (20_000, False, RENDERERS[1]),
    ],
)
def test_a_plan_too_big_is_kept_within_the_limit_and_all_of_it_accounted_for(
    limit: int, full: bool, render: Renderer
) -> None:
    plan = many(10_000, errors=700, warnings=800, ranges=20)
    text = render_markdown(plan, origin=SAVED, limit=limit, full=full)
    assert limit - 2_000 < len(text) <= limit
    assert len(text.encode()) < 262_144
    page = page_of(render(text))
    left = missing(page)
    kinds = Counter(row[0] for row in table_of(page))
    per_kind = Counter(action.decision for action in plan.actions)
    people = kinds["! hold"] + kinds["? unknown"]
    starting = kinds["+ create"] + kinds["> adopt"]
    to_a_person = per_kind[Decision.HOLD] + per_kind[Decision.UNKNOWN]
    to_start = per_kind[Decision.CREATE] + per_kind[Decision.ADOPT]
    assert people + left["rows of resources that need a person"] == to_a_person
    assert starting + left["rows of resources to start or adopt"] == to_start
    folds = [name for name in folds_of(page) if " backfill." in name]
    assert len(folds) + left["details of resources"] == to_a_person + to_start
    items = [item.content for item in page.all("li")]
    assert sum(item.startswith("error ") for item in items) + left["errors"] == 700
    assert sum(item.startswith("warning ") for item in items) + left["warnings"] == 800
    gates = sum(item.startswith("Gate ") for item in items)
    assert gates + left["gates"] + left["gates that need a person"] == 3
    # Who is not named is counted all the same.
    (tally,) = [one.content for one in page.all("p") if one.content.startswith("All that needs")]
    assert tally == (
        "All that needs a person:"
        "|? unknown, failed: 33340 dates of 1667 resources, 2000-01-01, 2000-02-01, 2000-03-01"
        " and 17 more ranges"
        "|! hold, failed: 33340 dates of 1667 resources, 2000-01-01, 2000-02-01, 2000-03-01"
        " and 17 more ranges"
    )
    # Who only waits is shown or left out, who needs nothing at all is folded unless all is wanted.
    idle = sum(item.startswith("backfill.") for item in items)
    folded = re.findall(r"Nothing to do for (\d+) more resource", page.children[-2].content)
    waits, satisfied = per_kind[Decision.WAIT], per_kind[Decision.NONE]
    assert folded == ([] if full else [str(satisfied)])
    assert idle + left["resources with nothing to do"] == waits + (satisfied if full else 0)
    assert min(people, starting) > 0


def test_everybody_who_needs_a_person_is_named_among_ten_thousand_resources() -> None:
    needy, plan = {10, 4_000, 9_999}, many(10_000)
    actions = tuple(
        dataclasses.replace(action, decision=Decision.HOLD if number in needy else Decision.CREATE)
        for number, action in enumerate(plan.actions)
    )
    text = render_markdown(dataclasses.replace(plan, actions=actions), origin=SAVED)
    assert size(text) <= LIMIT
    page = page_of(RENDERERS[0](text))
    assert [row[0] for row in table_of(page)[:4]] == ["! hold"] * 3 + ["+ create"]
    assert folds_of(page)[:3] == [f"! backfill.r{number:05}" for number in sorted(needy)]
    assert page.children[1].content.startswith("! Plan for data-platform: ")
    left = missing(page)
    assert left["rows of resources that need a person"] == 0
    assert left["rows of resources to start or adopt"] == 9_997 - (len(table_of(page)) - 3)


@given(
    count=st.sampled_from([0, 1, 20, 60]),
    errors=st.sampled_from([0, 1, 40]),
    ranges=st.sampled_from([1, 4, 120]),
    limit=st.integers(LEAST, 40_000),
    text=st.sampled_from([*HOSTILE_MARKDOWN, "🌈" * 500, "`" * 500, "\U000e0041" * 500]),
)
@settings(max_examples=examples(25))
def test_no_page_is_longer_than_its_limit_nor_torn(
    count: int, errors: int, ranges: int, limit: int, text: str
) -> None:
    plan, other = many(count, errors=errors, ranges=ranges), with_text(text)
    both = dataclasses.replace(
        other,
        actions=(*other.actions, *plan.actions),
        diagnostics=(*other.diagnostics, *plan.diagnostics),
    )
    page = render_markdown(both, origin=Provenance(file=text, remarks=("a remark",)), limit=limit)
    assert size(page) <= limit
    lines = page.split("\n")
    assert lines.count("<details>") == lines.count("</details>")
    assert page.count("\n```") % 2 == 0
    assert is_harmless(_plain_blanks(page))
    page_of(RENDERERS[0](page))


def test_a_limit_too_small_for_a_verdict_is_refused() -> None:
    with pytest.raises(ValueError, match="no plan fits"):
        render_markdown(nothing(), limit=LEAST - 1)


def test_numbers_out_of_all_bounds_fit_all_the_same() -> None:
    endless = 10**4000
    page = render_markdown(
        a_plan(summary=Summary(create=endless, adopt=endless, reads=endless)), limit=LEAST
    )
    assert "its counts are out of all bounds" in page
    assert size(page) <= LEAST


#: What comes alive outside of code on one of the services that show these pages.
_ALIVE = re.compile(
    r"@|://|www\.|\b[0-9a-f]{7,40}\b|[#!%$&~^]\w|\bGH-|:\w+:|\[|\]|<|`|^\s*/", re.MULTILINE
)

#: A word that stands where a hostile text will.
_WORD = "innocent"


def handfuls() -> Iterator[str]:
    """All hostile texts, a few in a row, no row so long that it is cut."""
    row = ""
    for text in HOSTILE_MARKDOWN:
        if len(seen_in_cell(row + text)) > LITTLE // 2:
            yield row
            row = ""
        row = f"{row} {text}" if row else text
    yield row


def skeleton(page: Node) -> list[tuple[tuple[str, ...], str, str]]:
    """Everything on a page in order: in which elements, what, and for a text which."""
    return [(around, node.tag, node.text) for around, node in page.walk()]


@each_renderer
def test_a_page_with_hostile_text_differs_from_a_harmless_one_within_code_alone(
    render: Renderer,
) -> None:
    harmless = skeleton(page_of(render(render_markdown(with_text(_WORD)))))
    assert [node for node in harmless if node[1] == COMMENT] == [
        (("body",), COMMENT, f"reconciler plan {_WORD}")
    ]
    for text in handfuls():
        written = render_markdown(with_text(text))
        assert written.count("<!--") == 1
        assert written.startswith(f"{marker(text)}\n\n**✗ ")
        assert is_harmless(_plain_blanks(written))
        hostile = skeleton(page_of(render(written)))
        assert len(hostile) == len(harmless)
        for (around, tag, innocent), found in zip(harmless, hostile, strict=True):
            assert found[:2] == (around, tag)
            if tag != TEXT:
                continue
            if "code" not in around:
                assert found[2] == innocent
                assert not _ALIVE.search(innocent)
            else:
                shown = seen_in_cell if "td" in around else seen
                assert found[2] == innocent.replace(_WORD, shown(text))


@each_renderer
@given(text=st.text("`|\\<>!-[]()*_~@#:/&;\n x", min_size=1, max_size=30))
@settings(max_examples=examples(15))
def test_no_text_changes_what_a_page_is_made_of(text: str, render: Renderer) -> None:
    harmless = page_of(render(render_markdown(with_text(_WORD))))
    found = page_of(render(render_markdown(with_text(f"x{text}x"))))
    shape = [(around, node.tag) for around, node in harmless.walk()]
    assert [(around, node.tag) for around, node in found.walk()] == shape


@pytest.mark.parametrize("decision", list(Decision))
def test_every_decision_and_reason_can_be_shown(decision: Decision) -> None:
    for reason in Reason:
        action = an_action(ORDERS, decision, reason, "2020-05-20")
        assert "backfill.orders-currency-fix" in render_markdown(a_plan(actions=(action,)))


def test_no_line_begins_with_somebody_elses_text() -> None:
    ours = re.compile(
        r"<!-- reconciler|\*\*|- (error|warning|Gate|`[-+~>.#!?=]`) |\| |  - (open|closed|not)|</?details>"
        r"|<summary><code>|In |Starts |It |`{3,}(sh|diff)?$|@@ 2020|[-+] |reconciler |Plan |$"
    )
    for text in handfuls():
        for line in render_markdown(with_text(text)).split("\n"):
            assert ours.match(line), line
