"""Text from outside in Markdown: shown as it is, and never anything but text."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.rendering.markdown import (
    LITTLE,
    MOST,
    code,
    code_in_cell,
    fenced,
    harmless,
    markdown,
    marker,
    size,
    words,
)
from reconciler.rendering.paint import clean
from reconciler.rendering.phrases import Theirs
from tests.effort import examples
from tests.unit.rendering.hostile import HOSTILE_MARKDOWN
from tests.unit.rendering.pages import COMMENT, RENDERERS, TEXT, Node, Renderer, page_of

each_renderer = pytest.mark.parametrize("render", RENDERERS, ids=lambda one: one.__name__)

#: Any text, and texts of little else than what Markdown and its users listen to.
#: So short that they are whole in a cell even where each character is written as an escape.
TEXTS = st.text(max_size=10) | st.text("`|\\<>!-[]()*_~@#:/&; \t\n\xa0a1$.", max_size=16)


def seen(text: str) -> str:
    """What a reader is to see of a short text."""
    runs = re.sub("`{9,}", lambda run: r"\u{60}" * len(run[0]), clean(text))
    return runs.replace("<!--", r"<\u{21}--")


def seen_in_cell(text: str) -> str:
    return seen(text).replace(r"\|", r"\\u{7c}")


def within(node: Node) -> list[tuple[str, str]]:
    """What stands in an element: texts, and elements with their texts."""
    return [
        (child.tag, child.text if child.tag == TEXT else child.content) for child in node.children
    ]


def expected(text: str, shown: str) -> list[tuple[str, str]]:
    """A text between our words, whatever it is."""
    if not shown.strip():
        return [(TEXT, f"before ({'blank' if text else 'empty'}) after")]
    return [(TEXT, "before "), ("code", shown), (TEXT, " after")]


def check(text: str, render: Renderer) -> None:
    """Look at a text in a line, in a table and in a fence, in one page."""
    shown, note = harmless(text)
    cell = f"before {code_in_cell(text)} after"
    page = page_of(
        render(
            f"before {code(text)} after\n\n"
            f"| one | two |\n| --- | --- |\n| {cell} | {cell} |\n\n"
            f"{fenced([f'- {shown}{note}', f'+ {shown}'], 'diff')}\n\nend\n"
        )
    )
    line, table, fence, end = page.children
    assert [line.tag, table.tag, fence.tag, end.tag] == ["p", "table", "pre", "p"]
    assert within(line) == expected(text, seen(text))
    assert [within(one) for one in table.all("td")] == [expected(text, seen_in_cell(text))] * 2
    assert fence.content == f"- {seen(text)}\n+ {seen(text)}\n"


@each_renderer
def test_hostile_texts_are_code_and_nothing_else(render: Renderer) -> None:
    for text in HOSTILE_MARKDOWN:
        check(text, render)


@each_renderer
@given(text=TEXTS)
def test_any_text_is_code_and_nothing_else(text: str, render: Renderer) -> None:
    check(text, render)


@each_renderer
@pytest.mark.parametrize("run", [8, 9, 80, 81, 1000])
def test_more_backticks_than_a_renderer_counts_are_still_code(run: int, render: Renderer) -> None:
    (line,) = page_of(render(f"before {code('`' * run)}\n")).children
    assert within(line)[1][0] == "code"
    assert ("`" in line.content) == (run == 8)


@each_renderer
def test_two_texts_that_touch_stay_two(render: Renderer) -> None:
    line = markdown((Theirs("a"), Theirs("`b"), "", Theirs("c"), " our_words *here*"))
    (shown,) = page_of(render(line)).children
    assert within(shown) == [
        ("code", "a"), (TEXT, " "), ("code", "`b"), (TEXT, " "), ("code", "c"),
        (TEXT, " our_words *here*"),
    ]  # fmt: skip


@each_renderer
def test_our_words_are_no_markup(render: Renderer) -> None:
    text = r"a *b* _c_ `d` [e](f) <g> ~~h~~ &amp; | \\ #1"
    (shown,) = page_of(render(words(text))).children
    assert within(shown) == [(TEXT, text)]


@pytest.mark.parametrize(("shape", "most"), [(code, MOST), (code_in_cell, LITTLE)])
def test_a_long_text_is_cut_and_says_so(shape: Callable[[str], str], most: int) -> None:
    assert shape("x" * most) == f"`{'x' * most}`"
    assert shape("x" * 10_000) == f"`{'x' * most}` (cut, it has 10000 characters)"


def test_a_cut_text_is_no_longer_than_its_bound_whatever_is_written_out() -> None:
    shown, note = harmless("\U000e0041" * 200)
    assert (len(shown), note) == (MOST, " (cut, it has 200 characters)")


@each_renderer
@settings(max_examples=examples(20))
@given(text=st.text("`\\|\U000e0041<!-x ", min_size=MOST, max_size=2 * MOST))
def test_a_cut_text_is_still_code(text: str, render: Renderer) -> None:
    page = page_of(render(f"a {code(text)}\n\n| a |\n| --- |\n| {code_in_cell(text)} |\n"))
    outside = [
        node.text for around, node in page.walk() if node.tag == TEXT and "code" not in around
    ]
    assert re.fullmatch(
        r"a ?(\(blank\))? (\(cut, it has \d+ characters\))?a(\(blank\))? \(cut, it has \d+ characters\)",
        "".join(outside).replace("\n", ""),
    )


def test_the_marker_of_a_project() -> None:
    assert marker("data-platform") == "<!-- reconciler plan data-platform -->"


@each_renderer
def test_a_marker_is_one_comment_of_plain_characters(render: Renderer) -> None:
    for project in (*HOSTILE_MARKDOWN, "", "a--b", "a---", "--", "x" * 5000):
        written = marker(project)
        assert re.fullmatch(r"<!-- reconciler plan [A-Za-z0-9_.~%=-]+ -->", written)
        assert "--" not in written[4:-3]
        assert len(written) < 200
        (comment,) = page_of(render(f"{written}\n")).children
        assert comment == Node(COMMENT, written[5:-4])


def test_no_two_projects_share_a_marker() -> None:
    projects = {*HOSTILE_MARKDOWN, "a--b", "a-%2Db", "a-b", "", "=", "x" * 200, "x" * 201}
    assert len({marker(project) for project in projects}) == len(projects)


@pytest.mark.parametrize(("text", "counted"), [("", 0), ("aé→", 3), ("🌈", 2)])
def test_size_counts_utf_16_units(text: str, counted: int) -> None:
    assert size(text) == counted
