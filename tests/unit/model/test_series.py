from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.series import (
    NAME_LIMIT,
    Hours,
    Realm,
    Subject,
    Tag,
    series_from_document,
    sorted_params,
)
from tests.builders import a_resource, a_series, a_subject

GOLDEN = json.loads((Path(__file__).parent / "data" / "fingerprints.json").read_text("utf-8"))
VECTORS = pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda one: one["title"])


@VECTORS
def test_fingerprints_never_change_within_a_format(vector: Mapping[str, Any]) -> None:
    series = series_from_document(vector["series"])
    assert series.fingerprint == vector["series_fingerprint"]
    assert series.subject.fingerprint == vector["subject_fingerprint"]


@VECTORS
def test_fingerprint_is_sixteen_base32_characters_of_sha256(vector: Mapping[str, Any]) -> None:
    raw = hashlib.sha256(vector["canonical"].encode("utf-8")).digest()
    assert base64.b32encode(raw)[:16].decode().lower() == vector["series_fingerprint"]
    assert json.loads(vector["canonical"]) == {"format": 1, **vector["series"]}


@VECTORS
def test_documents_read_back(vector: Mapping[str, Any]) -> None:
    series = series_from_document(vector["series"])
    assert series.document() == vector["series"]
    assert series_from_document(json.loads(json.dumps(series.document()))) == series


def test_no_two_vectors_share_a_fingerprint() -> None:
    vectors = GOLDEN["vectors"]
    assert len({one["series_fingerprint"] for one in vectors}) == len(vectors)


def test_order_of_params_does_not_matter() -> None:
    one = sorted_params({"2": {"b": "1", "a": "2"}, "10": {"k": "v"}})
    other = sorted_params({"10": {"k": "v"}, "2": {"a": "2", "b": "1"}})
    assert one == other == (("10", (("k", "v"),)), ("2", (("a", "2"), ("b", "1"))))


def test_a_scope_without_params_says_nothing() -> None:
    assert sorted_params({"1234": {}}) == ()
    assert a_series(params={"1234": {}}).fingerprint == a_series().fingerprint


def test_order_of_keys_in_a_stored_document_does_not_matter() -> None:
    series = a_series(params={"1": {"a": "1", "b": "2"}, "2": {"c": "3"}})
    document = series.document()
    params = {"2": {"c": "3"}, "1": {"b": "2", "a": "1"}}
    shuffled = dict(reversed({**document, "params": params}.items()))
    assert series_from_document(shuffled) == series


def test_what_spec_and_tuning_say_besides_is_not_in_the_fingerprint() -> None:
    plain = a_resource("orders")
    other = a_resource(
        "renamed",
        {"2024-06-01": 7},
        connection="another",
        parallelism=10,
        max_attempts=9,
        line=99,
        annotations={"owner": "me"},
        labels={"team": "growth"},
    )
    assert other.series.fingerprint == plain.series.fingerprint


def test_every_field_of_a_subject_is_in_both_fingerprints() -> None:
    plain = a_subject()
    changes: dict[str, Any] = {
        "realm": Realm.LIVE,
        "provider": "dataarts",
        "region": "cn-beijing",
        "workspace": "2",
        "environment": "DEV",
        "kind": Kind.MANUAL_FLOW,
        "root": "4321",
        "hours": Hours("00:00:00", "01:00:00"),
        "variant": "eu",
    }
    assert set(changes) == {field.name for field in dataclasses.fields(Subject)}
    edited = [dataclasses.replace(plain, **{name: value}) for name, value in changes.items()]
    assert len({one.fingerprint for one in (plain, *edited)}) == len(changes) + 1
    assert len({a_series(subject=one).fingerprint for one in (plain, *edited)}) == len(changes) + 1


def test_nodes_and_params_are_in_the_series_and_not_in_the_subject() -> None:
    edited = [
        a_series(),
        a_series(include=("1234", "5")),
        a_series(exclude=("5",)),
        a_series(params={"1234": {"k": "v"}}),
        a_series(params={"1234": {"k": "w"}}),
        a_series(params={"flow": {"k": "v"}}),
    ]
    assert len({one.fingerprint for one in edited}) == len(edited)
    assert len({one.subject.fingerprint for one in edited}) == 1


def test_nodes_do_not_run_together() -> None:
    assert a_series(include=("1", "23")).fingerprint != a_series(include=("12", "3")).fingerprint
    assert a_series(exclude=("1",)).fingerprint != a_series(include=("1",)).fingerprint


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"subject": None}, TypeError),
        ({"subject": {}}, KeyError),
        ({"include": "1234"}, TypeError),
        ({"params": []}, TypeError),
        ({"params": {"1234": "k=v"}}, TypeError),
    ],
)
def test_documents_of_others_are_refused(
    change: Mapping[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        series_from_document({**a_series().document(), **change})


def test_an_unknown_realm_is_refused() -> None:
    document = a_series().document()
    subject = document["subject"]
    assert isinstance(subject, dict)
    with pytest.raises(ValueError, match="moon"):
        series_from_document({**document, "subject": {**subject, "realm": "moon"}})


TAG = Tag(series="abcdefghij234567", generation=12, call_id="zz77aa")


def test_tag_stands_first_in_a_name_and_reads_back() -> None:
    name = TAG.name("orders-currency-fix")
    assert name == "rc1-abcdefghij234567-g12-zz77aa orders-currency-fix"
    assert Tag.parse(name) == TAG
    assert Tag.parse(str(TAG)) == TAG


def test_long_names_lose_their_end_and_never_the_tag() -> None:
    name = TAG.name("x" * 300)
    assert len(name) == NAME_LIMIT
    assert Tag.parse(name) == TAG
    assert Tag.parse(name[: len(str(TAG))]) == TAG


@pytest.mark.parametrize(
    "name",
    [
        "",
        "orders",
        "rc1-",
        " rc1-abcdefghij234567-g1-zz77aa",
        "x rc1-abcdefghij234567-g1-zz77aa",
        "rc2-abcdefghij234567-g1-zz77aa orders",
        "RC1-abcdefghij234567-g1-zz77aa orders",
        "rc1-abcdefghij23456-g1-zz77aa orders",
        "rc1-abcdefghij2345678-g1-zz77aa orders",
        "rc1-abcdefghij234561-g1-zz77aa orders",
        "rc1-ABCDEFGHIJ234567-g1-zz77aa orders",
        "rc1-abcdefghij234567-g0-zz77aa orders",
        "rc1-abcdefghij234567-g01-zz77aa orders",
        "rc1-abcdefghij234567-g-zz77aa orders",
        f"rc1-abcdefghij234567-g{chr(0x661)}-zz77aa orders",
        "rc1-abcdefghij234567-g1234567890-zz77aa",
        "rc1-abcdefghij234567-g1-zz77a",
        "rc1-abcdefghij234567-g1-zz77a orders",
        "rc1-abcdefghij234567-g1-zz77aaa",
        "rc1-abcdefghij234567-g1-zz77aa-orders",
        "rc1-abcdefghij234567-g1-zz77aa\torders",
        "rc1-abcdefghij234567-g1-zz77aa\n",
    ],
)
def test_names_of_others_carry_no_tag(name: str) -> None:
    assert Tag.parse(name) is None


def test_series_are_compared_by_value() -> None:
    one, other = a_series(), a_series()
    assert one.fingerprint == other.fingerprint  # computed once, and not part of the value
    assert one == a_series()
