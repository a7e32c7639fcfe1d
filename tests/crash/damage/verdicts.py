"""What commands may say of a damaged store: that all is well, if it is, or clearly that it is not."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.attempts import RecordedState
from reconciler.model.errors import ReconcilerError
from tests.crash.damage.damages import Case
from tests.crash.damage.project import STORE, LivedIn, allowed
from tests.crash.oracle import Findings, judge, record_of
from tests.scenario.sandbox import Result, decisions

#: What each command may end with; 1 is a clear refusal. A lock that reads as held is somebody's: 5.
_CODES = {"plan": {0, 1}, "status": {0, 1, 3}, "history": {0, 1}, "apply": {0, 1, 3, 5}}


def examine(project: LivedIn, case: Case, *, also: str) -> Findings:
    """Run `plan`, one other command and `apply` on damaged files, and judge what became of it.

    Args:
        project: In which the files are put.
        case: What is found there.
        also: The command between the other two.
    """
    project.put_back()
    for file in project.folder.glob(f"{STORE}*"):
        file.unlink()
    project.write(case.files)
    told = f"{case.name}: "
    held = _planned(project, case, told)
    if also == "history":
        _verified(project, case, told)
    else:
        clear(project.run(also), also, told)
    applied = project.run("apply", "--auto-approve")
    clear(applied, "apply", told)
    ledger = project.sandbox.ledger()
    if applied.code in {1, 5}:
        assert len(ledger) == project.truth.ledger, told + "refused, and something was sent"
    try:
        recorded = record_of(project.sandbox.root)
    except ReconcilerError:
        return Findings(duplicates=judge(ledger, RecordedState(), allowed=allowed).duplicates)
    if applied.code in {1, 5}:
        return Findings()  # not all was looked at: it is the next apply's, after a person's
    found = judge(ledger, recorded, allowed=allowed)
    if case.rolled_back:  # what a plan shows as unclear, or holds for a person, is not lost
        found = replace(found, lost=tuple(one for one in found.lost if not _among(one, held)))
    return found


def clear(result: Result, command: str, told: str) -> None:
    """Refuse an end that a person could do nothing with."""
    assert result.code in _CODES[command], f"{told}{command} ended {result.code}: {result.err}"
    assert "Traceback" not in result.err, told + result.err
    assert "this is a bug" not in result.err, told + result.err
    if result.code == 1 and command != "history":
        assert "error[" in result.err, told + result.err
        assert "help: " in result.err, told + result.err


def _planned(project: LivedIn, case: Case, told: str) -> set[str]:
    """The dates that a plan holds or shows as unclear; where it is shown, it must be true."""
    planned = project.run("plan", "--json")
    clear(planned, "plan", told)
    if planned.code:
        return set()
    shown = decisions(planned.json)
    if not case.rolled_back:
        assert shown == project.truth.decisions, told + "the plan shows something else"
    unclear = {"hold", "unknown"}
    return {
        date
        for decision, dates in shown.items()
        if decision.partition(" ")[0] in unclear
        for date in dates
    }


def _verified(project: LivedIn, case: Case, told: str) -> None:
    """A history that verifies is the true one."""
    verified = project.run("history", "--verify")
    clear(verified, "history", told)
    if verified.code == 0 and not case.rolled_back:
        shown = project.run("history", "--json").json
        assert shown == project.truth.entries, told + "a history that is not true verifies"


def _among(lost: str, held: set[str]) -> bool:
    return any(date in lost for date in held)
