"""What the service, the network and time do by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from tests.crash.model.guards import Assumption, Guard, Setting
from tests.crash.model.state import (
    ACCEPTED,
    BEGUN,
    EXPIRED,
    LEAVES,
    NONE,
    PAST,
    REFUSED,
    SETTLES,
    UNKNOWN,
    VALID,
    WAITS,
    Request,
    State,
    row_of,
    with_process,
    with_request,
)

#: A sentence, the process it is about (or `NONE`), and the moment after it.
Step = tuple[str, int, State]


def service_steps(setting: Setting, state: State) -> Iterator[Step]:
    """Copies arrive, runs are listed, signatures expire."""
    for number, request in enumerate(state.requests):
        waiting = _waiting(state, number)
        if request.copies:
            yield from _arrivals(setting, state, number, request, waiting)
        if request.runs and not request.listed:
            listed = request._replace(listed=True)
            yield "the run is listed from now on", NONE, with_request(state, number, listed)
        if request.age != PAST and _matters_how_old(state, number, request):
            yield from _ageing(setting, state, number, request, waiting)


def _waiting(state: State, number: int) -> int:
    for who, process in enumerate(state.processes):
        if process.attempt == number and process.at == WAITS:
            return who
    return NONE


def _arrivals(
    setting: Setting, state: State, number: int, request: Request, waiting: int
) -> Iterator[Step]:
    left = request._replace(copies=request.copies - 1)
    if request.used:
        told = UNKNOWN if setting.has(Guard.REPLAYED_IS_UNKNOWN) else REFUSED
        yield from _answered(
            with_request(state, number, left),
            waiting,
            told,
            "a second copy arrives and is told that its nonce was used",
        )
        return
    spent = left._replace(used=True)
    ran = spent._replace(runs=request.runs + 1, begun=len(state.requests))
    yield from _answered(
        with_request(state, number, ran), waiting, ACCEPTED, "the service executes the create"
    )
    kept = spent if setting.assumes(Assumption.NONCE_SPENT) else left
    yield from _answered(
        with_request(state, number, kept), waiting, REFUSED, "the service refuses the create"
    )
    if waiting != NONE:
        told = UNKNOWN if setting.has(Guard.UNLISTED_IS_UNKNOWN) else REFUSED
        yield from _answered(
            with_request(state, number, ran),
            waiting,
            told,
            "the service executes the create and says that something failed",
            lost=False,
        )


def _answered(
    state: State, waiting: int, answer: str, what: str, *, lost: bool = True
) -> Iterator[Step]:
    """With nobody waiting, or on its way back, an answer is lost."""
    if lost:
        yield what + ("" if waiting == NONE else "; its answer is lost"), NONE, state
    if waiting != NONE:
        process = state.processes[waiting]
        heard = process._replace(at=SETTLES, answer=answer)
        yield what + "; {} has its answer", waiting, with_process(state, waiting, heard)


def _matters_how_old(state: State, number: int, request: Request) -> bool:
    if request.copies:
        return True
    if any(
        process.attempt == number and process.at in {BEGUN, LEAVES, WAITS}
        for process in state.processes
    ):
        return True
    kept = row_of(state.rows, number) or row_of(state.backup, number)
    return kept is not None and kept.state in {"intent", "sent", UNKNOWN}


def _ageing(
    setting: Setting, state: State, number: int, request: Request, waiting: int
) -> Iterator[Step]:
    if request.age == EXPIRED:
        if not request.runs or request.listed:
            past = with_request(state, number, request._replace(age=PAST))
            yield "the listing lag has passed since the request expired", NONE, past
        return
    kept = 0 if setting.has(Guard.EXPIRY) else request.copies
    older = with_request(state, number, request._replace(age=EXPIRED, copies=kept))
    what = "the request expires"
    yield what, NONE, older
    refused = not request.used or (
        request.copies and not setting.assumes(Assumption.USED_BEFORE_EXPIRED)
    )
    if waiting != NONE and refused and setting.has(Guard.EXPIRY):
        heard = state.processes[waiting]._replace(at=SETTLES, answer=REFUSED)
        said = what + " on its way; {} is told so"
        yield said, waiting, with_process(older, waiting, heard)


def may_be_executed(setting: Setting, state: State, number: int) -> bool:
    """Whether a request may still be executed, if everybody does what they are about to do."""
    request = state.requests[number]
    if request.used or (request.age != VALID and setting.has(Guard.EXPIRY)):
        return False
    return bool(request.copies) or any(
        process.attempt == number and process.at == LEAVES for process in state.processes
    )
