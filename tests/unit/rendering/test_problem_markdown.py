"""The page in place of a plan that could not be made."""

from __future__ import annotations

import pytest

from reconciler.model.codes import Code
from reconciler.model.diagnostics import Diagnostic, Severity
from reconciler.rendering.markdown import LIMIT, size
from reconciler.rendering.problem_markdown import render_failure
from tests.unit.rendering.pages import RENDERERS, Node, Renderer, page_of
from tests.unit.rendering.test_hostile_text import is_harmless
from tests.unit.rendering.test_plan_markdown import handfuls, with_text

each_renderer = pytest.mark.parametrize("render", RENDERERS, ids=lambda one: one.__name__)


def failure(text: str) -> str:
    """A page in which every text is this one."""
    return render_failure(text, with_text(text).diagnostics, shows="reconciler plan")


@each_renderer
def test_the_verdict_comes_first_and_then_one_list(render: Renderer) -> None:
    page = page_of(render(failure("word")))
    assert [node.tag for node in page.children] == ["-comment", "p", "ul"]
    assert page.children[1].content == "✗ No plan for word: 1 error."
    error, warning = (item.content for item in page.all("li"))
    assert error == "error word: word: word; at word:3:5; note: word; help: word"
    assert warning == "warning word: word: word; at word:3:5; note: word; help: word"


def test_a_project_whose_name_nobody_knows_has_none() -> None:
    page = render_failure("", with_text("word").diagnostics, shows="reconciler plan")
    assert page.startswith("<!-- reconciler plan =")
    assert "**✗ No plan: 1 error.**" in page


@each_renderer
def test_no_text_changes_what_the_page_is_made_of(render: Renderer) -> None:
    def shape(page: Node) -> list[tuple[tuple[str, ...], str]]:
        return [(around, node.tag) for around, node in page.walk()]

    harmless = shape(page_of(render(failure("word"))))
    for text in handfuls():
        written = failure(f"x{text}x")
        assert is_harmless(
            written.replace("\N{NO-BREAK SPACE}", " ").replace("\N{IDEOGRAPHIC SPACE}", " ")
        )
        assert shape(page_of(render(written))) == harmless


def test_errors_past_the_limit_are_counted_by_code() -> None:
    kinds: tuple[tuple[Severity, Code], ...] = (
        (Severity.ERROR, "unknown_key"),
        (Severity.ERROR, "date"),
        (Severity.WARNING, "params_unused"),
    )
    problems = [
        Diagnostic(severity=severity, code=code, summary=f"{number} {'🌈' * 200}", hint="do")
        for severity, code in kinds
        for number in range(4_000)
    ]
    page = render_failure("p", problems, shows="reconciler validate")
    assert LIMIT - 2_000 < size(page) <= LIMIT
    shown = page.count("\n- error ")
    assert f"{8_000 - shown} of 8000 errors; " in page
    assert "All errors: 4000 `unknown_key`, 4000 `date`. All of it: `reconciler validate`" in page
