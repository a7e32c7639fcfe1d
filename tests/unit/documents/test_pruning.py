from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.documents import MapNode, Part, fitting_part, read_documents
from reconciler.documents.accepting import compile_schema
from reconciler.schema_files import read_schema
from tests.effort import examples
from tests.unit.documents.test_validating import SPEC, changed


def part(text: str) -> Part:
    root = read_documents(text.encode(), "a.yaml").documents[0].root
    assert isinstance(root, MapNode)
    return fitting_part(root, "backfill")


def test_all_of_a_right_document_fits() -> None:
    found = part(SPEC)
    assert found.lost == frozenset()
    assert found.is_whole()
    assert found.root == read_documents(SPEC.encode(), "a.yaml").documents[0].root


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("parallelism: 2", "parallelism: 11", ("spec", "parallelism")),
        ("parallelism: 2", "zzz: {a: [1]}", ("spec", "zzz")),
        ("connection: prod", "", ("spec", "connection")),
        ("rootNode: 1", "rootnode: 1", ("spec", "target", "rootnode")),
        ("[1, 2]", "[1, x]", ("spec", "target", "includeNodes", 1)),
        ("{2: {k: v}}", "{x: {k: v}}", ("spec", "params", "x")),
        ("{k: v}", "{k: [v]}", ("spec", "params", "2", "k")),
        (", reason: why", "", ("spec", "reruns", 0, "reason")),
        ("{name: a, annotations: {owner: me, ticket: 12}}", "x", ("metadata",)),
    ],
)
def test_only_what_is_wrong_is_lost(old: str, new: str, lost: tuple[str | int, ...]) -> None:
    assert part(changed(old, new)).lost == {lost}


def test_whole_means_nothing_lost_above_or_below() -> None:
    found = part(changed("{2: {k: v}}", "{2: {k: [v]}, 3: {a: b}}"))
    assert not found.is_whole()
    assert not found.is_whole("spec", "params")
    assert not found.is_whole("spec", "params", "2", "k", "deeper")
    assert found.is_whole("spec", "params", "3")
    assert found.is_whole("metadata")


_VALUES = st.sampled_from(
    ["1", "x", "true", "", "[]", "{}", "[1, x]", "{a: 1}", "{1: {a: b, c: []}}", "{last: 0, list: [x]}",
     "[{generation: 1, dates: all}]", "{rootNode: 1, includeNodes: [{}]}", "{begin: x}"]
)  # fmt: skip
_KEYS = st.sampled_from(["connection", "target", "dates", "hours", "params", "reruns", "alerts"])


@settings(max_examples=examples(200))
@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_a_document_is_whole_exactly_if_it_fits(fields: dict[str, str]) -> None:
    base = {"connection": "prod", "target": "{rootNode: 1}", "dates": "{last: 1}"}
    body = "".join(f"  {key}: {value}\n" for key, value in {**base, **fields}.items())
    head = "apiVersion: reconciler/v1\nkind: Backfill\nmetadata: {name: a}\nspec:\n"
    schema = read_schema("backfill")
    root = read_documents((head + body).encode(), "a.yaml").documents[0].root
    assert part(head + body).is_whole() == compile_schema(dict(schema), schema)(root)
