"""All text leaves through one place, which makes it harmless whatever it is made of."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reconciler
from reconciler.cli.main import run
from reconciler.cli.output import answer, answer_json, note, note_bug, note_usage
from reconciler.rendering.json_text import json_text
from reconciler.rendering.paint import Paint, Role, harmless
from tests.unit.rendering.hostile import HOSTILE
from tests.unit.rendering.test_hostile_text import is_harmless

PACKAGE = Path(reconciler.__file__).parent

#: What may print: the one place, the version without imports, and candidates for a shell.
PRINTERS = {"cli/output.py", "cli/completing.py", "__main__.py"}


def calls_that_print(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {
                "print",
                "click.echo",
                "click.secho",
                "sys.stdout.write",
                "sys.stderr.write",
            }:
                yield called
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "traceback.print_exc":
            yield "traceback.print_exc"


def test_nothing_else_prints() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if list(calls_that_print(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == PRINTERS


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_whatever_is_answered_or_noted_is_harmless(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in (text, f"::error::{text}", f"  ::add-mask::{text}", f"name {text}"):
        answer(line)
        note(line)
    out, err = capsys.readouterr()
    assert is_harmless(out), out
    assert is_harmless(err), err


@given(st.text())
def test_any_text_is_harmless(text: str) -> None:
    made = harmless(text)
    assert is_harmless(made)
    assert made.count("\n") == text.count("\n")
    assert harmless(made) == made


@given(st.text())
def test_any_text_is_harmless_beside_our_colours(text: str) -> None:
    painted = Paint(colours=True)(text, Role.PROBLEM)
    made = harmless(painted, colours=True)
    for code in ("\x1b[0m", *(role.value for role in Role)):
        made = made.replace(code, "")
    assert is_harmless(made)


def test_our_colours_stay_where_there_are_colours() -> None:
    painted = Paint(colours=True)("held", Role.PROBLEM)
    assert harmless(painted, colours=True) == painted
    assert "\x1b" not in harmless(painted)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda of: st.lists(of) | st.dictionaries(st.text(), of),
    )
)
def test_json_is_ascii_commands_no_runner_and_is_the_same_document(document: object) -> None:
    text = json_text(document)
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text) == document


@pytest.mark.parametrize("text", ["##[error]x", "##vso[task.complete]", "a ##[", "###[x"])
def test_json_breaks_up_what_commands_a_runner(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_json({text: [text]}, indent=2)
    out = capsys.readouterr().out
    assert "##[" not in out
    assert "##vso[" not in out
    assert json.loads(out) == {text: [text]}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_command_line_is_told_harmlessly(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    note_usage(click.BadParameter(text))
    for words in ((text,), (f"--{text}",), ("explain", text), ("plan", "--target", text)):
        assert run(words) == 1
    assert is_harmless(capsys.readouterr().err)


def test_a_wrong_command_line_is_told_with_where_its_words_are_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["state", "show"]) == 1
    usage, *problem = capsys.readouterr().err.splitlines()
    assert usage.startswith("Usage: reconciler state show")
    assert problem == [
        "error[usage]: Missing argument 'ADDR'",
        "     = help: see `reconciler state show --help`",
    ]


def test_a_bug_is_told_with_the_way_to_it_and_without_its_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails() -> None:
        secret = "hunter2" * 2
        assert secret
        raise KeyError("\x1b[31m\n::error::x")

    try:
        fails()
    except KeyError as error:
        note_bug(error, "1.0", verbose=False)
        note_bug(error, "1.0", verbose=True)
    err = capsys.readouterr().err
    assert is_harmless(err)
    assert "this is a bug in reconciler 1.0: KeyError" in err
    assert "in fails" in err
    assert "hunter2hunter2" not in err
