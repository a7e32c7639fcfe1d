from __future__ import annotations

from reconciler.model.plan import FieldChange
from reconciler.planning.diffing import series_changes
from tests.builders import a_series


def test_equal_series_have_no_changes() -> None:
    series = a_series(params={"1234": {"key": "value"}})
    assert series_changes(series, series) == ()


def test_an_edited_param_has_its_node_and_key() -> None:
    before = a_series(params={"1234": {"same": "1", "key": "old"}})
    after = a_series(params={"1234": {"same": "1", "key": "new"}})
    assert series_changes(before, after) == (
        FieldChange(path="1234.key", before="old", after="new"),
    )


def test_added_and_removed_params_have_one_side() -> None:
    before = a_series(params={"1234": {"gone": "1"}})
    after = a_series(params={"flow": {"new": "2"}})
    assert series_changes(before, after) == (
        FieldChange(path="1234.gone", before="1", after=None),
        FieldChange(path="flow.new", before=None, after="2"),
    )


def test_node_sets_are_named_as_in_the_spec() -> None:
    before = a_series(include=("1234",), exclude=("9",))
    after = a_series(include=("1234", "5"))
    assert series_changes(before, after) == (
        FieldChange(path="excludeNodes", before="9", after=""),
        FieldChange(path="includeNodes", before="1234", after="1234,5"),
    )


def test_keys_with_dots_quotes_and_brackets_stay_whole() -> None:
    odd = "a.b['c'] \"d\""
    (change,) = series_changes(a_series(), a_series(params={"1": {odd: "x"}}))
    assert change.path == f"1.{odd}"


def test_values_that_look_alike_are_different_texts() -> None:
    before = a_series(params={"1": {"k": "007"}})
    after = a_series(params={"1": {"k": "7"}})
    assert [(one.before, one.after) for one in series_changes(before, after)] == [("007", "7")]


def test_changes_are_sorted_by_path() -> None:
    after = a_series(include=("1",), params={"2": {"b": "", "a": ""}, "10": {"k": ""}})
    paths = [one.path for one in series_changes(a_series(), after)]
    assert paths == ["10.k", "2.a", "2.b", "includeNodes"]
