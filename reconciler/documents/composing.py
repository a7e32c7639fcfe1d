"""Parser events to nodes, refusing what the subset does not have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from reconciler.documents.decoding import Position, character_name
from reconciler.documents.nodes import ListNode, MapNode, Node, ScalarNode
from reconciler.documents.scalars import resolve
from reconciler.documents.source import Problems
from reconciler.documents.suggesting import quoted
from reconciler.model.codes import Code
from reconciler.model.visibility import INVISIBLE

#: Deepest nesting of lists and mappings in a document, and most nodes in a file.
DEPTH_LIMIT = 20
NODE_LIMIT = 50_000
#: After this many refused constructs the file is not read on.
REFUSAL_LIMIT = 50


class Unreadable(Exception):
    """Reading on makes no sense."""


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet. `key` is the one that waits for its value."""

    line: int
    column: int
    is_map: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, ScalarNode] = field(default_factory=dict)
    key: ScalarNode | None = None

    def close(self) -> Node:
        if self.is_map:
            return MapNode(self.line, self.column, self.entries, self.keys)
        return ListNode(self.line, self.column, tuple(self.items))


class Composer:
    """Builds the documents of one file. Feed it each event in turn; read `roots` at the end."""

    def __init__(self, problems: Problems) -> None:
        self.roots: list[Node] = []
        self._problems = problems
        self._open: list[_Open] = []
        self._count = 0
        self._refused = False

    def take(self, event: Any) -> None:
        """Take the next event of the parser, one of `yaml.events`.

        Raises:
            Unreadable: A bound is exceeded; the problem is noted.
        """
        # Exact types, asked for in the order of their frequency: this is the hottest loop of loading.
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._start(event, is_map=kind is yaml.MappingStartEvent)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._place(self._open.pop().close())
        elif kind is yaml.AliasEvent:
            self._refuse(position_of_event(event), "alias", "an alias", "write the value out")
            self._place(ScalarNode(*position_of_event(event), "", None))
        elif kind is yaml.DocumentStartEvent:
            self._refused = False
            if event.version or event.tags:
                self._refuse(position_of_event(event), "directive", "a directive", "remove it")

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        mark = event.start_mark
        self._count += 1
        if self._count > NODE_LIMIT or event.tag is not None or event.anchor is not None:
            self._judge(event)
        if not event.style:
            value = resolve(text)
        else:
            value = text
            if (found := INVISIBLE.search(text)) is not None:
                name = character_name(found[0])
                self._refuse(
                    position_of_event(event),
                    "invisible_character",
                    f"an escape for {name}",
                    "remove it",
                )
        self._place(ScalarNode(mark.line + 1, mark.column + 1, text, value))

    def _start(self, event: Any, *, is_map: bool) -> None:
        self._count += 1
        if self._count > NODE_LIMIT or event.tag is not None or event.anchor is not None:
            self._judge(event)
        position = position_of_event(event)
        if len(self._open) == DEPTH_LIMIT:
            self._problems.error(
                position,
                "too_deep",
                f"nested more than {DEPTH_LIMIT} levels deep",
                hint="no field needs as many: look for a bracket that is not closed",
            )
            raise Unreadable
        self._open.append(_Open(position.line, position.column, is_map))

    def _judge(self, event: Any) -> None:
        """Note what is wrong with the start of a node."""
        position = position_of_event(event)
        if self._count > NODE_LIMIT:
            self._problems.error(
                position,
                "too_many_nodes",
                f"the file holds more than {NODE_LIMIT:,} values",
                hint="split it into several files",
            )
            raise Unreadable
        if event.tag is not None:
            self._refuse(position, "tag", f"the tag {quoted(event.tag)}", "remove it")
        if event.anchor is not None:
            self._refuse(position, "anchor", "an anchor", "write the value out where it is needed")

    def _place(self, node: Node) -> None:
        """Put a finished node where it belongs: a root, an item, a key or a key's value."""
        if not self._open:
            if not self._refused and not (isinstance(node, ScalarNode) and node.value is None):
                self.roots.append(node)
            return
        parent = self._open[-1]
        if not parent.is_map:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = self._key(node)
        else:
            key = parent.key
            parent.key = None
            if key.text in parent.entries:
                first = parent.keys[key.text]
                self._problems.error(
                    key,
                    "duplicate_key",
                    f"the key {quoted(key.text)} stands twice in one mapping",
                    detail=f"first at line {first.line}, column {first.column}",
                    hint="keep one of them",
                )
                self._bound_refusals()
                return
            parent.keys[key.text] = key
            parent.entries[key.text] = node

    def _key(self, node: Node) -> ScalarNode:
        if not isinstance(node, ScalarNode):
            at = Position(node.line, node.column)
            self._refuse(
                at, "key", "a key that is a list or mapping", "write a word before the `:`"
            )
            return ScalarNode(node.line, node.column, "", "")
        if not node.text:
            at = Position(node.line, node.column)
            self._refuse(at, "key", "an empty key", "write a word before the `:`")
        elif node.text == "<<":
            at = Position(node.line, node.column)
            self._refuse(at, "merge_key", "a merge key", "write the values out")
        return node

    def _refuse(self, at: Position, code: Code, what: str, hint: str) -> None:
        self._refused = True
        self._problems.error(at, code, f"{what} is not allowed here", hint=hint)
        self._bound_refusals()

    def _bound_refusals(self) -> None:
        if len(self._problems.found) >= REFUSAL_LIMIT:
            raise Unreadable


def position_of_event(event: Any) -> Position:
    """Where an event starts."""
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1)
