"""Fingerprints and tags over random input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.canonical import canonical_json
from reconciler.model.series import NAME_LIMIT, Hours, Tag, series_from_document, sorted_params
from tests.builders import a_series, a_subject

T = TypeVar("T")
BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
PARAMS = st.dictionaries(TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3), max_size=3)
NODES = st.sets(st.integers(1, 99).map(str), max_size=4).map(lambda ids: tuple(sorted(ids)))
TAGS = st.builds(
    Tag,
    series=st.text(BASE32, min_size=16, max_size=16),
    generation=st.integers(1, 10**9 - 1),
    call_id=st.text(BASE32, min_size=6, max_size=6),
)


@given(PARAMS, NODES, NODES, st.none() | TEXTS, st.booleans())
def test_documents_round_trip_through_json(
    params: Mapping[str, Mapping[str, str]],
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    variant: str | None,
    hourly: bool,
) -> None:
    hours = Hours("00:00:00", "01:00:00") if hourly else None
    series = a_series(
        subject=a_subject(variant=variant, hours=hours),
        include=include,
        exclude=exclude,
        params=params,
    )
    back = series_from_document(json.loads(canonical_json(series.document())))
    assert back == series
    assert back.fingerprint == series.fingerprint


@given(PARAMS, st.randoms(use_true_random=False))
def test_params_say_the_same_in_any_order(
    params: Mapping[str, Mapping[str, str]], random: object
) -> None:
    def shuffled(items: Mapping[str, T]) -> dict[str, T]:
        pairs = list(items.items())
        random.shuffle(pairs)  # type: ignore[attr-defined]  # hypothesis hands out a Random
        return dict(pairs)

    other = {scope: shuffled(values) for scope, values in shuffled(params).items()}
    assert sorted_params(other) == sorted_params(params)


@given(TAGS, TEXTS, st.integers(0, 200))
def test_a_tag_survives_every_cut_behind_it(tag: Tag, suffix: str, length: int) -> None:
    name = tag.name(suffix * 40)
    assert len(name) <= NAME_LIMIT
    assert Tag.parse(name[: max(length, len(str(tag)))]) == tag


@given(st.text(max_size=60) | st.from_regex(r"rc1-[a-z2-7]{15,17}-g[0-9]{1,3}-[a-z2-7]{5,7}.?"))
def test_what_parses_as_a_tag_starts_with_its_text(name: str) -> None:
    tag = Tag.parse(name)
    assert tag is None or name == str(tag) or name.startswith(f"{tag} ")
