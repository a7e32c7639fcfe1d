"""What an apply does next: usecases/apply.py, applying/engine.py and protocol.py, step by step."""

from __future__ import annotations

from collections.abc import Iterator

from tests.crash.model.deciding import CREATE, Verdict, judge
from tests.crash.model.guards import Assumption, Guard, Setting
from tests.crash.model.service import Step
from tests.crash.model.state import (
    ABSENT,
    ACCEPTED,
    ADOPTS,
    BEGUN,
    GONE,
    INTENT,
    LEAVES,
    LOOKS,
    NEVER_RAN,
    NO_FACTS,
    NONE,
    PLANS,
    READY,
    REFUSED,
    SENT,
    SETTLES,
    UNCLEAR,
    UNKNOWN,
    UNRESOLVED,
    VALID,
    VOID,
    WAITS,
    WANTS,
    Process,
    Request,
    Row,
    Rows,
    State,
    row_of,
    with_process,
    with_request,
    with_row,
)

#: The call of the plan file; all other calls are told apart by their attempts.
SAVED_CALL = 0


def locked(setting: Setting, state: State) -> State:
    """The moment after somebody took the lock: store.py, acquire. A live holder's lease has run out."""
    voided = {INTENT} if setting.has(Guard.SENT_SURVIVES) else {INTENT, SENT}
    rows = state.rows
    if any(row.state in voided for row in rows):
        rows = tuple(row._replace(state=VOID) if row.state in voided else row for row in rows)
    processes = tuple(one._replace(holds=False) if one.holds else one for one in state.processes)
    return state._replace(rows=rows, processes=processes, waiting=False)


def begun_applies(setting: Setting, state: State) -> Iterator[Step]:
    """An apply starts: under the lock, with a plan made before the lock, or with a plan file."""
    who = len(state.processes)
    taken = locked(setting, state)
    if setting.unattended:
        alone = Process(PLANS, holds=True, rows=taken.rows, tries=setting.tries)
        yield "{} takes the lock", who, _joined(taken, alone)
    if setting.attended:
        seen = judge(setting, state.rows, state.requests, 0)
        if seen.decision == CREATE:
            asks = Process(WANTS, facts=seen.facts, tries=setting.tries)
            started = state._replace(waiting=False)
            yield "{} plans a create and asks a person", who, _joined(started, asks)
    for facts in state.saved:
        filed = Process(
            LOOKS, holds=True, rows=taken.rows, facts=facts, tries=setting.tries, call=SAVED_CALL
        )
        yield "{} takes the lock to apply the plan file", who, _joined(taken, filed)


def _joined(state: State, process: Process) -> State:
    return state._replace(processes=(*state.processes, process), applies=state.applies - 1)


def apply_steps(setting: Setting, state: State, who: int, process: Process) -> Iterator[Step]:
    """What an apply may do next."""
    match process.at:
        case "wants":
            taken = locked(setting, state)
            looks = process._replace(at=LOOKS, holds=True, rows=taken.rows)
            yield "{} takes the lock", who, with_process(taken, who, looks)
        case "plans":
            yield from _plan(setting, state, who, process)
        case "looks":
            yield from _look(setting, state, who, process)
        case "adopts":
            yield _adopt(setting, state, who, process)
        case "ready":
            yield _begin(setting, state, who, process)
        case "begun":
            yield _mark_sent(setting, state, who, process)
        case "leaves":
            yield from _send(setting, state, who, process)
        case "waits":
            yield from _give_up(setting, state, who, process)
        case "settles":
            yield from _settle(setting, state, who, process)
        case _:
            pass  # A person is at their desk; see `people`.


def may_write(setting: Setting, process: Process) -> bool:
    """Whether the store takes a write of this process: lock.py, guard."""
    return process.holds or not setting.has(Guard.FENCE)


def over(setting: Setting, state: State, who: int, process: Process) -> State:
    """The moment after a process is through with a unit: it gives the lock back, or goes on to the next."""
    if process.unit + 1 < setting.units and process.holds:
        following = Process(
            PLANS, holds=True, unit=process.unit + 1, rows=process.rows, tries=setting.tries
        )
        return with_process(state, who, following)
    return ended(state, who)


