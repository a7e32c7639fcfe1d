"""Tries an attack through the real commands, and judges whatever they say."""

from __future__ import annotations

import json
import os
import re
import shlex
from unittest import mock

from tests.effort import cases
from tests.hostile.corpus.case import CONTRACT, REFUSED, Case
from tests.hostile.costs import MIB, measured
from tests.hostile.harmless import harm
from tests.hostile.stage import OUTSIDE, Stage
from tests.scenario.sandbox import Result

#: Holds for whatever a command meets. A busy machine slows down what it runs, so that the figure itself is
#: left to `make soak`; without an attack nothing takes a tenth of either.
CPU_SECONDS = cases(5, soak=1)
#: A process that has read a project has 80 MiB, of the 200 that it may have.
GROWN_BY = 120 * MIB

#: A secret in the environment of every command.
SECRET = "env-canary-7d21"

#: No output holds any of these.
_UNSEEN = (OUTSIDE, SECRET, "Traceback (most recent call last)", "this is a bug")

_ANNOTATION = re.compile(r"::(?:error|warning|notice) (?:[a-z]+=[^,:]*,)*title=[^,:]*::(.*)")
_PLACED = re.compile(r"^  --> [^\n]+:[1-9][0-9]*:[1-9][0-9]*$", re.MULTILINE)
_TOLD = re.compile(r"^(?:error|warning)\[[a-z0-9_]+\]: ", re.MULTILINE)


def try_out(case: Case, stage: Stage) -> None:
    """Plant the attack, have its commands meet it, and judge each."""
    case.plant(stage)
    environ = {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET, **case.environ}
    with mock.patch.dict(os.environ, environ):
        for command in (*case.commands, *case.more[: cases(0, soak=99)]):
            with measured() as cost:
                result = stage.run(*shlex.split(command))
            _judge(case, command, result)
            assert cost.cpu_seconds < CPU_SECONDS, command
            assert cost.grown_by < GROWN_BY, command
    assert not stage.was_heard()
    assert stage.was_asked()
    if case.holds is not None:
        case.holds(stage)


def judge_text(text: str) -> None:
    """Nothing that a person or a CI runner reads does any harm, or tells a secret."""
    for secret in _UNSEEN:
        assert secret not in text
    assert harm(text) == []


def _judge(case: Case, command: str, result: Result) -> None:
    assert result.code in case.codes & CONTRACT, result.err or result.out
    judge_text(result.err)
    if "--json" in command or "--format json" in command or command == "state pull":
        _judge_json(result.out)
    elif "--format github" in command:
        _judge_annotations(result.out)
    else:
        judge_text(result.out)
    if command.startswith("validate") and case.codes == REFUSED:
        _judge_problems(case, command, result)


def _judge_json(out: str) -> None:
    """One document, or one on each line, that nothing in a log or a terminal can take for more."""
    assert out.isascii()
    judge_text(out)
    try:
        json.loads(out)
    except ValueError:
        for line in out.splitlines():
            json.loads(line)


def _judge_annotations(out: str) -> None:
    for line in out.splitlines():
        found = _ANNOTATION.fullmatch(line)
        assert found is not None, line
        judge_text(line.removeprefix("::"))


def _judge_problems(case: Case, command: str, result: Result) -> None:
    """Each is told with file, line and column."""
    if "json" in command:
        problems = json.loads(result.out)["diagnostics"]
        assert problems
        assert case.finds <= {item["code"] for item in problems}
        for item in problems:
            assert item["file"], item
            assert min(item["line"], item["column"]) >= 1, item
            assert len(item["summary"]) < 400, item
    elif command == "validate":
        assert len(_TOLD.findall(result.out)) == len(_PLACED.findall(result.out)) > 0
