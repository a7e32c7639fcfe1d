"""Each hostile text through each way in which text leaves us, and the table of all attacks."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import Counter
from unittest import mock

import pytest

from reconciler.cli.logs import configure_logs
from reconciler.cli.output import answer, answer_json, note
from reconciler.model.diagnostics import Diagnostic, Place, Severity
from reconciler.rendering.annotations import render_annotations
from reconciler.rendering.diagnostics import render_diagnostics
from tests.hostile.corpus import paths, plans, replies, specs
from tests.hostile.corpus.case import Surface, Threat
from tests.hostile.corpus.texts import ALL_AT_ONCE, TEXTS
from tests.hostile.harmless import harm

CASES = (*specs.CASES, *paths.CASES, *plans.CASES, *replies.CASES)

EACH = [
    pytest.param(text, id=f"{threat.value} {name}")
    for threat, named in TEXTS.items()
    for name, text in {**named, "everything": ALL_AT_ONCE}.items()
]


@pytest.mark.parametrize("text", EACH)
def test_no_writer_lets_it_out(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for line in (text, f"a {text}", f"::error::{text}"):
        answer(line)
        note(line)
    out, err = capsys.readouterr()
    assert harm(out) == []
    assert harm(err) == []
    assert out.count("\n") == err.count("\n")


@pytest.mark.parametrize("text", EACH)
def test_json_says_the_same_harmlessly(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer_json({text: [text]})
    out = capsys.readouterr().out
    assert out.isascii()
    assert harm(out) == []
    assert json.loads(out) == {text: [text]}


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("text", EACH)
def test_logs_tell_it_harmlessly(
    text: str, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.getLogger("reconciler")
    with mock.patch.multiple(log, handlers=[], propagate=True, level=logging.WARNING):
        configure_logs(verbose=True, as_json=as_json)
        log.debug("said: %s", text)
        log.debug("%s", f"::error::{text}")
    err = capsys.readouterr().err
    assert harm(err) == []
    if as_json:
        assert [json.loads(line)["level"] for line in err.splitlines()] == ["debug", "debug"]
    assert sys.stderr is not None


@pytest.mark.parametrize("text", EACH)
def test_diagnostics_and_annotations_tell_it_harmlessly(text: str) -> None:
    item = Diagnostic(
        severity=Severity.ERROR,
        code="empty",
        summary=text,
        detail=text,
        hint=text,
        place=Place(text, 3, 4),
        excerpt=text,
    )
    assert harm(render_diagnostics([item])) == []
    (line,) = render_annotations([item]).splitlines()
    assert re.fullmatch(r"::error file=[^:,]*,line=3,col=4,title=empty::.*", line)
    assert harm(line.removeprefix("::")) == []


def test_every_case_has_a_name_of_its_own() -> None:
    names = Counter(case.id for case in CASES)
    assert names.most_common(1)[0][1] == 1
    assert sum(not case.is_rare for case in CASES) >= 300


def test_every_surface_is_attacked() -> None:
    assert {case.surface for case in CASES} == set(Surface)


def test_every_threat_that_a_text_can_bring_about_has_cases() -> None:
    found = Counter(case.threat for case in CASES if not case.is_rare)
    found.update({threat: len(named) for threat, named in TEXTS.items()})
    assert set(found) == set(Threat)
    assert min(found.values()) >= 3, found