def ended(state: State, who: int) -> State:
    """The moment after a process is gone."""
    return with_process(state, who, Process(GONE))


def fenced(state: State, who: int) -> Step:
    """A write is refused, for somebody took the lock over."""
    return "{} may not write any more and ends", who, ended(state, who)


def _plan(setting: Setting, state: State, who: int, process: Process) -> Iterator[Step]:
    for seen, how in _listings(setting, state, process):
        match seen.decision:
            case "create":
                looks = process._replace(at=LOOKS, facts=seen.facts)
                yield "{} plans a create" + how, who, with_process(state, who, looks)
            case "adopt":
                found = process._replace(at=ADOPTS, attempt=seen.facts.own[0])
                yield "{} finds a run of ours" + how, who, with_process(state, who, found)
            case _:
                after = over(setting, state, who, process)
                yield "{} starts nothing: " + seen.decision + how, who, after


def _listings(setting: Setting, state: State, process: Process) -> Iterator[tuple[Verdict, str]]:
    """What a process sees: the whole listing, or, where one that lacks rows is believed, nothing."""
    rows, requests, unit = process.rows, state.requests, process.unit
    yield judge(setting, rows, requests, unit, call=process.call), ""
    blind = state.restored and not setting.assumes(Assumption.NAMELESS_LISTED)
    if blind or not setting.has(Guard.COMPLETE):
        without = judge(setting, rows, requests, unit, call=process.call, complete=False)
        yield without, ", by a listing that lacks rows"


def _look(setting: Setting, state: State, who: int, process: Process) -> Iterator[Step]:
    went_out = any(
        row.call == process.call and row.state not in NEVER_RAN
        for row in process.rows
        if process.call != NONE
    )
    if went_out and setting.has(Guard.SKIP_SENT_CALLS):
        yield "{} skips its call, which went out before", who, over(setting, state, who, process)
        return
    ready = process._replace(at=READY, facts=NO_FACTS, rows=_kept(setting, process))
    if not setting.has(Guard.SECOND_LOOK):
        yield "{} does not look again", who, with_process(state, who, ready)
        return
    for seen, how in _listings(setting, state, process):
        if seen.facts != process.facts or seen.unproved:
            after = over(setting, state, who, process)
            yield "{} looks again and finds things changed" + how, who, after
        else:
            proves = ready._replace(absent=seen.absent)
            yield (
                "{} looks again and finds things as planned" + how,
                who,
                with_process(state, who, proves),
            )


def _kept(setting: Setting, process: Process) -> Rows:
    """A snapshot is dropped once nothing is decided on it any more."""
    return process.rows if process.unit + 1 < setting.units else ()


def _adopt(setting: Setting, state: State, who: int, process: Process) -> Step:
    if not may_write(setting, process):
        return fenced(state, who)
    found = row_of(state.rows, process.attempt)
    if found is not None and found.state in UNRESOLVED:
        rows = with_row(state.rows, process.attempt, ACCEPTED)
    else:
        rows = (*state.rows, Row(process.attempt, process.unit, ACCEPTED, NONE))
    after = over(setting, state._replace(rows=rows), who, process)
    return "{} adopts the run", who, after


def _begin(setting: Setting, state: State, who: int, process: Process) -> Step:
    if not may_write(setting, process):
        return fenced(state, who)
    if process.absent != NONE:
        return _mark_absent(state, who, process)
    taken = UNRESOLVED if setting.finished else {*UNRESOLVED, ACCEPTED}
    for row in state.rows:
        open_here = row.unit == process.unit and row.state in taken
        if open_here and setting.has(Guard.OVERLAP):
            after = over(setting, state, who, process)
            return "{} may not begin beside an attempt that may still run", who, after
        again = process.call != NONE and row.call == process.call
        if again and row.state not in NEVER_RAN and setting.has(Guard.SECOND_SEND):
            after = over(setting, state, who, process)
            return "{} may not begin a call that went out before", who, after
    attempt = len(state.requests)
    now = state._replace(requests=(*state.requests, Request(process.unit)))
    if setting.has(Guard.RECORD_FIRST):
        now = now._replace(rows=(*now.rows, Row(attempt, process.unit, INTENT, process.call)))
    begun = process._replace(at=BEGUN, attempt=attempt)
    what = "records an intent and signs" if now.rows != state.rows else "signs"
    return "{} " + what + " its request", who, with_process(now, who, begun)


