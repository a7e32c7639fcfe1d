"""Rows of the `attempt` table: reading and writing them in a caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection, func, insert, select, update

from reconciler.model.attempts import BY_HAND, Attempt, AttemptState
from reconciler.model.canonical import canonical_json
from reconciler.model.dates import DateRange, DateSet
from reconciler.model.errors import StateError, UnitsTaken
from reconciler.model.outcomes import Accepted, CreateOutcome, Refused, Unknown
from reconciler.model.rangemap import RangeMap
from reconciler.model.seams import IdSource
from reconciler.model.series import Series, series_from_document
from reconciler.model.state import Closing, Intent
from reconciler.state.codec import attempt_columns, attempt_of_row, run_ids_text, stamp_of
from reconciler.state.schema import attempt, series
from reconciler.state.transitions import move

#: Length of an attempt's id, in base32 characters.
ATTEMPT_ID_LENGTH = 20

#: A person has spoken: nothing of ours is waited for any more.
_CLOSED = {AttemptState.SETTLED, AttemptState.REQUESTED, AttemptState.FORGOTTEN}


def all_attempts(connection: Connection, stack_id: str) -> tuple[Attempt, ...]:
    """Every attempt of a project that is not forgotten, by number."""
    everything = every_attempt(connection, stack_id)
    return tuple(one for one in everything if one.state is not AttemptState.FORGOTTEN)


def every_attempt(connection: Connection, stack_id: str) -> tuple[Attempt, ...]:
    """Every attempt of a project, forgotten ones too, by number."""
    rows = connection.execute(
        select(attempt)
        .where(attempt.c.stack_id == stack_id)
        .order_by(attempt.c.number, attempt.c.start_date)
    )
    return tuple(map(attempt_of_row, rows.mappings()))


def all_series(connection: Connection) -> dict[str, Series]:
    """What every fingerprint on record stands for.

    Raises:
        StateError: A document cannot be read.
    """
    rows = connection.execute(select(series)).all()
    try:
        return {row.fingerprint: series_from_document(json.loads(row.document)) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"the state store holds a series nobody can read: {error}") from error


def attempt_by_id(connection: Connection, attempt_id: str) -> Attempt:
    """One attempt.

    Raises:
        StateError: There is none of that id.
    """
    row = connection.execute(select(attempt).where(attempt.c.attempt_id == attempt_id))
    found = row.mappings().first()
    if found is None:
        raise StateError(f"there is no attempt {attempt_id}")
    return attempt_of_row(found)


def rests_on_record(connection: Connection, seen: Attempt) -> bool:
    """Whether an attempt is on record as it was when `seen` was made of it."""
    if not seen.stamp:
        return True  # it was made in this process, and has just been sent
    row = connection.execute(select(attempt).where(attempt.c.attempt_id == seen.id))
    found = row.mappings().first()
    return found is not None and stamp_of(dict(found)) == seen.stamp


def attempts_of_call(connection: Connection, stack_id: str, call_id: str) -> tuple[Attempt, ...]:
    """Every try of one call."""
    rows = connection.execute(
        select(attempt).where(attempt.c.stack_id == stack_id, attempt.c.call_id == call_id)
    )
    return tuple(map(attempt_of_row, rows.mappings()))


def insert_attempt(connection: Connection, stack_id: str, new: Attempt, *, fence: int) -> None:
    """Write a new attempt."""
    connection.execute(
        insert(attempt).values(**attempt_columns(new), stack_id=stack_id, fence=fence)
    )


def next_number(connection: Connection, stack_id: str) -> int:
    """The number of the next attempt, from 1."""
    highest = connection.execute(
        select(func.max(attempt.c.number)).where(attempt.c.stack_id == stack_id)
    ).scalar()
    return int(highest or 0) + 1


def know_series(connection: Connection, of_series: Series) -> None:
    """Write down what a fingerprint stands for, once."""
    known = connection.execute(
        select(series.c.fingerprint).where(series.c.fingerprint == of_series.fingerprint)
    ).first()
    if known is None:
        document = canonical_json(of_series.document())
        connection.execute(
            insert(series).values(fingerprint=of_series.fingerprint, document=document)
        )


def refuse_overlap(connection: Connection, stack_id: str, intent: Intent) -> None:
    """Refuse an intent on units where something may still run.

    Raises:
        UnitsTaken: Naming the attempt in the way.
    """
    rows = connection.execute(
        select(attempt).where(
            attempt.c.stack_id == stack_id,
            attempt.c.subject == intent.series.subject.fingerprint,
            attempt.c.start_date < intent.dates.end.isoformat(),
            attempt.c.end_date > intent.dates.start.isoformat(),
        )
    )
    for other in map(attempt_of_row, rows.mappings()):
        open_dates = _may_still_run(other) & DateSet((intent.dates,))
        if open_dates:
            raise UnitsTaken(
                f"{intent.address}@{open_dates}: attempt {other.id} ({other.state.value}) "
                "may still run there",
                hint="run plan again",
            )


def refuse_second_send(connection: Connection, stack_id: str, intent: Intent) -> None:
    """Refuse a call that went out before and is not proved to have done nothing.

    Raises:
        UnitsTaken: It did.
    """
    tries = attempts_of_call(connection, stack_id, intent.call_id)
    if any(not other.state.never_ran for other in tries):
        raise UnitsTaken(f"call {intent.call_id} has been sent before; it is never sent twice")


def _may_still_run(known: Attempt) -> DateSet:
    """The dates of an attempt on which nothing else may be started."""
    whole = DateSet((known.dates,))
    if known.state.never_ran or known.state in _CLOSED:
        return DateSet()
    if known.state in {AttemptState.ACCEPTED, AttemptState.PARTIAL}:
        settled = known.coverage.where(lambda seen: seen.gone or not seen.status.in_flight)
        return whole - settled
    return whole


def close_dates(
    connection: Connection,
    stack_id: str,
    known: Attempt,
    closing: Closing,
    *,
    ids: IdSource,
    fence: int,
) -> tuple[str, ...]:
    """Give some dates of an attempt another state; the others stay as they are.

    An attempt's dates are one range, so what is left of it, and what leaves it, may become attempts of
    their own: the same call, told apart by date.

    Returns:
        The ids of the attempt and of those that were made of it.

    Raises:
        UnitsTaken: What became of the call on some of the dates does not allow it, or they are not its.
    """
    whole = DateSet((known.dates,))
    allowed = _unclear(known)
    if closing.state is AttemptState.FORGOTTEN:
        forgotten = known.state is AttemptState.FORGOTTEN
        allowed = DateSet() if forgotten else whole - _may_still_run(known)
    if not closing.dates or closing.dates - allowed:
        raise UnitsTaken(
            f"attempt {known.id} ({known.state.value}) cannot become {closing.state.value} "
            f"on {closing.dates}",
            hint="run the command again: it continues from what is on record",
        )
    left = whole - closing.dates
    if not left:
        closed = _closed(known, known.dates, closing)
        columns = attempt_columns(closed)
        names = ("run_ids", "run_group", "coverage", "code", "message")
        changing = {name: columns[name] for name in names}
        move(connection, known.id, closing.state, changing)
        return (known.id,)
    first, *others = left.ranges
    pieces = [_part(known, dates) for dates in others]
    pieces.extend(_closed(known, dates, closing) for dates in closing.dates)
    touched = [known.id]
    for piece in pieces:
        # The number stays: what is split off was not sent later than what came after it.
        sibling = replace(piece, id=ids.token(ATTEMPT_ID_LENGTH))
        insert_attempt(connection, stack_id, sibling, fence=fence)
        touched.append(sibling.id)
    columns = attempt_columns(_part(known, first))
    connection.execute(
        update(attempt)
        .where(attempt.c.attempt_id == known.id, attempt.c.state == known.state.value)
        .values({name: columns[name] for name in ("start_date", "end_date", "coverage")})
    )
    return tuple(touched)


def _part(known: Attempt, dates: DateRange) -> Attempt:
    return replace(known, dates=dates, coverage=known.coverage.restricted(DateSet((dates,))))


def _closed(known: Attempt, dates: DateRange, closing: Closing) -> Attempt:
    part = replace(_part(known, dates), state=closing.state)
    if closing.state is AttemptState.FORGOTTEN:
        return part
    if closing.run is not None:
        run = closing.run
        return replace(
            part,
            run_ids=run.run_ids,
            run_group=run.run_group,
            coverage=RangeMap(),
            code=None,
            message=None,
        )
    # It had no runs on these dates that we know of; what a person saw is all there is.
    seen = closing.seen
    coverage = part.coverage if seen is None else RangeMap.constant(DateSet((dates,)), seen)
    closed = replace(part, run_ids=(), run_group=None, coverage=coverage)
    return closed if closing.why is None else replace(closed, code=BY_HAND, message=closing.why)


def _unclear(known: Attempt) -> DateSet:
    """The dates of an attempt on which nobody knows what became of it."""
    match known.state:
        case AttemptState.SENT | AttemptState.UNKNOWN:
            return DateSet((known.dates,))
        case AttemptState.PARTIAL:
            return DateSet((known.dates,)) - known.coverage.dates
        case _:
            return DateSet()


def settle_found(
    connection: Connection, known: Attempt, run_ids: tuple[str, ...], run_group: str | None
) -> None:
    """Record that an unresolved attempt's runs were found; ids that were known stay known."""
    both = tuple(dict.fromkeys((*known.run_ids, *run_ids)))
    state, columns = outcome_columns(Accepted(run_ids=both, request_id=known.request_id))
    move(connection, known.id, state, {**columns, "run_group": run_group or known.run_group})


