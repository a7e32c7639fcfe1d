from __future__ import annotations

from pathlib import Path

from reconciler.model.diagnostics import Diagnostic, Place, Severity
from reconciler.rendering.diagnostics import render_diagnostics
from tests.unit.specs.spec_files import backfill, load


def a_diagnostic(**changes: object) -> Diagnostic:
    fields: dict[str, object] = {
        "severity": Severity.ERROR,
        "code": "c",
        "summary": "wrong",
        "hint": "mend it",
    }
    return Diagnostic(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name


def test_golden_diagnostics_of_a_spec(tmp_path: Path) -> None:
    text = backfill(
        connection="pord",
        target="{rootnode: 1234}",
        dates="{start: 2020-05-20, end: 2020-5-31}",
    )
    other = backfill("b", params="{77: {a: b c}}")
    assert render_diagnostics(load(tmp_path, a=text, b=other).diagnostics) == (
        """\
error[unknown_connection]: reconciler.yaml has no connection "pord"
  --> specs/a.yaml:5:15
     |
   5 |   connection: pord
     |               ^
     = help: did you mean "prod"?

error[unknown_key]: spec.target has no key "rootnode"
  --> specs/a.yaml:6:12
     |
   6 |   target: {rootnode: 1234}
     |            ^
     = help: did you mean "rootNode"?

error[malformed]: spec.dates.end cannot be "2020-5-31"
  --> specs/a.yaml:7:35
     |
   7 |   dates: {start: 2020-05-20, end: 2020-5-31}
     |                                   ^
     = help: the last data date, YYYY-MM-DD, included; or `yesterday`, the last complete data date in \
the connection's time zone; for example 2020-05-31

warning[params_unused]: there are parameters for node 77, which is not included
  --> specs/b.yaml:8:12
     |
   8 |   params: {77: {a: b c}}
     |            ^
     = help: add it to includeNodes, or remove the parameters

error[not_carried]: the value of "a" cannot be sent: it holds a space or a control character
  --> specs/b.yaml:8:20
     |
   8 |   params: {77: {a: b c}}
     |                    ^
     = help: write it without: parameters travel as `name=value name=value`

4 errors, 1 warning
"""
    )


def test_nothing_renders_to_nothing() -> None:
    assert render_diagnostics([]) == ""


def test_of_problems_past_so_many_the_codes_are_counted() -> None:
    problems = [a_diagnostic(summary=f"{number} wrong") for number in range(9)]
    text = render_diagnostics(problems, most=1)
    assert text == "error[c]: 0 wrong\n     = help: mend it\n\n8 more: 8 c\n\n9 errors\n"


def test_a_problem_without_a_place_names_its_address() -> None:
    text = render_diagnostics([a_diagnostic(address="backfill.a", detail="more")])
    assert (
        text
        == "error[c]: wrong\n  --> backfill.a\n     = note: more\n     = help: mend it\n\n1 error\n"
    )


def test_the_caret_stands_under_wide_characters() -> None:
    place = Place("a.yaml", 1, 4)
    text = render_diagnostics([a_diagnostic(place=place, excerpt="日本 x")])
    assert text.splitlines()[3:5] == ["   1 | 日本 x", "     |      ^"]


def test_a_caret_beyond_a_cut_line_is_left_out() -> None:
    text = render_diagnostics([a_diagnostic(place=Place("a.yaml", 1, 300), excerpt="x" * 200)])
    assert "^" not in text


def test_no_control_character_survives() -> None:
    nasty = "\x1b[31m\r\n\u202e::error::\x07"
    text = render_diagnostics(
        [
            a_diagnostic(
                summary=nasty, detail=nasty, hint=nasty, excerpt=nasty, place=Place(nasty, 1, 2)
            )
        ]
    )
    assert all(line.isprintable() for line in text.split("\n"))
    assert "\\u{1b}" in text