def _mark_absent(state: State, who: int, process: Process) -> Step:
    row = row_of(state.rows, process.absent)
    if row is None or row.state not in UNCLEAR:
        return "{} finds that the attempt has moved on", who, ended(state, who)
    now = state._replace(rows=with_row(state.rows, process.absent, ABSENT))
    return (
        "{} records that the attempt never ran",
        who,
        with_process(now, who, process._replace(absent=NONE)),
    )


def _mark_sent(setting: Setting, state: State, who: int, process: Process) -> Step:
    leaves = process._replace(at=LEAVES)
    if not (setting.has(Guard.RECORD_FIRST) and setting.has(Guard.SENT_FIRST)):
        return "{} goes on without a mark", who, with_process(state, who, leaves)
    if not may_write(setting, process) and setting.has(Guard.FENCE_OF_SENT):
        return fenced(state, who)
    row = row_of(state.rows, process.attempt)
    if row is None or (row.state != INTENT and setting.has(Guard.COMPARE_AND_SET)):
        return "{} finds its intent void and drops the request", who, ended(state, who)
    now = state._replace(rows=with_row(state.rows, process.attempt, SENT))
    return "{} marks the attempt as sent", who, with_process(now, who, leaves)


def _send(setting: Setting, state: State, who: int, process: Process) -> Iterator[Step]:
    never = process._replace(at=SETTLES, answer=REFUSED)
    yield (
        "{} cannot connect, or was paused too long, and does not send",
        who,
        with_process(state, who, never),
    )
    request = state.requests[process.attempt]
    waits = with_process(state, who, process._replace(at=WAITS))
    if request.age != VALID and setting.has(Guard.EXPIRY):
        yield "{} sends a request that has expired", who, waits
        told = with_process(state, who, process._replace(at=SETTLES, answer=REFUSED))
        yield "{} sends a request that has expired, and is told so", who, told
        return
    for copies in range(1, setting.copies + 1):
        times = "" if copies == 1 else f", which the network delivers {copies} times"
        sent = with_request(waits, process.attempt, request._replace(copies=copies))
        yield "{} sends its request" + times, who, sent


def _give_up(setting: Setting, state: State, who: int, process: Process) -> Iterator[Step]:
    told = UNKNOWN if setting.has(Guard.SILENCE_IS_UNKNOWN) else REFUSED
    heard = process._replace(at=SETTLES, answer=told)
    yield "{} has no answer in time", who, with_process(state, who, heard)
    if not setting.has(Guard.SENT_ONCE) and process.tries >= 0:
        again = with_process(state, who, process._replace(tries=-1))
        requests = (*again.requests, Request(process.unit, copies=1))
        yield "{} has no answer in time and sends again", who, again._replace(requests=requests)


def _settle(setting: Setting, state: State, who: int, process: Process) -> Iterator[Step]:
    if not may_write(setting, process):
        yield fenced(state, who)
        return
    row = row_of(state.rows, process.attempt)
    rows = with_row(state.rows, process.attempt, process.answer)
    if row is None and not setting.has(Guard.RECORD_FIRST):
        rows = (*rows, Row(process.attempt, process.unit, process.answer, process.call))
    elif row is None or row.state not in _SETTLES_FROM:
        yield "{} finds that the attempt has moved on", who, ended(state, who)
        return
    now = state._replace(rows=rows)
    what = "{} records the outcome: " + process.answer
    yield what, who, over(setting, now, who, process)
    if process.answer == REFUSED and process.tries > 0:
        again = process._replace(at=READY, attempt=NONE, answer="", tries=process.tries - 1)
        yield what + "; it will pass, so it tries again", who, with_process(now, who, again)


_SETTLES_FROM = {SENT, INTENT}
