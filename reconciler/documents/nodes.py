"""A parsed document: a tree of nodes, each with the line and column where it starts, from 1.

Nodes are named tuples and not dataclasses because a large project has some hundred thousand of them
and a tuple is built several times faster than a frozen dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Union

from reconciler.documents.source import Source

#: What a scalar can mean: YAML 1.2 core, without the octal, hexadecimal and non-finite numbers.
ScalarValue = str | int | float | bool | None


class ScalarNode(NamedTuple):
    """A leaf: `text` is what stands in the file (without quotes), `value` what it means.

    `text` is what messages may quote: where a value came from the environment, it is still the
    reference to the variable.
    """

    line: int
    column: int
    text: str
    value: ScalarValue


class ListNode(NamedTuple):
    """A sequence."""

    line: int
    column: int
    items: tuple[Node, ...]


class MapNode(NamedTuple):
    """A mapping. Keys are texts, whatever they look like; `keys` holds the place of each."""

    line: int
    column: int
    entries: dict[str, Node]
    keys: dict[str, ScalarNode]

    def get(self, key: str) -> Node | None:
        """The value at `key`, or None."""
        return self.entries.get(key)


Node = Union[ScalarNode, ListNode, MapNode]  # noqa: UP007 - `|` cannot hold the forward reference above


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document of a file."""

    source: Source
    root: Node


def plain(node: Node) -> object:
    """The node as dicts, lists and scalars, for code that knows nothing of places.

    Recursion is as deep as the document, which reading has bounded.
    """
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {key: plain(item) for key, item in node.entries.items()}
