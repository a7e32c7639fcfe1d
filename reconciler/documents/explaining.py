"""What a JSON Schema validator finds, said for people and at the place where it is.

The validator supplies which keyword failed, where in the document and where in the schema; the words are
ours, since its own quote whole values. Values marked `writeOnly` in the schema are never quoted.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from reconciler.documents.accepting import whole_match
from reconciler.documents.nodes import ListNode, MapNode, Node, ScalarNode, plain
from reconciler.documents.source import Positioned, Problems
from reconciler.documents.suggesting import listed, quoted, some_of, suggestion
from reconciler.schema_files import read_schema

#: After this many problems in one document the rest is left for the next time.
REPORT_LIMIT = 100

_TYPES = {
    "object": "a mapping (`key: value`)",
    "array": "a list (`[…]` or lines that start with `-`)",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}
#: What to do where a value has another type.
_INSTEAD = {
    "object": "write its fields as `key: value`",
    "array": "put it into brackets",
    "string": "write one text, in quotes",
    "integer": "write digits without quotes",
    "number": "write digits without quotes",
    "boolean": "write true or false without quotes",
    "null": "leave it empty",
}


def explain(root: Node, kind: str, problems: Problems) -> None:
    """Note each way in which a document does not fit the schema of `kind`, at most `REPORT_LIMIT`."""
    errors = _validator(kind).iter_errors(cast("Any", plain(root)))
    distinct: dict[tuple[object, ...], ValidationError] = {}
    for error in itertools.islice(map(_nearest, errors), REPORT_LIMIT):
        # `required` comes once per missing key, and one answer names them all.
        key = error.instance if "propertyNames" in error.absolute_schema_path else None
        distinct.setdefault((*error.absolute_path, key, *error.absolute_schema_path), error)
    for error in distinct.values():
        _Finding(root, error, problems).note()


def _nearest(error: ValidationError) -> ValidationError:
    """For a choice of shapes (`anyOf`, `oneOf`), what is wrong with the shape that came nearest."""
    while error.context:
        # A wrong type at the very place of the choice means that another shape was meant.
        error = max(
            error.context, key=lambda item: (len(item.absolute_path), item.validator != "type")
        )
    return error


@functools.cache
def _validator(kind: str) -> Validator:
    changed = {"pattern": _pattern, **{name: _bounded(name, *_BOUNDS[name]) for name in _BOUNDS}}
    strict: Any = extend(Draft202012Validator, changed)  # type: ignore[no-untyped-call]  # the stubs leave it untyped
    schema = dict(read_schema(kind))
    validator: Validator = strict(_inlined(schema, schema))
    return validator


def _inlined(part: Any, root: Mapping[str, Any]) -> Any:
    """A schema with what its references name in their place, since looking each up takes most of the time.

    References must not be recursive.
    """
    if isinstance(part, list):
        return [_inlined(item, root) for item in part]
    if not isinstance(part, dict):
        return part
    found = {name: _inlined(item, root) for name, item in part.items() if name != "$defs"}
    ref = found.pop("$ref", None)
    if ref is None:
        return found
    return {**_inlined(root["$defs"][ref.removeprefix("#/$defs/")], root), **found}


#: What looks into each item or key, and the keyword that bounds how many there may be.
_BOUNDS: Mapping[str, tuple[str, type[list[Any] | dict[str, Any]]]] = {
    "items": ("maxItems", list),
    "additionalProperties": ("maxProperties", dict),
    "propertyNames": ("maxProperties", dict),
}


def _bounded(
    keyword: str, bound: str, kind: type[list[Any] | dict[str, Any]]
) -> Callable[..., Iterable[ValidationError]]:
    """A keyword that does not look into what is too large anyway: that is told by the bound alone."""
    whole = Draft202012Validator.VALIDATORS[keyword]

    def check(
        validator: Validator, value: object, instance: object, schema: Mapping[str, Any]
    ) -> Iterable[ValidationError]:
        limit = schema.get(bound)
        if limit is not None and isinstance(instance, kind) and len(instance) > limit:
            return ()
        found: Iterable[ValidationError] | None = whole(validator, value, instance, schema)
        return found or ()

    return check


def _pattern(
    _validator: Validator, pattern: str, instance: object, _schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not whole_match(pattern).search(instance):
        yield ValidationError("the text does not match")


class _Finding:
    """One validator error, joined with the document."""

    def __init__(self, root: Node, error: ValidationError, problems: Problems) -> None:
        self._error = error
        self._problems = problems
        self._schema: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
        self._at: Positioned = root
        self._node = root
        self._label = _label(error.absolute_path)
        #: What the failed keyword says, such as the list of `required`.
        self._bound: Any = error.validator_value
        for step in error.absolute_path:
            if isinstance(self._node, MapNode):
                self._at = self._node.keys[str(step)]
                self._node = self._node.entries[str(step)]
            elif isinstance(self._node, ListNode) and isinstance(step, int):
                self._at = self._node = self._node.items[step]

    def note(self) -> None:
        """Note the problem in our words."""
        if "propertyNames" in self._error.absolute_schema_path:
            self._bad_key()
            return
        words: Mapping[str, Callable[[], None]] = {
            "required": self._missing_keys,
            "additionalProperties": self._unknown_keys,
            "type": self._wrong_type,
            "enum": self._wrong_word,
            "const": self._wrong_word,
            "pattern": self._malformed,
        }
        words.get(str(self._error.validator), self._out_of_bounds)()

    def _missing_keys(self) -> None:
        if not isinstance(self._node, MapNode):
            return
        for name in self._bound:
            if name not in self._node.entries:
                about = self._schema.get("properties", {}).get(name, {})
                self._problems.error(
                    self._at,
                    "missing_key",
                    f"{self._label} needs {quoted(name)}",
                    hint=_for_example(name, about),
                )

    def _unknown_keys(self) -> None:
        if not isinstance(self._node, MapNode):
            return
        known = tuple(self._schema.get("properties", {}))
        unknown = [key for name, key in self._node.keys.items() if name not in known]
        for key in unknown[:REPORT_LIMIT]:
            self._problems.error(
                key,
                "unknown_key",
                f"{self._label} has no key {quoted(key.text)}",
                hint=suggestion(key.text, known) or f"its keys are {some_of(known)}",
            )

    def _bad_key(self) -> None:
        if isinstance(self._node, MapNode):
            name = str(self._error.instance)
            self._problems.error(
                self._node.keys[name],
                "malformed",
                f"{quoted(name)} cannot be a key of {self._label}",
                hint=_expected(self._schema),
            )

    def _wrong_type(self) -> None:
        names = self._bound
        names = [names] if isinstance(names, str) else names
        expected = listed(list(dict.fromkeys(_TYPES[name] for name in names)))
        if {"string", "number", "boolean"} <= set(names):
            expected = "a single value"
        self._problems.error(
            self._value_place(),
            "wrong_type",
            f"{self._label} must be {expected}, not {self._what_it_is()}",
            hint=self._quoting_hint(names) or _example(self._schema) or _INSTEAD[names[0]],
        )

    def _quoting_hint(self, names: list[str]) -> str:
        node = self._node
        if "string" in names and isinstance(node, ScalarNode) and node.text and not self._hidden:
            return f"put it in quotes: {quoted(node.text)}"
        return ""

    def _what_it_is(self) -> str:
        node = self._node
        if isinstance(node, MapNode):
            return "a mapping"
        if isinstance(node, ListNode):
            return "a list"
        if node.value is None:
            return "empty"
        if isinstance(node.value, str):
            return "a text" if self._hidden else f"the text {quoted(node.text)}"
        return quoted(node.text)

    def _wrong_word(self) -> None:
        allowed = self._bound
        words = [str(item) for item in (allowed if isinstance(allowed, list) else [allowed])]
        near = ""
        if isinstance(self._node, ScalarNode) and not self._hidden:
            near = suggestion(self._node.text, words)
        self._problems.error(
            self._value_place(),
            "unknown_value",
            f"{self._label} must be {listed(words)}, not {self._what_it_is()}",
            hint=near or _expected(self._schema),
        )

    def _malformed(self) -> None:
        shown = (
            "this"
            if self._hidden or not isinstance(self._node, ScalarNode)
            else quoted(self._node.text)
        )
        self._problems.error(
            self._value_place(),
            "malformed",
            f"{self._label} cannot be {shown}",
            hint=_expected(self._schema),
        )

    def _out_of_bounds(self) -> None:
        bound = self._bound
        words = {
            "minimum": f"must be at least {bound}",
            "maximum": f"must be at most {bound}",
            "minLength": f"must have at least {bound} characters"
            if bound != 1
            else "must not be empty",
            "maxLength": f"must have at most {bound} characters",
            "minItems": f"must have at least {bound} items" if bound != 1 else "must not be empty",
            "maxItems": f"must have at most {bound} items",
            "minProperties": f"must have at least {bound} keys"
            if bound != 1
            else "must not be empty",
            "maxProperties": f"must have at most {bound} keys",
        }
        summary = words.get(str(self._error.validator), "does not fit the schema")
        self._problems.error(
            self._value_place(),
            "out_of_bounds",
            f"{self._label} {summary}",
            hint=_example(self._schema) or _expected(self._schema),
        )

    def _value_place(self) -> Positioned:
        """The value where it can be seen, its key where the value is empty or spans lines."""
        node = self._node
        return node if isinstance(node, ScalarNode) and node.text else self._at

    @property
    def _hidden(self) -> bool:
        return bool(self._schema.get("writeOnly"))


def _label(path: Iterable[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "the document"


def _expected(schema: Mapping[str, Any]) -> str:
    description = str(schema.get("description", "")).split(". ")[0].rstrip(".")
    if description[1:2].islower():  # not for `RFC` and the like
        description = description[0].lower() + description[1:]
    example = _example(schema)
    return "; ".join(part for part in (description, example) if part)


def _example(schema: Mapping[str, Any]) -> str:
    examples = [item for item in schema.get("examples", ()) if not isinstance(item, (dict, list))]
    return f"for example {examples[0]}" if examples else ""


def _for_example(name: str, schema: Mapping[str, Any]) -> str:
    examples = [item for item in schema.get("examples", ()) if not isinstance(item, (dict, list))]
    if examples:
        return f"for example {name}: {examples[0]}"
    return "; ".join(filter(None, (f"add {name}: …", _expected(schema))))
