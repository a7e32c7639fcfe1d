from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from reconciler.model.addresses import Kind
from reconciler.model.gates import DagSucceeded, NothingUnfinished, RunsSucceeded, Scope
from reconciler.model.resources import Alerts, OnChange, OnFailure, Tuning
from reconciler.model.series import Hours, Realm, Series, Subject
from tests.unit.specs.spec_files import (
    PROJECT,
    backfill,
    codes,
    gate,
    job_backfill,
    load,
    manual_flow,
    summaries,
)


def test_a_backfill_becomes_a_resource(tmp_path: Path) -> None:
    text = backfill(
        target="{rootNode: 1234, includeNodes: [74325, 1234, 9], excludeNodes: [123465]}",
        dates="{start: 2020-05-20, end: 2020-05-31, except: [2020-05-25]}",
        hours='{begin: "00:00:00", end: "01:00:00"}',
        params="{74325: {key2: 007, key1: yes}}",
        parallelism="3",
        alerts="{on: both, by: SMS}",
        onFailure="rerun",
        maxAttempts="5",
        onChange="keep",
        variant="eu",
    )
    loaded = load(tmp_path, a=text)
    assert summaries(loaded) == []
    (item,) = loaded.resources
    assert str(item.address) == "backfill.a"
    assert str(item.place) == "specs/a.yaml:3:18"
    assert item.series == Series(
        subject=Subject(
            realm=Realm.LIVE,
            provider="dataworks",
            region="cn-shanghai",
            workspace="112345",
            environment="PROD",
            kind=Kind.BACKFILL,
            root="1234",
            hours=Hours("00:00:00", "01:00:00"),
            variant="eu",
        ),
        include=("9", "1234", "74325"),
        exclude=("123465",),
        params=(("74325", (("key1", "yes"), ("key2", "007"))),),
    )
    assert str(item.dates) == "2020-05-20..2020-05-24, 2020-05-26..2020-05-31"
    assert item.tuning == Tuning(parallelism=3, alerts=Alerts(on="success_failure", by="SMS"))
    assert (item.on_failure, item.max_attempts) == (OnFailure.RERUN, 5)
    assert item.on_change is OnChange.KEEP


def test_a_manual_flow_becomes_a_resource(tmp_path: Path) -> None:
    text = manual_flow(params='{flow: {k: v}, nodes: {12: {test: "${yyyy-mm-dd}"}}}')
    (item,) = load(tmp_path, a=text).resources
    assert item.series.subject.workspace == "test_project"
    assert item.series.subject.root == "f"
    assert item.series.include == ()
    assert item.series.params == (
        ("12", (("test", "${yyyy-mm-dd}"),)),
        ("flow", (("k", "v"),)),
    )


def test_included_nodes_default_to_the_root(tmp_path: Path) -> None:
    (item,) = load(tmp_path, a=backfill()).resources
    assert item.series.include == ("1234",)


def test_order_of_keys_nodes_and_files_changes_nothing(tmp_path: Path) -> None:
    one = backfill(
        "one", target="{rootNode: 1, includeNodes: [1, 10, 9]}", params="{9: {a: x, b: y}}"
    )
    two = backfill(
        "two", params="{9: {b: y, a: x}}", target="{includeNodes: [10, 9, 1, 9], rootNode: 1}"
    )
    first, second = load(tmp_path, z=one, a=two).resources
    assert [first.address.name, second.address.name] == ["one", "two"]
    assert first.series.fingerprint == second.series.fingerprint


@pytest.mark.parametrize(
    ("reruns", "expected"),
    [
        ("[]", {"2020-05-20..2020-05-23": 1}),
        ("[{generation: 2, dates: all, reason: r}]", {"2020-05-20..2020-05-23": 2}),
        (
            (
                "[{generation: 3, dates: [2020-05-21], reason: r},"
                " {generation: 2, dates: [2020-05-20..2020-05-22], reason: r}]"
            ),
            {"2020-05-20": 2, "2020-05-21": 3, "2020-05-22": 2, "2020-05-23": 1},
        ),
    ],
)
def test_the_highest_generation_that_covers_a_date_wins(
    tmp_path: Path, reruns: str, expected: dict[str, int]
) -> None:
    text = backfill(dates="{start: 2020-05-20, end: 2020-05-23}", reruns=reruns)
    (item,) = load(tmp_path, a=text).resources
    assert {str(dates): value for dates, value in item.generations} == expected


