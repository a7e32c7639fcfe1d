"""What is offered at TAB, told in this process; tests/cli/test_completion.py presses TAB in real shells."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.candidates import date_texts
from reconciler.cli.completing import answer_shell, candidates
from reconciler.cli.main import COMMANDS
from reconciler.cli.shell_words import cut
from reconciler.model.dates import DateSet
from tests.unit.specs.spec_files import PROJECT, backfill, gate, manual_flow, write

DATES = "{list: [2020-05-20..2020-05-22, 2020-05-25]}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in `p`, below the current folder."""
    files = {
        "reconciler.yaml": PROJECT,
        "specs/a.yaml": backfill("orders", dates=DATES) + "---\n" + backfill("orders-late"),
        "specs/b.yaml": manual_flow("close") + "---\n" + gate("landed"),
    }
    write(tmp_path / "p", files)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "p"


def offered(line: str) -> list[str]:
    """What is offered at the end of `reconciler LINE`, without how to take it and what it means."""
    return [text.split("\t")[1] for text in candidates(cut(f"reconciler {line}"))]


@pytest.mark.parametrize(
    "line",
    [
        "status ",
        "status backfill.orders ",
        "history ",
        "state show ",
        "adopt ",
        "plan --target ",
        "plan --exclude ",
        "apply --target ",
        "apply p.json --exclude ",
    ],
)
@pytest.mark.usefixtures("project")
def test_declared_addresses_are_offered_wherever_one_is_taken(line: str) -> None:
    expected = ["backfill.orders", "backfill.orders-late", "manualflow.close"]
    assert offered(f"-C p {line}") == expected
    assert offered(f"-C p {line}man") == ["manualflow.close"]


@pytest.mark.parametrize("command", ["explain", "resolve", "stop", "state forget"])
@pytest.mark.usefixtures("project")
def test_units_are_typed_on_from_an_address(command: str) -> None:
    line = f"-C p {command} "
    assert candidates(cut(f"reconciler {line}man")) == ["open\tmanualflow.close@\t"]
    assert offered(f"{line}backfill.orders@") == [
        "backfill.orders@2020-05-20",
        "backfill.orders@2020-05-20..2020-05-22",
        "backfill.orders@2020-05-21",
        "backfill.orders@2020-05-22",
        "backfill.orders@2020-05-25",
    ]
    assert offered(f"{line}backfill.orders@2020-05-21..") == [
        "backfill.orders@2020-05-21..2020-05-21",
        "backfill.orders@2020-05-21..2020-05-22",
        "backfill.orders@2020-05-21..2020-05-25",
    ]
    assert offered(f"{line}backfill.nobody@") == []
    assert offered(f"{line}gate.landed@") == []


def test_of_many_dates_only_ranges_are_offered_until_more_is_typed() -> None:
    year = DateSet.parse(["2020-01-01..2020-12-31", "2021-06-01"])
    assert date_texts(year, "") == ["2020-01-01..2020-12-31", "2021-06-01"]
    assert len(date_texts(year, "2020-02-")) == 29
    assert date_texts(year, "2020-03-01..") == [
        "2020-03-01..2020-12-31",
        "2020-03-01..2021-06-01",
    ]
    assert date_texts(year, "2020-13-01..") == []


@pytest.mark.usefixtures("project")
def test_an_option_and_its_value_may_be_one_word() -> None:
    assert offered("-C p plan --target=man") == ["--target=manualflow.close"]
    bash = cut("reconciler -C p plan --target=man", "=@")
    assert candidates(bash) == ["plain\tmanualflow.close\t"]


def test_words_of_the_command_line_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert offered("") == list(COMMANDS)
    assert offered("schema ma") == ["manualflow"]
    assert offered("state f") == ["forget"]
    assert offered("plan --re") == ["--refresh"]
    assert offered("plan --refresh ") == ["normal", "full", "none"]
    assert offered("nonsense ") == list(COMMANDS)


@pytest.mark.usefixtures("project")
def test_files_are_those_of_the_folder_that_the_command_runs_in() -> None:
    names = ["ok.json", "sub/in.json", ".hidden", "a b.json", "$(id).json", "q'.json", "n\nl.json"]
    write(Path("p"), dict.fromkeys(names, ""))
    # Here the shell completes: it knows how to quote the names.
    assert candidates(cut("reconciler apply ")) == ["file\t\t"]
    assert candidates(cut("reconciler init ")) == ["dir\t\t"]
    assert candidates(cut("reconciler -C ")) == ["dir\t\t"]
    assert candidates(cut("reconciler -C p schema plan > ")) == ["file\t\t"]
    assert offered("-C p apply ") == ["ok.json", "reconciler.yaml", "specs/", "sub/"]
    assert offered("-C p apply sub/") == ["sub/in.json"]
    assert offered("-C p init s") == ["specs/", "sub/"]
    assert offered("-C p plan --out=o") == ["--out=ok.json"]
    assert offered("-C p validate specs/a") == ["specs/a.yaml"]


def test_the_home_folder_may_be_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project.parent))
    assert offered("-C ~/p adopt man") == ["manualflow.close"]
    monkeypatch.chdir(project)
    assert offered("adopt man") == ["manualflow.close"]
    assert offered("-C ~/nowhere adopt man") == []


def test_what_is_wrong_is_passed_over_in_silence(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = {
        "typo": backfill("typo", onFailur="hold"),
        "connection": backfill("unknown-connection", connection="nowhere"),
        "name": backfill("$(touch pwned)"),
        "space": backfill("'a b'"),
        "syntax": "kind: [",
        "binary": "\x00",
    }
    write(project, {f"specs/z-{name}.yaml": text for name, text in bad.items()})
    (project / "specs" / "loop.yaml").symlink_to("loop.yaml")
    answer_shell("bash", ["reconciler -C p adopt b", "@="])
    out, err = capfd.readouterr()
    assert out.split() == [
        word
        for name in ("orders", "orders-late", "typo", "unknown-connection")
        for word in ("plain", f"backfill.{name}")
    ]
    assert err == ""
    assert offered("-C p explain backfill.typo@") == ["backfill.typo@2020-05-20"]


@pytest.mark.parametrize("text", ["", "[", "spec: 1", "spec: {specs: 1, connections: [2]}"])
def test_a_wrong_project_file_still_has_specs_in_their_usual_place(
    project: Path, text: str
) -> None:
    (project / "reconciler.yaml").write_text(text)
    assert offered("-C p adopt man") == ["manualflow.close"]
    assert len(offered("-C p explain backfill.orders@")) == 5


def test_neither_environment_nor_credentials_nor_store_are_needed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    lines = PROJECT.replace("cn-shanghai", "${env:NOT_SET}") + (
        '  state: "postgresql://u:${env:NOT_SET}@192.0.2.1/d"\n  specs: ["specs/*.yaml"]\n'
    )
    (project / "reconciler.yaml").write_text(lines)
    write(project, {"specs/w.yaml": backfill("west", connection="west", dates="{last: 1}")})
    assert len(offered("-C p explain backfill.west@")) == 1
    assert offered("-C p adopt man") == ["manualflow.close"]
    assert not (project / ".reconciler").exists()


def test_where_there_is_no_project_nothing_is_read(project: Path) -> None:
    (project / "reconciler.yaml").unlink()
    assert offered("-C p adopt ") == []


@pytest.mark.parametrize("arguments", [[], ["one"], ["a", "b", "c"]])
def test_a_script_of_another_version_gets_no_answer(
    arguments: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    answer_shell("bash", arguments)
    assert capfd.readouterr() == ("", "")
