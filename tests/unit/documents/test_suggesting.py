from __future__ import annotations

import pytest

from reconciler.documents import some_of, suggestion
from tests.unit.documents.test_validating import changed, found

KNOWN = (
    *("connection", "target", "variant", "dates", "hours", "params", "parallelism", "reruns"),
    *("onFailure", "maxAttempts", "onChange", "requires", "rollout", "alerts"),
    *("start", "end", "list", "last", "except", "rrule", "rootNode", "includeNodes"),
)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("onFailur", "onFailure"),
        ("excpet", "except"),
        ("rootnode", "rootNode"),
        ("root_node", "rootNode"),
        ("include_nodes", "includeNodes"),
        ("hour", "hours"),
        ("param", "params"),
        ("paralelism", "parallelism"),
        ("strat", "start"),
    ],
)
def test_a_close_spelling_is_suggested(word: str, meant: str) -> None:
    assert suggestion(word, KNOWN) == f'did you mean "{meant}"?'


@pytest.mark.parametrize(
    "word", ["bogus", "zzz", "retries", "schedule", "x", "", "date_range", "priority", "owner"]
)
def test_a_far_fetched_one_is_not(word: str) -> None:
    assert suggestion(word, KNOWN) == ""


def test_a_few_known_words_are_listed() -> None:
    assert some_of(["a"]) == "a"
    assert some_of(list("abcdefghi")) == "a, b, c, d, e, f, g, h and i"
    assert some_of(list("abcdefghij")) == "a, b, c, d, e, f, g, h and 2 more"


def test_a_key_that_resembles_none_lists_the_known_ones() -> None:
    assert found(changed("parallelism: 2", "bogus: 2")) == [
        (
            "unknown_key",
            'spec has no key "bogus"',
            (
                "its keys are connection, target, variant, dates, hours, params, parallelism, "
                "reruns and 6 more"
            ),
        )
    ]
