"""The command line's contract: exit codes, streams, help, and what it imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from reconciler import __version__
from reconciler.cli.exit_codes import ExitCode, strongest
from reconciler.cli.main import COMMANDS
from reconciler.schema_files import read_schema
from tests.scenario.sandbox import Sandbox

HEAVY = (
    "httpx",
    "sqlalchemy",
    "deepdiff",
    "cryptography",
    "alibabacloud_credentials",
    "uvicorn",
    "rich",
)


def reconciler(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reconciler", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path / "project")


def test_version_is_printed_without_importing_anything() -> None:
    asked = (
        "import runpy, sys\n"
        "sys.argv = ['reconciler', '--version']\n"
        "runpy.run_module('reconciler', run_name='__main__')\n"
        "print('click' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["reconciler", __version__, "False"]


def test_validate_imports_nothing_heavy(sandbox: Sandbox) -> None:
    sandbox.backfill()
    code = (
        "import sys\n"
        "from reconciler.cli.main import run\n"
        f"assert run(['-C', {str(sandbox.root)!r}, 'validate']) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_group_help_lists_every_command() -> None:
    shown = reconciler("--help").stdout
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize(
    "words",
    [
        ("--nonsense",),
        ("nonsense",),
        ("plan", "--refresh", "sometimes"),
        ("apply", "--timeout", "soon"),
        ("explain", "orders"),
        ("explain", "backfill.orders@2020-13-01"),
        ("schema", "nonsense"),
        ("simulate", "--clock", "fast"),
        ("show", "missing.json"),
        ("-C", "/nonexistent", "plan"),
    ],
)
def test_usage_errors_exit_with_one_and_no_traceback(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = reconciler(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_outside_a_project_the_error_says_what_to_do(tmp_path: Path) -> None:
    done = reconciler("plan", cwd=tmp_path)
    assert done.returncode == 1
    assert "reconciler.yaml" in done.stderr


@pytest.mark.parametrize(
    ("codes", "winner"),
    [
        ((), ExitCode.OK),
        ((ExitCode.OK, ExitCode.ERROR), ExitCode.ERROR),
        ((ExitCode.ERROR, ExitCode.STALE), ExitCode.STALE),
        ((ExitCode.STALE, ExitCode.PERSON), ExitCode.PERSON),
        ((ExitCode.PERSON, ExitCode.LOCKED), ExitCode.LOCKED),
        ((ExitCode.LOCKED, ExitCode.INTERRUPTED), ExitCode.INTERRUPTED),
    ],
)
def test_of_several_exit_codes_the_strongest_wins(
    codes: tuple[ExitCode, ...], winner: ExitCode
) -> None:
    assert strongest(codes) is winner


#: Each command that prints one JSON document, and the schema of what it prints.
PRINTING = {
    ("plan", "--json"): "plan",
    ("status", "--json"): "status",
    ("drift", "--json"): "drift",
    ("history", "--json"): "history",
    ("history", "--json", "--verify"): "history",
    ("validate", "--format", "json"): "diagnostics",
}


def test_what_is_printed_is_one_document_that_fits_its_schema(sandbox: Sandbox) -> None:
    sandbox.backfill()
    sandbox.backfill("again")
    sandbox.flow(requires=["backfill.orders"])
    for _ in range(2):
        assert sandbox.apply().code == 0
        for words, kind in PRINTING.items():
            result = sandbox.run(*words)
            assert result.code == 0
            jsonschema.Draft202012Validator(read_schema(kind)).validate(result.json)
            assert result.err == "" or "--verify" in words
        sandbox.advance(86400)


def test_a_plan_with_adoptions_fits_the_schema_too(sandbox: Sandbox) -> None:
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    for file in (sandbox.root / ".reconciler").glob("state.db*"):
        file.unlink()
    plan = sandbox.plan()
    assert len(plan["adoptions"]) == 1
    jsonschema.Draft202012Validator(read_schema("plan")).validate(plan)


def test_detailed_exitcode_tells_changes_from_none(sandbox: Sandbox) -> None:
    sandbox.backfill()
    assert sandbox.run("plan").code == 0
    assert sandbox.run("plan", "--detailed-exitcode").code == 2
    assert sandbox.apply("--wait").code == 0
    assert sandbox.run("plan", "--detailed-exitcode").code == 0


def test_apply_asks_where_somebody_can_answer_and_refuses_elsewhere(sandbox: Sandbox) -> None:
    sandbox.backfill()
    done = reconciler("-C", str(sandbox.root), "apply")
    assert done.returncode == 1
    assert "--auto-approve" in done.stderr
    assert sandbox.ledger() == []


def test_apply_json_prints_one_event_a_line(sandbox: Sandbox) -> None:
    sandbox.backfill()
    result = sandbox.apply("--json", "--wait")
    kinds = [event["type"] for event in result.events]
    assert kinds[0] == "planned"
    assert kinds[-1] == "finished"
    assert {"call_sending", "call_accepted", "units_changed"} <= set(kinds)
    assert result.events[-1]["exit_code"] == 0
    assert result.events[-1]["accepted"] == 1


def test_the_answer_goes_to_stdout_and_the_work_to_stderr(sandbox: Sandbox) -> None:
    sandbox.backfill()
    result = sandbox.apply("--wait")
    assert "accepted, 12 runs" in result.err
    assert "accepted, 12 runs" not in result.out
    assert result.out.rstrip().endswith("API calls made.")
    assert "\x1b" not in result.out + result.err


def test_targets_and_excludes_narrow_a_plan(sandbox: Sandbox) -> None:
    sandbox.backfill("orders-a")
    sandbox.backfill("orders-b", target={"rootNode": 2})
    sandbox.flow()
    only = sandbox.plan("--target", "backfill.*", "--exclude", "*-b")
    assert {action["address"] for action in only["actions"]} == {"backfill.orders-a"}
    result = sandbox.run("plan", "--target", "backfill.order-*")
    assert result.code == 1
    assert "no resource matches" in result.err


def test_offline_asks_nobody(sandbox: Sandbox) -> None:
    sandbox.backfill()
    plan = sandbox.plan("--offline")
    assert plan["summary"]["create"] == 12
    assert plan["summary"]["reads"] == 0
    assert not (sandbox.root / ".reconciler").exists()


def test_plan_and_validate_write_no_store(sandbox: Sandbox) -> None:
    sandbox.backfill()
    assert sandbox.run("validate").code == 0
    sandbox.plan()
    assert not (sandbox.root / ".reconciler" / "state.db").exists()


def test_in_the_live_realm_an_apply_without_store_is_refused(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "project", endpoint="endpoint: simulator\n      realm: live")
    sandbox.backfill()
    refused = sandbox.apply()
    assert refused.code == 1
    assert "--create-state" in refused.err
    assert sandbox.apply("--create-state", "--wait").code == 0


def test_status_json_has_ranges_with_status_and_runs(sandbox: Sandbox) -> None:
    sandbox.backfill()
    (missing,) = sandbox.run("status", "--json").json["resources"][0]["ranges"]
    assert missing == {
        "dates": ["2020-05-20..2020-05-31"],
        "status": "missing",
        "reason": "missing",
        "run_ids": [],
    }
    assert sandbox.apply("--wait").code == 0
    result = sandbox.run("status", "--json")
    assert result.code == 0
    (done,) = result.json["resources"][0]["ranges"]
    assert done["status"] == "success"
    assert len(done["run_ids"]) == 12


def test_status_records_what_it_sees_without_moving_the_serial(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "project", world="nodes: [{id: 1, seconds: 1}]")
    sandbox.backfill(parallelism=10)
    assert sandbox.apply().code == 0
    before = sandbox.run("state", "pull").json
    sandbox.advance(3600)
    assert sandbox.run("status").code == 0
    after = sandbox.run("state", "pull").json
    assert after["serial"] == before["serial"]
    assert after["attempts"][0]["coverage"] == [
        {"dates": "2020-05-20..2020-05-31", "status": "success", "gone": False}
    ]
    assert sandbox.plan()["summary"]["reads"] == 0


def test_explain_tells_every_attempt_and_what_comes_next(sandbox: Sandbox) -> None:
    sandbox.backfill()
    assert "create (missing)" in sandbox.run("explain", "backfill.orders@2020-05-21").out
    assert sandbox.apply("--wait").code == 0
    told = sandbox.run("explain", "backfill.orders@2020-05-21..2020-05-22").out
    assert "RunCycleDagNodes 2020-05-20..2020-05-31, accepted" in told
    assert "request id" in told
    assert "2020-05-21..2020-05-22: success" in told
    assert "none (succeeded)" in told
    assert sandbox.run("explain", "backfill.other@2020-05-21").code == 1


def test_state_list_and_show_read_the_record(sandbox: Sandbox) -> None:
    assert sandbox.run("state", "list").code == 1
    sandbox.backfill()
    assert sandbox.apply("--wait").code == 0
    assert (
        "backfill.orders   12 dates   2020-05-20..2020-05-31" in sandbox.run("state", "list").out
    )
    assert "attempt 1: RunCycleDagNodes" in sandbox.run("state", "show", "backfill.orders").out
    nobody = sandbox.run("state", "show", "backfill.nobody")
    assert (nobody.code, "error[not_on_record]" in nobody.err) == (1, True)


def test_check_reads_once_per_connection(sandbox: Sandbox) -> None:
    result = sandbox.run("check")
    assert result.code == 0
    assert result.out.startswith("prod: ok")
    assert len(sandbox.requests()) == 1


def test_init_writes_a_project_that_plans_and_refuses_to_overwrite(tmp_path: Path) -> None:
    root = tmp_path / "new"
    assert reconciler("init", str(root)).returncode == 0
    assert reconciler("-C", str(root), "validate").returncode == 0
    planned = reconciler("-C", str(root), "plan")
    assert "12 dates to start in 3 calls" in planned.stdout
    again = reconciler("init", str(root))
    assert again.returncode == 1
    assert "nothing was written" in again.stderr


def test_demo_ends_with_an_empty_second_plan_and_the_number_of_calls() -> None:
    done = reconciler("demo")
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("The second plan is empty.")
    assert "3 create calls" in last
    assert "Plan: nothing to start; 12 satisfied. 0 API calls made." in done.stdout


def test_validate_formats(sandbox: Sandbox) -> None:
    sandbox.backfill(onFailur="rerun")
    text = sandbox.run("validate")
    assert text.code == 1
    assert "did you mean" in text.out.lower()
    printed = sandbox.run("validate", "--format", "json").json
    jsonschema.Draft202012Validator(read_schema("diagnostics")).validate(printed)
    (problem,) = printed["diagnostics"]
    assert problem["file"].endswith("orders.yaml")
    assert problem["line"] > 1
    line = sandbox.run("validate", "--format", "github").out
    assert line.startswith("::error file=specs/orders.yaml,line=")
    (sandbox.root.parent / ".git").mkdir()
    document = sandbox.run("validate", "--format", "json").json
    assert document == {"format_version": "1.0", "folder": "project", "diagnostics": [problem]}
    line = sandbox.run("validate", "--format", "github").out
    assert line.startswith("::error file=project/specs/orders.yaml,line=")


def test_without_git_files_are_named_from_the_workspace_of_the_runner(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.backfill(onFailur="rerun")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(sandbox.root.parent))
    line = sandbox.run("validate", "--format", "github").out
    assert line.startswith("::error file=project/specs/orders.yaml,line=")
    monkeypatch.setenv("GITHUB_WORKSPACE", "/elsewhere")
    line = sandbox.run("validate", "--format", "github").out
    assert line.startswith("::error file=specs/orders.yaml,line=")


def test_an_apply_refuses_to_exceed_the_calls_of_a_day(tmp_path: Path) -> None:
    endpoint = "endpoint: simulator\n      limits: {dailyCalls: 9}"
    sandbox = Sandbox(tmp_path / "project", endpoint=endpoint)
    sandbox.backfill("first")
    assert sandbox.apply().code == 0
    sandbox.backfill("second", target={"rootNode": 2})
    sandbox.backfill("third", target={"rootNode": 3})
    refused = sandbox.apply()
    assert refused.code == 1
    assert "of its 9 API calls today" in refused.err
    assert len(sandbox.ledger()) == 1
