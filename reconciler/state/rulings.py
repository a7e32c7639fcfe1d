"""What people decide, written in a caller's transaction."""

from __future__ import annotations

from reconciler.model.attempts import BY_HAND, Attempt
from reconciler.model.dates import DateSet
from reconciler.model.rangemap import RangeMap
from reconciler.model.seams import IdSource
from reconciler.model.state import Ruling, Standing
from reconciler.state.attempts import (
    ATTEMPT_ID_LENGTH,
    attempt_by_id,
    close_dates,
    insert_attempt,
    know_series,
    mark_stopped,
    next_number,
)
from reconciler.state.record import Record

#: Length of the id that every entry has instead of a call's.
CALL_ID_LENGTH = 6


def write_ruling(record: Record, ruling: Ruling, *, ids: IdSource) -> tuple[str, ...]:
    """Write all of a ruling.

    Returns:
        The ids of the attempts it touched or added.

    Raises:
        StateError: An attempt has moved on since the person looked.
    """
    touched: list[str] = []
    for closing in ruling.closings:
        known = attempt_by_id(record, closing.attempt_id)
        touched += close_dates(record, known, closing, ids=ids)
    for standing in ruling.standings:
        new = _entry(standing, ruling, ids=ids, number=next_number(record))
        know_series(record.connection, standing.series)
        insert_attempt(record, new)
        touched.append(new.id)
    for attempt_id, dates in ruling.stopped.items():
        mark_stopped(record, attempt_id, dates)
        touched.append(attempt_id)
    return tuple(touched)


def _entry(standing: Standing, ruling: Ruling, *, ids: IdSource, number: int) -> Attempt:
    """The row of a standing; with the highest number, it goes before whatever was there."""
    run = standing.run
    whole = DateSet((standing.dates,))
    return Attempt(
        id=ids.token(ATTEMPT_ID_LENGTH),
        number=number,
        address=standing.address,
        connection=standing.connection,
        operation=ruling.event,
        subject=standing.series.subject.fingerprint,
        series=standing.series.fingerprint,
        generation=standing.generation,
        dates=standing.dates,
        call_id=ids.token(CALL_ID_LENGTH),
        plan_id="",
        name=(run.name or "") if run is not None else "",
        state=standing.state,
        adopted=run is not None,
        created_at=ruling.at,
        code=BY_HAND,
        message=ruling.reason,
        run_ids=run.run_ids if run is not None else (),
        run_group=run.run_group if run is not None else None,
        coverage=RangeMap() if standing.seen is None else RangeMap.constant(whole, standing.seen),
    )
