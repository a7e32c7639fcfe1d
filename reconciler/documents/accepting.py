"""A schema compiled to a yes or no about nodes.

Most documents of most runs are right, and a full JSON Schema validator spends a millisecond on each to
find that out. This compiles the keywords our own schemas use to closures; a document they accept needs
no validator, one they do not is handed to it for an explanation. Tests hold both to the same verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.documents.nodes import ListNode, MapNode, Node, ScalarNode

Check = Callable[[Node], bool]
#: A parsed JSON Schema, or the boolean form of one.
Schema = Any

_ANNOTATIONS = frozenset(
    {
        "$schema",
        "$id",
        "$defs",
        "$comment",
        "title",
        "description",
        "examples",
        "default",
        "writeOnly",
    }
)


def whole_match(pattern: str) -> re.Pattern[str]:
    """Compile a schema's pattern; unlike Python's own, its `$` does not match before a final line end."""
    return re.compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)


def compile_schema(schema: Schema, root: Mapping[str, Any]) -> Check:
    """Compile one schema.

    Args:
        schema: The schema, or a part of it.
        root: The whole schema, for `#/$defs/…` references, which must not be recursive.

    Raises:
        ValueError: It uses a keyword that is not known here.
    """
    if isinstance(schema, bool):
        return lambda _: schema
    checks: list[Check] = []
    for keyword, value in schema.items():
        if keyword in _ANNOTATIONS or keyword in {"additionalProperties", "then"}:
            continue  # The last two are part of `properties` and `if`.
        compiler = _KEYWORDS.get(keyword)
        if compiler is None:
            raise ValueError(f"schema keyword {keyword!r} is not supported")
        checks.append(compiler(value, schema, root))
    if "additionalProperties" in schema and "properties" not in schema:
        checks.append(_properties({}, schema, root))
    return checks[0] if len(checks) == 1 else _all(tuple(checks))


def _all(checks: tuple[Check, ...]) -> Check:
    def check(node: Node) -> bool:
        for item in checks:  # noqa: SIM110 - a generator would double the time of the hottest loop
            if not item(node):
                return False
        return True

    return check


def _is_type(name: str, node: Node) -> bool:
    if name == "object":
        return isinstance(node, MapNode)
    if name == "array":
        return isinstance(node, ListNode)
    if not isinstance(node, ScalarNode):
        return False
    value = node.value
    match name:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "integer":
            if isinstance(value, float):
                return value.is_integer()
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            raise ValueError(f"schema type {name!r} is not known")


def _type(value: Schema, _schema: Schema, _root: Mapping[str, Any]) -> Check:
    names = (value,) if isinstance(value, str) else tuple(value)
    if len(names) == 1:
        name = names[0]
        return lambda node: _is_type(name, node)
    return lambda node: any(_is_type(name, node) for name in names)


def _enum(value: Schema, _schema: Schema, _root: Mapping[str, Any]) -> Check:
    # The type is part of the key, since Python holds 1, 1.0 and True to be equal.
    allowed = frozenset((type(item), item) for item in value)
    return lambda node: isinstance(node, ScalarNode) and (type(node.value), node.value) in allowed


def _const(value: Schema, schema: Schema, root: Mapping[str, Any]) -> Check:
    return _enum([value], schema, root)


def _pattern(value: Schema, _schema: Schema, _root: Mapping[str, Any]) -> Check:
    search = whole_match(value).search
    return lambda node: (
        not isinstance(node, ScalarNode)
        or not isinstance(node.value, str)
        or search(node.value) is not None
    )


def _text_length(bound: Callable[[int], bool]) -> Check:
    return lambda node: (
        not isinstance(node, ScalarNode)
        or not isinstance(node.value, str)
        or bound(len(node.value))
    )


def _number(bound: Callable[[float], bool]) -> Check:
    return lambda node: (
        not isinstance(node, ScalarNode)
        or not isinstance(node.value, (int, float))
        or isinstance(node.value, bool)
        or bound(node.value)
    )


def _size(kind: type[ListNode | MapNode], bound: Callable[[int], bool]) -> Check:
    return lambda node: (
        not isinstance(node, kind)
        or bound(len(node.items if isinstance(node, ListNode) else node.entries))
    )


def _items(value: Schema, _schema: Schema, root: Mapping[str, Any]) -> Check:
    item = compile_schema(value, root)
    return lambda node: not isinstance(node, ListNode) or all(map(item, node.items))


def _required(value: Schema, _schema: Schema, _root: Mapping[str, Any]) -> Check:
    names = frozenset(value)
    return lambda node: not isinstance(node, MapNode) or names <= node.entries.keys()


def _property_names(value: Schema, _schema: Schema, root: Mapping[str, Any]) -> Check:
    name = compile_schema(value, root)
    return lambda node: (
        not isinstance(node, MapNode)
        # A key is a text to a schema, whatever it looks like.
        or all(name(ScalarNode(0, 0, key, key)) for key in node.entries)
    )


def _properties(value: Schema, schema: Schema, root: Mapping[str, Any]) -> Check:
    known = {name: compile_schema(item, root) for name, item in value.items()}
    other = compile_schema(schema.get("additionalProperties", True), root)

    def check(node: Node) -> bool:
        if not isinstance(node, MapNode):
            return True
        for name, item in node.entries.items():  # noqa: SIM110 - as in `_all`
            if not known.get(name, other)(item):
                return False
        return True

    return check


def _ref(value: Schema, _schema: Schema, root: Mapping[str, Any]) -> Check:
    return compile_schema(root["$defs"][value.removeprefix("#/$defs/")], root)


def _all_of(value: Schema, _schema: Schema, root: Mapping[str, Any]) -> Check:
    return _all(tuple(compile_schema(item, root) for item in value))


def _if(value: Schema, schema: Schema, root: Mapping[str, Any]) -> Check:
    condition, then = compile_schema(value, root), compile_schema(schema["then"], root)
    return lambda node: not condition(node) or then(node)


_KEYWORDS: Mapping[str, Callable[[Schema, Schema, Mapping[str, Any]], Check]] = {
    "$ref": _ref,
    "allOf": _all_of,
    "const": _const,
    "enum": _enum,
    "if": _if,
    "items": _items,
    "maxItems": lambda bound, _s, _r: _size(ListNode, lambda size: size <= bound),
    "maxLength": lambda bound, _s, _r: _text_length(lambda size: size <= bound),
    "maxProperties": lambda bound, _s, _r: _size(MapNode, lambda size: size <= bound),
    "maximum": lambda bound, _s, _r: _number(lambda number: number <= bound),
    "minItems": lambda bound, _s, _r: _size(ListNode, lambda size: size >= bound),
    "minLength": lambda bound, _s, _r: _text_length(lambda size: size >= bound),
    "minProperties": lambda bound, _s, _r: _size(MapNode, lambda size: size >= bound),
    "minimum": lambda bound, _s, _r: _number(lambda number: number >= bound),
    "pattern": _pattern,
    "properties": _properties,
    "propertyNames": _property_names,
    "required": _required,
    "type": _type,
}