def test_a_rerun_of_other_dates_is_a_warning(tmp_path: Path) -> None:
    text = backfill(reruns="[{generation: 2, dates: [2020-05-20..2020-05-22], reason: r}]")
    loaded = load(tmp_path, a=text)
    assert codes(loaded) == ["rerun_not_desired"]
    assert "2020-05-21..2020-05-22" in loaded.diagnostics[0].summary
    assert len(loaded.resources) == 1


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        (backfill(connection="pord"), "unknown_connection", "5:15"),
        (backfill(connection="ob"), "wrong_provider", "5:15"),
        (manual_flow(connection="ob"), "wrong_provider", "5:15"),
        (manual_flow(connection="hw"), "wrong_provider", "5:15"),
        (backfill(connection="hw"), "missing_key", "6:3"),
        (backfill(connection="hw"), "not_on_dataarts", "6:12"),
        (job_backfill(connection="hw-bare"), "timezone", "5:15"),
        (job_backfill(parallelism="6"), "out_of_bounds", "8:16"),
        (job_backfill(target="{job: ..}"), "not_carried", "6:17"),
        (job_backfill(target="{job: a/b}"), "not_carried", "6:17"),
        (job_backfill(params="{1: {a: b}}"), "not_on_dataarts", "8:3"),
        (job_backfill(hours="{begin: '01:00:00', end: '02:00:00'}"), "not_on_dataarts", "8:3"),
        (job_backfill(alerts="{on: failure, by: SMS}"), "not_on_dataarts", "8:3"),
        (backfill(connection="bare"), "connection_lacks", "5:15"),
        (manual_flow(connection="bare"), "connection_lacks", "5:15"),
        (manual_flow(connection="dev"), "environment", "5:15"),
        (backfill(requires="[gate.x]"), "unknown_gate", "8:14"),
        (backfill(requires="[gate.x@date]"), "malformed", "8:14"),
        (backfill(requires="[backfill.b]"), "unknown_resource", "8:14"),
        (backfill(requires="[backfill.a]"), "circle", "8:14"),
        (backfill(rollout="{canary: -1}"), "out_of_bounds", "8:21"),
        (backfill(target="{rootNode: 1, job: x}"), "not_on_dataworks", "6:25"),
        (gate(connection="prod"), "wrong_provider", "5:15"),
        (gate(connection="nowhere"), "unknown_connection", "5:15"),
        (gate(obshell="{noUnfinished: all, dag: '1'}"), "one_condition", "6:13"),
        (gate(obshell="{tenant: t}"), "missing_key", "6:12"),
        (gate(obshell="", dataarts="{job: j}"), "wrong_provider", "5:15"),
        (gate(obshell=""), "missing_key", "4:1"),
        (gate(dataarts="{job: j}"), "one_condition", "6:3"),
        (gate(connection="hw-bare", obshell="", dataarts="{job: j, task: a}"), "connection_lacks", "5:15"),
        (backfill(target="{includeNodes: [1]}"), "missing_key", "6:3"),
        (backfill(target="{rootNode: 1, includeNodes: [2]}"), "nodes", "6:25"),
        (backfill(target="{rootNode: 1, excludeNodes: [1]}"), "nodes", "6:40"),
        (backfill(hours='{begin: "02:00:00", end: "01:00:00"}'), "hours", "8:35"),
        (backfill(params='{1234: {"a b": c}}'), "not_carried", "8:19"),
        (manual_flow(params="{flow: {reconciler_run: x}}"), "reserved", "8:19"),
        (backfill(params='{1234: {"a=b": c}}'), "not_carried", "8:19"),
        (backfill(params="{1234: {a: b c}}"), "not_carried", "8:22"),
        (backfill(params='{1234: {a: "b\\tc"}}'), "not_carried", "8:22"),
        (backfill(params='{1234: {a: "b\\u3000c"}}'), "not_carried", "8:22"),
        (backfill(params='{1234: {a: ""}}'), "not_carried", "8:22"),
        (backfill(params="{77: {a: b}}"), "params_unused", "8:12"),
        (backfill(reruns="[{generation: 1, dates: all, reason: r}]"), "out_of_bounds", "8:25"),
        (backfill(reruns="[{generation: 2, dates: all}]"), "missing_key", "8:12"),
        ("- 1\n", "wrong_type", "1:1"),
        ("a: 1\n", "missing_key", "1:1"),
        ("kind: Bakfill\n", "unknown_kind", "1:7"),
    ],
)  # fmt: skip
def test_a_wrong_spec_is_told_with_its_place(
    tmp_path: Path, text: str, code: str, at: str
) -> None:
    loaded = load(tmp_path, a=text)
    assert (code, f"specs/a.yaml:{at}") in [
        (item.code, str(item.place)) for item in loaded.diagnostics
    ], summaries(loaded)
    assert all(item.excerpt for item in loaded.diagnostics)


