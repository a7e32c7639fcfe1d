"""Markdown as services show it: GitHub's own C library, and markdown-it as a second opinion.

What they make of a page is parsed as a browser would parse it, and handed out as plain values.
"""

from __future__ import annotations

import html.parser
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cmarkgfm
from cmarkgfm.cmark import Options
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser, LexborNode

#: Nothing else may come out of a page.
ELEMENTS = {
    "p", "strong", "code", "pre", "ul", "li", "details", "summary",
    "table", "thead", "tbody", "tr", "th", "td", "br",
}  # fmt: skip

#: Attributes that the renderers themselves write: which language a fence holds.
ATTRIBUTES = {
    ("code", "class", "language-diff"),
    ("code", "class", "language-sh"),
}

#: What stands on a page in place of elements.
TEXT, COMMENT = "-text", "-comment"

_MARKDOWN_IT = MarkdownIt("gfm-like", {"html": True, "linkify": True})


def github(page: str) -> str:
    """HTML as GitHub makes it before it filters elements and looks for mentions."""
    rendered: str = cmarkgfm.markdown_to_html_with_extensions(
        page,
        options=Options.CMARK_OPT_UNSAFE,
        extensions=["table", "strikethrough", "autolink", "tasklist"],
    )
    return rendered


def markdown_it(page: str) -> str:
    """HTML as markdown-it makes it, eager to link whatever looks like an address."""
    return str(_MARKDOWN_IT.render(page))


Renderer = Callable[[str], str]

RENDERERS: tuple[Renderer, ...] = (github, markdown_it)


@dataclass(frozen=True, slots=True)
class Node:
    """An element, a text or a comment; blank texts between elements are left out."""

    tag: str
    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple[Node, ...] = field(default=())

    def walk(self, within: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
        """This node and all below it, each with the elements it stands in."""
        yield within, self
        for child in self.children:
            yield from child.walk((*within, self.tag))

    def all(self, tag: str) -> list[Node]:
        """All of one kind, in the order of the page."""
        return [node for _, node in self.walk() if node.tag == tag]

    @property
    def content(self) -> str:
        """The text of all that stands in it, with a bar for each line that is broken."""
        nodes = (node for _, node in self.walk())
        return "".join(
            "|" if node.tag == "br" else node.text for node in nodes if node.tag != COMMENT
        )


def page_of(rendered: str) -> Node:
    """The page as a browser sees it, whose elements are balanced, allowed, and bear what is expected."""
    _Balanced().check(rendered)
    body = LexborHTMLParser(f"<!DOCTYPE html><body>{rendered}</body>").body
    assert body is not None
    return _node(body)


def _node(node: LexborNode) -> Node:
    tag = node.tag or ""
    if node.is_text_node:
        return Node(TEXT, node.text_content or "")
    if node.is_comment_node:
        return Node(COMMENT, node.comment_content or "")
    attributes = tuple((name, value or "") for name, value in node.attributes.items())
    assert tag in ELEMENTS | {"body"}, tag
    assert {(tag, *pair) for pair in attributes} <= ATTRIBUTES, attributes
    children = (_node(child) for child in _children(node))
    shown = (
        one for one in children if one.tag != TEXT or one.text.strip() or tag in {"code", "p"}
    )
    return Node(tag, attributes=attributes, children=tuple(shown))


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.child
    while child is not None:
        yield child
        child = child.next


class _Balanced(html.parser.HTMLParser):
    """Whether every element that is opened is closed, in order, before a browser mends it."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    def check(self, rendered: str) -> None:
        self.feed(rendered)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "br":  # it has no end
            return
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
