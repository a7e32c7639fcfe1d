from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.model.resources import Order, Requirement, Rollout
from tests.unit.specs.spec_files import backfill, codes, gate, load, manual_flow, summaries

DAYS = "{start: 2020-05-20, end: 2020-05-29}"


def test_what_is_required_is_told_whole_or_by_date_and_once(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        a=backfill("a", requires='[backfill.b, "backfill.b@date", manualflow.c, backfill.b]'),
        b=backfill("b", target="{rootNode: 7}"),
        c=manual_flow("c"),
    )
    assert codes(loaded) == []
    assert [str(one) for one in loaded.resources[0].requires] == [
        "backfill.b",
        "backfill.b@date",
        "manualflow.c",
    ]
    assert loaded.resources[0].requires[1] == Requirement.parse("backfill.b@date")


def test_a_rollout_is_read_and_its_defaults_start_everything_at_once(tmp_path: Path) -> None:
    fields = (
        "canary: 1, maxDatesPerCall: 3, maxActiveDates: 5, stopAfterFailures: 2, order: newest"
    )
    loaded = load(tmp_path, a=backfill("a", rollout=f"{{{fields}}}"), b=backfill("b"))
    assert [one.rollout for one in loaded.resources] == [
        Rollout(
            canary=1,
            max_dates_per_call=3,
            max_active_dates=5,
            stop_after_failures=2,
            order=Order.NEWEST,
        ),
        Rollout(),
    ]
    assert [one.conditional for one in loaded.resources] == [True, False]


def test_the_same_date_of_what_does_not_want_it_is_an_error_with_the_dates(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        a=backfill("a", dates=DAYS, requires='["backfill.b@date"]'),
        b=backfill("b", target="{rootNode: 7}", dates="{list: [2020-05-20..2020-05-27]}"),
    )
    assert codes(loaded) == ["date_not_wanted"]
    (item,) = loaded.diagnostics
    assert "backfill.b does not want 2020-05-28..2020-05-29" in item.summary
    assert str(item.place) == "specs/a.yaml:8:14"


def test_a_whole_resource_may_have_other_dates(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        a=backfill("a", dates=DAYS, requires="[backfill.b]"),
        b=backfill("b", target="{rootNode: 7}"),
    )
    assert codes(loaded) == []


def test_each_circle_is_told_once_with_its_path(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        a=backfill("a", target="{rootNode: 1}", requires="[backfill.b]"),
        b=backfill("b", target="{rootNode: 2}", requires='["backfill.c@date"]'),
        c=backfill("c", target="{rootNode: 3}", requires="[backfill.a]"),
        x=backfill("x", target="{rootNode: 4}", requires="[backfill.y]"),
        y=backfill("y", target="{rootNode: 5}", requires="[backfill.x]"),
    )
    assert [item.summary.partition(": ")[2] for item in loaded.diagnostics] == [
        "backfill.a → backfill.b → backfill.c → backfill.a",
        "backfill.x → backfill.y → backfill.x",
    ]
    assert [str(item.place) for item in loaded.diagnostics] == [
        "specs/c.yaml:8:14",
        "specs/y.yaml:8:14",
    ]


def test_who_asks_for_the_same_units_waits_for_their_owner(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        a=backfill("a", requires="[backfill.c]"),
        b=backfill("b"),
        c=backfill("c", target="{rootNode: 7}", requires="[backfill.b]"),
    )
    assert codes(loaded) == ["circle"]
    (item,) = loaded.diagnostics
    assert item.summary.endswith("backfill.c → backfill.b → backfill.a → backfill.c")
    assert str(item.place) == "specs/a.yaml:8:14"


def test_a_resource_cannot_wait_for_its_own_units_under_another_name(tmp_path: Path) -> None:
    loaded = load(tmp_path, a=backfill("a"), b=backfill("b", requires="[backfill.a]"))
    assert codes(loaded) == ["circle"]
    assert "the same runs on 2020-05-20" in loaded.diagnostics[0].summary


def test_where_only_some_files_are_loaded_others_may_declare_what_is_required(
    tmp_path: Path,
) -> None:
    specs = {
        "a": backfill("a", requires="[backfill.b, gate.quiet]"),
        "b": backfill("b", target="{rootNode: 5}") + "---\n" + gate("quiet"),
    }
    loaded = load(tmp_path, paths=("specs/a.yaml",), more=specs)
    assert codes(loaded) == []
    assert [str(one.address) for one in loaded.resources] == ["backfill.a"]
    assert not loaded.gates


def test_some_files_are_checked_against_all_others(tmp_path: Path) -> None:
    lacking = backfill("a", requires="[backfill.b, gate.quiet]")
    specs = {
        "a": lacking,
        "c": backfill("c", params="{1234: {k: v}}"),
        "d": backfill("d", onFailur="x", requires="[gate.other]"),
    }
    only = ("specs/a.yaml",)
    found = summaries(load(tmp_path, paths=only, more=specs))
    (conflict,) = found
    assert conflict.startswith("specs/c.yaml:3:18: conflict: backfill.c and backfill.a ask"), (
        "what is missing cannot be told where another file is broken"
    )

    specs["d"] = backfill("d", target="{rootNode: 5}", requires="[gate.other]")
    found = summaries(load(tmp_path, paths=only, more=specs))
    assert [one.partition(": ")[2] for one in found[:2]] == [
        "unknown_resource: no spec declares backfill.b",
        "unknown_gate: no spec declares gate.quiet",
    ]
    assert len(found) == 3


@pytest.mark.parametrize("wrong", ["backfill.b@2020-05-20", "b", "backfill.B", "task.b"])
def test_what_is_no_address_is_refused(tmp_path: Path, wrong: str) -> None:
    assert codes(load(tmp_path, a=backfill(requires=f'["{wrong}"]'))) == ["malformed"]


def test_the_nearest_name_that_is_offered_is_never_the_own_one(tmp_path: Path) -> None:
    asking = backfill("orders", requires="[backfill.order]")
    (alone,) = load(tmp_path / "alone", a=asking).diagnostics
    assert alone.hint == "declare it, or remove it from `requires`"
    meant = backfill("my-order", target="{rootNode: 5}")
    (problem,) = load(tmp_path / "two", a=asking, b=meant).diagnostics
    assert problem.hint == 'did you mean "backfill.my-order"?'
