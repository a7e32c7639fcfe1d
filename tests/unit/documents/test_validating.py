from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.documents import Problems, check_schema, plain, read_documents
from reconciler.documents.accepting import compile_schema
from reconciler.documents.explaining import explain
from reconciler.schema_files import read_schema
from tests.effort import examples

SPEC = """
apiVersion: reconciler/v1
kind: Backfill
metadata: {name: a, annotations: {owner: me, ticket: 12}}
spec:
  connection: prod
  target: {rootNode: 1, includeNodes: [1, 2]}
  dates: {start: 2020-05-20, end: yesterday, except: [2020-05-21..2020-05-22]}
  params: {2: {k: v}}
  parallelism: 2
  reruns: [{generation: 2, dates: all, reason: why}]
"""


def found(text: str, kind: str = "backfill") -> list[tuple[str, str, str]]:
    read = read_documents(textwrap.dedent(text).encode(), "a.yaml")
    problems = Problems(read.source, list(read.diagnostics))
    for document in read.documents:
        check_schema(document, kind, problems)
    return [(item.code, item.summary, item.hint) for item in problems.found]


def changed(old: str, new: str) -> str:
    assert old in SPEC
    return SPEC.replace(old, new)


def test_a_right_document_has_no_problems() -> None:
    assert found(SPEC) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "rootNode: 1",
            "rootnode: 1",
            ("unknown_key", 'spec.target has no key "rootnode"', 'did you mean "rootNode"?'),
        ),
        (
            "parallelism: 2",
            "parallelism: 11",
            ("out_of_bounds", "spec.parallelism must be at most 10", "for example 1"),
        ),
        (
            "parallelism: 2",
            "parallelism: two",
            (
                "wrong_type",
                'spec.parallelism must be a whole number, not the text "two"',
                "for example 1",
            ),
        ),
        (
            "parallelism: 2",
            "onFailure: Rerun",
            (
                "unknown_value",
                'spec.onFailure must be hold or rerun, not the text "Rerun"',
                'did you mean "rerun"?',
            ),
        ),
        (
            "connection: prod",
            "variant: a",
            ("missing_key", 'spec needs "connection"', "for example connection: prod"),
        ),
        (
            "{2: {k: v}}",
            "{x: {k: v}}",
            (
                "malformed",
                '"x" cannot be a key of spec.params',
                "A node id: digits only; for example 74324",
            ),
        ),
        (
            "{2: {k: v}}",
            "{2: {k: }}",
            (
                "wrong_type",
                "spec.params.2.k must be a single value, not empty",
                "for example val1",
            ),
        ),
        (
            "name: a,",
            "name: 2020,",
            ("wrong_type", 'metadata.name must be a text, not "2020"', 'put it in quotes: "2020"'),
        ),
        (
            "name: a,",
            'name: "a\\n",',
            (
                "malformed",
                'metadata.name cannot be "a␊"',
                "lower-case letters, digits and dashes, at most 63; for example orders-currency-fix",
            ),
        ),
        (
            "dates: all",
            "dates: []",
            ("out_of_bounds", "spec.reruns[0].dates must not be empty", "for example all"),
        ),
    ],
)
def test_problems_are_said_for_people(old: str, new: str, expected: tuple[str, str, str]) -> None:
    assert found(changed(old, new)) == [expected]


def test_every_problem_is_found_in_one_pass() -> None:
    text = changed("parallelism: 2", "parallelism: 0\n  foo: 1\n  bar: 2")
    assert sorted(code for code, _, _ in found(text)) == [
        "out_of_bounds",
        "unknown_key",
        "unknown_key",
    ]


def test_a_provider_decides_which_keys_a_connection_has() -> None:
    text = """
    apiVersion: reconciler/v1
    kind: Project
    metadata: {name: p}
    spec:
      connections:
        a: {provider: dataworks, region: r, user: x}
        b: {provider: datawork}
    """
    assert [summary for _, summary, _ in sorted(found(text, "project"))] == [
        'spec.connections.a has no key "user"',
        'spec.connections.b.provider must be dataworks, obshell or dataarts, not the text "datawork"',
    ]


def test_a_choice_of_shapes_is_explained_by_the_nearest_one() -> None:
    text = "nodes: [{id: 1, fail: [{date: 2020-05-21, time: 1}]}]"
    assert [summary for _, summary, _ in found(text, "world")] == [
        'nodes[0].fail[0] has no key "time"'
    ]


def test_a_flood_of_problems_is_cut() -> None:
    text = SPEC + "".join(f"  x{n}: 1\n" for n in range(5000))
    assert 0 < len(found(text)) <= 100


@pytest.mark.parametrize("kind", ["project", "backfill", "manualflow", "gate"])
def test_our_schemas_use_only_compiled_keywords(kind: str) -> None:
    schema = dict(read_schema(kind))
    compile_schema(schema, schema)


def test_right_documents_need_no_validator() -> None:
    code = f"""
import sys
from reconciler.documents import *
read = read_documents({SPEC!r}.encode(), "a.yaml")
assert check_schema(read.documents[0], "backfill", Problems(read.source))
sys.exit("jsonschema" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


_LEAVES = st.sampled_from(
    ["1", "0", "-1", "1.0", "2.5", "11", "x", "true", "", "2020-05-20", "yesterday", "all", "hold",
     '"a\\n"', "1234567890123456789012", "[]", "{}", "[1]", "[x, 2020-05-20]", "{a: 1}", "{1: {a: b}}",
     "[{generation: 2, dates: all, reason: x}]", "{on: both, by: SMS}", "{begin: x}", "~"]
)  # fmt: skip
_KEYS = st.sampled_from(
    ["connection", "target", "variant", "dates", "hours", "params", "parallelism", "reruns", "onFailure",
     "maxAttempts", "onChange", "requires", "rollout", "alerts", "zzz"]
)  # fmt: skip


@settings(max_examples=examples(300))
@given(st.dictionaries(_KEYS, _LEAVES, max_size=6))
def test_the_compiled_schema_and_the_validator_agree(fields: dict[str, str]) -> None:
    base = {"connection": "prod", "target": "{rootNode: 1}", "dates": "{last: 1}"}
    body = "".join(f"  {key}: {value}\n" for key, value in {**base, **fields}.items())
    head = "apiVersion: reconciler/v1\nkind: Backfill\nmetadata: {name: a}\nspec:\n"
    read = read_documents((head + body).encode(), "a.yaml")
    document = read.documents[0]
    schema = dict(read_schema("backfill"))
    problems = Problems(read.source)
    explain(document.root, "backfill", problems)
    assert compile_schema(schema, schema)(document.root) == (not problems.found)
    if not any("\\n" in value for value in fields.values()):  # `$` differs on purpose
        standard = Draft202012Validator(schema).is_valid(plain(document.root))
        assert standard == (not problems.found)