def test_gates_are_loaded_with_their_conditions(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        quiet=gate("quiet", obshell="{noUnfinished: cluster, tenant: orders}"),
        scaled=gate("scaled", obshell='{dag: "22130706433028869"}'),
        landed=gate("landed", connection="hw", obshell="", dataarts="{job: j, task: '7'}"),
        late=gate(
            "late",
            connection="hw",
            obshell="",
            dataarts="{job: j, window: {offsetDays: -1, days: 3}}",
        ),
        a=backfill(requires="[gate.quiet, backfill.b, gate.landed, gate.quiet]"),
        b=backfill("b", target="{rootNode: 2}"),
    )
    assert not loaded.diagnostics, summaries(loaded)
    assert {name: one.condition for name, one in loaded.gates.items()} == {
        "quiet": NothingUnfinished(scope=Scope.CLUSTER, tenant="orders"),
        "scaled": DagSucceeded(dag="22130706433028869"),
        "landed": RunsSucceeded(job="j", task="7"),
        "late": RunsSucceeded(job="j", offset_days=-1, days=3),
    }
    assert [str(one) for one in loaded.resources[0].gates] == ["gate.quiet", "gate.landed"]
    assert [str(one) for one in loaded.resources[0].requires] == ["backfill.b"]


def test_a_backfill_on_dataarts_runs_a_job(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        a=job_backfill(parallelism="5"),
        b=job_backfill("b", target="{job: x, planOffsetDays: 1}"),
    )
    assert not loaded.diagnostics, summaries(loaded)
    one, other = loaded.resources
    assert one.series == Series(
        subject=Subject(
            realm=Realm.LIVE,
            provider="dataarts",
            region="cn-north-4",
            workspace="p1/w1",
            environment="",
            kind=Kind.BACKFILL,
            root="etl-dli2dws",
        )
    )
    assert other.series.params == (("plan", (("offsetDays", "1"),)),)


def test_two_backfills_of_one_job_must_not_meet_on_a_plan_day(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        a=job_backfill("a", dates="{list: [2020-05-20]}"),
        b=job_backfill(
            "b",
            target="{job: etl-dli2dws, planOffsetDays: 1}",
            dates="{list: [2020-05-19, 2020-05-22]}",
        ),
    )
    assert codes(loaded) == ["conflict"]


def test_a_gate_that_is_declared_twice_is_an_error(tmp_path: Path) -> None:
    loaded = load(tmp_path, a=gate("g"), b=gate("g"), c=backfill())
    assert [(item.code, item.address) for item in loaded.diagnostics] == [
        ("duplicate_name", "gate.g")
    ]


def test_problems_of_all_files_come_in_one_pass_and_in_order(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        b=backfill("b", connection="x"),
        a=backfill("a", parallelism="0", connection="y") + "---\n" + backfill("c", hours="1"),
        c=backfill("ok"),
    )
    assert [(item.code, item.place.file if item.place else "") for item in loaded.diagnostics] == [
        ("unknown_connection", "specs/a.yaml"),
        ("out_of_bounds", "specs/a.yaml"),
        ("wrong_type", "specs/a.yaml"),
        ("unknown_connection", "specs/b.yaml"),
    ]
    assert [item.address for item in loaded.diagnostics] == [
        "backfill.a",
        "backfill.a",
        "backfill.c",
        "backfill.b",
    ]
    assert [item.address.name for item in loaded.resources] == ["ok"]


def test_a_problem_of_shape_hides_no_problem_of_meaning(tmp_path: Path) -> None:
    text = backfill(
        connection="nowhere",
        dates="{start: 2020-05-20, end: 2020-05-01}",
        params="{1234: {a: b c, d: [e]}}",
        bogus="1",
        hours='{begin: "02:00:00", end: "01:00:00", x: 1}',
        reruns="[{generation: 1, dates: [2020-02-30]}]",
        target="{rootNode: 1, includeNodes: [x, 2], excludeNodes: [2]}",
    )
    loaded = load(tmp_path, a=text, b=backfill("a"))
    assert [
        (item.code, str(item.place).removeprefix("specs/")) for item in loaded.diagnostics
    ] == [
        ("unknown_connection", "a.yaml:5:15"),
        ("wrong_type", "a.yaml:6:40"),
        ("nodes", "a.yaml:6:62"),
        ("date", "a.yaml:7:35"),
        ("not_carried", "a.yaml:8:22"),
        ("wrong_type", "a.yaml:8:27"),
        ("unknown_key", "a.yaml:9:3"),
        ("hours", "a.yaml:10:35"),
        ("unknown_key", "a.yaml:10:47"),
        ("missing_key", "a.yaml:11:12"),
        ("out_of_bounds", "a.yaml:11:25"),
        ("date", "a.yaml:11:36"),
        ("duplicate_name", "b.yaml:3:18"),
    ], summaries(loaded)


