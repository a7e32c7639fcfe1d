"""What a process decides from its snapshot and a listing: planning/deciding.py, facts.py and absence.py."""

from __future__ import annotations

from typing import NamedTuple

from tests.crash.model.guards import Guard, Setting
from tests.crash.model.state import (
    ABSENT,
    ACCEPTED,
    EXPIRED,
    INTENT,
    NEVER_RAN,
    NONE,
    PAST,
    REFUSED,
    UNCLEAR,
    UNRESOLVED,
    VOID,
    Facts,
    Requests,
    Row,
    Rows,
)

CREATE, ADOPT, HOLD, WAIT = "create", "adopt", "hold", "wait"
OUTCOME_UNKNOWN = "outcome unknown"


class Verdict(NamedTuple):
    """What is decided on a unit: `absent` names an attempt that is proved not to have run."""

    decision: str
    facts: Facts
    past: Row | None
    absent: int = NONE
    unproved: bool = False


def matters(rows: Rows, unit: int) -> Row | None:
    """The attempt that matters for a unit: planning/history.py, _matters."""
    last: Row | None = None
    ran: Row | None = None
    for row in rows:
        if row.unit == unit:
            last = row
            if row.state not in NEVER_RAN and row.state != INTENT:
                ran = row
    return ran or last


def judge(
    setting: Setting,
    rows: Rows,
    requests: Requests,
    unit: int,
    *,
    call: int = NONE,
    complete: bool = True,
) -> Verdict:
    """Decide a unit on a snapshot and a listing taken now; one that is not complete shows nothing."""
    past = matters(rows, unit)
    found = _found(setting, rows, requests, unit, past) if complete else ()
    named = setting.tier == "S2"
    own = found if named and setting.named else ()
    candidates = () if named else found
    proved = past is not None and _absence(setting, requests, past)
    unclear = past is not None and past.state in UNRESOLVED
    return Verdict(
        decision=_decision(setting, past, own, candidates, requests, proved=proved),
        facts=_facts(past, own, candidates, call),
        past=past,
        absent=past.attempt if past is not None and unclear and proved else NONE,
        unproved=unclear and not proved,
    )


def _found(
    setting: Setting, rows: Rows, requests: Requests, unit: int, past: Row | None
) -> tuple[int, ...]:
    """The runs that a complete listing shows and that are not on record."""
    nothing_ran = past is None or past.state in NEVER_RAN or past.state == INTENT
    if nothing_ran and not setting.has(Guard.DISCOVERY):
        return ()
    known = {row.attempt for row in rows if row.state == ACCEPTED}
    return tuple(
        number
        for number, one in enumerate(requests)
        if one.listed and one.unit == unit and number not in known
    )


def _absence(setting: Setting, requests: Requests, past: Row) -> bool:
    if setting.tier == "S3" and setting.has(Guard.NAMELESS_HELD):
        return False
    if not setting.named and setting.has(Guard.TAGS_SHOWN):
        return False
    if not (setting.has(Guard.QUARANTINE) and setting.has(Guard.SERVER_CLOCK)):
        return True
    return requests[past.attempt].age >= (PAST if setting.has(Guard.LAG) else EXPIRED)


def _decision(
    setting: Setting,
    past: Row | None,
    own: tuple[int, ...],
    candidates: tuple[int, ...],
    requests: Requests,
    *,
    proved: bool,
) -> str:
    if past is not None and past.state == ACCEPTED:
        return WAIT
    if own:
        return ADOPT
    if past is not None and past.state in UNCLEAR:
        return CREATE if proved else OUTCOME_UNKNOWN
    if setting.has(Guard.CANDIDATES_HELD):
        # After a person's word only what was made since counts, by the service's own clock.
        by_word = past is not None and past.state == ABSENT
        for one in candidates:
            if past is None or not by_word or requests[one].begun > past.attempt:
                return HOLD
    return CREATE


def _facts(
    past: Row | None, own: tuple[int, ...], candidates: tuple[int, ...], call: int
) -> Facts:
    """What the plan's digest holds: planning/facts.py, facts_digest."""
    if past is None or (call != NONE and past.call == call and past.state in NEVER_RAN):
        return Facts(own=own, candidates=candidates)
    word = _WORDS[past.state]
    return Facts(past=past.attempt, word=word, own=own, candidates=candidates)


_WORDS = {
    ACCEPTED: "ran",
    REFUSED: "refused",
    VOID: "refused",
    ABSENT: "unclear",
    **dict.fromkeys(UNRESOLVED, "unclear"),
}
