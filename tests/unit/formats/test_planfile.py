"""Plan files: read as they were written, and refused after any edit."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.formats.planfile import parse_plan, plan_document, plan_text
from reconciler.model.addresses import Address, Kind
from reconciler.model.canonical import digest
from reconciler.model.errors import NotAPlan, PlanRefused, ReconcilerError, UnsupportedFormat
from reconciler.model.plan import Call, Decision, FieldChange, Plan, Reason, Summary
from reconciler.model.runs import Tier
from reconciler.schema_files import read_schema
from tests.builders import date_sets
from tests.unit.formats.plans import ORDERS, a_call, a_plan, an_action

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
moments = st.integers(0, 2**47).map(
    lambda one: dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(milliseconds=one)
)
actions = st.builds(
    lambda when, **fields: dataclasses.replace(
        an_action(ORDERS, Decision.NONE, Reason.SUCCEEDED, "2020-01-01"), dates=when, **fields
    ),
    when=date_sets().filter(bool),
    decision=st.sampled_from(Decision),
    reason=st.sampled_from(Reason),
    tier=st.sampled_from(Tier),
    detail=texts,
    changes=st.lists(
        st.builds(FieldChange, path=texts, before=st.none() | texts, after=st.none() | texts),
        max_size=2,
    ).map(tuple),
    run_ids=st.lists(texts, max_size=2).map(tuple),
)
calls = st.builds(
    lambda **fields: dataclasses.replace(a_call(), **fields),
    connection=texts,
    operation=texts,
    generation=st.integers(1, 9),
    name=texts,
    serial=st.booleans(),
    parameters=st.dictionaries(texts, texts, max_size=3),
    blocked_by=st.lists(texts, max_size=2).map(tuple),
)


def _apart(some: list[Call]) -> tuple[Call, ...]:
    """Calls with ids and addresses of their own, as no two of a plan start the same."""
    return tuple(
        dataclasses.replace(
            one, id=f"call{number}", address=Address.of(Kind.BACKFILL, f"orders-{number}")
        )
        for number, one in enumerate(some)
    )


def _sound(plan: Plan) -> Plan:
    """The plan with an action for each of its calls, and a summary that counts what it holds."""
    acted = (
        *plan.actions,
        *(
            an_action(one.address, Decision.CREATE, Reason.MISSING, text)
            for one in plan.calls
            for text in one.dates.texts()
        ),
    )
    counted = Counter[Decision]()
    for one in acted:
        counted[one.decision] += one.dates.count
    counts = {one.value: counted[one] for one in Decision if one is not Decision.SHARED}
    summary = dataclasses.replace(plan.summary, **counts, calls=len(plan.calls))
    return dataclasses.replace(plan, actions=acted, summary=summary)


plans = st.builds(
    a_plan,
    lineage=st.none() | texts,
    serial=st.integers(0, 2**53),
    project=texts,
    created_at=moments,
    as_of=moments,
    expires_at=moments,
    summary=st.builds(Summary, create=st.integers(0, 99), reads=st.integers(0, 99)),
    actions=st.lists(actions, max_size=3).map(tuple),
    calls=st.lists(calls, max_size=3).map(_apart),
).map(_sound)


def test_a_plan_of_everything_is_read_as_it_was_written() -> None:
    assert parse_plan(plan_text(a_plan())) == a_plan()


@given(plans)
def test_any_plan_is_read_as_it_was_written(plan: Plan) -> None:
    text = plan_text(plan)
    assert parse_plan(text) == plan
    assert plan_text(parse_plan(text)) == text


def test_a_plan_fits_its_schema() -> None:
    validator = jsonschema.Draft202012Validator(
        dict(read_schema("plan")), format_checker=jsonschema.FormatChecker()
    )
    document = plan_document(a_plan())
    assert [error.message for error in validator.iter_errors(document)] == []
    assert not validator.is_valid({**document, "digest": 1}), "the schema does judge"


def test_a_plan_file_is_canonical_text() -> None:
    text = plan_text(a_plan())
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))
    shuffled = dict(reversed(plan_document(a_plan()).items()))
    assert parse_plan(json.dumps(shuffled)) == a_plan(), "key order says nothing"


def test_the_digest_covers_all_the_rest() -> None:
    document = plan_document(a_plan())
    stated = document.pop("digest")
    assert stated == digest(document)


_KEYS = sorted(plan_document(a_plan()))


@pytest.mark.parametrize("key", _KEYS)
@pytest.mark.parametrize("edit", ["removed", "emptied", "null", "another type"])
def test_a_plan_edited_anywhere_is_refused(key: str, edit: str) -> None:
    document = plan_document(a_plan())
    match edit:
        case "removed":
            del document[key]
        case "emptied":
            document[key] = type(document[key])()
        case "null":
            document[key] = None
        case _:
            document[key] = ["x"] if not isinstance(document[key], list) else "x"
    with pytest.raises((PlanRefused, UnsupportedFormat)):
        parse_plan(json.dumps(document))


@pytest.mark.parametrize("edit", ["removed", "null", "another type", "nonsense"])
@pytest.mark.parametrize("key", [key for key in _KEYS if key not in {"digest", "format_version"}])
def test_a_forged_plan_that_is_no_plan_is_refused_without_a_traceback(key: str, edit: str) -> None:
    document = plan_document(a_plan())
    match edit:
        case "removed":
            del document[key]
        case "null":
            document[key] = None
        case "another type":
            document[key] = [3.5] if isinstance(document[key], dict | list) else [{}]
        case _:
            document[key] = {"x": "y"} if isinstance(document[key], dict) else [{"x": "y"}]
    document.pop("digest")
    document["digest"] = digest(document)
    if (key, edit) == ("lineage", "null"):
        assert parse_plan(json.dumps(document)).lineage is None
        return
    try:
        parse_plan(json.dumps(document))
    except ReconcilerError:
        return
    assert isinstance(plan_document(a_plan())[key], str | None), "a text may be any text"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("in_turn", 0),
        ("in_turn", 34),
        ("in_turn", 1.5),
        ("basis", "guess"),
        ("took", {}),
        ("last_sent", "yesterday"),
        ("ran_for", []),
        ("ran_for_count", 1),
    ],
)
def test_a_forged_estimate_that_is_none_is_refused(field: str, value: object) -> None:
    document: Any = plan_document(a_plan())
    document["estimates"][0][field] = value
    document.pop("digest")
    document["digest"] = digest(document)
    with pytest.raises(PlanRefused):
        parse_plan(json.dumps(document))


def test_a_forged_circle_of_requirements_is_refused() -> None:
    document: Any = plan_document(a_plan())
    (desired,) = document["desired"]
    desired["requires"] = [desired["address"]]
    document.pop("digest")
    document["digest"] = digest(document)
    with pytest.raises(PlanRefused, match="cycle"):
        parse_plan(json.dumps(document))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("canary", -1),
        ("max_active_dates", 0),
        ("max_dates_per_call", 0),
        ("stop_after_failures", 0),
        ("order", "random"),
    ],
)
def test_a_forged_rollout_that_would_never_end_is_refused(field: str, value: object) -> None:
    document: Any = plan_document(a_plan())
    document["desired"][0]["rollout"][field] = value
    document.pop("digest")
    document["digest"] = digest(document)
    with pytest.raises(PlanRefused):
        parse_plan(json.dumps(document))


_INNER: dict[str, Callable[[Any], None]] = {
    "a date": lambda plan: plan["calls"][0]["dates"].__setitem__(0, "2020-05-20..2020-06-24"),
    "a parameter": lambda plan: plan["calls"][0]["parameters"].__setitem__("Name", "x"),
    "a block lifted": lambda plan: plan["calls"][3].__setitem__("blocked_by", []),
    "another call": lambda plan: plan["calls"].append(plan["calls"][0]),
    "order": lambda plan: plan["calls"].reverse(),
    "the expiry": lambda plan: plan.__setitem__("expires_at", "2099-01-01T00:00:00.000Z"),
    "a new key": lambda plan: plan.__setitem__("approved", True),
}


@pytest.mark.parametrize("edit", _INNER.values(), ids=_INNER)
def test_an_edit_of_a_detail_is_refused(edit: Callable[[Any], None]) -> None:
    document = json.loads(plan_text(a_plan()))
    edit(document)
    with pytest.raises(PlanRefused, match="edited"):
        parse_plan(json.dumps(document))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "3", '"x"', "{}", "[" * 100_000, '{"format_version": ' + "9" * 5000,
     '{"format_version": "1.0", "digest": NaN}', '{"format_version": "1.0", "x": "\\ud800"}'],
    ids=lambda text: text[:24],
)  # fmt: skip
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanRefused):
        parse_plan(text)


@pytest.mark.parametrize("version", ["1.1", "2.0", "0.9", 1.0, None, [], {}])
def test_another_format_is_refused_by_name(version: object) -> None:
    document = {**plan_document(a_plan()), "format_version": version}
    with pytest.raises(UnsupportedFormat, match=r"reads 1\.0"):
        parse_plan(json.dumps(document))


def test_a_series_under_another_fingerprint_is_refused() -> None:
    document = plan_document(a_plan())
    series = document["series"]
    assert isinstance(series, dict)
    document["series"] = dict(zip(series, reversed(series.values()), strict=True))
    document.pop("digest")
    document["digest"] = digest(document)
    with pytest.raises(PlanRefused, match="fingerprint"):
        parse_plan(json.dumps(document))


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (lambda plan: plan["calls"].append(plan["calls"][0]), "same id"),
        (lambda plan: plan["calls"].append({**plan["calls"][0], "id": "other"}), "overlap"),
        (lambda plan: plan["calls"][0].update(series="0" * 40), "series"),
        (lambda plan: plan["calls"][0].update(dates=[]), "not enough values"),
    ],
)
def test_calls_that_no_plan_of_ours_has_are_refused(
    edit: Callable[[dict[str, Any]], None], what: str
) -> None:
    document = json.loads(plan_text(a_plan()))
    del document["digest"]
    edit(document)
    with pytest.raises(PlanRefused, match=what):
        parse_plan(json.dumps({**document, "digest": digest(document)}))


@pytest.mark.parametrize(
    "forged",
    [
        {"summary": dataclasses.replace(a_plan().summary, create=0)},
        {"summary": dataclasses.replace(a_plan().summary, hold=0, none=94)},
        {"summary": dataclasses.replace(a_plan().summary, calls=1)},
        {"actions": ()},
        {"id": "x\nPlan: nothing to start"},
    ],
    ids=[
        "nothing to start",
        "nobody is needed",
        "fewer calls",
        "calls of no action",
        "a line for an id",
    ],
)
def test_a_plan_that_tells_other_than_it_holds_is_refused(forged: dict[str, Any]) -> None:
    with pytest.raises(NotAPlan):
        parse_plan(plan_text(dataclasses.replace(a_plan(), **forged)))