def test_four_kinds_of_problem_come_together(tmp_path: Path) -> None:
    text = backfill(
        connection="nowhere",
        dates="{start: 2020-05-20, end: 2020-05-01}",
        params="{1234: {a: b c}}",
        bogus="1",
    )
    assert codes(load(tmp_path, a=text)) == [
        "unknown_connection",
        "date",
        "not_carried",
        "unknown_key",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # What a mistyped key would have said is not said to be missing.
        (backfill(target="{rootnode: 1}"), ["unknown_key"]),
        (backfill(target="{rootNode: x}"), ["wrong_type"]),
        (backfill(target="{rootNode: 1, includeNodes: [x, 2]}"), ["wrong_type"]),
        (backfill(target="{rootNode: x}", params="{1: {a: b}}"), ["wrong_type"]),
        (backfill(target=""), ["missing_key"]),
        (backfill(target="{}"), ["out_of_bounds"]),
        (backfill(dates="{}"), ["out_of_bounds"]),
        (backfill(dates=""), ["missing_key"]),
        (backfill(dates="{strat: 2020-05-20, end: 2020-05-21}"), ["unknown_key"]),
        (backfill(dates="{start: 20-05-20, end: 2020-05-21}"), ["malformed"]),
        (backfill(dates="{list: [2020-05-20, 1], except: [2020-05-20]}"), ["wrong_type"]),
        (backfill(dates="{last: 1, list: [2020-05-20], x: 1}"), ["dates_form", "unknown_key"]),
        (backfill(dates="{start: 2020-05-20, except: [2020-02-30]}"), ["dates_form", "date"]),
        (backfill(dates="{start: 2020-02-30, list: [2020-02-31]}"), ["date", "dates_form", "date"]),
        (backfill(dates="{start: 2019-02-29, end: 2099-01-01}"), ["date", "date_not_complete"]),
        (backfill(connection="x", dates="{start: 2020-05-20, end: 2099-01-01}"),
         ["unknown_connection", "date_not_complete"]),
        (backfill(connection="x", dates="{last: 1}",
                  reruns="[{generation: 2, dates: [2020-05-20], reason: r}]"), ["unknown_connection"]),
        (backfill(connection="[]"), ["wrong_type"]),
        (backfill(connection=""), ["missing_key"]),
        (backfill(hours='{begin: "02:00:00"}'), ["missing_key"]),
        (backfill(params="{x: {a: b c}}"), ["malformed"]),
        (backfill(params="[1]"), ["wrong_type"]),
        (backfill(reruns="[{generation: 2, dates: some, reason: r}]"), ["malformed"]),
        (backfill(connection="bare", parallelism="x"), ["connection_lacks", "wrong_type"]),
        (manual_flow(target="{flwo: f}", connection="dev"), ["environment", "unknown_key", "missing_key"]),
        (manual_flow(params="{flow: {a: b c}, nodes: {x: {}}}", connection="x"),
         ["unknown_connection", "not_carried", "malformed"]),
        ("kind: Backfill\n", ["missing_key"] * 3),
        ("apiVersion: reconciler/v1\nkind: ManualFlow\nmetadata: [a]\nspec: 1\n", ["wrong_type"] * 2),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_once(tmp_path: Path, text: str, expected: list[str]) -> None:
    loaded = load(tmp_path, a=text)
    assert sorted(codes(loaded)) == sorted(expected), summaries(loaded)
    assert not loaded.resources


def test_a_malformed_annotation_is_not_called_missing(tmp_path: Path) -> None:
    project = PROJECT + "  policy: {requireAnnotations: [owner, reason]}\n"
    one = backfill().replace("{name: a}", "{name: a, annotations: {owner: [x]}}")
    two = backfill().replace("{name: a}", "{name: b, annotations: 1}")
    loaded = load(tmp_path, project=project, a=one, b=two)
    assert codes(loaded) == ["missing_annotation", "wrong_type", "wrong_type"]


@pytest.mark.parametrize("broken", [{"connection": "x"}, {"zzz": "1"}, {"target": "1"}])
def test_a_wrong_spec_still_has_its_name(tmp_path: Path, broken: dict[str, str]) -> None:
    loaded = load(tmp_path, a=backfill("x", **broken), b=backfill("x"))
    assert [str(item.place) for item in loaded.diagnostics if item.code == "duplicate_name"] == [
        "specs/b.yaml:3:18"
    ]


def test_a_near_connection_is_suggested(tmp_path: Path) -> None:
    assert load(tmp_path, a=backfill(connection="pord")).diagnostics[0].hint == (
        'did you mean "prod"?'
    )


def test_required_annotations_are_checked(tmp_path: Path) -> None:
    project = PROJECT + "  policy: {requireAnnotations: [owner, reason]}\n"
    text = backfill().replace("{name: a}", "{name: a, annotations: {owner: x, reason: ' '}}")
    loaded = load(tmp_path, project=project, a=text, b=backfill("b"))
    assert summaries(loaded) == [
        'specs/a.yaml:3:21: missing_annotation: the project requires the annotation "reason"',
        'specs/b.yaml:3:1: missing_annotation: the project requires the annotation "owner"',
        'specs/b.yaml:3:1: missing_annotation: the project requires the annotation "reason"',
    ]


def test_names_are_unique_per_kind(tmp_path: Path) -> None:
    loaded = load(tmp_path, a=backfill("x"), b=backfill("x"), c=manual_flow("x"))
    assert [(item.code, str(item.place), item.detail) for item in loaded.diagnostics] == [
        ("duplicate_name", "specs/b.yaml:3:18", "first at specs/a.yaml:3:18")
    ]


@pytest.mark.parametrize(
    ("other", "conflict"),
    [
        ({"params": "{1234: {a: b}}"}, True),
        ({"target": "{rootNode: 1234, includeNodes: [1234, 5]}"}, True),
        ({"params": "{1234: {a: b}}", "variant": "v"}, False),
        ({"params": "{1234: {a: b}}", "dates": "{list: [2020-06-30]}"}, False),
        ({"params": "{1234: {a: b}}", "connection": "dev"}, False),
        ({}, False),
    ],
)
def test_different_runs_of_one_unit_are_a_conflict(
    tmp_path: Path, other: dict[str, str], conflict: bool
) -> None:
    dates = "{start: 2020-05-01, end: 2020-05-31}"
    loaded = load(
        tmp_path,
        a=backfill("a", dates=dates),
        b=backfill("b", **{"dates": "{start: 2020-05-30, end: 2020-06-02}", **other}),
    )
    if not conflict:
        assert summaries(loaded) == []
        return
    (item,) = loaded.diagnostics
    assert item.summary == (
        "backfill.b and backfill.a ask for different runs of 1234 on 2020-05-30..2020-05-31"
    )
    assert (str(item.place), item.detail) == (
        "specs/b.yaml:3:18",
        "backfill.a is declared at specs/a.yaml:3:18",
    )


def test_each_resource_in_a_conflict_is_named(tmp_path: Path) -> None:
    dates = "{start: 2020-05-01, end: 2020-05-31}"
    specs = {
        f"s{n}": backfill(f"s{n}", dates=dates, params=f"{{1234: {{a: v{n}}}}}") for n in range(5)
    }
    named = {item.place.file for item in load(tmp_path, more=specs).diagnostics if item.place}
    assert named == {f"specs/s{n}.yaml" for n in range(1, 5)}


def test_yesterday_is_judged_in_the_time_zone_of_the_connection(tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)
    loaded = load(
        tmp_path,
        now=now,
        east=backfill("east", dates="{last: 1}"),
        west=backfill("west", connection="west", dates="{last: 1}"),
    )
    assert [str(item.dates) for item in loaded.resources] == ["2026-11-20", "2026-11-19"]


def test_paths_narrow_what_is_loaded(tmp_path: Path) -> None:
    specs = {"a": backfill("a"), "b": backfill("b")}
    for paths, names in (
        (("specs/a.yaml",), ["a"]),
        (("specs",), ["a", "b"]),
        (("./specs/",), ["a", "b"]),
        (("specs/[b].yaml",), ["b"]),
        (("specs/a.yaml", "specs/*.yaml"), ["a", "b"]),
    ):
        loaded = load(tmp_path, paths=paths, more=specs)
        assert [item.address.name for item in loaded.resources] == names
        assert not loaded.diagnostics


@pytest.mark.parametrize("path", ["nope.yaml", "../x.yaml", "/etc/passwd", "a\0b"])
def test_a_path_that_cannot_be_loaded_is_an_error(tmp_path: Path, path: str) -> None:
    assert codes(load(tmp_path, paths=(path,), a=backfill())) in (["unreadable"], ["path"])


def test_no_specs_at_all_is_a_warning(tmp_path: Path) -> None:
    assert codes(load(tmp_path)) == ["no_specs"]
