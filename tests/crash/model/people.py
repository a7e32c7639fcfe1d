"""What people do: resolve an attempt, end a lock, put back a store. Their answers are true."""

from __future__ import annotations

from collections.abc import Iterator

from tests.crash.model.applying import ended, fenced, locked, may_write
from tests.crash.model.deciding import HOLD, judge
from tests.crash.model.guards import Assumption, Guard, Setting
from tests.crash.model.service import Step
from tests.crash.model.state import (
    ABSENT,
    ACCEPTED,
    DESK,
    GONE,
    NONE,
    RULES,
    UNCLEAR,
    VALID,
    Process,
    Row,
    State,
    row_of,
    with_process,
    with_row,
)


def people_steps(setting: Setting, state: State) -> Iterator[Step]:
    """What a person may do who is not at their desk yet."""
    for who, process in enumerate(state.processes):
        if process.holds:
            free = with_process(state, who, process._replace(holds=False))
            yield "a person ends the lock of {} by force", who, free
    if state.people and not state.waiting:
        taken = locked(setting, state)
        desk = Process(DESK, holds=True, rows=taken.rows)
        now = taken._replace(processes=(*taken.processes, desk), people=state.people - 1)
        yield "{}, a person with `resolve`, takes the lock", len(state.processes), now
    if state.backups and state.rows != state.backup:
        kept = state._replace(backup=state.rows, backups=state.backups - 1)
        yield "a backup of the store is made", NONE, kept
    if state.restores and state.rows != state.backup and nobody(state):
        back = state._replace(
            rows=state.backup,
            restores=state.restores - 1,
            restored=True,
            waiting=setting.assumes(Assumption.WAIT_AFTER_LOSS),
        )
        what = "an old backup of the store is put back" if state.backup else "the store is lost"
        yield what, NONE, back
    if state.plan_files:
        seen = judge(setting, state.rows, state.requests, 0)
        if seen.decision == "create":
            saved = state._replace(plan_files=state.plan_files - 1, saved=(seen.facts,))
            yield "a plan is saved to a file", NONE, saved


def desk_steps(setting: Setting, state: State, who: int, process: Process) -> Iterator[Step]:
    """What a person at their desk may do next: usecases/resolve.py."""
    if process.at == RULES:
        yield _rule(setting, state, who, process)
        return
    seen = judge(setting, process.rows, state.requests, 0)
    past = seen.past
    about, word = NONE, ""
    if seen.decision == HOLD:
        about, word = seen.facts.candidates[0], ACCEPTED
    elif past is not None and past.state in UNCLEAR and not seen.facts.own:
        about = past.attempt
        word = ACCEPTED if state.requests[about].runs else ABSENT
    early = word == ABSENT and state.requests[about].age == VALID
    if not word or (early and setting.has(Guard.ANSWER_AFTER_EXPIRY)):
        yield "{} has nothing to say", who, ended(state, who)
        return
    rules = process._replace(at=RULES, attempt=about, answer=word, rows=())
    said = "that it ran" if word == ACCEPTED else "that nothing ran"
    yield "{} says " + said, who, with_process(state, who, rules)


def _rule(setting: Setting, state: State, who: int, process: Process) -> Step:
    if not may_write(setting, process):
        return fenced(state, who)
    row = row_of(state.rows, process.attempt)
    if row is not None and row.state in UNCLEAR:
        rows = with_row(state.rows, process.attempt, process.answer)
    elif process.answer == ACCEPTED:
        rows = (*state.rows, Row(process.attempt, 0, ACCEPTED, NONE))
    else:
        return "{} finds that the attempt has moved on", who, ended(state, who)
    return "the word of {} is recorded", who, ended(state._replace(rows=rows), who)


def nobody(state: State) -> bool:
    """Whether no process is alive."""
    return all(one.at == GONE for one in state.processes)


def still(state: State) -> bool:
    """Whether nothing is under way any more, and all that ran is listed: what a person waits for."""
    return not any(one.copies or (one.runs and not one.listed) for one in state.requests)
