"""How attempts may change: each transition is a compare-and-set in the caller's transaction.

    intent ──▶ sent ──▶ accepted ⇄ partial
      │         ├─────▶ refused
      └─▶ void  └─────▶ unknown ──▶ accepted | absent | settled

What never ran (void, refused, absent) stays so; an accepted run is never un-accepted. `partial` is
accepted with dates missing: it turns back when they appear, and what is missing may prove absent.
`settled` is a person's word on what nobody could tell; `requested`, their wish that units run again, is
no call's. Whatever is not open may become `forgotten`.
"""

from __future__ import annotations

from reconciler.model.attempts import AttemptState
from reconciler.model.errors import AGAIN, StateMoved
from reconciler.state.record import Record, Row
from reconciler.state.schema import attempt

_FROM: dict[AttemptState, frozenset[AttemptState]] = {
    AttemptState.SENT: frozenset({AttemptState.INTENT}),
    AttemptState.VOID: frozenset({AttemptState.INTENT}),
    AttemptState.REFUSED: frozenset({AttemptState.SENT, AttemptState.INTENT}),
    AttemptState.UNKNOWN: frozenset({AttemptState.SENT}),
    AttemptState.ACCEPTED: frozenset(
        {AttemptState.SENT, AttemptState.UNKNOWN, AttemptState.PARTIAL, AttemptState.ACCEPTED}
    ),
    AttemptState.PARTIAL: frozenset({AttemptState.ACCEPTED, AttemptState.PARTIAL}),
    AttemptState.ABSENT: frozenset(
        {AttemptState.SENT, AttemptState.UNKNOWN, AttemptState.PARTIAL}
    ),
    AttemptState.SETTLED: frozenset(
        {AttemptState.SENT, AttemptState.UNKNOWN, AttemptState.PARTIAL}
    ),
    AttemptState.FORGOTTEN: frozenset(
        {
            AttemptState.PARTIAL,
            AttemptState.ACCEPTED,
            AttemptState.REFUSED,
            AttemptState.VOID,
            AttemptState.ABSENT,
            AttemptState.SETTLED,
            AttemptState.REQUESTED,
        }
    ),
}


def move(record: Record, attempt_id: str, to: AttemptState, columns: Row) -> None:
    """Move one attempt to a state it may go to from where it is, and write `columns` with it.

    Raises:
        StateError: It is in a state from which that is not allowed; nothing was written.
    """
    allowed = {state.value for state in _FROM[to]}
    for row in record.rows(attempt, attempt.c.attempt_id == attempt_id):
        if row["state"] in allowed:
            record.change(attempt, row, {**columns, "state": to.value})
            return
    raise StateMoved(
        f"attempt {attempt_id} cannot become {to.value}: its state has moved on",
        hint=AGAIN,
    )
