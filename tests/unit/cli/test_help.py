"""`--help` of every command: its examples can be typed, and it fits a terminal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler.cli.main import COMMANDS, cli, run

ROOT = Path(__file__).parents[3]


def _commands() -> Iterator[tuple[str, ...]]:
    yield ()
    for name in COMMANDS:
        yield (name,)
        command = cli.get_command(click.Context(cli), name)
        if isinstance(command, click.Group):
            yield from ((name, inner) for inner in command.commands)


NAMES = tuple(_commands())
every_command = pytest.mark.parametrize("names", NAMES, ids=" ".join)


def _command(names: tuple[str, ...]) -> click.Command:
    found: click.Command = cli
    for name in names:
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), name)
        assert inner is not None
        found = inner
    return found


def _examples(command: click.Command) -> list[str]:
    """The command lines below `Examples:`, without what is said of them and where output goes."""
    _, _, section = (command.epilog or "").partition("\b\nExamples:\n")
    section = re.sub(r"\\\n *", "", section.partition("\n\b\n")[0])
    return [re.split(r" {2,}| > ", line.strip())[0] for line in section.splitlines()]


@pytest.mark.parametrize("width", [80, 100])
@every_command
def test_the_text_fits(names: tuple[str, ...], width: int) -> None:
    name = " ".join(("reconciler", *names))
    context = click.Context(_command(names), info_name=name, terminal_width=width)
    lines = context.get_help().splitlines()
    assert [line for line in lines if len(line) > width] == []
    assert lines.count("  Examples:") == 1


@every_command
def test_the_examples_can_be_typed(
    names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    called: list[tuple[str, ...]] = []
    for others in NAMES:
        if not isinstance(_command(others), click.Group):
            monkeypatch.setattr(
                _command(others), "callback", lambda *_, _names=others, **__: called.append(_names)
            )
    examples = _examples(_command(names))
    assert examples
    for line in examples:
        command, *arguments = shlex.split(line)
        assert command == "reconciler"
        assert run(arguments) == 0, line
    assert len(called) == len(examples)
    assert all(one[: len(names)] == names for one in called)
