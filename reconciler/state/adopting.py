"""Putting a run of ours that was found on record, in a caller's transaction."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection

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


def settle_tries(connection: Connection, stack_id: str, adoption: Adoption) -> tuple[str, ...]:
    """Settle the tries of unknown outcome that made a found run.

    Returns:
        Their ids; empty if none is on record.
    """
    found = adoption.run
    sent = [
        one
        for one in attempts_of_call(connection, stack_id, adoption.call_id)
        if one.series == adoption.series
        and one.state.unresolved
        and DateSet((one.dates,)) & found.dates
    ]
    for one in sent:
        settle_found(connection, one, found.run_ids, found.run_group)
    return tuple(one.id for one in sent)


def record_found(
    connection: Connection,
    stack_id: str,
    adoption: Adoption,
    of_series: Series,
    *,
    at: dt.datetime,
    plan_id: str,
    ids: IdSource,
    fence: int,
) -> str:
    """Record a found run that no try on record made.

    Returns:
        The id of its attempt.
    """
    found = adoption.run
    hull = found.dates.hull
    assert hull is not None  # noqa: S101 - a found run has dates
    know_series(connection, of_series)
    new = Attempt(
        id=ids.token(ATTEMPT_ID_LENGTH),
        number=next_number(connection, stack_id),
        address=adoption.address,
        connection=adoption.connection,
        operation="adopt",
        subject=of_series.subject.fingerprint,
        series=of_series.fingerprint,
        generation=adoption.generation,
        dates=hull,
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
    insert_attempt(connection, stack_id, new, fence=fence)
    return new.id
