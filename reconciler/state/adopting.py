"""Putting a run of ours that was found on record, in a caller's transaction."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from reconciler.model.attempts import Attempt, AttemptState
from reconciler.model.dates import DateSet
from reconciler.model.plan import Adoption
from reconciler.model.seams import IdSource
from reconciler.model.series import Series
from reconciler.state.attempts import (
    ATTEMPT_ID_LENGTH,
    attempts_of_call,
    insert_attempt,
    know_series,
    next_number,
    settle_found,
)
from reconciler.state.record import Record


def settle_tries(record: Record, adoption: Adoption) -> tuple[str, ...]:
    """Settle the tries of unknown outcome that made a found run.

    Returns:
        Their ids; empty if none is on record.
    """
    found = adoption.run
    sent = [
        one
        for one in attempts_of_call(record, adoption.call_id)
        if one.series == adoption.series
        and one.state.unresolved
        and DateSet((one.dates,)) & found.dates
    ]
    for one in sent:
        settle_found(record, one, found.run_ids, found.run_group)
    return tuple(one.id for one in sent)


def record_found(
    record: Record,
    adoption: Adoption,
    of_series: Series,
    *,
    at: dt.datetime,
    plan_id: str,
    ids: IdSource,
) -> tuple[str, ...]:
    """Record a found run that no try on record made.

    Returns:
        The ids of its attempts: one for each range of its dates, all of the same number.
    """
    found = adoption.run
    know_series(record.connection, of_series)
    attempt = Attempt(
        id="",
        number=next_number(record),
        address=adoption.address,
        connection=adoption.connection,
        operation="adopt",
        subject=of_series.subject.fingerprint,
        series=of_series.fingerprint,
        generation=adoption.generation,
        dates=found.dates.ranges[0],
        call_id=adoption.call_id,
        plan_id=plan_id,
        name=found.name or "",
        state=AttemptState.ACCEPTED,
        adopted=True,
        created_at=at,
        signed_at=found.created_at,
        run_ids=found.run_ids,
        run_group=found.run_group,
    )
    made = []
    for dates in found.dates:
        made.append(ids.token(ATTEMPT_ID_LENGTH))
        piece = replace(attempt, id=made[-1], dates=dates)
        insert_attempt(record, piece)
    return tuple(made)
