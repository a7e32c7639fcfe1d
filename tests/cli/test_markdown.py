"""`plan --markdown` and `show --markdown`: a page on stdout whatever happens, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.rendering.markdown import LIMIT
from tests.scenario.sandbox import Result, Sandbox
from tests.unit.rendering.pages import RENDERERS, page_of


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path / "project")


def verdict(result: Result) -> str:
    """The first thing that a reader of the page sees."""
    assert result.out.startswith("<!-- reconciler plan ")
    assert len(result.out) <= LIMIT
    return page_of(RENDERERS[0](result.out)).children[1].content


def test_a_plan_and_the_same_plan_saved_have_the_same_page_but_for_its_file(
    sandbox: Sandbox,
) -> None:
    sandbox.backfill()
    planned = sandbox.run("plan", "--markdown", "--out", "p.json")
    assert planned.code == 0
    assert verdict(planned) == (
        "+ Plan for sandbox: 12 dates to start in 1 call (about 12 node instances); 0 satisfied."
    )
    assert "To apply just this: `reconciler apply p.json`" in planned.out
    assert "saved to p.json" in planned.err
    assert sandbox.run("show", "p.json", "--markdown").out == planned.out
    digest = sandbox.run("show", "p.json", "--json").json["digest"]
    assert f"digest `{digest[:12]}`" in planned.out
    unsaved = sandbox.run("plan", "--markdown", "--detailed-exitcode")
    assert unsaved.code == 2
    assert "To apply just this, save it: `reconciler plan --out FILE`" in unsaved.out


def test_a_page_made_offline_says_so(sandbox: Sandbox) -> None:
    sandbox.backfill()
    page = sandbox.run("plan", "--markdown", "--offline").out
    assert page.split("\n\n")[2].startswith("offline: neither a record nor the service was asked")


def test_warnings_of_specs_stand_on_the_page(sandbox: Sandbox) -> None:
    sandbox.backfill(params={"77": {"k": "v"}}, target={"rootNode": 1, "includeNodes": [1]})
    result = sandbox.run("plan", "--markdown")
    assert "- warning `params_unused`: " in result.out
    assert "warning[params_unused]" in result.err


def test_a_plan_that_cannot_be_made_has_a_page_that_says_why(sandbox: Sandbox) -> None:
    sandbox.backfill(dates={"start": "2020-05-32", "end": "2020-06-01"})
    failed = sandbox.run("plan", "--markdown", "--out", "p.json")
    assert failed.code == 1
    assert verdict(failed) == "✗ No plan for sandbox: 1 error."
    assert "- error `" in failed.out
    assert "`specs/" in failed.out
    assert "error[" in failed.err
    assert sandbox.run("plan", "--json").out == ""


def test_a_project_that_cannot_be_read_has_a_page_too(sandbox: Sandbox) -> None:
    (sandbox.root / "reconciler.yaml").write_text("kind: nonsense\n")
    failed = sandbox.run("plan", "--markdown")
    assert failed.code == 1
    assert verdict(failed).startswith("✗ No plan: ")


def test_a_plan_that_breaks_the_policy_says_so_and_cannot_be_applied(sandbox: Sandbox) -> None:
    sandbox.backfill()
    text = (sandbox.root / "reconciler.yaml").read_text()
    (sandbox.root / "reconciler.yaml").write_text(
        text.replace("policy: {}", "policy: {maxDates: 5}")
    )
    refused = sandbox.run("plan", "--markdown", "--out", "p.json")
    assert refused.code == 1
    assert verdict(refused).startswith("✗ Plan for sandbox: 1 error; 12 dates to start")
    assert "reconciler apply" not in refused.out


def test_an_edited_plan_has_no_page_of_its_own(sandbox: Sandbox) -> None:
    sandbox.backfill()
    sandbox.run("plan", "--out", "p.json")
    file = sandbox.root / "p.json"
    file.write_text(file.read_text().replace("2020-05-20", "2020-05-21"))
    edited = sandbox.run("show", "p.json", "--markdown")
    assert edited.code == 4
    assert verdict(edited) == "✗ No plan: 1 error."
    assert "`plan_edited`" in edited.out


@pytest.mark.parametrize("words", [("plan",), ("show", "p.json")])
def test_two_forms_at_once_are_refused(sandbox: Sandbox, words: tuple[str, ...]) -> None:
    result = sandbox.run(*words, "--json", "--markdown")
    assert (result.code, result.out) == (1, "")
    assert "--json and --markdown exclude each other" in result.err


def test_bounds_are_told_and_not_enforced_where_nobody_was_asked_what_ran(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "project", policy="{maxDates: 3}")
    sandbox.backfill()
    shown = sandbox.run("plan", "--offline")
    assert shown.code == 0, shown.err
    assert "warning[policy_max_dates]" in shown.out
    assert sandbox.run("plan", "--offline", "--out", str(sandbox.root / "p.json")).code == 1
    assert sandbox.run("plan").code == 1
