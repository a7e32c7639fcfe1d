from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.schema_files import read_schema, schema_kinds

KINDS = (
    "backfill",
    "diagnostics",
    "drift",
    "event",
    "gate",
    "history",
    "manualflow",
    "plan",
    "project",
    "status",
    "world",
)


def _fields(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each schema of a field, a key, an item or a value below `schema`."""
    for name, item in schema.get("properties", {}).items():
        yield f"{path}.{name}", item
        yield from _fields(item, f"{path}.{name}")
    for keyword in ("items", "additionalProperties", "propertyNames", "if", "then"):
        item = schema.get(keyword)
        if isinstance(item, dict):
            yield f"{path}.<{keyword}>", item
            yield from _fields(item, f"{path}.<{keyword}>")
    for name, item in schema.get("$defs", {}).items():
        yield f"#{name}", item
        yield from _fields(item, f"#{name}")
    for index, item in enumerate(schema.get("allOf", ())):
        yield from _fields(item, f"{path}.allOf[{index}]")


def test_every_kind_has_a_schema() -> None:
    assert schema_kinds() == KINDS


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(LookupError, match="backfill"):
        read_schema("nope")


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_valid_and_their_examples_fit(kind: str) -> None:
    schema: dict[str, Any] = dict(read_schema(kind))
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://reconciler.invalid/schemas/{kind}.schema.json"
    assert schema["examples"]
    for example in schema["examples"]:
        Draft202012Validator(schema).validate(example)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described_and_has_an_example_that_fits(kind: str) -> None:
    schema = dict(read_schema(kind))
    for path, field in _fields(schema):
        if "$ref" in field or path.endswith("<if>"):
            continue
        assert field.get("title"), path
        assert field.get("description"), path
        assert field.get("examples") is not None, path
        for example in [*field["examples"], *([field["default"]] if "default" in field else [])]:
            Draft202012Validator({**field, "$defs": schema.get("$defs", {})}).validate(example)


def _optional(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field that may be left out."""
    for path, item in [("", schema), *_fields(schema)]:
        for name, field in item.get("properties", {}).items():
            if name not in item.get("required", ()):
                yield f"{path}.{name}", field


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_that_may_be_left_out_says_what_that_means(kind: str) -> None:
    schema: Any = dict(read_schema(kind))
    for path, field in _optional(schema):
        meant = schema["$defs"][field["$ref"].split("/")[-1]] if "$ref" in field else field
        assert ("default" in meant) != ("When absent: " in meant["description"]), path


@pytest.mark.parametrize("kind", KINDS)
def test_no_object_takes_unknown_keys(kind: str) -> None:
    schema = dict(read_schema(kind))
    for path, field in [("", schema), *_fields(schema)]:
        if field.get("type") == "object":
            assert "additionalProperties" in field or "allOf" in field, path


def test_what_is_printed_in_several_documents_is_the_same_in_all() -> None:
    plan: Any = read_schema("plan")
    for kind in ("status", "drift"):
        other: Any = read_schema(kind)
        assert other["$defs"]["range"] == plan["$defs"]["range"]
    diagnostics: Any = read_schema("diagnostics")
    one, two = plan["$defs"]["diagnostic"], diagnostics["properties"]["diagnostics"]["items"]
    assert one["required"] == two["required"]
    for name, field in one["properties"].items():
        assert {**field, "examples": 0} == {**two["properties"][name], "examples": 0}


def test_what_two_kinds_share_is_the_same_in_both() -> None:
    backfill: Any = read_schema("backfill")
    flow: Any = read_schema("manualflow")
    assert backfill["properties"]["metadata"] == flow["properties"]["metadata"]
    one = backfill["properties"]["spec"]["properties"]
    two = flow["properties"]["spec"]["properties"]
    for name in one.keys() & two.keys() - {"target", "variant", "params"}:
        assert one[name] == two[name], name
    for name in backfill["$defs"].keys() & flow["$defs"].keys():
        assert backfill["$defs"][name] == flow["$defs"][name], name
