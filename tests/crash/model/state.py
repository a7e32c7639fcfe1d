"""One moment of the model: what is on record, what is true, and how far each process is.

Everything is a tuple of texts, numbers and tuples, so that moments can be compared and kept in sets.
"""

from __future__ import annotations

from typing import NamedTuple

#: What is written of an attempt on record.
INTENT, SENT, UNKNOWN, ACCEPTED = "intent", "sent", "unknown", "accepted"
REFUSED, VOID, ABSENT = "refused", "void", "absent"
NEVER_RAN = frozenset({REFUSED, VOID, ABSENT})
UNRESOLVED = frozenset({INTENT, SENT, UNKNOWN})
UNCLEAR = frozenset({SENT, UNKNOWN})

#: How old a signature is by the service's clock: accepted; no longer; and the listing lag has passed, too.
VALID, EXPIRED, PAST = 0, 1, 2

#: Where a process is: what it does next.
WANTS, PLANS, LOOKS, READY, BEGUN = "wants", "plans", "looks", "ready", "begun"
LEAVES, WAITS, SETTLES, ADOPTS = "leaves", "waits", "settles", "adopts"
DESK, RULES = "desk", "rules"
GONE = "gone"

#: No attempt, no call.
NONE = -1


class Row(NamedTuple):
    """An attempt on record; the later in the record, the later it was sent or put there."""

    attempt: int
    unit: int
    state: str
    call: int


Rows = tuple[Row, ...]


class Request(NamedTuple):
    """What is true of an attempt's request: `copies` are under way, `runs` is how often it was executed.

    `begun` is how many attempts there were when it was executed: it stands for the time of its run.
    """

    unit: int
    copies: int = 0
    age: int = VALID
    used: bool = False
    runs: int = 0
    listed: bool = False
    begun: int = 0


Requests = tuple[Request, ...]


class Facts(NamedTuple):
    """What a call is decided on, as far as the plan's digest holds it."""

    past: int = NONE
    word: str = ""
    own: tuple[int, ...] = ()
    candidates: tuple[int, ...] = ()


NO_FACTS = Facts()


class Process(NamedTuple):
    """An apply, or a person at their desk, that is alive; `holds` says that its lease is the current one.

    `rows` is its snapshot, `attempt` what it is about, `answer` what became of that, `absent` the attempt
    whose absence it has proved, `tries` how often it may still try a refused call again.
    """

    at: str
    holds: bool = False
    unit: int = 0
    rows: Rows = ()
    facts: Facts = NO_FACTS
    attempt: int = NONE
    answer: str = ""
    absent: int = NONE
    tries: int = 0
    call: int = NONE


class State(NamedTuple):
    """One moment; `applies`, `people`, `crashes`, `backups` and `restores` are what may still happen.

    `backup` is the record as it was once, empty at first; `waiting` says that a person has put it back and
    waits. `saved` holds what the plan file was decided on, if there is one.
    """

    rows: Rows = ()
    requests: Requests = ()
    processes: tuple[Process, ...] = ()
    applies: int = 0
    people: int = 0
    crashes: int = 0
    backups: int = 0
    restores: int = 0
    backup: Rows = ()
    waiting: bool = False
    restored: bool = False
    plan_files: int = 0
    saved: tuple[Facts, ...] = ()


def pruned(state: State, *, fence: bool) -> State:
    """The same moment without processes that can do nothing any more; the others keep their places.

    Where writes are guarded by a `fence`, a process that lost its lease and has no request to send or to
    wait for can only find out and end.
    """
    if not fence or all(one.holds or one.at in _FREE for one in state.processes):
        return state
    processes = tuple(
        one if one.holds or one.at in _FREE else Process(GONE) for one in state.processes
    )
    return state._replace(processes=processes)


def normal(state: State, *, fence: bool) -> State:
    """The same moment without regard to which process is called what."""
    alive = [one for one in pruned(state, fence=fence).processes if one.at != GONE]
    alive.sort()
    return state._replace(processes=tuple(alive))


#: What a process does next that needs no lease.
_FREE = frozenset({WANTS, LEAVES, WAITS, GONE})


def with_process(state: State, who: int, now: Process) -> State:
    """A moment in which one process has moved."""
    processes = state.processes
    return state._replace(processes=(*processes[:who], now, *processes[who + 1 :]))


def with_request(state: State, attempt: int, now: Request) -> State:
    """A moment in which something became of a request."""
    requests = state.requests
    return state._replace(requests=(*requests[:attempt], now, *requests[attempt + 1 :]))


def row_of(rows: Rows, attempt: int) -> Row | None:
    """What is on record of an attempt; of several entries the last."""
    for row in reversed(rows):
        if row.attempt == attempt:
            return row
    return None


def with_row(rows: Rows, attempt: int, state: str) -> Rows:
    """The record with an attempt in another state."""
    return tuple(row._replace(state=state) if row.attempt == attempt else row for row in rows)


def runs_of(state: State, unit: int) -> int:
    """How often creates of ours were executed for a unit."""
    return sum(one.runs for one in state.requests if one.unit == unit)