def outcome_columns(outcome: CreateOutcome) -> tuple[AttemptState, dict[str, object]]:
    """The state an outcome leads to, and the columns that say what was answered."""
    match outcome:
        case Accepted():
            return AttemptState.ACCEPTED, {
                "run_ids": run_ids_text(outcome.run_ids),
                "request_id": outcome.request_id,
            }
        case Refused():
            return AttemptState.REFUSED, {
                "code": outcome.code,
                "message": outcome.message,
                "transient": outcome.transient,
                "request_id": outcome.request_id,
            }
        case Unknown():
            return AttemptState.UNKNOWN, {
                "code": outcome.code,
                "message": outcome.cause,
                "request_id": outcome.request_id,
            }


def outcome_data(outcome: CreateOutcome) -> dict[str, object]:
    """What an outcome says, for the journal; what it does not say is left out."""
    _, columns = outcome_columns(outcome)
    said = {name: value for name, value in columns.items() if value}
    if isinstance(outcome, Accepted):
        said["run_ids"] = list(outcome.run_ids)
    return said


def standing_of(connection: Connection, attempt_ids: Iterable[str]) -> dict[str, str]:
    """How attempts stand, for the journal and whoever verifies it: state and dates, by id."""
    rows = connection.execute(
        select(attempt.c.attempt_id, attempt.c.state, attempt.c.start_date, attempt.c.end_date)
        .where(attempt.c.attempt_id.in_(tuple(attempt_ids)))
        .order_by(attempt.c.attempt_id)
    )
    return {row.attempt_id: standing(row.state, row.start_date, row.end_date) for row in rows}


def standing(state: str, start: str, end: str) -> str:
    """State and dates in one text. An accepted call becomes partial, and back, without a word."""
    known = AttemptState.ACCEPTED.value if state == AttemptState.PARTIAL.value else state
    return f"{known} {start}/{end}"
