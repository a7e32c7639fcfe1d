"""What of a document fits its schema, where not all of it does.

Further checks go on with that part, so that one mistake does not hide the others. Whatever is taken
away has been explained already; a check that would only repeat it asks `Part.is_whole` first.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.documents.accepting import Check, Schema, compile_schema
from reconciler.documents.nodes import ListNode, MapNode, Node, ScalarNode
from reconciler.schema_files import read_schema

Path = tuple[str | int, ...]

#: Keywords about what a list or mapping holds; the others are about the node itself.
_INNER = frozenset({"additionalProperties", "items", "properties", "propertyNames", "required"})


@dataclass(frozen=True, slots=True)
class Part:
    """A document without what does not fit; `lost` holds the path of each thing removed or missing."""

    root: MapNode
    lost: frozenset[Path] = frozenset()

    def is_whole(self, *path: str) -> bool:
        """Whether nothing at `path`, above it or below it is lost."""
        return not any(
            all(one == two for one, two in zip(item, path, strict=False)) for item in self.lost
        )


def fitting_part(root: MapNode, kind: str) -> Part:
    """What of a document fits the schema of `kind`: everything wrong is left out, and only that.

    A required key that is missing is no reason to leave out the rest of its mapping.

    Raises:
        LookupError: There is no such schema.
        ValueError: The schema uses a keyword that is not known to `compile_schema`.
    """
    lost: set[Path] = set()
    kept = _pruner(kind).prune(root, lost)
    return Part(kept if isinstance(kept, MapNode) else root._replace(entries={}), frozenset(lost))


@functools.cache
def _pruner(kind: str) -> _Pruner:
    return _Pruner(read_schema(kind))


class _Pruner:
    """Takes documents of one kind apart; compiles each part of the schema at most once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._root = dict(schema)
        self._whole: dict[int, Check] = {}
        self._own: dict[int, Check] = {}

    def prune(self, root: Node, lost: set[Path]) -> Node | None:
        """What is left of a document, or None; notes what is not."""
        return self._prune(root, self._root, (), lost)

    def _prune(self, node: Node, schema: Schema, path: Path, lost: set[Path]) -> Node | None:
        # Recursion is as deep as the document, which reading has bounded.
        while isinstance(schema, Mapping) and "$ref" in schema:
            schema = self._root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        if self._fits(node, schema):
            return node
        if isinstance(schema, bool) or not self._fits_itself(node, schema):
            lost.add(path)
            return None
        if isinstance(node, MapNode):
            return self._prune_map(node, schema, path, lost)
        if isinstance(node, ListNode):
            return self._prune_list(node, schema, path, lost)
        return node

    def _prune_map(
        self, node: MapNode, schema: Mapping[str, Any], path: Path, lost: set[Path]
    ) -> MapNode:
        lost.update(
            (*path, name) for name in schema.get("required", ()) if name not in node.entries
        )
        known, other = schema.get("properties", {}), schema.get("additionalProperties", True)
        names = schema.get("propertyNames", True)
        entries: dict[str, Node] = {}
        for name, item in node.entries.items():
            if not self._fits(ScalarNode(0, 0, name, name), names):
                lost.add((*path, name))
                continue
            kept = self._prune(item, known.get(name, other), (*path, name), lost)
            if kept is not None:
                entries[name] = kept
        return node._replace(entries=entries)

    def _prune_list(
        self, node: ListNode, schema: Mapping[str, Any], path: Path, lost: set[Path]
    ) -> ListNode:
        item_schema = schema.get("items", True)
        found = (
            self._prune(item, item_schema, (*path, index), lost)
            for index, item in enumerate(node.items)
        )
        return node._replace(items=tuple(item for item in found if item is not None))

    def _fits(self, node: Node, schema: Schema) -> bool:
        # By identity: the parts of a schema that is kept stay where they are, and cannot be hashed.
        check = self._whole.get(id(schema))
        if check is None:
            check = self._whole[id(schema)] = compile_schema(schema, self._root)
        return check(node)

    def _fits_itself(self, node: Node, schema: Mapping[str, Any]) -> bool:
        """Whether the node has the right type and size, whatever it holds."""
        check = self._own.get(id(schema))
        if check is None:
            own = {key: value for key, value in schema.items() if key not in _INNER}
            check = self._own[id(schema)] = compile_schema(own, self._root)
        return check(node)
